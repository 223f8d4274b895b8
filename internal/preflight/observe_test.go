package preflight

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

func TestObserve(t *testing.T) {
	w := newWorld(t)
	w.add(hpa("checkout", ""))
	w.add(hpa("other", ""))
	for _, o := range []string{
		policy("own", `{podSelector: {matchLabels: {app: checkout}}}`),
		policy("everything", `{podSelector: {}}`),
		policy("database", `{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: checkout}}}]}]}`),
		policy("elsewhere", `{podSelector: {matchLabels: {app: db}}}`),
		`{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: budget, namespace: shop}, spec: {selector: {matchLabels: {app: checkout}}}}`,
		`{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: other, namespace: shop}, spec: {selector: {matchLabels: {app: db}}}}`,
		`{apiVersion: v1, kind: Service, metadata: {name: metrics, namespace: shop}, spec: {selector: {team: pay}, ports: [{port: 9090}]}}`,
	} {
		w.add(o)
	}
	w.deploy.Spec.Service = "checkout"
	o, err := w.observe()
	if err != nil {
		t.Fatal(err)
	}
	b := o.Baseline
	if nameOf(b.Workload) != "checkout" || nameOf(b.Service) != "checkout" || nameOf(b.Scaler) != "checkout" || b.Size != 4 ||
		len(b.Routes) != 1 || !slices.Equal(b.Features, []string{"Gateway", "HTTPRoute"}) || len(o.Leftovers) != 0 {
		t.Errorf("baseline is %v, leftovers %v", b, o.Leftovers)
	}
	if b.Workload["status"] != nil || b.Routes[0]["status"] != nil {
		t.Error("the baseline holds status, which changes by itself")
	}
	got := names(b.Selecting)
	slices.Sort(got)
	if want := []string{"budget", "database", "everything", "metrics", "own"}; !slices.Equal(got, want) {
		t.Errorf("selecting are %v, not %v", got, want)
	}
}

func hpa(target, owner string) string {
	if owner != "" {
		owner = `, ownerReferences: [{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, name: ` + owner + `, uid: u}]`
	}
	return `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: ` + target + `, namespace: shop` + owner + `},
  spec: {maxReplicas: 9, minReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: ` + target + `}}}`
}

func policy(name, spec string) string {
	return `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ` + name + `, namespace: shop}, spec: ` + spec + `}`
}

const scaledObject = `{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: keda, namespace: shop},
  spec: {minReplicaCount: 2, scaleTargetRef: {name: checkout}}}`

func TestScaler(t *testing.T) {
	for _, test := range []struct {
		name    string
		objects []string
		want    string
	}{
		{"none", nil, ""},
		{"of another", []string{hpa("other", "")}, ""},
		{"autoscaler", []string{hpa("checkout", "")}, "HorizontalPodAutoscaler/checkout"},
		{"of KEDA", []string{hpa("checkout", "keda"), scaledObject}, "ScaledObject/keda"},
		{"paused by KEDA", []string{scaledObject}, "ScaledObject/keda"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			for _, o := range test.objects {
				w.add(o)
			}
			o, err := w.observe()
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if o.Baseline.Scaler != nil {
				got = about(o.Baseline.Scaler)
			}
			if got != test.want {
				t.Errorf("scaler is %q", got)
			}
		})
	}
}

func TestFeaturesAreThoseOfEveryClass(t *testing.T) {
	class := func(controller string, features ...any) plan.Object {
		return plan.Object{"spec": plan.Object{"controllerName": controller}, "status": plan.Object{"supportedFeatures": features}}
	}
	named := func(s string) any { return plan.Object{"name": s} }
	got := features([]plan.Object{
		class("a", named("A"), named("B"), named("C")), class("b", "C", "B"), class("other", named("D")),
	}, []string{"a", "b"})
	if !slices.Equal(got, []string{"B", "C"}) {
		t.Errorf("features are %v", got)
	}
}

