package preflight

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
)

// routedSwitch makes the world's rollout a switch by its route.
func routedSwitch(host string) func(*world) {
	return func(w *world) {
		b := &spec.BlueGreen{}
		if host != "" {
			b.Preview = &spec.BlueGreenPreview{Host: host}
		}
		w.deploy.Spec.Strategy = spec.Strategy{BlueGreen: b}
	}
}

// serviceSwitch makes it one by the Service's selector.
func serviceSwitch(preview string) func(*world) {
	return func(w *world) {
		routedSwitch("")(w)
		if w.deploy.Spec.Traffic = nil; preview != "" {
			w.deploy.Spec.Strategy.BlueGreen.Preview = &spec.BlueGreenPreview{Service: preview}
		}
	}
}

func both(changes ...func(*world)) func(*world) {
	return func(w *world) {
		for _, change := range changes {
			change(w)
		}
	}
}

const toCheckout = `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: mobile, namespace: shop},
  spec: {hostnames: [next.example.com], rules: [{backendRefs: [{name: checkout, port: 80}]}]}}`

func switchCases() []judged {
	preStop := func(w *world) { w.container(`{lifecycle: null}`) }
	return []judged{
		{"by route, healthy", routedSwitch("next.example.com"), "", ""},
		{"by Service, healthy", serviceSwitch("next"), "", ""},
		{"by Service, another route", both(serviceSwitch(""), adding(toCheckout)), "", ""},
		{"by Service, an Ingress", both(serviceSwitch(""), adding(`{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web, namespace: shop},
  spec: {defaultBackend: {service: {name: checkout, port: {number: 80}}}}}`)), "", ""},
		{"by Service, no preStop", both(serviceSwitch(""), preStop), "", ""},
		{"by Service, of type Recreate", both(serviceSwitch(""), patching("workload", `{spec: {strategy: {type: Recreate}}}`)), "", ""},
		{"by route, no preStop", both(routedSwitch(""), preStop), "no-pre-stop", "past the route"},
		{"headless", both(serviceSwitch(""), patching("service", `{spec: {clusterIP: None}}`)), "headless-service", "clusterIP: None"},
		{"headless behind a route", both(routedSwitch(""), patching("service", `{spec: {clusterIP: None}}`)), "", ""},
		{"client ip", both(serviceSwitch(""), patching("service", `{spec: {sessionAffinity: ClientIP}}`)), "session-affinity", "gives every client another pod"},
		{"nodes of their own", both(serviceSwitch(""), patching("service", `{spec: {externalTrafficPolicy: Local}}`)), "local-traffic", "externalTrafficPolicy"},
		{"nodes of their own inside", both(serviceSwitch(""), patching("service", `{spec: {internalTrafficPolicy: Local}}`)), "local-traffic", "internalTrafficPolicy"},
		{"not ready", both(serviceSwitch(""), patching("service", `{spec: {publishNotReadyAddresses: true}}`)), "not-ready-addresses", "publishNotReadyAddresses"},
		{"argo on the Service", both(serviceSwitch(""), patching("service", `{metadata: {labels: {argocd.argoproj.io/instance: web}}}`)), "gitops", "would change /spec/selector back"},
		{"argo on the Service behind a route", both(routedSwitch(""), patching("service", `{metadata: {labels: {argocd.argoproj.io/instance: web}}}`)), "", ""},
		{"the preview's host is taken", both(routedSwitch("next.example.com"), adding(toCheckout)), "preview-host", "HTTPRoute/mobile"},
		{"the preview's Service is taken", both(serviceSwitch("next"), adding(`{apiVersion: v1, kind: Service, metadata: {name: next, namespace: shop}, spec: {ports: [{port: 80}]}}`)),
			"name-taken", "Service/next"},
		{"the preview's route is taken", both(routedSwitch("next.example.com"), adding(`{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute,
  metadata: {name: checkout-preview, namespace: shop}, spec: {rules: [{backendRefs: [{name: cart, port: 80}]}]}}`)), "name-taken", "HTTPRoute/checkout-preview"},
		{"no room for two", both(serviceSwitch(""), quota(`{hard: {pods: "8"}}`, `{hard: {pods: "8"}, used: {pods: "4"}}`)), "quota", "pods: 5 more are needed"},
	}
}

