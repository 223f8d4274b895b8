package preflight

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/spec"
)

func rolling(pauses ...int) func(*world) {
	return func(w *world) {
		r := &spec.Rolling{}
		for _, n := range pauses {
			r.PauseAt = append(r.PauseAt, spec.Amount{Pods: n})
		}
		w.deploy.Spec.Strategy = spec.Strategy{Rolling: r}
	}
}

func recreating(w *world) { w.deploy.Spec.Strategy = spec.Strategy{Recreate: &spec.Recreate{}} }

const quotaOfOne = `{apiVersion: v1, kind: ResourceQuota, metadata: {name: small, namespace: shop}, spec: {hard: {pods: "5"}},
  status: {hard: {pods: "5"}, used: {pods: "4"}}}`

// TestFindingsInPlace: what is found of a candidate is not looked for where there is none, and what is wrong all the same is.
func TestFindingsInPlace(t *testing.T) {
	readWriteOnce := claim("ReadWriteOnce")
	for _, test := range []struct {
		name             string
		strategy, change func(*world)
		want             string
	}{
		{"healthy", rolling(1, 2), nil, ""},
		{"healthy, at once", recreating, nil, ""},
		{"an Ingress", rolling(), adding(`{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web, namespace: shop},
  spec: {defaultBackend: {service: {name: checkout, port: {number: 80}}}}}`), ""},
		{"a route that is not accepted", rolling(), patching("route", `{status: {parents: []}}`), ""},
		{"the type is Recreate", rolling(), patching("workload", `{spec: {strategy: {type: Recreate}}}`), ""},
		{"room for one pod more", rolling(1, 2), adding(quotaOfOne), ""},
		{"no room for two", rolling(2), adding(quotaOfOne), "quota"},
		{"no room is needed", recreating, adding(quotaOfOne), ""},
		{"a volume of one node", rolling(), readWriteOnce, "single-mount-volume"},
		{"a volume of one node, at once", recreating, readWriteOnce, ""},
		{"host ports", rolling(), func(w *world) { w.container(`{ports: [{containerPort: 8080, hostPort: 8080}]}`) }, "host-port"},
		{"host ports, at once", recreating, func(w *world) { w.container(`{ports: [{containerPort: 8080, hostPort: 8080}]}`) }, ""},
		{"a node for each pod, and none more", rolling(), nodes(4, apart("{app: checkout}")), "too-few-nodes"},
		{"a node for each pod, at once", recreating, nodes(4, apart("{app: checkout}")), ""},
		{"no preStop", rolling(), func(w *world) { w.container(`{lifecycle: null}`) }, "no-pre-stop"},
		{"no preStop, at once", recreating, func(w *world) { w.container(`{lifecycle: null}`) }, ""},
		{"paused", rolling(), patching("workload", `{spec: {paused: true}}`), "paused"},
		{"not whole", recreating, patching("workload", `{status: {readyReplicas: 3, availableReplicas: 3}}`), "base-not-whole"},
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
			}
			if strings.Join(found, " ") != test.want {
				t.Errorf("found %v, want %q", found, test.want)
			}
		})
	}
}

// TestGitOpsInPlace: all fields that change are named, so that the tool can be told to ignore them.
func TestGitOpsInPlace(t *testing.T) {
	w := newWorld(t)
	rolling(1)(w)
	w.add(hpa("checkout", ""))
	for _, key := range []string{"workload", "HorizontalPodAutoscaler/checkout"} {
		w.patch(key, `{metadata: {labels: {argocd.argoproj.io/instance: shop}}}`)
	}
	o, _, p := w.compiled()
	text := ""
	for _, f := range Judge(o, p) {
		text += f.String()
	}
	for _, want := range []string{"/spec/template", "/spec/strategy", "/spec/minReadySeconds", "/spec/progressDeadlineSeconds", "/spec/minReplicas", "/spec/maxReplicas"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not named in %s", want, text)
		}
	}
}

