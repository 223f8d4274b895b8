package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// validator checks values against the part of JSON Schema that Schema uses; a
// keyword that it does not know is an error, so that none goes unchecked.
type validator struct{ root object }

func newValidator(t testing.TB) validator {
	t.Helper()
	var root object
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	return validator{root}
}

// valid reports whether a value, as encoding/json has it, obeys a schema.
func (va validator) valid(schema object, value any) error {
	for keyword, arg := range schema {
		if err := va.keyword(schema, keyword, arg, value); err != nil {
			return err
		}
	}
	return nil
}

func (va validator) keyword(schema object, keyword string, arg, value any) error {
	switch keyword {
	case "$schema", "$id", "$defs", "title", "description", "default", "then", "else":
		return nil
	case "$ref":
		name := strings.TrimPrefix(arg.(string), "#/$defs/")
		return va.valid(va.root["$defs"].(object)[name].(object), value)
	case "type":
		return typeOf(value, arg.(string))
	case "enum":
		for _, choice := range arg.([]any) {
			if choice == value {
				return nil
			}
		}
		return fmt.Errorf("%v is none of %v", value, arg)
	case "not":
		if va.valid(arg.(object), value) == nil {
			return fmt.Errorf("%v matches not", value)
		}
		return nil
	case "if":
		next := "then"
		if va.valid(arg.(object), value) != nil {
			next = "else"
		}
		return va.valid(schema[next].(object), value)
	case "anyOf", "oneOf":
		return va.alternatives(keyword, arg.([]any), value)
	}
	switch v := value.(type) {
	case string:
		return textKeyword(keyword, arg, v)
	case float64:
		return numberKeyword(keyword, arg, v)
	case []any:
		return va.listKeyword(keyword, arg, v)
	case object:
		return va.objectKeyword(schema, keyword, arg, v)
	}
	return nil
}

func typeOf(value any, want string) error {
	got := "null"
	switch v := value.(type) {
	case string:
		got = "string"
	case bool:
		got = "boolean"
	case float64:
		if got = "number"; v == float64(int(v)) {
			got = "integer"
		}
	case []any:
		got = "array"
	case object:
		got = "object"
	}
	if got != want {
		return fmt.Errorf("%v is a %s, not a %s", value, got, want)
	}
	return nil
}

func (va validator) alternatives(keyword string, all []any, value any) error {
	matches := 0
	var last error
	for _, one := range all {
		if err := va.valid(one.(object), value); err == nil {
			matches++
		} else {
			last = err
		}
	}
	if matches == 0 || keyword == "oneOf" && matches > 1 {
		return fmt.Errorf("%s: %d match (%w)", keyword, matches, last)
	}
	return nil
}

func textKeyword(keyword string, arg any, v string) error {
	switch keyword {
	case "pattern":
		if !regexp.MustCompile(arg.(string)).MatchString(v) {
			return fmt.Errorf("%q does not match %s", v, arg)
		}
	case "minLength":
		if len(v) < int(arg.(float64)) {
			return fmt.Errorf("%q is too short", v)
		}
	default:
		return inapplicable(keyword)
	}
	return nil
}

func numberKeyword(keyword string, arg any, v float64) error {
	switch keyword {
	case "minimum":
		if v < arg.(float64) {
			return fmt.Errorf("%v is too small", v)
		}
	case "maximum":
		if v > arg.(float64) {
			return fmt.Errorf("%v is too large", v)
		}
	default:
		return inapplicable(keyword)
	}
	return nil
}

func (va validator) listKeyword(keyword string, arg any, v []any) error {
	switch keyword {
	case "items":
		for _, element := range v {
			if err := va.valid(arg.(object), element); err != nil {
				return err
			}
		}
	case "minItems":
		if len(v) < int(arg.(float64)) {
			return fmt.Errorf("%v is too short", v)
		}
	default:
		return inapplicable(keyword)
	}
	return nil
}