func TestInvalid(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(w *world)
		says   []string
	}{
		{"no deployment", func(w *world) { w.deploy.Spec.Workload.Name = "chekout" }, []string{"namespace shop has no Deployment chekout", "Its Deployments: checkout"}},
		{"no service", func(w *world) { delete(w.objects, "service") }, []string{"no Service of namespace shop selects the pods of Deployment/checkout", "app=checkout"}},
		{"several services", adding(`{apiVersion: v1, kind: Service, metadata: {name: second, namespace: shop}, spec: {selector: {app: checkout}, ports: [{port: 80}]}}`),
			[]string{"2 Services", "checkout, second", "spec.service"}},
		{"service not there", func(w *world) { w.deploy.Spec.Service = "cart" }, []string{"has no Service cart", "that select its pods: checkout"}},
		{"service of others", func(w *world) {
			w.add(`{apiVersion: v1, kind: Service, metadata: {name: cart, namespace: shop}, spec: {selector: {app: cart}, ports: [{port: 80}]}}`)
			w.deploy.Spec.Service = "cart"
		}, []string{"does not select the pods", "app=cart", "app=checkout"}},
		{"service without selector", func(w *world) {
			w.patch("service", `{spec: {selector: null}}`)
			w.deploy.Spec.Service = "checkout"
		}, []string{"has no selector"}},
		{"service of another host", func(w *world) {
			w.patch("service", `{spec: {selector: null, type: ExternalName, externalName: example.com}}`)
			w.deploy.Spec.Service = "checkout"
		}, []string{"alias of another host"}},
		{"no route", func(w *world) { w.deploy.Spec.Traffic.GatewayAPI.HTTPRoute = "check-out" }, []string{"has no HTTPRoute check-out", "Its HTTPRoutes: checkout"}},
		{"route to others", patching("route", rules(`[{backendRefs: [{name: cart, port: 80}, {name: checkout, namespace: other, port: 80}, {kind: Bucket, name: files}]}]`)),
			[]string{"no rule that sends to Service/checkout", "cart, other/checkout, Bucket/files"}},
		{"no such rule", func(w *world) { w.deploy.Spec.Traffic.GatewayAPI.Rules = []string{"api", "web"} }, []string{"no route of the spec has a rule named web", "names there: api"}},
		{"rule to others", func(w *world) {
			w.deploy.Spec.Traffic.GatewayAPI.Rules = []string{"api", "web"}
			w.patch("route", rules(`[{name: api, backendRefs: [{name: checkout, port: 80}]}, {name: web, backendRefs: [{name: pages, port: 80}]}]`))
		}, []string{"the rule web does not send to Service/checkout but to pages"}},
		{"only rule to others", func(w *world) {
			w.deploy.Spec.Traffic.GatewayAPI.Rules = []string{"web"}
			w.patch("route", rules(`[{name: web, backendRefs: [{name: pages, port: 80}]}]`))
		}, []string{"pages"}},
		{"route without the named rules", func(w *world) {
			w.deploy.Spec.Traffic.GatewayAPI = &spec.GatewayAPI{Rules: []string{"api"}, Routes: []spec.RouteRef{
				{Kind: spec.KindHTTPRoute, Name: "checkout"}, {Kind: spec.KindHTTPRoute, Name: "second"}}}
			w.add(`{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: second, namespace: shop}, spec: {rules: [{backendRefs: [{name: checkout, port: 80}]}]}}`)
		}, []string{"HTTPRoute/second has no rule among api"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			test.change(w)
			_, err := w.observe()
			var wrong *Invalid
			if !errors.As(err, &wrong) {
				t.Fatalf("error is %v", err)
			}
			for _, says := range test.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%q is not in: %v", says, err)
				}
			}
			if wrong.Remedy == "" {
				t.Error("no remedy")
			}
		})
	}
}

func TestWithoutTrafficNoServiceIsNeeded(t *testing.T) {
	w := newWorld(t)
	delete(w.objects, "service")
	w.deploy.Spec.Traffic = nil
	if o, err := w.observe(); err != nil || o.Baseline.Service != nil || len(o.Baseline.Routes) != 0 {
		t.Errorf("baseline %v, error %v", o.Baseline, err)
	}
}

func TestLeftovers(t *testing.T) {
	ref := func(apiVersion, kind, name string) plan.Ref {
		return plan.Ref{APIVersion: apiVersion, Kind: kind, Namespace: "shop", Name: name}
	}
	mark := `{metadata: {annotations: {tidegate.dev/original.checkout: x}}}`
	deployment := func(label string) string {
		return `{apiVersion: apps/v1, kind: Deployment, metadata: {name: checkout-candidate, namespace: shop, labels: {` + label + `: r1}},
  spec: {selector: {matchLabels: {app: checkout-candidate}}, template: {metadata: {labels: {app: checkout-candidate, team: pay}}, spec: {containers: [{name: checkout, image: checkout:v2}]}}}}`
	}
	for _, test := range []struct {
		name   string
		change func(w *world)
		want   []plan.Ref
	}{
		{"candidate", func(w *world) {
			w.add(deployment(rolloutLabel))
			w.add(`{apiVersion: v1, kind: Service, metadata: {name: checkout-candidate, namespace: shop, labels: {tidegate.dev/rollout: r1}}, spec: {selector: {app: checkout-candidate}, ports: [{port: 80}]}}`)
		}, []plan.Ref{ref("apps/v1", "Deployment", "checkout-candidate"), ref("v1", "Service", "checkout-candidate")}},
		{"not ours", adding(deployment("team")), nil},
		{"copied policy", func(w *world) {
			w.add(policy("own", `{podSelector: {matchLabels: {app: checkout}}}`))
			w.add(`{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: own-candidate, namespace: shop, labels: {tidegate.dev/rollout: r1}}, spec: {podSelector: {matchLabels: {app: checkout-candidate}}}}`)
		}, []plan.Ref{ref("networking.k8s.io/v1", "NetworkPolicy", "own-candidate")}},
		{"workload", patching("workload", mark), []plan.Ref{ref("apps/v1", "Deployment", "checkout")}},
		{"mark of another workload", patching("route", `{metadata: {annotations: {tidegate.dev/original.cart: x}}}`), nil},
		{"route", patching("route", mark), []plan.Ref{ref("gateway.networking.k8s.io/v1", "HTTPRoute", "checkout")}},
		{"route without its mark", patching("route", rules(`[{backendRefs: [{name: checkout, port: 80, weight: 90}, {name: checkout-candidate, port: 80, weight: 10}]}]`)),
			[]plan.Ref{ref("gateway.networking.k8s.io/v1", "HTTPRoute", "checkout")}},
		{"scaler", func(w *world) {
			w.add(hpa("checkout", ""))
			w.patch("HorizontalPodAutoscaler/checkout", mark)
		}, []plan.Ref{ref("autoscaling/v2", "HorizontalPodAutoscaler", "checkout")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			test.change(w)
			o, err := w.observe()
			if err != nil || !reflect.DeepEqual(o.Leftovers, test.want) {
				t.Errorf("leftovers are %v, error %v", o.Leftovers, err)
			}
		})
	}
}
