package described

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/fieldpath"
)

// list is a list of elements with weights, as the editor sees it.
type list struct {
	editor
	elements []map[string]any
}

// listOf reads a list; what is no object has no part in anything, and is an error for no list of weights holds such.
func (e editor) listOf(node any) (list, error) {
	all, _ := node.([]any)
	l := list{editor: e}
	for _, element := range all {
		m, ok := element.(map[string]any)
		if !ok {
			return l, fmt.Errorf("%s: an element of the list is no object", e.sides.Within)
		}
		l.elements = append(l.elements, m)
	}
	return l, nil
}

func (l list) node() any {
	all := make([]any, len(l.elements))
	for i, m := range l.elements {
		all[i] = m
	}
	return all
}

func (l list) index(side fieldpath.Step) int {
	return slices.IndexFunc(l.elements, func(m map[string]any) bool { return side.Holds(m) && !l.setAside(m) })
}

// setAside tells that an element has no part in the division: the description says so, or it is our mirror.
func (e editor) setAside(m map[string]any) bool { return e.aside != nil && e.aside.Holds(m) }

// keys tell the elements apart by the fields of the selector; equal ones by which of them comes first.
func (l list) keys() []string {
	var keys []string
	for _, m := range l.elements {
		var parts []string
		for _, c := range l.sides.Base.Where {
			parts = append(parts, fieldpath.Text(m[c.Field]))
		}
		if l.setAside(m) {
			parts = append(parts, "aside")
		}
		key := strings.Join(parts, "/")
		for n, plain := 2, key; slices.Contains(keys, key); n++ {
			key = fmt.Sprintf("%s/%d", plain, n)
		}
		keys = append(keys, key)
	}
	return keys
}

func (l list) weight(m map[string]any) (*int64, error) {
	field := l.sides.Then[0].Field
	switch w := m[field].(type) {
	case nil:
		return nil, nil
	case int64:
		return &w, nil
	case float64:
		if whole := int64(w); float64(whole) == w {
			return &whole, nil
		}
	}
	return nil, fmt.Errorf("%s%s: the %s %v is no whole number", l.sides.Within, l.sides.Base, field, m[field])
}

func (l list) setWeight(m map[string]any, weight *int64) {
	if field := l.sides.Then[0].Field; weight == nil {
		delete(m, field)
	} else {
		m[field] = *weight
	}
}

// theirs are the elements that no rollout made. Of a list that nobody remembers, the candidate's element is ours only if it
// is known by the candidate's name.
func (l list) theirs(was place, known bool) list {
	out := list{editor: l.editor}
	for _, m := range l.elements {
		if !l.ours(m, was, known) {
			out.elements = append(out.elements, m)
		}
	}
	return out
}

// remember is what the list was: weights of all but what is ours.
func (l list) remember(id string) (place, error) {
	p := place{ID: id, Weights: map[string]*int64{}}
	l = l.theirs(p, false)
	for i, key := range l.keys() {
		w, err := l.weight(l.elements[i])
		if err != nil {
			return p, err
		}
		p.Weights[key] = w
	}
	return p, nil
}

// ours tells that an element is one that a rollout made: of the candidate, or its mirror, and nobody wrote it before.
func (l list) ours(m map[string]any, was place, known bool) bool {
	if _, theirs := was.Weights[l.only(m)]; theirs {
		return false
	}
	if l.mirror != nil && l.mirror.beside && l.mirror.path[len(l.mirror.path)-1].Holds(m) {
		return true
	}
	return l.sides.Candidate.Holds(m) && !l.setAside(m) && (l.own || known)
}

// only is the key of an element as if it were alone.
func (l list) only(m map[string]any) string {
	return list{editor: l.editor, elements: []map[string]any{m}}.keys()[0]
}

// restore gives every element the weight that it had, and takes ours out. Where nobody knows what it was, the base gets
// what the two had together, by which everybody else keeps their share.
func (l list) restore(was place, known bool) (list, error) {
	base, candidate := l.index(l.sides.Base), l.index(l.sides.Candidate)
	if base < 0 && candidate >= 0 { // somebody took the base out: the requests must go somewhere
		m := runtime.DeepCopyJSON(l.elements[candidate])
		set(m, l.sides.Base)
		l.elements = slices.Insert(slices.Clone(l.elements), candidate, m)
		base, candidate = candidate, candidate+1
	}
	if !known && base >= 0 && candidate >= 0 && l.own {
		if err := l.merge(base, candidate); err != nil {
			return l, err
		}
	}
	out := l.theirs(was, known)
	for i, key := range out.keys() {
		if w, ok := was.Weights[key]; ok {
			out.setWeight(out.elements[i], w)
		}
	}
	return out, nil
}

func (l list) merge(base, candidate int) error {
	b, err := l.weight(l.elements[base])
	if err != nil {
		return err
	}
	c, err := l.weight(l.elements[candidate])
	if err != nil || b == nil || c == nil {
		return err
	}
	sum := *b + *c
	l.setWeight(l.elements[base], &sum)
	return nil
}

// set gives an element what a selector asks for.
func set(m map[string]any, side fieldpath.Step) {
	for _, c := range side.Where {
		switch value := c.Value(); {
		case c.Holds(m):
		case value == "":
			delete(m, c.Field)
		case value == "true" || value == "false":
			m[c.Field] = value == "true"
		default:
			m[c.Field] = value
		}
	}
}
