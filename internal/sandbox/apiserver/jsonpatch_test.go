package apiserver

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// Cases follow the examples of RFC 6902, appendix A, and RFC 6901.
func TestJSONPatch(t *testing.T) {
	for _, test := range []struct{ name, doc, patch, want, err string }{
		{"add member", `{"a":1}`, `[{"op":"add","path":"/b","value":2}]`, `{"a":1,"b":2}`, ""},
		{"add element", `{"a":[1,3]}`, `[{"op":"add","path":"/a/1","value":2}]`, `{"a":[1,2,3]}`, ""},
		{"append", `{"a":[1]}`, `[{"op":"add","path":"/a/-","value":2}]`, `{"a":[1,2]}`, ""},
		{"remove", `{"a":1,"b":2}`, `[{"op":"remove","path":"/a"}]`, `{"b":2}`, ""},
		{"remove element", `{"a":[1,2,3]}`, `[{"op":"remove","path":"/a/1"}]`, `{"a":[1,3]}`, ""},
		{"replace deep", `{"a":[{"b":1}]}`, `[{"op":"replace","path":"/a/0/b","value":2}]`, `{"a":[{"b":2}]}`, ""},
		{"replace root", `{"a":1}`, `[{"op":"replace","path":"","value":{"b":2}}]`, `{"b":2}`, ""},
		{"move", `{"a":{"b":1},"c":{}}`, `[{"op":"move","from":"/a/b","path":"/c/b"}]`, `{"a":{},"c":{"b":1}}`, ""},
		{"copy", `{"a":[1]}`, `[{"op":"copy","from":"/a","path":"/b"}]`, `{"a":[1],"b":[1]}`, ""},
		{"test", `{"a":{"b":[1,"x"]}}`, `[{"op":"test","path":"/a","value":{"b":[1,"x"]}}]`, `{"a":{"b":[1,"x"]}}`, ""},
		{"test null", `{"a":1}`, `[{"op":"test","path":"/b","value":null}]`, `{"a":1}`, ""},
		{"escapes", `{"a/b":1,"m~n":2}`, `[{"op":"test","path":"/a~1b","value":1},{"op":"remove","path":"/m~0n"}]`, `{"a/b":1}`, ""},
		{"test fails", `{"a":1}`, `[{"op":"test","path":"/a","value":2}]`, "", "test failed"},
		{"missing member", `{"a":1}`, `[{"op":"replace","path":"/b","value":2}]`, "", "missing"},
		{"missing parent", `{"a":1}`, `[{"op":"add","path":"/b/c","value":2}]`, "", "missing"},
		{"bad index", `{"a":[1]}`, `[{"op":"replace","path":"/a/1","value":2}]`, "", "invalid index"},
		{"unknown", `{}`, `[{"op":"spam","path":"/a"}]`, "", "unexpected kind"},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc, err := decode([]byte(test.doc))
			if err != nil {
				t.Fatal(err)
			}
			var ops []jsonOp
			if err := json.Unmarshal([]byte(test.patch), &ops); err != nil {
				t.Fatal(err)
			}
			got, err := jsonPatch(doc, ops)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error is %v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want, err := decode([]byte(test.want))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				text, _ := json.Marshal(got)
				t.Errorf("got %s, want %s", text, test.want)
			}
		})
	}
}
