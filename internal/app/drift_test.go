package app_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

// edit changes the spec of one of the user's objects, or of the candidate, as a person or a tool may.
func (w *world) edit(gvr schema.GroupVersionResource, name string, do func(spec map[string]any)) {
	if _, err := w.cluster.API().Mutate(gvr, apiserver.Key{Namespace: "shop", Name: name}, func(o map[string]any) {
		spec := (&unstructured.Unstructured{Object: o}).DeepCopy().Object["spec"].(map[string]any)
		do(spec)
		o["spec"] = spec
	}); err != nil {
		w.t.Error(err)
	}
}

// oldRoute puts the rules back as the user's file has them.
func (w *world) oldRoute() {
	w.edit(routes, "checkout", func(spec map[string]any) {
		spec["rules"] = runtime.DeepCopyJSON(w.before[routes].Object)["spec"].(map[string]any)["rules"]
	})
}

func (w *world) setImage(image string) {
	w.edit(deployments, "checkout", func(spec map[string]any) {
		containers := spec["template"].(map[string]any)["spec"].(map[string]any)["containers"].([]any)
		containers[0].(map[string]any)["image"] = image
	})
}

// heard deploys v2 and does something when a step is in force. It gives what was told of drift and in warnings.
func (w *world) heard(o app.Options, step string, do func()) (app.Result, string) {
	var told []string
	done := false
	o.Listeners = bound(func(e engine.Event) {
		switch {
		case e.Kind == engine.EventInForce && e.Step == step && !done:
			done = true
			do()
		case e.Kind == engine.EventDrift, e.Kind == engine.EventWarning:
			told = append(told, e.Message)
		}
	})
	result, err := app.Deploy(w.t.Context(), o)
	if err != nil || !done {
		w.t.Errorf("%+v, %v; in force: %v", result, err, done)
	}
	return result, strings.Join(told, "\n")
}

// mustSay wants a text to have all of these.
func mustSay(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("it does not say %q:\n%s", w, text)
		}
	}
}

// TestOldRouteApplied: what puts the old route back in the middle of a hold is told with object, values and remedy. The
// rollout does not go on as if users met the new version: it goes back.
func TestOldRouteApplied(t *testing.T) {
	for name, k := range map[string]kind{"canary": canary(), "ring": canaryInternal()} {
		t.Run(name, func(t *testing.T) {
			k.inWorld(t, func(w *world) {
				result, told := w.heard(w.options("checkout:v2", nil), "shift-50", w.oldRoute)
				if result.Result != report.RolledBack {
					t.Errorf("%+v", result)
				}
				mustSay(t, result.Reason, "somebody changed HTTPRoute/checkout", "rule main sends 0% to checkout-candidate, not 50%",
					"stayed so for 10s", "If a GitOps tool did it")
				mustSay(t, told, "somebody changed HTTPRoute/checkout")
				w.want("checkout:v1")
			})
		})
	}
}

// TestOldRouteIsCorrected where the spec asks for that.
func TestOldRouteIsCorrected(t *testing.T) {
	canary().inWorld(t, func(w *world) {
		o := w.options("checkout:v2", nil)
		o.Deploy.Spec.Traffic.Drift = "correct"
		result, told := w.heard(o, "shift-50", w.oldRoute)
		if result.Result != report.Succeeded {
			t.Errorf("%+v", result)
		}
		mustSay(t, told, "putting the split back (spec.traffic.drift: correct)", "no longer so")
		w.want("checkout:v2")
	})
}

// TestThirdImage: a template that is neither version's ends the rollout and stays, whenever it came.
func TestThirdImage(t *testing.T) {
	for _, tc := range []struct {
		name, step, reason string
		kind               kind
	}{
		{"canary, before it settles", "shift-50", "somebody changed spec.template of Deployment/checkout", canary()},
		{"canary, after the base was rolled", "roll-base", "was left so", canary()},
		{"rolling", "roll", "was left so", rolling()},
		{"at a pause", "pods-1", "was left so", pausing()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := tc.kind
			k.outage = tc.step == "pods-1" // their change takes the pods that a pause may miss
			k.inWorld(t, func(w *world) {
				result, told := w.heard(w.options("checkout:v2", nil), tc.step, func() {
					if k.outage {
						w.relax()
					}
					w.setImage("checkout:v3")
				})
				if result.Result != report.RolledBack {
					t.Errorf("%+v", result)
				}
				mustSay(t, result.Reason, tc.reason)
				if tc.reason == "was left so" {
					mustSay(t, told, "it runs checkout:v3, neither the old nor the new version, and was left so", "tidegate rollback")
				}
				w.want("checkout:v3")
			})
		})
	}
}

// TestScalerIsEdited: the bounds that a person sets in the middle are said, change nothing else, and stay.
func TestScalerIsEdited(t *testing.T) {
	for _, tc := range []struct {
		name, step, field string
		value             int64
		kind              kind
		least, most       int64
	}{
		{"minimum", "shift-50", "minReplicas", 4, canary(), 4, 10},
		{"maximum", "pods-1", "maxReplicas", 20, pausing(), 2, 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.kind.inWorld(t, func(w *world) {
				result, told := w.heard(w.options("checkout:v2", nil), tc.step, func() {
					w.edit(scalers, "checkout", func(spec map[string]any) { spec[tc.field] = tc.value })
				})
				if result.Result != report.Succeeded {
					t.Errorf("%+v", result)
				}
				mustSay(t, told, "somebody changed HorizontalPodAutoscaler/checkout", tc.field)
				spec := w.get(scalers, "checkout").Object["spec"].(map[string]any)
				if spec["minReplicas"] != tc.least || spec["maxReplicas"] != tc.most || w.image() != "checkout:v2" {
					t.Errorf("bounds %v to %v, image %s", spec["minReplicas"], spec["maxReplicas"], w.image())
				}
			})
		})
	}
}

// TestCandidateIsDeleted: the rollout goes back, and everything is as it was.
func TestCandidateIsDeleted(t *testing.T) {
	k := canary()
	k.outage = true // until the split is back, its share meets nobody
	k.inWorld(t, func(w *world) {
		result, told := w.heard(w.options("checkout:v2", nil), "shift-10", func() {
			w.relax()
			if err := w.cluster.API().Delete(deployments, apiserver.Key{Namespace: "shop", Name: "checkout-candidate"}, 0); err != nil {
				t.Error(err)
			}
		})
		if result.Result != report.RolledBack {
			t.Errorf("%+v", result)
		}
		// The gate on pods may see it first, or who sizes the candidate for the next step.
		const says = "Deployment/checkout-candidate is gone: somebody deleted it"
		gone, failed := strings.Contains(told+result.Reason, says), strings.Contains(result.Reason, "gate kubernetes failed")
		if !gone && !failed {
			t.Errorf("told %q, reason %q", told, result.Reason)
		}
		w.want("checkout:v1")
	})
}

// TestBaseIsScaled: a person who scales the base during a canary is told so, and nothing else comes of it.
func TestBaseIsScaled(t *testing.T) {
	k := canary()
	k.objects = func(text string) string { return text[:strings.LastIndex(text, "---")] } // no autoscaler
	k.inWorld(t, func(w *world) {
		delete(w.before, scalers)
		result, told := w.heard(w.options("checkout:v2", nil), "shift-10", func() { w.scale(4) })
		if result.Result != report.Succeeded {
			t.Errorf("%+v", result)
		}
		mustSay(t, told, "somebody scaled Deployment/checkout", "spec.replicas is 4, not 3")
		w.scale(size)
		w.want("checkout:v2")
	})
}
