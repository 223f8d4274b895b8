package canary_test

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
	"github.com/tidegate/tidegate/strategies/canary"
)

var update = flag.Bool("update", false, "write the golden plans anew")

const testdata = "../../testdata"

func baseline(t *testing.T) plan.Baseline {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testdata, "baselines", "checkout.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var b plan.Baseline
	if err := yaml.Unmarshal(data, &b); err != nil {
		t.Fatal(err)
	}
	return b
}

func scaler() plan.Object {
	return plan.Object{
		"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
		"metadata": map[string]any{"name": "checkout", "namespace": "shop"},
		"spec":     map[string]any{"minReplicas": 2, "maxReplicas": 8},
	}
}

func input(t *testing.T, strategy string) strategies.Input {
	t.Helper()
	text := `
apiVersion: tidegate.dev/v1
kind: Deploy
metadata: {name: checkout}
spec:
  workload: deployment/checkout
  namespace: shop
  traffic: {gatewayAPI: {httpRoute: checkout}}
  strategy: {canary: ` + strategy + `}
  metrics: {prom: {prometheus: {url: "https://prometheus.example.com"}}}
  gates:
    - {name: errors, threshold: {query: up, pass: "result < 1"}}
    - {name: smoke, at: [candidate-ready, bake], threshold: {query: up, pass: "result < 1"}}
`
	f, err := spec.Load([]byte(text), spec.Options{Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	return strategies.Input{Deploy: f.Deploys[0], Baseline: baseline(t), Images: map[string]string{"app": "registry/checkout:v2"}}
}

func TestGoldenPlans(t *testing.T) {
	for _, tc := range []struct {
		name, strategy string
		scaled         bool
	}{
		{"canary", "{steps: [10%, 25%, 50%], hold: 5m, bake: 10m}", false},
		{"canary-scaled", "{steps: [{weight: 5%, hold: 1m, name: first, pods: 2}, 50%], hold: 5m, drain: 3s}", true},
		{"canary-detached", "{steps: [{weight: 10%, hold: 45m30s, detach: true}, {weight: 50%, hold: 1m}, {weight: 100%, hold: 1h, detach: true}]}", false},
		{"canary-at-once", "{steps: [100%], minPods: 3}", true},
		{"canary-in-place", "{steps: [10%, {weight: 50%, name: half}, {approve: {message: Half of it}}], hold: 5m, bake: 10m, drain: 3s, settle: inPlace}", true},
		{"canary-approvals", "{steps: [{approve: {message: Ready}}, 10%, {approve: {message: Support is there, timeout: 8h, onTimeout: promote, unattended: true}, name: support}, " +
			"100%, {approve: {message: All of it}}], hold: 5m}", false},
		{"canary-internal", "{internal: {header: {X-Staff: \"1\", X-Team: shop}, hold: 2m, pods: 2}, steps: [{approve: {message: Tried it}}, 60%], hold: 5m}", true},
		{"canary-sticky", "{sticky: true, steps: [5%, 25%, 50%], hold: 5m, bake: 10m}", false},
		{"canary-sticky-internal", "{sticky: {cookie: {name: shop, domain: example.com, maxAge: 30d, sameSite: None, secure: true}}, " +
			"internal: {cookie: {staff: \"1\"}, hold: 2m}, steps: [12.5%, {weight: 100%, hold: 5m}], drain: 3s}", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, tc.strategy)
			if tc.scaled {
				in.Baseline.Scaler = scaler()
			}
			p, err := canary.Strategy{}.Compile(in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(p, "", "  ")
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

// TestCompileIsPure: the same input gives the same plan, the input stays as it was, and a plan survives being stored.
func TestCompileIsPure(t *testing.T) {
	in := input(t, "{steps: [10%, 50%], hold: 1m}")
	before := plan.Digest(in.Baseline)
	p, err := canary.Strategy{}.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Digest(in.Baseline) != before {
		t.Error("compiling changed the baseline")
	}
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back plan.Plan
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if back.Digest() != p.Digest() {
		t.Error("a stored plan has another digest")
	}
	var stored plan.Baseline
	if data, err = json.Marshal(in.Baseline); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &stored); err != nil {
		t.Fatal(err)
	}
	in.Baseline = stored
	again, err := canary.Strategy{}.Compile(in)
	if err != nil || again.Digest() != p.Digest() {
		t.Errorf("compiled from the stored baseline the plan has another digest (%v)", err)
	}
}

// TestCandidateIsNotTheBases: no selector of the base's matches a pod of the candidate, and no mark of a tool that
// owns the base is copied.
func TestCandidateIsNotTheBases(t *testing.T) {
	p, err := canary.Strategy{}.Compile(input(t, "{steps: [10%]}"))
	if err != nil {
		t.Fatal(err)
	}
	base, candidate := p.Objects.Selectors[plan.Base], p.Objects.Selectors[plan.Candidate]
	different := 0
	for key, value := range base {
		if candidate[key] != value {
			different++
		}
	}
	if different != 1 {
		t.Errorf("the candidate's selector %v must differ from %v in one label", candidate, base)
	}
	data, _ := json.Marshal(p.Objects.Create)
	for _, forbidden := range []string{"app.kubernetes.io/instance", "last-applied", "Helm", "10.0.0.7", "30080", `"podSelector":{}`} {
		if strings.Contains(string(data), forbidden) {
			t.Errorf("the candidate's objects carry %q: %s", forbidden, data)
		}
	}
	if n := len(p.Objects.Create); n != 5 {
		t.Errorf("%d objects are made, want Deployment, Service, two NetworkPolicies and the PodDisruptionBudget", n)
	}
}

// TestUndoMovesTrafficFirst: from every step of the canary whose base is whole, the first op of the way back moves the
// traffic, and from a rolled base the old template comes back before the traffic does.
func TestUndoMovesTrafficFirst(t *testing.T) {
	in := input(t, "{steps: [10%, 50%], hold: 1m}")
	in.Baseline.Scaler = scaler()
	p, err := canary.Strategy{}.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range p.Steps {
		ops := p.UndoFrom(i)
		last := ops[len(ops)-1]
		if last.Kind != plan.RemoveCandidate {
			t.Errorf("the way back from %s ends with %q", step.ID, last)
		}
		rolled := -1
		for n, op := range ops {
			switch {
			case op.Kind == plan.RollBase && op.Version == plan.Base:
				rolled = n
			case op.Kind == plan.SetSplit && op.Weight == 0 && i >= p.Index("roll-base") && rolled < 0:
				t.Errorf("the way back from %s moves the traffic to a base that is not rolled back yet", step.ID)
			}
		}
		if i > 0 && i < p.Index("roll-base") && (ops[0].Kind != plan.SetSplit || ops[0].Weight != 0) {
			t.Errorf("the way back from %s begins with %q", step.ID, ops[0])
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*strategies.Input)
		want   string
	}{
		{"no selector in the Service", func(in *strategies.Input) {
			delete(in.Baseline.Service["spec"].(map[string]any), "selector")
		}, "no selector"},
		{"unknown container", func(in *strategies.Input) { in.Images = map[string]string{"web": "x"} }, "it has app"},
		{"in place, to everyone", func(in *strategies.Input) {
			in.Deploy.Spec.Strategy.Canary.Settle, in.Deploy.Spec.Strategy.Canary.Steps = spec.SettleInPlace, []spec.Step{{Weight: spec.All}}
		}, "end with a smaller share"},
		{"in place, all at once", func(in *strategies.Input) {
			in.Deploy.Spec.Strategy.Canary.Settle = spec.SettleInPlace
			in.Baseline.Workload["spec"].(map[string]any)["strategy"] = map[string]any{"type": "Recreate"}
		}, "while they have 90% of the requests"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, "{steps: [10%]}")
			tc.change(&in)
			if _, err := (canary.Strategy{}).Compile(in); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}
