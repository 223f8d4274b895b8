package described

import (
	"bytes"
	"encoding/json"
	"fmt"

	kjson "k8s.io/apimachinery/pkg/util/json"

	"github.com/tidegate/tidegate/internal/fieldpath"
	"github.com/tidegate/tidegate/internal/plan"
)

// walk goes down to what a path names and gives back what it becomes. id names a place by what the elements on the way to it
// are, without what is below them: it stays the same when others are added or moved.
type walk struct {
	// edit changes what the path names, and may change what it is given.
	edit func(id string, node any) (any, error)
	// memo has the texts of JSON as they were. One that holds a place which is remembered now is added to them.
	memo *memo
}

func (w walk) down(node any, rest fieldpath.Path, id string) (any, error) {
	if len(rest) == 0 {
		return w.edit(id, node)
	}
	switch step := rest[0]; {
	case step.JSON:
		return w.json(node, rest[1:], id)
	case step.Field == "":
		return w.elements(node, rest, id)
	default:
		m, ok := node.(map[string]any)
		if !ok || m[step.Field] == nil {
			return node, nil // nothing is there: no place
		}
		child, err := w.down(m[step.Field], rest[1:], id)
		m[step.Field] = child
		return m, err
	}
}

func (w walk) elements(node any, rest fieldpath.Path, id string) (any, error) {
	list, ok := node.([]any)
	if !ok {
		return node, nil
	}
	for i, element := range list {
		m, ok := element.(map[string]any)
		if !ok || !rest[0].Every && !rest[0].Holds(m) {
			continue
		}
		changed, err := w.down(m, rest[1:], id+"/"+identity(m, rest[1:]))
		if err != nil {
			return node, err
		}
		list[i] = changed
	}
	return list, nil
}

// identity is what an element is, without what a rollout changes below it.
func identity(element map[string]any, below fieldpath.Path) string {
	rest := map[string]any{}
	for key, value := range element {
		if len(below) == 0 || key != below[0].Field {
			rest[key] = value
		}
	}
	return plan.Digest(rest)
}

func (w walk) json(node any, rest fieldpath.Path, id string) (any, error) {
	text, ok := node.(string)
	if !ok {
		return node, nil
	}
	value, err := decode(text)
	if err != nil {
		return node, fmt.Errorf("the text cannot be read as JSON: %w", err)
	}
	before, places := plan.Digest(value), len(w.memo.Places)
	changed, err := w.down(value, rest, id)
	if err != nil || plan.Digest(changed) == before {
		return text, err
	}
	for _, was := range w.memo.Texts {
		if v, err := decode(was); err == nil && plan.Digest(v) == plan.Digest(changed) {
			return was, nil
		}
	}
	if len(w.memo.Places) > places {
		w.memo.Texts = append(w.memo.Texts, text)
	}
	return encode(changed)
}

func decode(text string) (any, error) {
	var value any
	err := kjson.Unmarshal([]byte(text), &value)
	return value, err
}

// encode writes JSON with keys in order and nothing escaped that need not be.
func encode(value any) (string, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return string(bytes.TrimRight(out.Bytes(), "\n")), err
}
