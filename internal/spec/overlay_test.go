package spec

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// node parses a text to its root node.
func node(t testing.TB, text string) *yaml.Node {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Content[0]
}

// merged merges two texts and gives back the value.
func merged(t testing.TB, base, over string, of reflect.Type) (value any, m *merger) {
	t.Helper()
	m = &merger{file: "x.yaml", bad: map[*yaml.Node]bool{}, origin: map[*yaml.Node]string{}}
	if err := m.merge(node(t, base), node(t, over), of, "over").Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value, m
}

// mergePatch is RFC 7386, section 2, as it is printed there.
func mergePatch(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	t, ok := target.(map[string]any)
	if !ok {
		t = map[string]any{}
	}
	for name, value := range p {
		if value == nil {
			delete(t, name)
		} else {
			t[name] = mergePatch(t[name], value)
		}
	}
	return t
}

// randomValue is a value as JSON can have it, with few names, so that they meet.
func randomValue(r *rand.Rand, depth int) any {
	switch n := r.IntN(10); {
	case depth > 0 && n < 5:
		object := map[string]any{}
		for range r.IntN(4) {
			object[string(rune('a'+r.IntN(4)))] = randomValue(r, depth-1)
		}
		return object
	case depth > 0 && n < 7:
		list := []any{}
		for range r.IntN(3) {
			list = append(list, randomValue(r, depth-1))
		}
		return list
	case n < 8:
		return nil
	}
	return string(rune('p' + r.IntN(4)))
}

func TestMergeIsRFC7386(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for range 5000 {
		base, over := randomValue(r, 4), randomValue(r, 4)
		if over == nil {
			continue // an overlay is a mapping; decoding refuses another
		}
		baseText, overText := text(base), text(over)
		got, _ := merged(t, baseText, overText, nil)
		if want := mergePatch(base, over); text(got) != text(want) {
			t.Fatalf("base %s\nover %s\ngot  %s\nwant %s", baseText, overText, text(got), text(want))
		}
	}
}

func TestMergeLeavesItsArguments(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		b1, _ := json.Marshal(randomValue(r, 4))
		b2, _ := json.Marshal(randomValue(r, 4))
		base, over := node(t, string(b1)), node(t, string(b2))
		m := &merger{origin: map[*yaml.Node]string{}}
		m.merge(base, over, nil, "over")
		if !reflect.DeepEqual(base, node(t, string(b1))) || !reflect.DeepEqual(over, node(t, string(b2))) {
			t.Fatalf("merging %s into %s changed them", b2, b1)
		}
	}
}

// Types with several choices: the spec's own have only one yet.
type (
	choice struct {
		One    *branch `json:"one" spec:"oneof"`
		Two    *branch `json:"two" spec:"oneof"`
		Beside string  `json:"beside"`
	}
	branch struct {
		A string `json:"a"`
		B string `json:"b"`
	}
	holder struct {
		Choice *choice           `json:"choice"`
		Table  map[string]choice `json:"table"`
	}
)

func TestMergeReplacesAnotherKind(t *testing.T) {
	tests := []struct {
		name, base, over, want string
	}{
		{"same kind merges", `{choice: {one: {a: x}, beside: y}}`, `{choice: {one: {b: z}}}`, `{"choice":{"beside":"y","one":{"a":"x","b":"z"}}}`},
		{"other kind replaces", `{choice: {one: {a: x}, beside: y}}`, `{choice: {two: {b: z}}}`, `{"choice":{"two":{"b":"z"}}}`},
		{"in a table too", `{table: {t: {one: {a: x}}, u: {one: {a: x}}}}`, `{table: {t: {two: {}}}}`, `{"table":{"t":{"two":{}},"u":{"one":{"a":"x"}}}}`},
		{"no kind merges", `{choice: {one: {a: x}}}`, `{choice: {beside: z}}`, `{"choice":{"beside":"z","one":{"a":"x"}}}`},
		{"a removed kind is no kind", `{choice: {one: {a: x}}}`, `{choice: {one: null, two: {}}}`, `{"choice":{"two":{}}}`},
		{"removing the other keeps the kind", `{choice: {one: {a: x}}}`, `{choice: {two: null}}`, `{"choice":{"one":{"a":"x"}}}`},
		{"nulls inside a replacement go", `{choice: {one: {a: x}}}`, `{choice: {two: {a: null, b: z}}}`, `{"choice":{"two":{"b":"z"}}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			value, m := merged(t, tt.base, tt.over, reflect.TypeFor[holder]())
			got, err := json.Marshal(value)
			if err != nil || string(got) != tt.want || len(m.problems) > 0 {
				t.Errorf("got %s, %v, %v; want %s", got, err, m.problems, tt.want)
			}
		})
	}
}

func TestMergeReportsUnknownNulls(t *testing.T) {
	_, m := merged(t, `{}`, `{choice: {tow: null, beside: null}, table: {any: null}, tabel: null}`, reflect.TypeFor[holder]())
	want := "x.yaml:1:11: over.choice.tow: unknown field `tow`: did you mean `two`?\nx.yaml:1:57: over.tabel: unknown field `tabel`: did you mean `table`?"
	if got := m.problems.sorted().Error(); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestOverlayErrorsPointIntoTheOverlay(t *testing.T) {
	text := head + `  traffic: &t {gatewayAPI: {httpRoute: UPPER}}
  environments:
    staging:
      traffic: *t
      strategy:
        canary:
          steps:
            - 5
`
	_, err := Load([]byte(text), Options{Environment: "staging"})
	want := "tidegate.yaml:7:40: spec.traffic.gatewayAPI.httpRoute: \"UPPER\" is not the name of an object"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("the base's own: got\n%v", err)
	}
	want = "\ntidegate.yaml:14:15: spec.environments.staging.strategy.canary.steps[0]: 5 has no unit. Write 5%."
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("the overlay's: got\n%v", err)
	}
}
