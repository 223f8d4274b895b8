package spec

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decoder fills types from nodes and collects every mistake on the way.
type decoder struct {
	file    string
	partial bool // the document is completed elsewhere: nothing is missing
	wait    bool // a job stays while an approval waits
	bad     map[*yaml.Node]bool
	origin  map[*yaml.Node]string // where nodes that an overlay brought were written

	problems Problems
	spots    map[string]place // every value that was there, by its path
	failed   map[string]bool
}

// place is a node and where it stands: in the types, and in the document.
type place struct {
	node  *yaml.Node
	path  string // in the merged spec
	shown string // as written, such as spec.environments.staging.url
}

func newDecoder(file string, bad map[*yaml.Node]bool, origin map[*yaml.Node]string, partial bool) *decoder {
	return &decoder{file: file, partial: partial, bad: bad, origin: origin,
		spots: map[string]place{}, failed: map[string]bool{}}
}

// below is a place's child.
func (d *decoder) below(p place, name string, n *yaml.Node) place {
	child := place{resolved(n), join(p.path, name), join(p.shown, name)}
	if origin, ok := d.origin[child.node]; ok {
		child.shown = origin
	}
	return child
}

// fail records a mistake at a place.
func (d *decoder) fail(p place, message, hint string) {
	d.problems = append(d.problems, Problem{d.file, p.node.Line, p.node.Column, p.shown, message, hint})
	d.failed[p.path] = true
}

// decode fills v, which is addressable, from a place.
func (d *decoder) decode(p place, r rule, v reflect.Value) {
	d.spots[p.path] = p
	switch {
	case d.bad[p.node]:
		d.failed[p.path] = true
	case isNull(p.node) && isPlain(p.node):
		d.null(p, v.Type())
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(p, r, v.Elem())
	case isText(v.Type()) || v.Kind() == reflect.String:
		d.text(p, r, v)
	case v.Type() == reflect.TypeFor[Environments]():
		d.environments(p, v)
	case v.Kind() == reflect.Struct:
		d.structure(p, v)
	case v.Kind() == reflect.Map:
		d.table(p, r, v)
	case v.Kind() == reflect.Slice:
		d.list(p, r, v)
	case v.Kind() == reflect.Bool:
		d.boolean(p, v)
	case v.Kind() == reflect.Int:
		d.integer(p, r, v)
	default:
		panic(fmt.Sprintf("spec: no way to decode %s", v.Type()))
	}
}

// isText reports a type that reads itself from a text.
func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// null reports a field without a value.
func (d *decoder) null(p place, t reflect.Type) {
	if t.Kind() == reflect.String && p.node.Value != "" {
		d.fail(p, fmt.Sprintf("unquoted `%s` is read as no value", p.node.Value), fmt.Sprintf("Quote it: %q, or remove the field.", p.node.Value))
		return
	}
	d.fail(p, "has no value", "Give it one, or remove the field.")
}

// structure decodes a mapping, or its short form.
func (d *decoder) structure(p place, v reflect.Value) {
	s := shapeOf(v.Type())
	present := map[string]bool{}
	switch short, ok := s.field(s.short); {
	case ok && p.node.Kind == yaml.ScalarNode:
		d.decode(place{p.node, join(p.path, short.name), p.shown}, short.rule, v.Field(short.index))
	case p.node.Kind != yaml.MappingNode:
		d.mismatch(p, "a block of fields: "+list(s.names(), ", "))
		return
	default:
		present = d.fields(p, s, v)
		if !d.partial {
			d.missing(p, s, present)
		}
	}
	d.defaults(s, present, v)
	if f, ok := v.Addr().Interface().(finisher); ok && !d.partial {
		f.finish(scope{d, p.path})
	}
}

// fields decodes the fields that are there.
func (d *decoder) fields(p place, s shape, v reflect.Value) (present map[string]bool) {
	present = map[string]bool{}
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		key := p.node.Content[i]
		f, known := s.field(key.Value)
		switch {
		case key.Kind != yaml.ScalarNode || present[key.Value]: // the linter said so
		case !known && key.ShortTag() == "!!merge":
		case !known:
			d.unknown(d.below(p, key.Value, p.node.Content[i+1]), key, s)
			present[nearest(key.Value, s.names())] = true // it is not missing too
			if len(s.choices()) > 0 {
				present[""] = true
			}
		default:
			d.decode(d.below(p, f.name, p.node.Content[i+1]), f.rule, v.Field(f.index))
		}
		present[key.Value] = true
	}
	d.exclusive(p, s, present)
	return present
}

