package described

import (
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// rules are those of a ring that a rollout put into an object.
type rules struct {
	Elements []any    `json:"elements,omitempty"`
	Headers  []string `json:"headers,omitempty"` // names of those that they ask for
	Absent   bool     `json:"absent,omitempty"`  // there was no list before
}

// stood are rules of a ring that were taken out, as they stood in the object, and where.
type stood struct {
	elements []any
	at       int
}

// takeRing takes the rules of the ring out. Where those of other rollouts stood before them, it remembers the place: two
// rollouts must not push each other from the first.
func (e editor) takeRing(o *unstructured.Unstructured, was *rules, others []any) stood {
	if e.ring == nil || was == nil {
		return stood{}
	}
	holder, field, ok := holderOf(o, e.ring.path)
	if !ok {
		return stood{}
	}
	all, _ := holder[field].([]any)
	var s stood
	rest, first := []any{}, true
	for _, element := range all {
		switch {
		case e.ringRule(element, *was):
			if s.elements = append(s.elements, element); len(s.elements) == 1 && first {
				s.at = len(rest)
			}
			continue
		case !coveredBy(element, others):
			first = false
		}
		rest = append(rest, element)
	}
	if len(s.elements) == 0 {
		return s
	}
	if holder[field] = rest; len(rest) == 0 && was.Absent {
		delete(holder, field)
	}
	return s
}

// putRing puts the rules of a ring before all others, or where they stood. What the API added to them stays.
func (e editor) putRing(o *unstructured.Unstructured, of []plan.Match, s stood) (*rules, error) {
	if len(of) == 0 {
		return nil, nil
	}
	if e.ring == nil {
		return nil, errors.New("the router's description has no matches, so that it cannot tell requests apart")
	}
	elements, err := e.ring.rules(of)
	if err != nil {
		return nil, err
	}
	holder, field, ok := holderOf(o, e.ring.path)
	if !ok {
		return nil, fmt.Errorf("nothing is at %s, where the rules of the ring belong", e.ring.path)
	}
	all, isList := holder[field].([]any)
	if !isList && holder[field] != nil {
		return nil, fmt.Errorf("%s is no list, so that the rules of the ring have no place there", e.ring.path)
	}
	was := rules{Elements: elements, Headers: headersOf(of), Absent: holder[field] == nil}
	if slices.EqualFunc(s.elements, elements, covers) {
		elements = s.elements
	}
	holder[field] = slices.Insert(slices.Clone(all), s.at, elements...)
	return &was, nil
}

func headersOf(of []plan.Match) []string {
	var names []string
	for _, m := range of {
		name := m.Header
		if m.Cookie != "" {
			name = "Cookie"
		}
		names = append(names, name)
	}
	return names
}

// ringless tells that the object has no list of rules.
func (e editor) ringless(o plan.Object) bool {
	if e.ring == nil {
		return false
	}
	holder, field, ok := holderOf(&unstructured.Unstructured{Object: o}, e.ring.path)
	return ok && holder[field] == nil
}
