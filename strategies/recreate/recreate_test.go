package recreate_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
	"github.com/tidegate/tidegate/strategies/recreate"
)

var update = flag.Bool("update", false, "write the golden plans anew")

const testdata = "../../testdata"

func input(t *testing.T) strategies.Input {
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
  strategy: {recreate: {hold: 30s}}
  metrics: {prom: {prometheus: {url: "https://prometheus.example.com"}}}
  gates:
    - {name: errors, threshold: {query: up, pass: "result < 1"}}
`), spec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in.Deploy = f.Deploys[0]
	return in
}

func TestGoldenPlan(t *testing.T) {
	in := input(t)
	before := plan.Digest(in.Baseline)
	p, err := recreate.Strategy{}.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Digest(in.Baseline) != before {
		t.Error("compiling changed the baseline")
	}
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path, got := filepath.Join(testdata, "plans", "recreate.json"), string(data)+"\n"
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
}

// TestDetached: nobody has to stay for the hold, and the plan says so.
func TestDetached(t *testing.T) {
	in := input(t)
	conf := *in.Deploy.Spec.Strategy.Recreate
	conf.Detach = true
	in.Deploy.Spec.Strategy.Recreate = &conf
	p, err := recreate.Strategy{}.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	if first, last := p.Steps[0], p.Steps[1]; !first.Detach || first.Skip != first.Hold || last.Detach {
		t.Errorf("steps are %+v", p.Steps)
	}
	if note := p.Notes[len(p.Notes)-1]; !strings.Contains(note, "In the hold of recreate (30s) the run ends") {
		t.Errorf("the last note is %q", note)
	}
}

// TestNeverTwoVersions: there and back all pods go before the first one comes.
func TestNeverTwoVersions(t *testing.T) {
	p, err := recreate.Strategy{}.Compile(input(t))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range p.Steps {
		back := p.UndoFrom(i)
		for _, op := range append(s.Do, back...) {
			if op.Kind == plan.Roll && !op.Pace.Recreate {
				t.Errorf("step %s: %s", s.ID, op)
			}
		}
		if back[0].Kind != plan.Roll || back[0].Version != plan.Base || back[len(back)-1].Kind != plan.ReleaseBase {
			t.Errorf("the way back from %s is %v", s.ID, back)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*strategies.Input)
		want   string
	}{
		{"unknown container", func(in *strategies.Input) { in.Images = map[string]string{"web": "x"} }, "it has app"},
		{"no block", func(in *strategies.Input) { in.Deploy.Spec.Strategy.Recreate = nil }, "spec.strategy.recreate is missing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t)
			tc.change(&in)
			if _, err := (recreate.Strategy{}).Compile(in); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// TestNotes: the outage is said, and how long it may last.
func TestNotes(t *testing.T) {
	in := input(t)
	in.Deploy.Spec.Gates, in.Deploy.Spec.Traffic = nil, &spec.Traffic{}
	p, err := recreate.Strategy{}.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Nobody is served", "up to 20s", "spec.traffic is not used", "Only the pods are watched"} {
		if notes := strings.Join(p.Notes, "\n"); !strings.Contains(notes, want) {
			t.Errorf("notes:\n%s\nwant %q", notes, want)
		}
	}
}
