package app_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic/ingressnginx"
)

var ingresses = schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"}

const ingress = `
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: checkout, namespace: shop, labels: {argocd.argoproj.io/instance: web}, annotations: {cert-manager.io/cluster-issuer: le}}
spec:
  ingressClassName: nginx
  rules:
  - host: checkout.local
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: checkout, port: {name: http}}}}]}
`

// byIngress is a canary over an Ingress; the HTTPRoute is for another host.
func byIngress() kind {
	return kind{strategy: `{canary: {internal: {header: {X-Staff: "1"}}, steps: [50%], hold: 5s}}`, check: (*world).ingressPointsAtReadyPods, staff: true,
		objects: func(text string) string {
			return strings.Replace(text, "hostnames: [checkout.local]", "hostnames: [elsewhere.local]", 1) + ingress
		}}
}

func (w *world) byIngress(image string, wrap func(http.RoundTripper) http.RoundTripper) app.Options {
	o := w.options(image, wrap)
	o.Deploy.Spec.Traffic = &spec.Traffic{IngressNginx: &spec.IngressNginx{Ingress: "checkout"}, Guard: spec.Duration(2 * time.Second)}
	return o
}

// canaryShare is what the Ingress that the rollout made sends to the candidate.
func (w *world) canaryShare() plan.Share {
	made := w.get(ingresses, "checkout-candidate")
	if made == nil {
		return 0
	}
	return ingressnginx.Kind{}.Share(made.Object, plan.Traffic{Namespace: "shop", Base: "checkout", Candidate: "checkout-candidate"})
}

// ingressPointsAtReadyPods: there is never a second Ingress that is no canary, and the split points only at sides that are ready.
func (w *world) ingressPointsAtReadyPods() {
	made, share, ready := w.get(ingresses, "checkout-candidate"), w.canaryShare(), w.ready()
	w.mu.Lock()
	defer w.mu.Unlock()
	if made == nil {
		return
	}
	a := made.GetAnnotations()
	if a["nginx.ingress.kubernetes.io/canary"] != "true" {
		w.problem("the Ingress of the candidate is an ordinary one: %v", a)
	}
	if need := share.Of(size); ready["checkout-candidate"] < need {
		w.problem("%s goes to the candidate, which has %d ready pods, not %d", share, ready["checkout-candidate"], need)
	}
	if need := (plan.All - share).Of(size); ready["checkout"] < need {
		w.problem("%s goes to the base, which has %d ready pods, not %d", plan.All-share, ready["checkout"], need)
	}
}

// wantIngress asserts what stands at the end: the user's Ingress, and no other.
func (w *world) wantIngress(before *unstructured.Unstructured, image string) {
	w.t.Helper()
	w.want(image)
	all := w.cluster.API().Store().View(ingresses.GroupResource(), "shop")
	if len(all) != 1 || plan.Digest(all[0].Object) != plan.Digest(before.Object) {
		w.t.Errorf("Ingresses are\n%v\nwere\n%v", all, before)
	}
}

func TestCanaryByIngress(t *testing.T) {
	byIngress().inWorld(t, func(w *world) {
		before, old := w.get(ingresses, "checkout"), w.version("", "")
		shares := map[string]plan.Share{}
		o := w.byIngress("checkout:v2", nil)
		o.Listeners = bound(func(e engine.Event) {
			if e.Kind != engine.EventStepFinished {
				return
			}
			shares[e.Step] = w.canaryShare()
			if e.Step == "internal" && (w.version("X-Staff", "1") == old || w.version("", "") != old) {
				t.Errorf("the ring meets %s, others %s", w.version("X-Staff", "1"), w.version("", ""))
			}
		})
		result, err := app.Deploy(w.t.Context(), o)
		if err != nil || result.Result != report.Succeeded || old == "" {
			t.Errorf("%+v, %v", result, err)
		}
		if shares["internal"] != 0 || shares["shift-50"] != plan.All/2 || shares["full"] != plan.All { // the next steps begin while the listener looks
			t.Errorf("shares after the steps: %v", shares)
		}
		w.wantIngress(before, "checkout:v2")
	})
}

func TestAbortByIngress(t *testing.T) {
	for _, step := range []string{"candidate", "internal", "shift-50", "full", "roll-base", "return"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			byIngress().inWorld(t, func(w *world) {
				before := w.get(ingresses, "checkout")
				started := make(chan struct{})
				o := w.byIngress("checkout:v2", nil)
				o.Listeners = append(o.Listeners, at(step, func() { close(started) }))
				run := w.begin(o)
				<-started
				if result, err := app.Abort(w.t.Context(), w.byIngress("", nil)); err != nil || result.Result != report.Aborted {
					t.Errorf("%+v, %v", result, err)
				}
				run.end(t, report.Aborted)
				w.wantIngress(before, "checkout:v1")
			})
		})
	}
}

// TestRecordDeletedByIngress: a run is killed after each of its writes and its record is deleted. The Ingress that it made is
// found by its name, and goes with everything else before the next version comes.
func TestRecordDeletedByIngress(t *testing.T) {
	const writes = 60 // and some more
	stride, _ := strides()
	for n := 1; n <= writes; n += stride {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			byIngress().inWorld(t, func(w *world) {
				before := w.get(ingresses, "checkout")
				ctx, kill := context.WithCancelCause(w.t.Context())
				k := &killer{at: n, after: true, kill: kill}
				if _, err := carry(ctx, w.byIngress("checkout:v2", k.wrap)); err == nil && k.where == "" {
					return // it made fewer writes than usual
				}
				w.remove(configMaps)
				result, err := carry(w.t.Context(), w.byIngress("checkout:v3", nil))
				if err != nil || result.Result != report.Succeeded {
					t.Errorf("killed at %s; then %+v, %v", k.where, result, err)
				}
				w.wantIngress(before, "checkout:v3")
			})
		})
	}
}
