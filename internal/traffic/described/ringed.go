package described

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
)

// ringRule tells that an element is a rule of the ring: as it was written, or changed since, but still one that asks for the
// ring's headers and sends to the candidate what no base has a part in.
func (e editor) ringRule(element any, was rules) bool {
	return coveredBy(element, was.Elements) || names(element, e.ring.candidate) && asksFor(element, was.Headers) && !e.divided(element)
}

// divided tells that an element holds a place that is divided, so that it is the user's.
func (e editor) divided(element any) bool {
	rest := len(e.ring.path) + 1
	if !e.sides.Listed() || len(e.sides.Within) < rest || e.sides.Within[:rest-1].String() != e.ring.path.String() {
		return false
	}
	found := false
	look := walk{memo: &memo{}, edit: func(_ string, node any) (any, error) {
		l, err := e.listOf(node)
		found = found || err == nil && l.index(l.sides.Base) >= 0
		return node, nil
	}}
	_, err := look.down(element, e.sides.Within[rest:], "")
	return err == nil && found
}

// asksFor tells that a rule speaks of all headers, however they are written.
func asksFor(element any, headers []string) bool {
	text, err := encode(element)
	return err == nil && !slices.ContainsFunc(headers, func(h string) bool { return !strings.Contains(strings.ToLower(text), strings.ToLower(h)) })
}

// names tells that some text has the name in it: alone, or as a part of an address.
func names(node any, name string) bool {
	switch n := node.(type) {
	case string:
		return slices.Contains(strings.FieldsFunc(n, func(r rune) bool {
			return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}), name)
	case []any:
		return slices.ContainsFunc(n, func(each any) bool { return names(each, name) })
	case map[string]any:
		for _, each := range n {
			if names(each, name) {
				return true
			}
		}
	}
	return false
}

func coveredBy(element any, all []any) bool {
	return slices.ContainsFunc(all, func(want any) bool { return covers(element, want) })
}

// covers tells that an object has everything that was written into it, and perhaps the defaults that the API adds.
func covers(stored, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		s, ok := stored.(map[string]any)
		for key, value := range w {
			ok = ok && covers(s[key], value)
		}
		return ok
	case []any:
		s, ok := stored.([]any)
		return ok && slices.EqualFunc(s, w, covers)
	}
	return plan.Digest(stored) == plan.Digest(want)
}
