package app_test

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

// TestSwitchedServiceAndAnotherStrategy: a Service that a rollout without a record left switched comes back first, whatever
// moves the requests next.
func TestSwitchedServiceAndAnotherStrategy(t *testing.T) {
	for _, next := range []kind{canary(), blueGreen()} {
		for _, step := range []string{"preview", "full", "roll-base"} {
			t.Run(next.strategy+" at "+step, func(t *testing.T) {
				blueGreenService().inWorld(t, func(w *world) {
					ctx, kill := context.WithCancelCause(w.t.Context())
					o := w.options("checkout:v2", nil)
					o.Listeners = append(o.Listeners, inForce(step, func() { kill(errKilled) }))
					if _, err := app.Deploy(ctx, o); err == nil {
						t.Fatal("it was not killed")
					}
					w.remove(configMaps)
					w.kind.strategy, w.kind.unrouted = next.strategy, false
					w.relax() // a canary divides
					result, err := app.Deploy(w.t.Context(), w.options("checkout:v3", nil))
					if err != nil || result.Result != report.Succeeded {
						t.Errorf("%+v, %v", result, err)
					}
					w.want("checkout:v3")
				})
			})
		}
	}
}

// TestCanaryLeftAndNoRoute: a candidate that a route still sends to is not removed by a strategy that knows no route.
func TestCanaryLeftAndNoRoute(t *testing.T) {
	inWorld(t, func(w *world) {
		ctx, kill := context.WithCancelCause(w.t.Context())
		o := w.options("checkout:v2", nil)
		o.Listeners = append(o.Listeners, inForce("shift-50", func() { kill(errKilled) }))
		if _, err := app.Deploy(ctx, o); err == nil {
			t.Fatal("it was not killed")
		}
		w.remove(configMaps)
		w.kind.strategy, w.kind.unrouted = blueGreenService().strategy, true
		result, err := app.Deploy(w.t.Context(), w.options("checkout:v3", nil))
		if err == nil || result.Result != report.Invalid || !strings.Contains(err.Error(), "HTTPRoute/checkout sending to Service/checkout-candidate") {
			t.Errorf("%+v, %v", result, err)
		}
		w.kind.strategy, w.kind.unrouted = canary().strategy, false
		if result, err = app.Deploy(w.t.Context(), w.options("checkout:v3", nil)); err != nil || result.Result != report.Succeeded {
			t.Errorf("%+v, %v", result, err)
		}
		w.want("checkout:v3")
	})
}

// TestServiceChangedMeanwhile: somebody else's selector is not fought. Before the switch it stays, and the rollout goes
// back; after it a person is told what to do, and nothing is removed that might serve.
func TestServiceChangedMeanwhile(t *testing.T) {
	for _, tc := range []struct {
		step string
		want report.Result
	}{{"preview", report.RolledBack}, {"full", report.UndoFailed}} {
		t.Run(tc.step, func(t *testing.T) {
			k := blueGreenService()
			k.outage = true // what somebody makes of the Service is not ours to answer for
			k.inWorld(t, func(w *world) {
				w.relax()
				o := w.options("checkout:v2", nil)
				o.Listeners = append(o.Listeners, inForce(tc.step, func() { w.selector(map[string]any{"app": "other"}) }))
				result, err := app.Deploy(w.t.Context(), o)
				if err != nil || result.Result != tc.want || !strings.Contains(result.Reason, "somebody changed the selector of Service/checkout") {
					t.Errorf("%+v, %v", result, err)
				}
				if got := w.side(); got != "other" {
					t.Errorf("the Service stands before %s", got)
				}
				candidate := w.get(deployments, "checkout-candidate")
				if (candidate != nil) != (tc.want == report.UndoFailed) {
					t.Errorf("the candidate is there: %t", candidate != nil)
				}
				w.selector(map[string]any{"app": "checkout"})
				if tc.want == report.UndoFailed {
					if result, err := app.Abort(w.t.Context(), w.options("", nil)); err != nil || result.Result != report.Aborted && result.Result != report.RolledBack {
						t.Errorf("%+v, %v", result, err)
					}
				}
				w.want("checkout:v1")
			})
		})
	}
}

func (w *world) selector(match map[string]any) {
	if _, err := w.cluster.API().Mutate(services, apiserver.Key{Namespace: "shop", Name: "checkout"}, func(o map[string]any) {
		spec := (&unstructured.Unstructured{Object: o}).DeepCopy().Object["spec"].(map[string]any)
		spec["selector"] = match
		o["spec"] = spec
	}); err != nil {
		w.t.Error(err)
	}
}

// TestSwitchStatus: while the old version stands by, the status says what the Service or the route does.
func TestSwitchStatus(t *testing.T) {
	for name, k := range switching() {
		t.Run(name, func(t *testing.T) {
			k.inWorld(t, func(w *world) {
				o := w.options("checkout:v2", nil)
				o.Listeners = append(o.Listeners, inForce("full", func() {
					v, err := app.Status(w.t.Context(), w.options("", nil))
					if err != nil || v.Facts.Split == nil || *v.Facts.Split != plan.All || len(v.Facts.Problems) > 0 {
						t.Errorf("%+v, %v", v.Facts, err)
					}
					_, marked := w.get(services, "checkout").GetAnnotations()[kube.OriginalMark("checkout")]
					if marked != k.unrouted {
						t.Errorf("the Service is marked: %t", marked)
					}
				}))
				if result, err := app.Deploy(w.t.Context(), o); err != nil || result.Result != report.Succeeded {
					t.Errorf("%+v, %v", result, err)
				}
				w.want("checkout:v2")
			})
		})
	}
}