// unknown reports a field that the types do not have.
func (d *decoder) unknown(p place, key *yaml.Node, s shape) {
	if d.bad[key] {
		return
	}
	at := place{key, p.path, p.shown}
	if origin, ok := d.origin[key]; ok {
		at.shown = origin
	}
	message, hint := unknownField(key.Value, s)
	d.fail(at, message, hint)
}

// unknownField is what to say about a field that the types do not have.
func unknownField(name string, s shape) (message, hint string) {
	message = fmt.Sprintf("unknown field `%s`%s", shorten(name), didYouMean(name, s.names()))
	if nearest(name, s.names()) == "" {
		hint = "This version knows " + list(s.names(), ", ") + "."
	}
	return message, hint
}

// missing reports required fields that are not there, and a group of which
// none is.
func (d *decoder) missing(p place, s shape, present map[string]bool) {
	for _, f := range s.fields {
		if f.required && !present[f.name] {
			d.fail(p, fmt.Sprintf("`%s` is missing", f.name), "Add it: "+f.doc+".")
		}
	}
	choices := s.choices()
	if len(choices) == 0 || present[""] {
		return
	}
	for _, name := range choices {
		if present[name] {
			return
		}
	}
	d.fail(p, "must have "+oneOf(choices), "")
}

// exclusive reports a group of which several are there.
func (d *decoder) exclusive(p place, s shape, present map[string]bool) {
	var set []string
	for _, name := range s.choices() {
		if present[name] {
			set = append(set, name)
		}
	}
	if len(set) > 1 {
		d.fail(p, "has "+list(set, " and "), "Keep exactly one of "+list(s.choices(), ", ")+".")
	}
}

// table decodes a mapping with free names.
func (d *decoder) table(p place, r rule, v reflect.Value) {
	if p.node.Kind != yaml.MappingNode {
		d.mismatch(p, "a block of names with their values")
		return
	}
	if r.nonEmpty && len(p.node.Content) == 0 {
		d.fail(p, "is an empty block", "Name at least one, or remove the field.")
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		key := p.node.Content[i]
		child := d.below(p, key.Value, p.node.Content[i+1])
		if key.Kind != yaml.ScalarNode || d.spots[child.path].node != nil || key.ShortTag() == "!!merge" {
			continue // the linter said so
		}
		element := reflect.New(v.Type().Elem()).Elem()
		d.decode(child, rule{}, element)
		if d.quoted(place{key, child.path, child.shown}) {
			d.check(place{key, child.path, child.shown}, r.format, key.Value)
		}
		v.SetMapIndex(reflect.ValueOf(key.Value), element)
	}
}

// list decodes a sequence.
func (d *decoder) list(p place, r rule, v reflect.Value) {
	if p.node.Kind != yaml.SequenceNode {
		d.mismatch(p, "a list")
		return
	}
	if r.nonEmpty && len(p.node.Content) == 0 {
		d.fail(p, "is an empty list", "Name at least one, or remove the field.")
	}
	v.Set(reflect.MakeSlice(v.Type(), len(p.node.Content), len(p.node.Content)))
	for i, n := range p.node.Content {
		d.decode(d.below(p, fmt.Sprintf("[%d]", i), n), rule{format: r.format, enum: r.enum}, v.Index(i))
	}
}

// mismatch reports a value of the wrong kind.
func (d *decoder) mismatch(p place, want string) {
	d.fail(p, "must be "+want, "It is "+describe(p.node)+".")
}

// describe is what a node is, in a person's words.
func describe(n *yaml.Node) string {
	switch {
	case isNull(n):
		return "no value at all"
	case n.Kind == yaml.MappingNode:
		return "a block of fields"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case !isPlain(n) || n.ShortTag() == "!!str":
		return "the text " + fmt.Sprintf("%q", shorten(n.Value))
	}
	kinds := map[string]string{"!!int": "the number", "!!float": "the number", "!!bool": "the truth value", "!!timestamp": "the date"}
	return strings.TrimSpace(kinds[n.ShortTag()] + " " + n.Value)
}
