package app_test

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
)

const traefikObjects = `
---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: checkout, namespace: shop, labels: {app: checkout}}
spec: {weighted: {services: [{name: checkout, port: 80}]}}
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: checkout, namespace: shop}
spec:
  entryPoints: [web]
  routes: [{match: 'Host(` + "`checkout.local`" + `)', kind: Rule, services: [{kind: TraefikService, name: checkout}]}]
`

// throughTraefik is a canary with a ring whose requests all come by an IngressRoute; the HTTPRoute has another host.
func throughTraefik() kind {
	return kind{strategy: canaryInternal().strategy, check: func(*world) {}, staff: true, objects: func(text string) string {
		return strings.ReplaceAll(text, "[checkout.local]", "[elsewhere.local]") + traefikObjects
	}}
}

func (w *world) traefikOptions(image string) app.Options {
	o := w.options(image, nil)
	guard := o.Deploy.Spec.Traffic.Guard
	o.Deploy.Spec.Traffic = &spec.Traffic{Traefik: &spec.Traefik{Service: "checkout"}, Guard: guard}
	return o
}

// kept remembers the user's objects of Traefik; the function asserts that they are as they were, and alone.
func (w *world) kept() func() {
	resources := []string{"traefikservices", "ingressroutes"}
	before := map[string]string{}
	digest := func(resource string) string {
		o := w.get(schema.GroupVersionResource{Group: "traefik.io", Version: "v1alpha1", Resource: resource}, "checkout").DeepCopy()
		for _, e := range o.GetManagedFields() {
			if e.Manager == "tidegate" {
				w.t.Errorf("%s: tidegate is left in managedFields", resource)
			}
		}
		return plan.Digest([]any{o.GetLabels(), o.GetAnnotations(), o.Object["spec"]})
	}
	for _, r := range resources {
		before[r] = digest(r)
	}
	return func() {
		for _, r := range resources {
			if digest(r) != before[r] {
				w.t.Errorf("%s: it is not as it was", r)
			}
			if all := w.cluster.API().Store().View(schema.GroupResource{Group: "traefik.io", Resource: r}, "shop"); len(all) != 1 {
				w.t.Errorf("%d %s are left, want one", len(all), r)
			}
		}
	}
}

// TestThroughTraefik: the ring meets a version first, nobody else does, no request is lost, and nothing is left.
func TestThroughTraefik(t *testing.T) {
	throughTraefik().inWorld(t, func(w *world) {
		asWas := w.kept()
		looks := 0
		o := w.traefikOptions("checkout:v2")
		o.Listeners = bound(func(e engine.Event) {
			if e.Kind != engine.EventStepFinished || e.Step != "internal" {
				return
			}
			looks++
			if got := w.version("X-Staff", "1"); got != "v2" {
				t.Errorf("the ring meets %q", got)
			}
			if got := w.version("X-Staff", "12"); got != "v1" {
				t.Errorf("somebody else meets %q", got)
			}
		})
		if result, err := app.Deploy(w.t.Context(), o); err != nil || result.Result != report.Succeeded || looks != 1 {
			t.Errorf("%+v, %v; %d looks", result, err, looks)
		}
		w.want("checkout:v2")
		asWas()
	})
}

// TestAbortThroughTraefik: at every step an abort gives the user's objects back, and nothing is left.
func TestAbortThroughTraefik(t *testing.T) {
	for _, step := range []string{"candidate", "internal", "shift-50", "full", "roll-base", "return"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			throughTraefik().inWorld(t, func(w *world) {
				asWas := w.kept()
				started := make(chan struct{})
				o := w.traefikOptions("checkout:v2")
				o.Listeners = append(o.Listeners, at(step, func() { close(started) }))
				run := w.begin(o)
				<-started
				if result, err := app.Abort(w.t.Context(), w.traefikOptions("")); err != nil || result.Result != report.Aborted {
					t.Errorf("%+v, %v", result, err)
				}
				run.end(t, report.Aborted)
				w.want("checkout:v1")
				asWas()
			})
		})
	}
}

// TestRecordDeletedThroughTraefik: a run is killed and its record deleted. The next deploy finds what is left by marks and names.
func TestRecordDeletedThroughTraefik(t *testing.T) {
	killed := 0
	t.Run("killed", func(t *testing.T) {
		for at := 3; at <= 60; at += 4 {
			throughTraefik().inWorld(t, func(w *world) {
				asWas := w.kept()
				ctx, kill := context.WithCancelCause(w.t.Context())
				k := &killer{at: at, after: true, kill: kill}
				o := w.traefikOptions("checkout:v2")
				o.Wrap = k.wrap
				if _, err := carry(ctx, o); err == nil && k.where == "" {
					return // it made fewer writes
				}
				killed++
				w.remove(configMaps)
				result, err := carry(w.t.Context(), w.traefikOptions("checkout:v3"))
				if err != nil || result.Result != report.Succeeded {
					t.Errorf("killed at %s; then %+v, %v", k.where, result, err)
				}
				w.want("checkout:v3")
				asWas()
			})
		}
	})
	if killed < 5 {
		t.Errorf("only %d runs were killed", killed)
	}
}
