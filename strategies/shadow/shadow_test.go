package shadow_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
	"github.com/tidegate/tidegate/strategies/shadow"
)

var update = flag.Bool("update", false, "write the golden plans anew")

const testdata = "../../testdata"

const (
	short = `{weight: 20%, duration: 30m, sideEffects: isolated}`
	long  = `
      weight: 30%
      duration: 10m
      sideEffects: isolated
      minPods: 3
      env:
        - {name: DATABASE_URL, valueFrom: {secretKeyRef: {name: scratch, key: url}}}
        - {name: FEATURES, valueFrom: {configMapKeyRef: {name: shadow, key: features}}}
        - {name: MAILER, value: muted}
      then: {canary: {steps: [10%, 50%], hold: 5m}}`
)

func input(t *testing.T, conf string) strategies.Input {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testdata, "baselines", "checkout.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	in := strategies.Input{Images: map[string]string{"app": "registry/checkout:v2"}}
	if err := yaml.Unmarshal(data, &in.Baseline); err != nil {
		t.Fatal(err)
	}
	f, err := spec.Load([]byte(`
apiVersion: tidegate.dev/v1
kind: Deploy
metadata: {name: checkout}
spec:
  workload: deployment/checkout
  namespace: shop
  traffic: {gatewayAPI: {httpRoute: checkout}}
  strategy:
    shadow: `+conf+`
  metrics: {prom: {prometheus: {url: "https://prometheus.example.com"}}}
  gates:
    - {name: errors, threshold: {query: up, pass: "result < 1"}}
    - {name: answers, at: [candidate-ready, shadow], threshold: {query: up, pass: "result < 1"}}
`), spec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in.Deploy = f.Deploys[0].Stages()[0]
	return in
}

func compiled(t *testing.T, in strategies.Input) plan.Plan {
	t.Helper()
	before := plan.Digest(in.Baseline)
	p, err := shadow.Strategy{}.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Digest(in.Baseline) != before {
		t.Error("compiling changed the baseline")
	}
	return p
}

func TestGoldenPlans(t *testing.T) {
	for name, conf := range map[string]string{"shadow": short, "shadow-then": long} {
		t.Run(name, func(t *testing.T) {
			data, err := json.MarshalIndent(compiled(t, input(t, conf)), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			path, got := filepath.Join(testdata, "plans", name+".json"), string(data)+"\n"
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the plan differs from %s; if that is meant, run the test with -update and look at the change:\n%s", path, got)
			}
		})
	}
}

// TestNoUserIsMoved: no step sends a request of a user's to the candidate, or touches the base.
func TestNoUserIsMoved(t *testing.T) {
	p := compiled(t, input(t, long))
	if !p.Shadow() || p.Copies() != 30*plan.OnePercent {
		t.Errorf("the plan copies %s", p.Copies())
	}
	for i, s := range p.Steps {
		if s.Weight != 0 || s.Whole != plan.Base {
			t.Errorf("step %s: weight %s, whole side %s", s.ID, s.Weight, s.Whole)
		}
		for _, op := range append(p.UndoFrom(i), s.Do...) {
			switch {
			case op.Kind == plan.SetSplit && (op.Weight != 0 || len(op.Ring) > 0 || op.Cohorts != nil):
				t.Errorf("step %s moves users: %s", s.ID, op)
			case op.Kind != plan.SetSplit && op.Kind != plan.EnsureCandidate && op.Kind != plan.RemoveCandidate && op.Kind != plan.Wait:
				t.Errorf("step %s touches more than the candidate: %s", s.ID, op)
			}
		}
	}
}

// TestWaysBack: from every step on nothing is copied first, and then the candidate goes.
func TestWaysBack(t *testing.T) {
	p := compiled(t, input(t, short))
	for i, s := range p.Steps {
		back := p.UndoFrom(i)
		if last := back[len(back)-1]; last.Kind != plan.RemoveCandidate {
			t.Errorf("the way back from %s ends with %q", s.ID, last)
		}
		if i >= p.Index("shadow") && (back[0].Kind != plan.SetSplit || !back[0].Split().Nothing() || !back[0].Shadow) {
			t.Errorf("the way back from %s begins with %q", s.ID, back[0])
		}
	}
	if end := p.Copied(len(p.Steps) - 1); end != 0 {
		t.Errorf("at the end %s are copied", end)
	}
}

// TestSized: the shadow has the pods that the copies need, and no fewer than the spec wants.
func TestSized(t *testing.T) {
	for conf, want := range map[string]int{short: 1, long: 3, `{weight: 60%, duration: 1m, sideEffects: isolated}`: 3} {
		for _, op := range append(compiled(t, input(t, conf)).Steps[0].Do, compiled(t, input(t, conf)).Steps[1].Do...) {
			if got := op.PodsFor(4); got != want {
				t.Errorf("%s: %d pods of 4, want %d", op, got, want)
			}
		}
	}
}

// TestIsolated: what runs, and what the plan says that runs, have the overrides in the container with the image, in their
// places; the base's template has none.
func TestIsolated(t *testing.T) {
	in := input(t, long)
	spot := []string{"spec", "template", "spec", "containers"}
	containers := []any{
		map[string]any{"name": "app", "image": "registry/checkout:v1", "env": []any{
			map[string]any{"name": "MAILER", "value": "smtp"}, map[string]any{"name": "HOME", "value": "/"}}},
		map[string]any{"name": "proxy", "image": "proxy:1"},
	}
	if err := unstructured.SetNestedSlice(in.Baseline.Workload, containers, spot...); err != nil {
		t.Fatal(err)
	}
	p := compiled(t, in)
	want := `[{"name":"MAILER","value":"muted"},{"name":"HOME","value":"/"},` +
		`{"name":"DATABASE_URL","valueFrom":{"secretKeyRef":{"key":"url","name":"scratch"}}},` +
		`{"name":"FEATURES","valueFrom":{"configMapKeyRef":{"key":"features","name":"shadow"}}},` +
		`{"name":"TIDEGATE_SHADOW","value":"true"}]`
	running, _, _ := unstructured.NestedMap(p.Objects.Create[0], "spec", "template")
	for what, template := range map[string]plan.Object{"plan": p.Objects.Templates[plan.Candidate], "deployment": running} {
		if app, proxy := env(template, 0), env(template, 1); app != want || proxy != "null" {
			t.Errorf("%s: env is\n%s and %s, want\n%s", what, app, proxy, want)
		}
	}
	if base := env(p.Objects.Templates[plan.Base], 0); strings.Contains(base, "muted") || strings.Contains(base, spec.ShadowVariable) {
		t.Errorf("the base has %s", base)
	}
	if p.Target.Images["app"] != "registry/checkout:v2" || p.Target.From["app"] != "registry/checkout:v1" {
		t.Errorf("the target is %+v", p.Target)
	}
}

func env(template plan.Object, container int) string {
	list, _, _ := unstructured.NestedSlice(template, "spec", "containers")
	c, _ := list[container].(map[string]any)
	data, _ := json.Marshal(c["env"])
	return string(data)
}

func TestCompileRefuses(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*strategies.Input)
		want   string
	}{
		{"unknown container", func(in *strategies.Input) { in.Images = map[string]string{"web": "x"} }, "it has app"},
		{"no block", func(in *strategies.Input) { in.Deploy.Spec.Strategy.Shadow = nil }, "spec.strategy.shadow is missing"},
		{"no router", func(in *strategies.Input) { in.Deploy.Spec.Traffic = nil }, "no router that could copy"},
		{"no service", func(in *strategies.Input) { in.Baseline.Service = nil }, "needs a Service"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, short)
			tc.change(&in)
			if _, err := (shadow.Strategy{}).Compile(in); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestNotes(t *testing.T) {
	for _, tc := range []struct {
		name, conf string
		gates      bool
		want       []string
	}{
		{"nothing overridden", short, false, []string{"overrides no variable", "Nothing follows", "Only the pods are watched", "by 1 more pod."}},
		{"then", long, true, []string{"another DATABASE_URL, FEATURES, MAILER", "a second rollout follows in the same run: canary", "30% of the requests are done a second time"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, tc.conf)
			if !tc.gates {
				in.Deploy.Spec.Gates = nil
			}
			notes := strings.Join(compiled(t, in).Notes, "\n")
			for _, want := range tc.want {
				if !strings.Contains(notes, want) {
					t.Errorf("notes:\n%s\nwant %q", notes, want)
				}
			}
		})
	}
}