// TestSwitchPermissions: what a switch needs beyond a canary is asked for, and only where it is used.
func TestSwitchPermissions(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*world)
		deny   rule
		want   string
		says   []string
	}{
		{"the Service, by its selector", serviceSwitch(""), denies("update", "services"), "permissions", []string{"update services"}},
		{"the Service, by a route", routedSwitch(""), denies("update", "services"), "", nil},
		{"the route, by the selector", serviceSwitch(""), denies("update create", "httproutes"), "", nil},
		{"a preview's route", routedSwitch("next.example.com"), denies("create delete", "httproutes"), "permissions", []string{"create, delete httproutes"}},
		{"no preview's route", routedSwitch(""), denies("create delete", "httproutes"), "", nil},
		{"a preview's Service", serviceSwitch("next"), func(verb, _, r, _, name string) bool { return verb == "watch" && r == "services" }, "permissions", []string{"watch services"}},
		{"routes that may not be read", serviceSwitch(""), denies("list", "httproutes"), "not-looked-at", []string{"an earlier rollout left"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			test.change(w)
			w.start()
			w.server.Deny(test.deny)
			found, err := w.check(Options{})
			if err != nil {
				t.Fatal(err)
			}
			expect(t, found, test.want, test.says)
		})
	}
}

// switched is the world's Service as a rollout leaves it that dies after its switch.
func switched(w *world) {
	u := wrap(w.objects["service"])
	if err := kube.KeepOriginal(u, kube.OriginalMark("checkout"), map[string]any{"selector": map[string]any{"app": "checkout"}}); err != nil {
		w.t.Fatal(err)
	}
	w.patch("service", `{spec: {selector: {app: checkout-candidate}}}`)
}

// TestSwitchedService: the Service of a rollout that left no record is still known as the workload's, and as it was.
func TestSwitchedService(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*world)
		refuse string // the error, where nobody could take it back
	}{
		{"by its selector", serviceSwitch(""), ""},
		{"by a route", routedSwitch(""), ""},
		{"a canary", func(*world) {}, ""},
		{"rolling", rolling(1), "left the selector of Service/checkout"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			test.change(w)
			switched(w)
			o, err := w.observe()
			if test.refuse != "" {
				var wrong *Invalid
				if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.refuse) {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			service := o.Baseline.Service
			if !o.Switched || !slices.Contains(o.Leftovers, plan.RefOf(service)) || textAt(service, "spec", "selector", "app") != "checkout" {
				t.Errorf("switched %t, leftovers %v, Service %v", o.Switched, o.Leftovers, service)
			}
			if _, marked := mapAt(service, "metadata", "annotations")[kube.OriginalMark("checkout")]; marked {
				t.Error("the baseline carries the mark")
			}
		})
	}
}

// TestLeftPreview: what a rollout without a record made for its preview is found, and nobody else's is.
func TestLeftPreview(t *testing.T) {
	w := newWorld(t)
	serviceSwitch("")(w)
	for name, workload := range map[string]string{"next": "checkout", "other": "cart"} {
		w.add(`{apiVersion: v1, kind: Service, metadata: {name: ` + name + `, namespace: shop, labels: {tidegate.dev/rollout: one},
  annotations: {` + strategies.PreviewMark + `: ` + workload + `}}, spec: {selector: {app: checkout-candidate}, ports: [{port: 80}]}}`)
	}
	o, err := w.observe()
	if err != nil || len(o.Leftovers) != 1 || o.Leftovers[0].Name != "next" || len(o.Previews) != 1 {
		t.Errorf("leftovers %v, previews %v, error %v", o.Leftovers, o.Previews, err)
	}
}

// TestNoServiceToSwitch: without a Service, or with several, nothing can be switched.
func TestNoServiceToSwitch(t *testing.T) {
	for name, change := range map[string]func(*world){
		"no Service of namespace shop selects": patching("service", `{spec: {selector: {app: cart}}}`),
		"2 Services of namespace shop select":  adding(`{apiVersion: v1, kind: Service, metadata: {name: same, namespace: shop}, spec: {selector: {app: checkout}, ports: [{port: 80}]}}`),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			serviceSwitch("")(w)
			change(w)
			var wrong *Invalid
			if _, err := w.observe(); !errors.As(err, &wrong) || !strings.Contains(err.Error(), name) {
				t.Errorf("error %v", err)
			}
		})
	}
}
