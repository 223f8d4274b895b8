package bluegreen_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
	"github.com/tidegate/tidegate/strategies/bluegreen"
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

const routed = "traffic: {gatewayAPI: {httpRoute: checkout}}"

func input(t *testing.T, traffic, strategy string) strategies.Input {
	t.Helper()
	text := `
apiVersion: tidegate.dev/v1
kind: Deploy
metadata: {name: checkout}
spec:
  workload: deployment/checkout
  namespace: shop
  ` + traffic + `
  strategy: {blueGreen: ` + strategy + `}
  metrics: {prom: {prometheus: {url: "https://prometheus.example.com"}}}
  gates:
    - {name: errors, threshold: {query: up, pass: "result < 1"}}
    - {name: smoke, at: [candidate-ready, bake], threshold: {query: up, pass: "result < 1"}}
`
	f, err := spec.Load([]byte(text), spec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in := strategies.Input{Deploy: f.Deploys[0], Baseline: baseline(t), Images: map[string]string{"app": "registry/checkout:v2"}}
	if traffic == "" {
		in.Baseline.Routes = nil
	}
	return in
}

func TestGoldenPlans(t *testing.T) {
	for _, tc := range []struct {
		name, traffic, strategy string
		scaled                  bool
	}{
		{"blue-green", routed, "{}", false},
		{"blue-green-preview", routed, "{preview: {host: next.shop.example.com}, keepOld: 30m, drain: 5s}", false},
		{"blue-green-approve", routed, "{approve: {message: Ready, timeout: 8h, onTimeout: promote}}", true},
		{"blue-green-service", "", "{}", true},
		{"blue-green-service-preview", "", "{preview: {service: checkout-next}, approve: {message: Ready}, keepOld: 0s}", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, tc.traffic, tc.strategy)
			if tc.scaled {
				in.Baseline.Scaler = scaler()
			}
			before := plan.Digest(in.Baseline)
			p, err := bluegreen.Strategy{}.Compile(in)
			if err != nil {
				t.Fatal(err)
			}
			if plan.Digest(in.Baseline) != before {
				t.Error("the baseline was changed")
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
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the plan differs from %s; if that is meant: go test ./strategies/... -update", path)
	}
}

func compiled(t *testing.T, traffic, strategy string) plan.Plan {
	t.Helper()
	p, err := bluegreen.Strategy{}.Compile(input(t, traffic, strategy))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestSteps: what comes after what, who watches, and that nothing but the switch moves requests to the new version.
func TestSteps(t *testing.T) {
	for _, tc := range []struct{ name, traffic, strategy, want string }{
		{"shortest", routed, "{}", "candidate:kubernetes,smoke full:kubernetes,errors,smoke confirm:kubernetes,errors roll-base: return: clean-up:"},
		{"by the Service", "", "{}", "candidate:kubernetes,smoke full:kubernetes,errors,smoke confirm:kubernetes,errors roll-base: return: clean-up:"},
		{"preview", routed, "{preview: {host: a.example.com}}", "candidate: preview:kubernetes,smoke full:kubernetes,errors,smoke confirm:kubernetes,errors roll-base: return: clean-up:"},
		{"approve", "", "{preview: {service: next}, approve: {message: Go}}",
			"candidate: preview:kubernetes,smoke approve:kubernetes full:kubernetes,errors,smoke confirm:kubernetes,errors roll-base: return: clean-up:"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, s := range compiled(t, tc.traffic, tc.strategy).Steps {
				got = append(got, s.ID+":"+strings.Join(s.Gates, ","))
				for _, op := range append(s.Do, s.Undo...) {
					moves := op.Kind == plan.SetSplit || op.Kind == plan.RollBase
					if op.Selector != (moves && tc.traffic == "") {
						t.Errorf("step %s: %+v", s.ID, op)
					}
				}
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("steps are\n%s, want\n%s", strings.Join(got, " "), tc.want)
			}
		})
	}
}

func kinds(ops []plan.Op) string {
	var all []string
	for _, op := range ops {
		all = append(all, string(op.Kind))
	}
	return strings.Join(all, " ")
}

// TestSwitch: the preview closes before the requests move, the way back moves them first, and what connections need is
// never skipped.
func TestSwitch(t *testing.T) {
	for _, tc := range []struct {
		name, strategy string
		hold, skip     time.Duration
	}{
		{"kept", "{preview: {service: next}, keepOld: 10m, drain: 5s}", 10 * time.Minute, 10*time.Minute - 7*time.Second},
		{"not kept", "{preview: {service: next}, keepOld: 0s, drain: 5s}", 7 * time.Second, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := compiled(t, "", tc.strategy)
			i := p.Index("full")
			s := p.Steps[i]
			if kinds(s.Do) != "close-preview wait scale split" || s.Do[3].Weight != plan.All || time.Duration(s.Hold) != tc.hold || time.Duration(s.Skip) != tc.skip {
				t.Errorf("the switch is %+v", s)
			}
			if got := kinds(p.UndoFrom(i)); got != "split wait close-preview remove-candidate" {
				t.Errorf("the way back is %s", got)
			}
		})
	}
}

// TestPreviewRoute: it answers at its own host only, with the new version where the base's Service was, and is nobody
// else's.
func TestPreviewRoute(t *testing.T) {
	in := input(t, routed, "{preview: {host: next.example.com}}")
	route := in.Baseline.Routes[0]
	meta := route["metadata"].(map[string]any)
	meta["labels"] = map[string]any{"app": "checkout", "argocd.argoproj.io/instance": "shop"}
	spec := route["spec"].(map[string]any)
	spec["rules"] = []any{
		map[string]any{"name": "main", "backendRefs": []any{
			map[string]any{"name": "checkout", "port": int64(80), "weight": int64(9)}, map[string]any{"name": "cart", "weight": int64(1)}}},
		map[string]any{"backendRefs": []any{
			map[string]any{"name": "checkout", "namespace": "elsewhere"}, map[string]any{"name": "checkout", "kind": "Bucket"},
			map[string]any{"name": "checkout", "kind": "Service", "namespace": "shop"}}},
	}
	p, err := bluegreen.Strategy{}.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Objects.Preview) != 1 {
		t.Fatalf("%d objects", len(p.Objects.Preview))
	}
	o := p.Objects.Preview[0]
	got := o["spec"].(map[string]any)
	if ref := plan.RefOf(o); ref.Name != "checkout-preview" || ref.Kind != "HTTPRoute" || fmt.Sprint(got["hostnames"]) != "[next.example.com]" {
		t.Errorf("it is %+v at %v", ref, got["hostnames"])
	}
	var names []string
	for _, rule := range got["rules"].([]any) {
		for _, ref := range rule.(map[string]any)["backendRefs"].([]any) {
			m := ref.(map[string]any)
			names = append(names, fmt.Sprintf("%v/%v", m["name"], m["weight"]))
		}
	}
	if want := "checkout-candidate/9 cart/1 checkout/<nil> checkout/<nil> checkout-candidate/<nil>"; strings.Join(names, " ") != want {
		t.Errorf("it sends to %v, want %s", names, want)
	}
	after := o["metadata"].(map[string]any)
	if fmt.Sprint(after["labels"]) != "map[app:checkout]" || fmt.Sprint(after["annotations"].(map[string]any)[strategies.PreviewMark]) != "checkout" {
		t.Errorf("its marks are %v", after)
	}
}

