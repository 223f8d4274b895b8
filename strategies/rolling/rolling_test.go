package rolling_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
	"github.com/tidegate/tidegate/strategies/rolling"
)

var update = flag.Bool("update", false, "write the golden plans anew")

const testdata = "../../testdata"

// input is a rollout of a workload of four pods.
func input(t *testing.T, strategy string) strategies.Input {
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
  strategy: {rolling: `+strategy+`}
  metrics: {prom: {prometheus: {url: "https://prometheus.example.com"}}}
  gates:
    - {name: errors, threshold: {query: up, pass: "result < 1"}}
    - {name: smoke, at: [100%], threshold: {query: up, pass: "result < 1"}}
`), spec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in.Deploy = f.Deploys[0]
	return in
}

func scaled(in *strategies.Input) {
	in.Baseline.Scaler = plan.Object{
		"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
		"metadata": map[string]any{"name": "checkout", "namespace": "shop"}, "spec": map[string]any{"minReplicas": int64(2), "maxReplicas": int64(8)},
	}
}

func set(in *strategies.Input, value any, field string) {
	in.Baseline.Workload["spec"].(map[string]any)[field] = value
}

func recreating(in *strategies.Input) { set(in, map[string]any{"type": "Recreate"}, "strategy") }

func compile(t *testing.T, in strategies.Input) plan.Plan {
	t.Helper()
	p, err := rolling.Strategy{}.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestGoldenPlans(t *testing.T) {
	for _, tc := range []struct {
		name, strategy string
		change         func(*strategies.Input)
	}{
		{"rolling", "{}", nil},
		{"rolling-paced", "{maxSurge: 1, maxUnavailable: 0, minReady: 10s, hold: 1m, graceful: 5s}", recreating},
		{"rolling-paused", "{pauseAt: [1, 25%, 50%], hold: 5m, maxSurge: 50%, minReady: 10s}", scaled},
		{"rolling-detached", "{pauseAt: [1], hold: 30m, detach: true}", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, tc.strategy)
			if tc.change != nil {
				tc.change(&in)
			}
			got, err := json.MarshalIndent(compile(t, in), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join(testdata, "plans", tc.name+".json"), string(got)+"\n")
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
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

// TestCompileIsPure: the input stays as it was, a plan survives being stored, and the stored baseline gives the same plan.
func TestCompileIsPure(t *testing.T) {
	in := input(t, "{pauseAt: [1, 50%], graceful: 5s}")
	before := plan.Digest(in.Baseline)
	p := compile(t, in)
	if plan.Digest(in.Baseline) != before {
		t.Error("compiling changed the baseline")
	}
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back plan.Plan
	if err := json.Unmarshal(data, &back); err != nil || back.Digest() != p.Digest() {
		t.Errorf("a stored plan has another digest (%v)", err)
	}
	if data, err = json.Marshal(in.Baseline); err != nil {
		t.Fatal(err)
	}
	in.Baseline = plan.Baseline{}
	if err := json.Unmarshal(data, &in.Baseline); err != nil || compile(t, in).Digest() != p.Digest() {
		t.Errorf("compiled from the stored baseline the plan has another digest (%v)", err)
	}
}

// TestUndo: from everywhere the old version comes back first, by the user's own pace, and then everything is released.
func TestUndo(t *testing.T) {
	in := input(t, "{pauseAt: [1, 50%], maxSurge: 100%}")
	scaled(&in)
	p := compile(t, in)
	for i, step := range p.Steps {
		ops := p.UndoFrom(i)
		if len(ops) != 3 || !reflect.DeepEqual(ops[0], plan.Op{Kind: plan.Roll, Version: plan.Base}) || ops[1].Kind != plan.ReleaseBase || ops[2].Kind != plan.ReleaseScaler {
			t.Errorf("the way back from %s is %v", step.ID, ops)
		}
	}
}

// TestBackFromRecreate: a workload of type Recreate is not stopped as a whole, there or back.
func TestBackFromRecreate(t *testing.T) {
	in := input(t, "{maxSurge: 2}")
	recreating(&in)
	p := compile(t, in)
	pace := plan.Pace{MaxSurge: "2", MaxUnavailable: "25%"}
	if ops := p.UndoFrom(0); ops[0].Pace != pace || p.Steps[0].Do[0].Pace != pace {
		t.Errorf("there by %+v, back by %+v", p.Steps[0].Do[0], ops[0])
	}
}

// TestPauses: shares are rounded up, the same number twice is one pause, and each pause knows the one before it.
func TestPauses(t *testing.T) {
	for _, tc := range []struct {
		name, at string
		size     int
		want     string
	}{
		{"of ten", "[1, 25%, 50%]", 10, "0→1 10% 1→3 30% 3→5 50%"},
		{"of three", "[1, 25%, 50%]", 3, "0→1 33.333% 1→2 66.666%"},
		{"of one", "[25%, 50%]", 1, "0→1 100%"},
		{"all", "[100%]", 4, "0→4 100%"},
		{"of none", "[25%]", 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, "{pauseAt: "+tc.at+"}")
			in.Baseline.Size = tc.size
			var got []string
			for _, s := range compile(t, in).Steps {
				for _, op := range s.Do {
					if op.Kind == plan.RollPods {
						got = append(got, strings.Join([]string{itoa(op.From), itoa(op.Pods)}, "→"), s.Weight.String())
					}
				}
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("pauses are %v", got)
			}
		})
	}
}

func itoa(n int) string { return spec.Amount{Pods: n}.String() }

// TestGatesOfAPause: a gate that names a share is asked at the pause that the share came to.
func TestGatesOfAPause(t *testing.T) {
	in := input(t, "{pauseAt: [1, 25%, 50%]}") // one of four is 25 %
	in.Deploy.Spec.Gates[1].At = []string{"25%"}
	for _, s := range compile(t, in).Steps {
		if asked := slices.Contains(s.Gates, "smoke"); asked != (s.ID == "pods-1") {
			t.Errorf("step %s is watched by %v", s.ID, s.Gates)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, strategy string
		change         func(*strategies.Input)
		want           string
	}{
		{"more pods than there are", "{pauseAt: [1, 5]}", nil, "spec.strategy.rolling.pauseAt[1]: 5 pods of the new version, but Deployment/checkout runs 4"},
		{"a share below a number", "{pauseAt: [3, 50%]}", nil, "pauseAt[1]: 50% of 4 pods is 2 pods, fewer than the 3 of the pause before it (3)"},
		{"unknown container", "{}", func(in *strategies.Input) { in.Images = map[string]string{"web": "x"} }, "it has app"},
		{"neither more nor less", "{maxSurge: 0}", func(in *strategies.Input) {
			set(in, map[string]any{"type": "RollingUpdate", "rollingUpdate": map[string]any{"maxSurge": int64(1), "maxUnavailable": int64(0)}}, "strategy")
		}, "both 0"},
		{"ready for longer than the deadline", "{minReady: 10m}", nil, "progressDeadlineSeconds (10m0s)"},
		{"sleeps for longer than it may", "{graceful: 20s}", nil, "raise the grace period above 20s"},
		{"no block", "{}", func(in *strategies.Input) { in.Deploy.Spec.Strategy.Rolling = nil }, "spec.strategy.rolling is missing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, tc.strategy)
			if tc.change != nil {
				tc.change(&in)
			}
			if _, err := (rolling.Strategy{}).Compile(in); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// TestNotes: what users may feel is said.
func TestNotes(t *testing.T) {
	for _, tc := range []struct {
		name, strategy string
		size           int
		change         func(*strategies.Input)
		want           string
	}{
		{"one pod that may be missing", "{maxUnavailable: 1}", 1, nil, "moments in which no pod is ready"},
		{"the strategy is another", "{}", 4, recreating, "own strategy is Recreate"},
		{"a hook is added", "{graceful: 5s}", 4, nil, "sleeps 5s"},
		{"a route is named", "{}", 4, func(in *strategies.Input) { in.Deploy.Spec.Traffic = &spec.Traffic{} }, "spec.traffic is not used"},
		{"nobody asks", "{}", 4, func(in *strategies.Input) { in.Deploy.Spec.Gates = nil }, "Only the pods are watched"},
		{"the most pods", "{pauseAt: [1, 4]}", 4, nil, "7 at most"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, tc.strategy)
			in.Baseline.Size = tc.size
			if tc.change != nil {
				tc.change(&in)
			}
			if notes := strings.Join(compile(t, in).Notes, "\n"); !strings.Contains(notes, tc.want) {
				t.Errorf("notes:\n%s\nwant %q", notes, tc.want)
			}
		})
	}
	if notes := strings.Join(compile(t, input(t, "{}")).Notes, "\n"); strings.Contains(notes, "no pod is ready") {
		t.Errorf("notes:\n%s", notes)
	}
}
