package spec

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// shape is what a struct's tags say about its mapping. Decoder, overlays and
// schema read nothing else, so they cannot disagree about a field.
type shape struct {
	fields []field
	short  string // the field that the mapping's short form sets
}

// field is one field of a mapping.
type field struct {
	rule
	name     string
	doc      string
	index    int
	t        reflect.Type
	required bool
	oneOf    bool // exactly one of the mapping's fields so marked is set
	fallback string
}

// rule limits a value beyond its type. A list's or map's format is that of its
// elements' text or its keys.
type rule struct {
	format   string
	enum     []string
	min      int
	nonEmpty bool // a list or map has elements
	positive bool // a duration is more than zero
}

// shapeOf reads a struct's tags:
//
//	json:"name"          the field's name
//	doc:"text"           its description
//	spec:"required"      it must be set
//	spec:"oneof"         one of the group of which exactly one is set
//	spec:"default=TEXT"  its value when left out, as it would be written
//	spec:"enum=A|B"      the only texts
//	spec:"format=NAME"   a format of formats.go
//	spec:"min=N" "nonempty" "positive"
//	spec:"short=NAME"    on a blank field: a scalar sets the field NAME
//	spec:"-"             not a field of the document
//
// A tag that it does not know is a programming error and panics; a test walks
// every type.
func shapeOf(t reflect.Type) shape {
	var s shape
	for i := range t.NumField() {
		sf := t.Field(i)
		tag := sf.Tag.Get("spec")
		if tag == "-" {
			continue
		}
		f := field{index: i, t: sf.Type, doc: sf.Tag.Get("doc")}
		f.name, _, _ = strings.Cut(sf.Tag.Get("json"), ",")
		for option := range strings.SplitSeq(tag, ",") {
			if name, ok := strings.CutPrefix(option, "short="); ok {
				s.short = name
			} else if err := f.option(option); err != nil {
				panic(fmt.Sprintf("spec: %s.%s: %v", t, sf.Name, err))
			}
		}
		if f.name != "" {
			s.fields = append(s.fields, f)
		}
	}
	return s
}

// option reads one option of a spec tag.
func (f *field) option(option string) error {
	key, value, _ := strings.Cut(option, "=")
	switch key {
	case "":
	case "required":
		f.required = true
	case "oneof":
		f.oneOf = true
	case "default":
		f.fallback = value
	case "enum":
		f.enum = strings.Split(value, "|")
	case "format":
		f.format = value
	case "nonempty":
		f.nonEmpty = true
	case "positive":
		f.positive = true
	case "min":
		n, err := strconv.Atoi(value)
		f.min = n
		return err
	default:
		return fmt.Errorf("unknown option %q", option)
	}
	return nil
}

// field finds a field by its name.
func (s shape) field(name string) (field, bool) {
	for _, f := range s.fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

// names is the fields' names, in the types' order.
func (s shape) names() []string {
	var names []string
	for _, f := range s.fields {
		names = append(names, f.name)
	}
	return names
}

// choices is the names of which exactly one is set, empty if there is no such
// group.
func (s shape) choices() []string {
	var names []string
	for _, f := range s.fields {
		if f.oneOf {
			names = append(names, f.name)
		}
	}
	return names
}

// chosen is the one field that is set of a one-of struct.
func chosen(v reflect.Value) (field, bool) {
	for _, f := range shapeOf(v.Type()).fields {
		if f.oneOf && !v.Field(f.index).IsZero() {
			return f, true
		}
	}
	return field{}, false
}

// kindOf is the name of the one field that is set of a one-of struct.
func kindOf(block any) string {
	f, _ := chosen(reflect.ValueOf(block))
	return f.name
}

// blockOf is the value of that field, nil if there is none.
func blockOf(block any) any {
	v := reflect.ValueOf(block)
	f, ok := chosen(v)
	if !ok {
		return nil
	}
	return v.Field(f.index).Interface()
}