// TestErrors: what no plan can be made of says what to change.
func TestErrors(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*strategies.Input)
		want   string
	}{
		{"no block", func(in *strategies.Input) { in.Deploy.Spec.Strategy.BlueGreen = nil }, "spec.strategy.blueGreen is missing"},
		{"no Service", func(in *strategies.Input) { in.Baseline.Service = nil }, "name it in spec.service"},
		{"no route for the host", func(in *strategies.Input) {
			in.Deploy.Spec.Strategy.BlueGreen.Preview = &spec.BlueGreenPreview{Host: "a.example.com"}
		},
			"set spec.traffic.gatewayAPI"},
		{"a route of another kind", func(in *strategies.Input) {
			in.Deploy.Spec.Strategy.BlueGreen.Preview = &spec.BlueGreenPreview{Host: "a.example.com"}
			in.Baseline.Routes = []plan.Object{{"kind": "VirtualService", "metadata": map[string]any{"name": "checkout"}}}
		}, "VirtualService/checkout for another host cannot be made"},
		{"the Service's name", func(in *strategies.Input) {
			in.Deploy.Spec.Strategy.BlueGreen.Preview = &spec.BlueGreenPreview{Service: "checkout"}
		}, "a name of its own"},
		{"the candidate's name", func(in *strategies.Input) {
			in.Deploy.Spec.Strategy.BlueGreen.Preview = &spec.BlueGreenPreview{Service: "checkout-candidate"}
		}, "a name of its own"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, "", "{}")
			tc.change(&in)
			if _, err := (bluegreen.Strategy{}).Compile(in); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}
