package apiserver

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
)

// jsonOp is one operation of RFC 6902.
type jsonOp struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	From  string `json:"from"`
	Value any    `json:"value"`
}

// jsonPatch carries out ops in order on doc, which it changes.
func jsonPatch(doc any, ops []jsonOp) (any, error) {
	var err error
	for _, op := range ops {
		if doc, err = op.apply(doc); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

func (op jsonOp) apply(doc any) (any, error) {
	op.Value = wholeNumbers(op.Value)
	switch op.Op {
	case "add", "replace", "remove":
		return edit(doc, pointer(op.Path), op)
	case "test":
		have, err := lookup(doc, pointer(op.Path))
		if err != nil && op.Value != nil || err == nil && !reflect.DeepEqual(have, op.Value) {
			return nil, fmt.Errorf("testing value %s failed: test failed", op.Path)
		}
		return doc, nil
	case "copy", "move":
		value, err := lookup(doc, pointer(op.From))
		if err != nil {
			return nil, err
		}
		if op.Op == "move" {
			if doc, err = edit(doc, pointer(op.From), jsonOp{Op: "remove", Path: op.From}); err != nil {
				return nil, err
			}
		}
		return edit(doc, pointer(op.Path), jsonOp{Op: "add", Path: op.Path, Value: runtime.DeepCopyJSONValue(value)})
	}
	return nil, fmt.Errorf("unexpected kind of operation: %q", op.Op)
}

// edit changes what path leads to and returns doc with it, since a list may have to be another one.
func edit(doc any, path []string, op jsonOp) (any, error) {
	if len(path) == 0 {
		return op.Value, nil
	}
	if len(path) == 1 {
		return editHere(doc, path[0], op)
	}
	under, err := lookup(doc, path[:1])
	if err != nil {
		return nil, fmt.Errorf("%s operation does not apply: doc is missing path: %s: missing value", op.Op, op.Path)
	}
	changed, err := edit(under, path[1:], op)
	if err != nil {
		return nil, err
	}
	return editHere(doc, path[0], jsonOp{Op: "replace", Path: op.Path, Value: changed})
}

func editHere(doc any, key string, op jsonOp) (any, error) {
	switch doc := doc.(type) {
	case map[string]any:
		if _, there := doc[key]; !there && op.Op != "add" {
			return nil, fmt.Errorf("%s operation does not apply: doc is missing key: %s: missing value", op.Op, op.Path)
		}
		if op.Op == "remove" {
			delete(doc, key)
		} else {
			doc[key] = op.Value
		}
		return doc, nil
	case []any:
		return editList(doc, key, op)
	}
	return nil, fmt.Errorf("%s operation does not apply: doc is missing path: %s: missing value", op.Op, op.Path)
}

func editList(list []any, key string, op jsonOp) (any, error) {
	at, err := index(list, key, op.Op == "add")
	if err != nil {
		return nil, fmt.Errorf("%s operation does not apply: %s: %w", op.Op, op.Path, err)
	}
	switch op.Op {
	case "add":
		return slices.Insert(list, at, op.Value), nil
	case "remove":
		return slices.Delete(list, at, at+1), nil
	}
	list[at] = op.Value
	return list, nil
}

func index(list []any, key string, end bool) (int, error) {
	if key == "-" && end {
		return len(list), nil
	}
	n, err := strconv.Atoi(key)
	if err != nil || n < 0 || n > len(list) || n == len(list) && !end {
		return 0, fmt.Errorf("unable to access invalid index: %s: invalid index referenced", key)
	}
	return n, nil
}

func lookup(doc any, path []string) (any, error) {
	for _, key := range path {
		switch d := doc.(type) {
		case map[string]any:
			v, ok := d[key]
			if !ok {
				return nil, fmt.Errorf("missing key: %s: missing value", key)
			}
			doc = v
		case []any:
			n, err := index(d, key, false)
			if err != nil {
				return nil, err
			}
			doc = d[n]
		default:
			return nil, fmt.Errorf("missing path: %s: missing value", key)
		}
	}
	return doc, nil
}

// pointer splits a JSON pointer (RFC 6901).
func pointer(path string) []string {
	if path == "" {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(p, "~1", "/"), "~0", "~")
	}
	return parts
}

// wholeNumbers turns float64 that are whole into int64, as objects have them.
func wholeNumbers(v any) any {
	switch v := v.(type) {
	case float64:
		if n := int64(v); float64(n) == v {
			return n
		}
	case map[string]any:
		for k, e := range v {
			v[k] = wholeNumbers(e)
		}
	case []any:
		for i, e := range v {
			v[i] = wholeNumbers(e)
		}
	}
	return v
}
