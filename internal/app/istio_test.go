package app_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
)

const meshed = `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: checkout, namespace: shop, labels: {app: checkout}}
spec:
  hosts: [checkout.local]
  http: [{delegate: {name: rest}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: rest, namespace: shop}
spec:
  http: [{name: main, timeout: 3s, route: [{destination: {host: checkout, subset: all}}]}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: checkout, namespace: shop}
spec: {host: checkout, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}, subsets: [{name: all, labels: {app: checkout}}]}
`

var (
	virtualServices  = schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"}
	destinationRules = schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "destinationrules"}
)

// meshCanary has its requests by a VirtualService that delegates; the HTTPRoute has another host.
func meshCanary() kind {
	return kind{
		strategy: `{canary: {internal: {header: {X-Staff: "1"}}, steps: [12.5%, 50%], hold: 5s}}`, staff: true, check: func(*world) {},
		objects: func(text string) string {
			return strings.Replace(text, "hostnames: [checkout.local]", "hostnames: [other.local]", 1) + meshed
		},
	}
}

func (w *world) meshOptions(image string, wrap func(http.RoundTripper) http.RoundTripper) app.Options {
	o := w.options(image, wrap)
	t := *o.Deploy.Spec.Traffic
	t.GatewayAPI, t.Istio = nil, &spec.Istio{VirtualService: "checkout"}
	o.Deploy.Spec.Traffic = &t
	return o
}

// wantMesh: the VirtualServices are as they were, and no DestinationRule is left beside the user's.
func (w *world) wantMesh(before []*unstructured.Unstructured, image string) {
	w.t.Helper()
	w.want(image)
	for _, o := range before {
		w.wantSame(virtualServices, o, w.get(virtualServices, o.GetName()), image)
	}
	if all := w.cluster.API().Store().View(destinationRules.GroupResource(), "shop"); len(all) != 1 {
		w.t.Errorf("%d DestinationRules are left", len(all))
	}
}

// TestMesh: a canary over a VirtualService loses no request, the ring meets it first, and all is as it was at the end.
func TestMesh(t *testing.T) {
	meshCanary().inWorld(t, func(w *world) {
		before := []*unstructured.Unstructured{w.get(virtualServices, "checkout"), w.get(virtualServices, "rest")}
		old, copied := w.version("", ""), 0
		o := w.meshOptions("checkout:v2", nil)
		o.Listeners = bound(func(e engine.Event) {
			if e.Kind != engine.EventStepFinished || e.Step != "internal" {
				return
			}
			if rule := w.get(destinationRules, "checkout-candidate"); rule != nil && nested(rule, "spec", "trafficPolicy", "tls") != nil {
				copied++
			}
			if got := w.version("X-Staff", "1"); got == old || got == "" || w.version("", "") != old {
				t.Errorf("the ring meets %q, and others %q", got, w.version("", ""))
			}
		})
		result, err := app.Deploy(w.t.Context(), o)
		if err != nil || result.Result != report.Succeeded || copied != 1 {
			t.Errorf("%+v, %v; the copy was there %d times", result, err, copied)
		}
		w.wantMesh(before, "checkout:v2")
	})
}

// TestAbortTheMesh: at every step an abort takes the candidate out of the VirtualService.
func TestAbortTheMesh(t *testing.T) {
	for _, step := range []string{"candidate", "internal", "shift-12.5", "full", "roll-base"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			meshCanary().inWorld(t, func(w *world) {
				before := []*unstructured.Unstructured{w.get(virtualServices, "checkout"), w.get(virtualServices, "rest")}
				started := make(chan struct{})
				o := w.meshOptions("checkout:v2", nil)
				o.Listeners = append(o.Listeners, at(step, func() { close(started) }))
				run := w.begin(o)
				<-started
				if result, err := app.Abort(w.t.Context(), w.meshOptions("", nil)); err != nil || result.Result != report.Aborted {
					t.Errorf("%+v, %v", result, err)
				}
				run.end(t, report.Aborted)
				w.wantMesh(before, "checkout:v1")
			})
		})
	}
}

// TestMeshWithoutARecord: a run is killed after some of its writes and its record deleted. The next one finds what is left by
// its marks, the copy of the DestinationRule among it.
func TestMeshWithoutARecord(t *testing.T) {
	for at := 4; at <= 31; at += 3 {
		t.Run(fmt.Sprintf("after %d", at), func(t *testing.T) {
			t.Parallel()
			meshCanary().inWorld(t, func(w *world) {
				before := []*unstructured.Unstructured{w.get(virtualServices, "checkout"), w.get(virtualServices, "rest")}
				ctx, kill := context.WithCancelCause(w.t.Context())
				k := &killer{at: at, after: true, kill: kill}
				if _, err := carry(ctx, w.meshOptions("checkout:v2", k.wrap)); err == nil {
					t.Fatalf("it was not killed, at %q", k.where)
				}
				w.remove(configMaps)
				result, err := carry(w.t.Context(), w.meshOptions("checkout:v3", nil))
				if err != nil || result.Result != report.Succeeded {
					t.Errorf("killed at %s; then %+v, %v", k.where, result, err)
				}
				w.wantMesh(before, "checkout:v3")
			})
		})
	}
}
