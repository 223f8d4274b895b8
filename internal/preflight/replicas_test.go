package preflight

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

func byReplicas(w *world) { w.deploy.Spec.Traffic = nil }

func inPlaceCanary(w *world) {
	w.deploy.Spec.Strategy.Canary.Settle = spec.SettleInPlace
}

// TestFindingsByReplicas: what concerns a route or a Service of the candidate's is not looked for where there is none, and a
// base that is rolled under its requests is looked at as in a rolling update.
func TestFindingsByReplicas(t *testing.T) {
	for _, test := range []struct {
		name             string
		strategy, change func(*world)
		want             string
	}{
		{"healthy", byReplicas, nil, ""},
		{"an Ingress", byReplicas, adding(`{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web, namespace: shop},
  spec: {defaultBackend: {service: {name: checkout, port: {number: 80}}}}}`), ""},
		{"another Service", byReplicas, adding(`{apiVersion: v1, kind: Service, metadata: {name: checkout-internal, namespace: shop},
  spec: {selector: {app: checkout}, ports: [{port: 80}]}}`), ""},
		{"the type is Recreate", byReplicas, patching("workload", `{spec: {strategy: {type: Recreate}}}`), ""},
		{"no ports", byReplicas, func(w *world) { w.container(`{ports: null}`) }, ""},
		{"room for one pod more", byReplicas, adding(quotaOfOne), "quota"}, // four are needed while the base settles
		{"no preStop", byReplicas, func(w *world) { w.container(`{lifecycle: null}`) }, "no-pre-stop"},
		{"no readiness probe", byReplicas, func(w *world) { w.container(`{readinessProbe: null}`) }, "no-readiness-probe"},
		{"a node for each pod", byReplicas, nodes(4, apart("{app: checkout}")), "too-few-nodes"},
		{"a node for each pod, twice", byReplicas, nodes(8, apart("{app: checkout}")), ""},
		{"healthy in place", inPlaceCanary, nil, ""},
		{"no preStop in place", inPlaceCanary, func(w *world) { w.container(`{lifecycle: null}`) }, "no-pre-stop"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			test.strategy(w)
			if test.change != nil {
				test.change(w)
			}
			o, _, p := w.compiled()
			var found []string
			for _, f := range Judge(o, p) {
				found = append(found, f.Name)
				if strings.Contains(f.Remedy, "strategy.rolling") || f.Name == "no-pre-stop" && strings.Contains(f.Message, "past the route") {
					t.Errorf("the remedy is another strategy's: %s: %s", f.Message, f.Remedy)
				}
			}
			if got := strings.Join(found, " "); got != test.want {
				t.Errorf("found %q, want %q", got, test.want)
			}
		})
	}
}

// TestNeededByReplicas: no Service, route or policy is written, and no ReplicaSet has to be read.
func TestNeededByReplicas(t *testing.T) {
	made := 0
	for _, p := range Needed(Use{Namespace: "shop", Workload: "checkout", Candidate: "checkout-candidate", ByReplicas: true}) {
		writes := slices.ContainsFunc(p.Verbs, func(verb string) bool { return verb == "create" || verb == "delete" || verb == "patch" })
		switch p.Resource {
		case "configmaps", "leases", "events":
		case "deployments":
			made++
			if !slices.Contains(p.Verbs, "delete") || !slices.Contains(p.Names, "checkout-candidate") {
				t.Errorf("of Deployments %v of %v", p.Verbs, p.Names)
			}
		case "httproutes", "endpointslices", "replicasets":
			t.Errorf("%s is asked for", p.Resource)
		default:
			if writes {
				t.Errorf("%v of %s is asked for", p.Verbs, p.Resource)
			}
		}
	}
	if made != 1 {
		t.Errorf("Deployments are asked for %d times", made)
	}
}

// TestLeftoversByReplicas: the candidate is told by its label, whatever strategy comes next; one of a route's is not.
func TestLeftoversByReplicas(t *testing.T) {
	const candidate = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: checkout-candidate, namespace: shop, labels: {` + rolloutLabel + `: x}},
  spec: {selector: {matchLabels: {@LABEL@: candidate}}, template: {metadata: {labels: {@LABEL@: candidate}}, spec: {containers: [{name: a, image: b}]}}}}`
	for name, strategy := range map[string]func(*world){"replicas": byReplicas, "rolling": rolling(1), "a route": func(*world) {}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			strategy(w)
			w.add(strings.ReplaceAll(candidate, "@LABEL@", "tidegate.dev/track"))
			o, err := w.observe()
			if err != nil || len(o.Leftovers) != 1 || o.Leftovers[0].Name != "checkout-candidate" {
				t.Errorf("leftovers %v, %v", o.Leftovers, err)
			}
		})
	}
	w := newWorld(t)
	byReplicas(w)
	w.add(strings.ReplaceAll(candidate, "@LABEL@", "app"))
	var wrong *Invalid
	if _, err := w.observe(); !errors.As(err, &wrong) || !strings.Contains(wrong.Remedy, "strategy that made it") {
		t.Errorf("error %v", err)
	}
}

// TestChangedByReplicas: who keeps objects as they are in git is told of every field that changes.
func TestChangedByReplicas(t *testing.T) {
	w := newWorld(t)
	byReplicas(w)
	patching("workload", `{metadata: {labels: {argocd.argoproj.io/instance: shop}}}`)(w)
	o, _, p := w.compiled()
	found := Judge(o, p)
	if len(found) != 1 || found[0].Name != "gitops" || !strings.Contains(found[0].Remedy, "/spec/template, /spec/replicas") {
		t.Errorf("found %v", []Finding(found))
	}
	if p.Objects.Workload != plan.RefOf(o.workload) {
		t.Errorf("the workload is %v", p.Objects.Workload)
	}
}
