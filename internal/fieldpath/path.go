package fieldpath

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Path leads from an object to fields in it.
type Path []Step

// Step is one step of a path: exactly one of its fields is set.
type Step struct {
	Field string
	Every bool        // every element of a list
	Where []Condition // the elements of a list of which all of these hold
	JSON  bool        // into the JSON that a text holds
}

// Condition holds for an element whose field has one of the values; the empty one is that of a field which is not there.
type Condition struct {
	Field  string
	Values []string
}

// Holds tells whether the condition holds for an element.
func (c Condition) Holds(element map[string]any) bool {
	return slices.Contains(c.Values, Text(element[c.Field]))
}

// Value is what an element has to have to fulfil the condition: the first value that is not the empty one.
func (c Condition) Value() string {
	for _, v := range c.Values {
		if v != "" {
			return v
		}
	}
	return ""
}

// Text is how a condition reads a field: empty for one that is not there. Lists and objects read like nothing at all.
func Text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool, int64, int, float64:
		return fmt.Sprint(v)
	}
	return "\x00"
}

// Holds tells whether every condition of the step holds for an element of a list.
func (s Step) Holds(element any) bool {
	m, ok := element.(map[string]any)
	return ok && !slices.ContainsFunc(s.Where, func(c Condition) bool { return !c.Holds(m) })
}

// Equal tells whether two steps are the same.
func (s Step) Equal(other Step) bool { return s.String() == other.String() }

// String is the step as it is written.
func (s Step) String() string {
	switch {
	case s.Every:
		return "[*]"
	case s.JSON:
		return "|json"
	case len(s.Where) > 0:
		var all []string
		for _, c := range s.Where {
			all = append(all, c.Field+"="+strings.Join(quoted(c.Values), "|"))
		}
		return "[" + strings.Join(all, ",") + "]"
	case strings.ContainsAny(s.Field, stops):
		return "[" + strconv.Quote(s.Field) + "]"
	}
	return "." + s.Field
}

func quoted(values []string) []string {
	list := slices.Clone(values)
	for i, v := range list {
		if strings.ContainsAny(v, `,]|"`) {
			list[i] = strconv.Quote(v)
		}
	}
	return list
}

// String is the path as it is written.
func (p Path) String() string {
	var text strings.Builder
	for _, s := range p {
		text.WriteString(s.String())
	}
	return strings.TrimPrefix(text.String(), ".")
}

// Plain tells that the path consists of fields only.
func (p Path) Plain() bool {
	return !slices.ContainsFunc(p, func(s Step) bool { return s.Field == "" })
}