func (va validator) objectKeyword(schema object, keyword string, arg any, v object) error {
	switch keyword {
	case "required":
		for _, name := range arg.([]any) {
			if _, ok := v[name.(string)]; !ok {
				return fmt.Errorf("%s is missing", name)
			}
		}
	case "properties":
		for name, property := range arg.(object) {
			if child, ok := v[name]; ok {
				if err := va.valid(property.(object), child); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
		}
	case "additionalProperties":
		return va.additional(schema, arg, v)
	case "propertyNames":
		for name := range v {
			if err := va.valid(arg.(object), name); err != nil {
				return err
			}
		}
	case "minProperties":
		if len(v) < int(arg.(float64)) {
			return fmt.Errorf("%v is too small", v)
		}
	case "maxProperties":
		if len(v) > int(arg.(float64)) {
			return fmt.Errorf("%d names are too many", len(v))
		}
	default:
		return inapplicable(keyword)
	}
	return nil
}

func (va validator) additional(schema object, arg any, v object) error {
	properties, _ := schema["properties"].(object)
	for name, child := range v {
		if _, known := properties[name]; known {
			continue
		}
		if arg == false {
			return fmt.Errorf("unknown field %s", name)
		}
		if err := va.valid(arg.(object), child); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// inapplicable lets keywords for other types pass, and no unknown one.
func inapplicable(keyword string) error {
	switch keyword {
	case "pattern", "minLength", "minimum", "maximum", "items", "minItems", "required", "properties",
		"additionalProperties", "propertyNames", "minProperties", "maxProperties":
		return nil
	}
	panic("the test's validator does not know " + keyword)
}

// documentsOf is a file's documents as JSON has them.
func documentsOf(src []byte) ([]any, error) {
	var all []any
	for decoder := yaml.NewDecoder(bytes.NewReader(src)); ; {
		var doc any
		if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		if doc == nil {
			continue
		}
		text, err := json.Marshal(doc)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			return nil, err
		}
		all = append(all, doc)
	}
}

// validFile checks every document of a file against the schema.
func (va validator) validFile(t *testing.T, path string) error {
	t.Helper()
	docs, err := documentsOf(read(t, path))
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range docs {
		if err := va.valid(va.root, doc); err != nil {
			return err
		}
	}
	return nil
}

// TestSchemaAgrees checks schema and decoder against each other. The names of
// the bad specs say who can see their mistake: shape, the schema too; semantic,
// only the decoder; yaml, only who reads YAML's own text.
func TestSchemaAgrees(t *testing.T) {
	va := newValidator(t)
	for _, path := range specFiles(t, "good") {
		if err := va.validFile(t, path); err != nil {
			t.Errorf("%s: the schema refuses what the decoder accepts: %v", path, err)
		}
	}
	for _, path := range specFiles(t, "bad") {
		switch kind, _, _ := strings.Cut(filepath.Base(path), "-"); kind {
		case "shape":
			if va.validFile(t, path) == nil {
				t.Errorf("%s: the schema accepts it", path)
			}
		case "semantic":
			if err := va.validFile(t, path); err != nil {
				t.Errorf("%s: the schema can see that it is bad: %v", path, err)
			}
		case "yaml":
		default:
			t.Errorf("%s: the name must start with shape, semantic or yaml", path)
		}
	}
}

// TestSchemaAcceptsDecoded checks that what decoding gives back is a document.
func TestSchemaAcceptsDecoded(t *testing.T) {
	va := newValidator(t)
	for _, path := range specFiles(t, "good") {
		files, err := Check(read(t, path), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			for _, d := range f.Deploys {
				d.Spec.Environments = nil // names only, after decoding
				text, err := json.Marshal(d)
				if err != nil {
					t.Fatal(err)
				}
				var value any
				if err := json.Unmarshal(text, &value); err != nil {
					t.Fatal(err)
				}
				if err := va.valid(va.root, value); err != nil {
					t.Errorf("%s: %v\n%s", path, err, text)
				}
				var again Deploy
				if err := json.Unmarshal(text, &again); err != nil {
					t.Fatal(err)
				}
				if again.Environment = d.Environment; !reflect.DeepEqual(d, again) {
					t.Errorf("%s: not the same after JSON:\n%+v\n%+v", path, d, again)
				}
			}
		}
	}
}

// TestEveryFieldIsDescribed walks the schema for fields without a description.
func TestEveryFieldIsDescribed(t *testing.T) {
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case object:
			if properties, ok := v["properties"].(object); ok && v["additionalProperties"] == false {
				for name, p := range properties {
					if text, _ := p.(object)["description"].(string); text == "" {
						t.Errorf("%s.%s has no description", path, name)
					}
				}
			}
			for key, child := range v {
				walk(path+"/"+key, child)
			}
		case []any:
			for _, child := range v {
				walk(path, child)
			}
		}
	}
	walk("", any(newValidator(t).root))
}