// TestObserveInPlace: a route that the spec names for other environments is not read, and several Services are no matter.
func TestObserveInPlace(t *testing.T) {
	w := newWorld(t)
	recreating(w)
	w.deploy.Spec.Traffic = &spec.Traffic{GatewayAPI: &spec.GatewayAPI{HTTPRoute: "nowhere"}}
	w.add(`{apiVersion: v1, kind: Service, metadata: {name: metrics, namespace: shop}, spec: {selector: {team: pay}, ports: [{port: 9090}]}}`)
	o, err := w.observe()
	if err != nil || o.Baseline.Service != nil || len(o.Baseline.Routes) > 0 {
		t.Errorf("service %v, routes %v, error %v", o.Baseline.Service, o.Baseline.Routes, err)
	}
}

// TestMarksInPlace: what an earlier rollout left on the workload or its autoscaler is found; a candidate is another strategy's.
func TestMarksInPlace(t *testing.T) {
	mark := `{metadata: {annotations: {` + kube.OriginalMark("checkout") + `: x}}}`
	for _, key := range []string{"workload", "HorizontalPodAutoscaler/checkout"} {
		w := newWorld(t)
		rolling(1)(w)
		w.add(hpa("checkout", ""))
		w.patch(key, mark)
		if o, err := w.observe(); err != nil || len(o.Leftovers) != 1 || o.Leftovers[0] != plan.RefOf(w.objects[key]) {
			t.Errorf("%s: leftovers %v, %v", key, o.Leftovers, err)
		}
	}
	w := newWorld(t)
	rolling(1)(w)
	w.add(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: checkout-candidate, namespace: shop, labels: {` + rolloutLabel + `: x}},
  spec: {selector: {matchLabels: {app: c}}, template: {metadata: {labels: {app: c}}, spec: {containers: [{name: a, image: b}]}}}}`)
	var wrong *Invalid
	if _, err := w.observe(); !errors.As(err, &wrong) || !strings.Contains(wrong.Remedy, "strategy that made it") {
		t.Errorf("error %v", err)
	}
}

// TestDryRoll: the server is asked whether it takes the new template, and nothing is written; a server that is too old for
// graceful is told as that.
func TestDryRoll(t *testing.T) {
	for _, test := range []struct {
		name, says, remedy string
		graceful           spec.Duration
	}{
		{"a policy", "admission webhook \"images.example.com\" denied the request: unsigned", "Mend what the answer names", 0},
		{"an old server", "spec.template.spec.containers[0].lifecycle.preStop: Required value: must specify a handler type", "needs Kubernetes 1.30", 5_000_000_000},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			rolling()(w)
			w.deploy.Spec.Strategy.Rolling.Graceful = test.graceful
			w.container(`{lifecycle: null}`)
			w.start()
			w.server.Intercept(func(r *http.Request) *apiserver.Fault {
				if r.Method != http.MethodPut {
					return nil
				}
				if r.URL.Query().Get("dryRun") != "All" {
					t.Errorf("it writes: %s", r.URL)
				}
				return &apiserver.Fault{Answer: apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: "deployments"}, "checkout", errors.New(test.says))}
			})
			found, err := w.check(Options{})
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(found, func(f Finding) bool { return f.Name == "refused" })
			if i < 0 || !strings.Contains(found[i].Message, test.says) || !strings.Contains(found[i].Remedy, test.remedy) {
				t.Errorf("found %v", []Finding(found))
			}
		})
	}
	w := newWorld(t)
	rolling()(w)
	if found, err := w.check(Options{}); err != nil || len(found) > 0 || nameOf(w.objects["workload"]) == "" {
		t.Errorf("found %v, %v", []Finding(found), err)
	}
}

// TestNeededInPlace: nothing may be made or deleted, and routes are left alone.
func TestNeededInPlace(t *testing.T) {
	for _, p := range Needed(Use{Namespace: "shop", Workload: "checkout", InPlace: true}) {
		for _, verb := range p.Verbs {
			own := p.Resource == "configmaps" || p.Resource == "leases" || p.Resource == "events"
			if (verb == "create" || verb == "delete" || verb == "patch") && !own || p.Resource == "httproutes" {
				t.Errorf("%s of %s is asked for", verb, p.Resource)
			}
		}
	}
}
