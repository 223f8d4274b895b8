package fieldpath_test

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/fieldpath"
)

// TestParse: a path is read and written again as it was, step by step.
func TestParse(t *testing.T) {
	for _, tc := range []struct {
		text  string
		steps int
	}{
		{"spec", 1},
		{"spec.weighted.services[name=checkout].weight", 5},
		{"spec.rules[*].backendRefs[kind=|Service,name=checkout].weight", 6},
		{`metadata.annotations["alb.ingress.kubernetes.io/actions.checkout"]|json.forwardConfig.targetGroups[serviceName=checkout].weight`, 8},
		{`spec.list[name="a,b]|c"].weight`, 4},
		{`spec.matrix|json[*].weight`, 5},
	} {
		t.Run(tc.text, func(t *testing.T) {
			p, err := fieldpath.Parse(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if len(p) != tc.steps || p.String() != tc.text {
				t.Errorf("%d steps, written again as %s", len(p), p)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"", "empty"},
		{".spec", "name is missing"},
		{"spec..weight", "name is missing"},
		{"spec.a[", "name is missing"},
		{"spec.a[]", "name is missing"},
		{"spec.a[0]", "= is missing"},
		{"spec.a[name=x", "] is missing"},
		{"spec.a[name=x}.b", "] is missing"},
		{`spec["a`, "quotes do not end"},
		{`spec["a"`, "] is missing"},
		{`spec[""]`, "name is missing"},
		{"spec a", "a step is"},
		{"spec|yaml", "a step is"},
		{"[*].a", "begins with"},
		{"spec[*][name=x]", "right after"},
		{"spec[*]|json", "only a field has text"},
	} {
		t.Run(tc.text, func(t *testing.T) {
			if p, err := fieldpath.Parse(tc.text); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("path %v, error %v, want %q", p, err, tc.want)
			}
		})
	}
}

func TestHolds(t *testing.T) {
	for _, tc := range []struct {
		selector string
		element  any
		want     bool
	}{
		{"[name=x]", map[string]any{"name": "x"}, true},
		{"[name=x]", map[string]any{"name": "y"}, false},
		{"[name=x]", map[string]any{}, false},
		{"[name=x]", "x", false},
		{"[name=]", map[string]any{}, true},
		{"[kind=|Service,name=x]", map[string]any{"name": "x"}, true},
		{"[kind=|Service,name=x]", map[string]any{"name": "x", "kind": "Service"}, true},
		{"[kind=|Service,name=x]", map[string]any{"name": "x", "kind": "Bucket"}, false},
		{"[port=80]", map[string]any{"port": int64(80)}, true},
		{"[mirror=true]", map[string]any{"mirror": true}, true},
		{"[mirror=|false]", map[string]any{"mirror": true}, false},
		{"[name=]", map[string]any{"name": []any{}}, false},
	} {
		p, err := fieldpath.Parse("list" + tc.selector)
		if err != nil {
			t.Fatal(err)
		}
		if got := p[1].Holds(tc.element); got != tc.want {
			t.Errorf("%s of %v is %v", tc.selector, tc.element, got)
		}
	}
}

func TestExpand(t *testing.T) {
	values := map[string]string{"Base": "checkout"}
	if got, err := fieldpath.Expand("a[name={{.Base}}].weight", values); err != nil || got != "a[name=checkout].weight" {
		t.Errorf("%s, %v", got, err)
	}
	for _, text := range []string{"{{.Bsae}}", "{{.Base", "{{nothing}}"} {
		if got, err := fieldpath.Expand(text, values); err == nil || strings.Contains(err.Error(), "template: path") {
			t.Errorf("%s became %q, error %v", text, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`metadata.annotations["a.b/c"]|json.x[name=y|,z="q"].w`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := fieldpath.Parse(text)
		if err != nil {
			return
		}
		again, err := fieldpath.Parse(p.String())
		if err != nil || again.String() != p.String() {
			t.Errorf("%q became %q, which became %q, %v", text, p, again, err)
		}
	})
}

func parsed(t *testing.T, text string) fieldpath.Path {
	t.Helper()
	p, err := fieldpath.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPair(t *testing.T) {
	for _, tc := range []struct{ base, candidate, within, wrong string }{
		{"spec.to[name=a].weight", "spec.to[name=b].weight", "spec.to", ""},
		{"spec.rules[*].to[kind=|X,name=a].weight", "spec.rules[*].to[kind=|X,name=b].weight", "spec.rules[*].to", ""},
		{"spec.stable", "spec.canary", "spec", ""},
		{"stable", "canary", "", ""},
		{"spec.to[name=a].weight", "spec.to[name=a].weight", "", "the same"},
		{"spec.to[name=a]", "spec.to[name=b]", "", "same field has to follow"},
		{"spec.to[name=a].weight", "spec.to[name=b].share", "", "same field has to follow"},
		{"spec.to[name=a].w.x", "spec.to[name=b].w.x", "", "same field has to follow"},
		{"spec.to[name=a].weight", "spec.to[host=b].weight", "", "different fields"},
		{"spec.to[name=a].weight", "spec.to[name=b,host=b].weight", "", "different fields"},
		{"spec.to[*].weight", "spec.to[name=b].weight", "", "not of one kind"},
		{"spec.stable.weight", "spec.canary.weight", "", "last fields"},
	} {
		t.Run(tc.base+" "+tc.candidate, func(t *testing.T) {
			sides, err := fieldpath.Pair(parsed(t, tc.base), parsed(t, tc.candidate))
			if (err == nil) != (tc.wrong == "") || err != nil && !strings.Contains(err.Error(), tc.wrong) {
				t.Fatalf("error %v, want %q", err, tc.wrong)
			}
			if err == nil && sides.Within.String() != tc.within {
				t.Errorf("they part within %s, not %s", sides.Within, tc.within)
			}
		})
	}
}

func TestCheckCopy(t *testing.T) {
	sides, err := fieldpath.Pair(parsed(t, "spec.rules[*].to[name=a].weight"), parsed(t, "spec.rules[*].to[name=b].weight"))
	if err != nil {
		t.Fatal(err)
	}
	for text, fine := range map[string]bool{
		"spec.rules[*].to[name=b,mirror=true]": true, "spec.mirrors[name=b]": true, "spec.mirror.percent": true,
		"spec": false, "spec.rules[*].mirror": false, "spec.mirrors[*]": false, "spec.mirror|json": false, "spec.rules[*].others[name=b]": false,
	} {
		if err := sides.CheckCopy(parsed(t, text)); (err == nil) != fine {
			t.Errorf("%s: %v", text, err)
		}
	}
}
