package actuate_test

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// edit changes the spec of an object as somebody else.
func (w *world) edit(t *testing.T, gvr schema.GroupVersionResource, name string, do func(spec map[string]any)) {
	t.Helper()
	w.change(t, gvr, name, func(o map[string]any) { do(o["spec"].(map[string]any)) })
}

// TestDrift: what somebody else changes is told by its object, field and values; what we do ourselves never is.
func TestDrift(t *testing.T) {
	replicas := func(n int64) func(map[string]any) { return func(spec map[string]any) { spec["replicas"] = n } }
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, w *world)
		want   string // "" for nothing
		judged bool
	}{
		{"nothing", func(*testing.T, *world) {}, "", false},
		{"weights", func(t *testing.T, w *world) {
			w.edit(t, routes, "checkout", func(spec map[string]any) {
				refs := spec["rules"].([]any)[0].(map[string]any)["backendRefs"].([]any)
				refs[1].(map[string]any)["weight"] = int64(0)
			})
		}, "somebody changed HTTPRoute/checkout: rule main sends 0% to checkout-candidate, not 34%", true},
		{"the candidate is out of the route", func(t *testing.T, w *world) {
			w.edit(t, routes, "checkout", func(spec map[string]any) {
				rule := spec["rules"].([]any)[0].(map[string]any)
				rule["backendRefs"] = rule["backendRefs"].([]any)[:1]
			})
		}, "sends 0% to checkout-candidate, not 34%", true},
		{"the base is out of the route", func(t *testing.T, w *world) {
			w.edit(t, routes, "checkout", func(spec map[string]any) { spec["rules"].([]any)[0].(map[string]any)["backendRefs"] = []any{} })
		}, "no rule sends to Service checkout any more", true},
		{"a third image", func(t *testing.T, w *world) { w.image(t, "checkout", "checkout:v3") },
			"somebody changed spec.template of Deployment/checkout", true},
		{"the candidate's image", func(t *testing.T, w *world) { w.image(t, "checkout-candidate", "checkout:v3") },
			"it runs checkout:v3, not checkout:v2", true},
		{"the candidate is deleted", func(t *testing.T, w *world) {
			if err := w.client.Delete(t.Context(), kube.DeploymentRef("shop", "checkout-candidate")); err != nil {
				t.Fatal(err)
			}
		}, "Deployment/checkout-candidate is gone: somebody deleted it", true},
		{"the candidate's size", func(t *testing.T, w *world) { w.edit(t, deployments, "checkout-candidate", replicas(0)) },
			"somebody scaled Deployment/checkout-candidate: spec.replicas is 0, and its share of the requests needs 2", true},
		{"more of the candidate", func(t *testing.T, w *world) { w.edit(t, deployments, "checkout-candidate", replicas(5)) }, "", false},
		{"the base's size", func(t *testing.T, w *world) { w.edit(t, deployments, "checkout", replicas(4)) }, "", false}, // its autoscaler may
		{"paused", func(t *testing.T, w *world) {
			w.edit(t, deployments, "checkout", func(spec map[string]any) { spec["paused"] = true })
		}, "somebody paused Deployment/checkout", false},
		{"the scaler's minimum", func(t *testing.T, w *world) {
			w.edit(t, hpas, "checkout", func(spec map[string]any) { spec["minReplicas"] = int64(5) })
		}, "somebody changed HorizontalPodAutoscaler/checkout: minReplicas is 5, not the 3 at which the rollout holds it", false},
		{"the scaler's maximum", func(t *testing.T, w *world) {
			w.edit(t, hpas, "checkout", func(spec map[string]any) { spec["maxReplicas"] = int64(50) })
		}, "", false}, // it is not held
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, objects+hpa, "checkout:v2", func(t *testing.T, w *world) {
				done := []plan.Op{ensure, hold, split}
				w.do(t, done...)
				if found := w.Drift(done); len(found) > 0 {
					t.Fatalf("after our own ops: %+v", found)
				}
				tc.change(t, w)
				time.Sleep(time.Second)
				w.drifts(t, w.Drift(done), tc.want, tc.judged)
			})
		})
	}
}

func (w *world) drifts(t *testing.T, found []engine.Drift, want string, judged bool) {
	t.Helper()
	if want == "" {
		if len(found) > 0 {
			t.Errorf("told: %+v", found)
		}
		return
	}
	if len(found) != 1 || !strings.Contains(strings.ReplaceAll(found[0].Text, " (last written by kubectl)", ""), want) || found[0].Judged != judged || found[0].Remedy == "" {
		t.Errorf("told: %+v, want %q, judged %v", found, want, judged)
	}
}

// TestScalerKeepsAnEdit: a bound that somebody sets while it is held stays as they set it; one that is as we wrote it is the
// user's again.
func TestScalerKeepsAnEdit(t *testing.T) {
	for _, tc := range []struct {
		name       string
		edit       string
		value      int64
		least, max int64
	}{
		{"none", "", 0, 2, 10},
		{"minimum", "minReplicas", 5, 5, 10},
		{"maximum", "maxReplicas", 20, 2, 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, objects+hpa, "checkout:v2", func(t *testing.T, w *world) {
				w.do(t, hold)
				if tc.edit != "" {
					w.edit(t, hpas, "checkout", func(spec map[string]any) { spec[tc.edit] = tc.value })
				}
				w.do(t, release)
				spec := w.get(hpas, "checkout").Object["spec"].(map[string]any)
				if spec["minReplicas"] != tc.least || spec["maxReplicas"] != tc.max {
					t.Errorf("bounds are %v and %v, want %d and %d", spec["minReplicas"], spec["maxReplicas"], tc.least, tc.max)
				}
				wantOurs(t, w.get(hpas, "checkout"), false)
			})
		})
	}
}
