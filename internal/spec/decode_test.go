package spec

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"
	"time"
)

// everyType calls visit with each struct below the document.
func everyType(visit func(reflect.Type)) {
	seen := map[reflect.Type]bool{}
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(t.Elem())
		case reflect.Struct:
			if seen[t] || isText(t) {
				return
			}
			seen[t] = true
			visit(t)
			for _, f := range shapeOf(t).fields {
				walk(f.t)
			}
		}
	}
	walk(reflect.TypeFor[Deploy]())
}

// TestTags checks what the tags of all types say against each other.
func TestTags(t *testing.T) {
	types := 0
	everyType(func(typ reflect.Type) {
		types++
		s := shapeOf(typ)
		if _, ok := s.field(s.short); s.short != "" && !ok {
			t.Errorf("%s: the short form sets the unknown field %s", typ, s.short)
		}
		for _, f := range s.fields {
			where := typ.String() + "." + f.name
			if f.doc == "" {
				t.Errorf("%s has no description", where)
			}
			if f.required && (f.oneOf || f.fallback != "") {
				t.Errorf("%s is required, and optional", where)
			}
			formatNamed(f.format) // panics at an unknown one
			if f.fallback != "" {
				newDecoder("x", nil, nil, false).setDefault(f, reflect.New(f.t).Elem()) // panics at a bad one
			}
		}
	})
	if types < 14 {
		t.Errorf("only %d types were visited", types)
	}
}

func TestBadTagsPanic(t *testing.T) {
	tests := []struct {
		name string
		of   any
	}{
		{"unknown option", struct {
			A string `json:"a" spec:"requierd"`
		}{}},
		{"bad number", struct {
			A int `json:"a" spec:"min=x"`
		}{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			shapeOf(reflect.TypeOf(tt.of))
		})
	}
}

// TestDefaultsAreDocumented checks the table of doc.go against the tags.
func TestDefaultsAreDocumented(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, line := range strings.Split(commentText(f), "\n") {
		if fields := strings.Fields(line); len(fields) >= 2 && strings.HasPrefix(line, "\t") {
			documented[fields[0]] = fields[1]
		}
	}
	everyType(func(typ reflect.Type) {
		for _, f := range shapeOf(typ).fields {
			if f.fallback == "" || f.fallback == KindHTTPRoute {
				continue
			}
			says, ok := documented[strings.ToLower(typ.Name())+"."+f.name]
			if !ok {
				says = documented[f.name]
			}
			if says != f.fallback {
				t.Errorf("doc.go says that %s is %q by default, it is %q", f.name, says, f.fallback)
			}
		}
	})
}

func commentText(f *ast.File) string { return f.Doc.Text() }

func TestDefaults(t *testing.T) {
	d := load(t, head+`  traffic: {gatewayAPI: {httpRoute: checkout}}
  metrics: {prom: {prometheus: {url: "https://a.example.com"}}}
  gates:
    - {name: a, threshold: {query: up, pass: result > 0}}
`, Options{})
	canary, gate := d.Spec.Strategy.Canary, d.Spec.Gates[0]
	for _, tt := range []struct{ name, got, want string }{
		{"guard", d.Spec.Traffic.Guard.String(), "2s"},
		{"concurrency", string(d.Spec.Concurrency), "supersede"},
		{"deadline", d.Spec.Deadline.String(), "2h"},
		{"progressDeadline", d.Spec.ProgressDeadline.String(), "10m"},
		{"bake", canary.Bake.String(), "0s"},
		{"settle", string(canary.Settle), "offTraffic"},
		{"a step's hold", canary.Steps[1].Hold.String(), "5m"},
		{"every", gate.Every.String(), "10s"},
		{"delay", gate.Delay.String(), "0s"},
		{"timeout", gate.Timeout.String(), "10s"},
		{"noData", string(gate.NoData), "wait"},
		{"noDataFor", gate.NoDataFor.String(), "5m"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %s, want %s", tt.name, tt.got, tt.want)
		}
	}
	if canary.Drain != nil || canary.MinPods != 1 || gate.Failures != (Failures{Of: 1, In: 1}) || gate.DryRun {
		t.Errorf("canary %+v, gate %+v", canary, gate)
	}
}

