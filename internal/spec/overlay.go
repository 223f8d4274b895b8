package spec

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// merger merges an overlay into a base by RFC 7386: mappings merge, null
// removes, everything else replaces. It copies what it changes, and keeps the
// nodes of both so that a mistake is found where it was written.
type merger struct {
	file     string
	bad      map[*yaml.Node]bool
	problems Problems
	origin   map[*yaml.Node]string // paths of nodes that the overlay brought
}

// merge gives back base with over merged into it. The type, if it is a
// struct's, tells one-of blocks: those of another kind are replaced whole.
func (m *merger) merge(base, over *yaml.Node, t reflect.Type, path string) *yaml.Node {
	if over.Kind == yaml.AliasNode && !m.bad[resolved(over)] {
		written := *resolved(over) // the base may use the same node at its own path
		over = &written
	}
	over = resolved(over)
	m.origin[over] = path
	if over.Kind != yaml.MappingNode || m.bad[over] {
		return over
	}
	if base != nil {
		base = resolved(base)
	}
	var s shape
	if t = elementOf(t); t != nil && t.Kind() == reflect.Struct {
		s = shapeOf(t)
		m.unknownNulls(over, s, path)
	}
	if base == nil || base.Kind != yaml.MappingNode || otherKind(base, over, s.choices()) {
		header := *over
		header.Content = nil
		base = &header
		m.origin[base] = path
	}
	merged := *base
	merged.Content = slices.Clone(base.Content)
	if origin, ok := m.origin[base]; ok {
		m.origin[&merged] = origin
	}
	for i := 0; i+1 < len(over.Content); i += 2 {
		m.set(&merged, over.Content[i], over.Content[i+1], fieldType(t, s, over.Content[i].Value), path)
	}
	return &merged
}

// set merges one field of the overlay.
func (m *merger) set(merged, key, value *yaml.Node, t reflect.Type, path string) {
	at := -1
	for i := 0; i+1 < len(merged.Content); i += 2 {
		if merged.Content[i].Kind == yaml.ScalarNode && merged.Content[i].Value == key.Value {
			at = i
		}
	}
	path = join(path, key.Value)
	switch {
	case isNull(resolved(value)):
		if at >= 0 {
			merged.Content = slices.Delete(merged.Content, at, at+2)
		}
	case at < 0:
		m.origin[key] = path
		merged.Content = append(merged.Content, key, m.merge(nil, value, t, path))
	default:
		merged.Content[at+1] = m.merge(merged.Content[at+1], value, t, path)
	}
}

// unknownNulls reports fields that the overlay removes and nobody knows: once
// merged they are gone, and with them the mistake.
func (m *merger) unknownNulls(over *yaml.Node, s shape, path string) {
	for i := 0; i+1 < len(over.Content); i += 2 {
		key := over.Content[i]
		if _, known := s.field(key.Value); known || !isNull(resolved(over.Content[i+1])) {
			continue
		}
		message, hint := unknownField(key.Value, s)
		m.problems = append(m.problems, Problem{m.file, key.Line, key.Column, join(path, key.Value), message, hint})
	}
}

// otherKind reports whether base and overlay choose different ones of a group.
func otherKind(base, over *yaml.Node, choices []string) bool {
	chosen := func(n *yaml.Node, name string) bool {
		v := lookup(n, name)
		return v != nil && !isNull(v)
	}
	for _, name := range choices {
		if !chosen(over, name) {
			continue
		}
		for _, other := range choices {
			if other != name && chosen(base, other) {
				return true
			}
		}
	}
	return false
}

// withOverlay gives back a document with an overlay merged into its spec.
func (m *merger) withOverlay(root, over *yaml.Node, path string) *yaml.Node {
	if over.Kind != yaml.MappingNode {
		return root // the decoder says so
	}
	patch := *over
	patch.Content = nil
	for i := 0; i+1 < len(over.Content); i += 2 {
		if over.Content[i].Value != "environments" {
			patch.Content = append(patch.Content, over.Content[i], over.Content[i+1])
		}
	}
	merged := *root
	merged.Content = slices.Clone(root.Content)
	for i := 0; i+1 < len(merged.Content); i += 2 {
		if merged.Content[i].Value == "spec" {
			merged.Content[i+1] = m.merge(merged.Content[i+1], &patch, reflect.TypeFor[Spec](), path)
		}
	}
	return &merged
}

// environments decodes the names of the overlays, and checks what merging
// them does not: that they are mappings, and have no overlays of their own.
func (d *decoder) environments(p place, v reflect.Value) {
	names := overlaysIn(p.node)
	switch {
	case p.node.Kind != yaml.MappingNode:
		d.mismatch(p, "a block of environments with their overlays")
		return
	case len(p.node.Content) == 0:
		d.fail(p, "names no environment", "Name one, or remove the field.")
	case len(p.node.Content) > 2*maxEnvironments:
		d.fail(p, fmt.Sprintf("has more than %d environments", maxEnvironments), "Split the file.")
	}
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		key, over := p.node.Content[i], resolved(p.node.Content[i+1])
		if key.Kind != yaml.ScalarNode || d.bad[key] || d.bad[over] {
			continue
		}
		child := place{over, join(p.path, key.Value), join(p.shown, key.Value)}
		if at := (place{key, child.path, child.shown}); d.quoted(at) {
			d.check(at, "name", key.Value)
		}
		if over.Kind != yaml.MappingNode {
			d.mismatch(child, "a block of fields; {} changes nothing")
		} else if lookup(over, "environments") != nil {
			d.fail(child, "an overlay cannot have `environments` of its own", "Move them up.")
		}
	}
	v.Set(reflect.ValueOf(Environments(slices.Sorted(maps.Keys(names)))))
}

// elementOf is the type without pointers, nil for none.
func elementOf(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// fieldType is the type of a mapping's field, nil if it is not known.
func fieldType(t reflect.Type, s shape, name string) reflect.Type {
	if t != nil && t.Kind() == reflect.Map {
		return t.Elem()
	}
	f, _ := s.field(name)
	return f.t
}
