package spec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
)

// SchemaID names the schema of this version.
const SchemaID = "https://tidegate.dev/schema/v1/deploy.json"

// extent says how much of a type a document has to write out.
type extent int

const (
	whole   extent = iota // everything that is required
	base                  // a spec that overlays complete: nothing is required
	overlay               // the same, and null removes
)

// object is a JSON Schema, or a part of one.
type object = map[string]any

// Schema is the JSON Schema (draft 2020-12) of one document, indented. It says
// all that the types and their tags say. What lies between fields, inside of
// queries and conditions, or in YAML itself, only decoding finds.
func Schema() []byte {
	b := schemaBuilder{object{}}
	document := b.structure(reflect.TypeFor[Deploy](), whole)
	properties := document["properties"].(object) // overlays may bring what the spec lacks
	properties["spec"] = object{
		"description": properties["spec"].(object)["description"],
		"if":          object{"type": "object", "required": []string{"environments"}},
		"then":        b.value(reflect.TypeFor[Spec](), rule{}, base),
		"else":        b.value(reflect.TypeFor[Spec](), rule{}, whole),
	}
	document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	document["$id"] = SchemaID
	document["title"] = "Tidegate deploy spec"
	document["$defs"] = b.defs
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil { // maps, lists and texts: nothing that cannot be marshalled
		panic(fmt.Sprintf("spec: schema: %v", err))
	}
	return append(text, '\n')
}

// schemaBuilder walks the types as the decoder does.
type schemaBuilder struct{ defs object }

// value is the schema of a value, to the extent that it has to be written out.
func (b schemaBuilder) value(t reflect.Type, r rule, e extent) object {
	s := b.typed(elementOf(t), r, e)
	if e == overlay {
		return object{"anyOf": []any{object{"type": "null"}, s}}
	}
	return s
}

func (b schemaBuilder) typed(t reflect.Type, r rule, e extent) object {
	switch {
	case t == reflect.TypeFor[Amount]():
		return object{"anyOf": []any{object{"type": "integer", "minimum": 0, "maximum": maxPods}, text(t, r)}}
	case isText(t) || t.Kind() == reflect.String:
		return text(t, r)
	case t == reflect.TypeFor[Environments]():
		return object{"type": "object", "minProperties": 1, "maxProperties": maxEnvironments,
			"propertyNames":        object{"pattern": formatNamed("name").pattern.String()},
			"additionalProperties": b.define(reflect.TypeFor[Spec](), overlay)}
	case t.Kind() == reflect.Struct:
		return b.define(t, e)
	case t.Kind() == reflect.Map:
		s := object{"type": "object", "propertyNames": object{"pattern": formatNamed(r.format).pattern.String()},
			"additionalProperties": b.value(t.Elem(), rule{}, e)}
		if r.nonEmpty {
			s["minProperties"] = 1
		}
		return s
	case t.Kind() == reflect.Slice:
		s := object{"type": "array", "items": b.value(t.Elem(), rule{format: r.format, enum: r.enum}, whole)}
		if r.nonEmpty {
			s["minItems"] = 1
		}
		return s
	case t.Kind() == reflect.Bool:
		return object{"type": "boolean"}
	case t.Kind() == reflect.Int:
		return object{"type": "integer", "minimum": r.min, "maximum": 999_999_999}
	}
	panic(fmt.Sprintf("spec: no schema for %s", t))
}

// define puts a struct's schema among the definitions and refers to it.
func (b schemaBuilder) define(t reflect.Type, e extent) object {
	name := t.Name() + [...]string{"", "Base", "Overlay"}[e]
	if _, known := b.defs[name]; !known {
		b.defs[name] = object{} // it may contain itself
		b.defs[name] = b.structure(t, e)
	}
	return object{"$ref": "#/$defs/" + name}
}

// structure is the schema of a struct's mapping, and of its short form.
func (b schemaBuilder) structure(t reflect.Type, e extent) object {
	s := shapeOf(t)
	properties, required := object{}, []string{}
	for _, f := range s.fields {
		if t == reflect.TypeFor[Spec]() && e == overlay && f.t == reflect.TypeFor[Environments]() {
			continue // an overlay has none of its own
		}
		p := b.value(f.t, f.rule, e)
		p["description"] = f.doc
		if f.fallback != "" {
			p["default"] = defaultOf(f)
		}
		properties[f.name] = p
		if f.required && e == whole {
			required = append(required, f.name)
		}
	}
	schema := object{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	if choices := s.choices(); len(choices) > 0 {
		schema["oneOf"] = exactlyOne(choices, e)
	}
	if short, ok := s.field(s.short); ok {
		return object{"anyOf": []any{b.value(short.t, short.rule, whole), schema}}
	}
	return schema
}

// exactlyOne is the alternatives of a one-of group; with less than the whole
// written out, none of it is one of them.
func exactlyOne(choices []string, e extent) []any {
	var alternatives, anySet []any
	for _, name := range choices {
		set := object{"required": []string{name}}
		if e == overlay {
			set["properties"] = object{name: object{"not": object{"type": "null"}}}
		}
		alternatives, anySet = append(alternatives, set), append(anySet, set)
	}
	if e != whole {
		alternatives = append(alternatives, object{"not": object{"anyOf": anySet}})
	}
	return alternatives
}

// text is the schema of a text: its choices, or its pattern.
func text(t reflect.Type, r rule) object {
	s := object{"type": "string"}
	if p, ok := reflect.Zero(t).Interface().(interface{ pattern() string }); ok {
		s["pattern"] = p.pattern()
		if r.positive {
			s["not"] = object{"pattern": zeroPattern}
		}
		return s
	}
	if len(r.enum) > 0 {
		s["enum"] = r.enum
		return s
	}
	f := formatNamed(r.format)
	s["minLength"], s["pattern"] = 1, f.pattern.String()
	return s
}

// defaultOf is a field's default as JSON has it.
func defaultOf(f field) any {
	if n, err := strconv.Atoi(f.fallback); err == nil {
		return n
	}
	return f.fallback
}