func TestShortForms(t *testing.T) {
	d := load(t, head+`  metrics: {prom: {prometheus: {url: "https://a.example.com"}}}
  gates:
    - {name: a, failures: 3, threshold: {query: up, pass: result > 0}}
    - {name: b, failures: {of: 3, in: 5}, threshold: {query: up, pass: result > 0}}
`, Options{})
	if a, b := d.Spec.Gates[0].Failures, d.Spec.Gates[1].Failures; a != (Failures{Of: 3, In: 3}) || b != (Failures{Of: 3, In: 5}) {
		t.Errorf("got %+v, %+v", a, b)
	}
	if first := d.Spec.Strategy.Canary.Steps[0]; first != (Step{Weight: 5 * OnePercent, Hold: d.Spec.Strategy.Canary.Hold}) {
		t.Errorf("got %+v", first)
	}
}

func TestSticky(t *testing.T) {
	week := &StickyCookie{Path: "/", MaxAge: Duration(7 * 24 * time.Hour), SameSite: "Lax"}
	for text, want := range map[string]*Sticky{
		"true": {Cookie: week}, "{on: true}": {Cookie: week}, "{cookie: {}}": {Cookie: week}, "false": nil, "{on: false}": nil,
		"{header: X-User-Id}": {Header: "X-User-Id"},
	} {
		d := load(t, strings.Replace(head, "{steps:", "{sticky: "+text+", steps:", 1), Options{})
		if got := d.Spec.Strategy.Canary.Sticky; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", text, got, want)
		}
	}
	if name := week.NameFor("checkout"); name != "tidegate-checkout" {
		t.Errorf("the cookie is %s", name)
	}
	if name := (StickyCookie{Name: "user"}).NameFor("checkout"); name != "user" {
		t.Errorf("the cookie is %s", name)
	}
}

func TestAStepsOwnHold(t *testing.T) {
	d := load(t, strings.Replace(head, "[5%, 50%]", "[{weight: 5%, hold: 0s}, {weight: 50%, hold: 1h}, 60%]", 1), Options{})
	var got []string
	for _, step := range d.Spec.Strategy.Canary.Steps {
		got = append(got, step.Hold.String())
	}
	if strings.Join(got, " ") != "0s 1h 5m" {
		t.Errorf("got %v", got)
	}
}

func TestStepAt(t *testing.T) {
	c := Canary{Steps: []Step{{Weight: 5000, Name: "first"}, {Weight: 12500}}}
	for at, want := range map[string]string{"first": "first", "5%": "5%", "5.0%": "5%", "12.5%": "12.5%", "12.50%": "12.5%", "13%": "", "": "", "bake": ""} {
		if got, ok := c.StepAt(at); ok != (want != "") || got != want {
			t.Errorf("%q: got %q, %v", at, got, ok)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"weight", "hold", "name", "pods", "gatewayAPI"}
	for name, want := range map[string]string{
		"weigth": "weight", "Hold": "hold", "nmae": "name", "pod": "pods", "gatewayApi": "gatewayAPI", "gateway": "", "sticky": "", "x": "", "": "",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestProblemsAreSortedAndOnce(t *testing.T) {
	ps := Problems{{"f", 2, 1, "b", "x", ""}, {"f", 1, 9, "a", "y", "Do z."}, {"f", 2, 1, "b", "x", ""}, {"f", 0, 0, "", "whole", ""}}
	if got, want := ps.err().Error(), "f: whole\nf:1:9: a: y. Do z.\nf:2:1: b: x"; got != want {
		t.Errorf("got\n%s", got)
	}
	if (Problems{}).err() != nil {
		t.Error("no problems are an error")
	}
}
