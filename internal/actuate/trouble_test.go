package actuate_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

// TestBadVersions: a candidate that cannot get well ends the wait early, with what a person needs to know.
func TestBadVersions(t *testing.T) {
	for _, tc := range []struct {
		name, image string
		most        time.Duration
		want        []string
	}{
		{"crash loop", "checkout:crash", 40 * time.Second, []string{"the candidate's pod checkout-candidate-", "container app, crashes again and again (exit code 1",
			"its last words:\n  | ", "its events:\n  | ", "BackOff"}},
		{"no such image", "checkout:none", 20 * time.Second, []string{"cannot get its image checkout:none", "imagePullSecrets", "its events:\n  | "}},
		{"never ready", "checkout:unready", progress, []string{"the candidate (Deployment/checkout-candidate) was not ready within 1m0s (spec.progressDeadline)",
			"not ready: checkout-candidate-", "its events:\n  | ", "raise spec.progressDeadline"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, objects, tc.image, func(t *testing.T, w *world) {
				start := time.Now()
				w.refuses(t, ensure, tc.want...)
				if took := time.Since(start); took > tc.most {
					t.Errorf("it took %v", took)
				}
				if got := w.weights(); got != "checkout=1" {
					t.Errorf("weights: %s", got)
				}
				w.do(t, remove)
			})
		})
	}
}

// TestNoRoom: pods that no node can take end the wait after the time that an autoscaler of nodes gets.
func TestNoRoom(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		spec := w.objects.Create[0]["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
		spec["containers"].([]any)[0].(map[string]any)["resources"] = map[string]any{"requests": map[string]any{"cpu": "5"}}
		start := time.Now()
		w.refuses(t, ensure, "cannot be scheduled", "Insufficient cpu", "FailedScheduling", "Make room")
		if took := time.Since(start); took < 30*time.Second || took > 40*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// TestCrashingBase: the roll of the base to a version that crashes ends early, too, and the way back is not judged by
// the pods that crashed.
func TestCrashingBase(t *testing.T) {
	inWorld(t, objects, "checkout:crash", func(t *testing.T, w *world) {
		start := time.Now()
		w.refuses(t, roll, "the base's pod checkout-", "crashes again and again")
		if took := time.Since(start); took > 40*time.Second {
			t.Errorf("it took %v", took)
		}
		w.do(t, rollBack, releaseBase)
		if got := imageOf(w.get(deployments, "checkout")); got != "checkout:v1" {
			t.Errorf("the base runs %s", got)
		}
	})
}

// TestRefused: what the cluster does not take is told in its words, at once.
func TestRefused(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.cluster.API().Intercept(func(r *http.Request) *apiserver.Fault {
			if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/deployments/checkout-candidate") {
				return &apiserver.Fault{Answer: apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: "deployments"}, "checkout-candidate",
					errQuota)}
			}
			return nil
		})
		start := time.Now()
		w.refuses(t, ensure, "the cluster refused Deployment/checkout-candidate", "exceeded quota: compute", "deploy again")
		if time.Since(start) > 0 {
			t.Errorf("it took %v", time.Since(start))
		}
	})
}

type quotaError struct{}

func (quotaError) Error() string {
	return "exceeded quota: compute, requested: pods=2, used: pods=3, limited: pods=4"
}

var errQuota = quotaError{}

// TestQuotaForPods: the Deployment is taken, its pods are not: the controller's words end the wait.
func TestQuotaForPods(t *testing.T) {
	inWorld(t, objects, "checkout:unready", func(t *testing.T, w *world) {
		ended, done := make(chan struct{}), make(chan struct{})
		go func() { // the embedded controller writes conditions of its own: say it until it was heard
			defer close(done)
			for {
				select {
				case <-ended:
					return
				case <-time.After(200 * time.Millisecond):
				}
				w.change(t, deployments, "checkout-candidate", func(o map[string]any) {
					_ = unstructured.SetNestedSlice(o, []any{map[string]any{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
						"message": "exceeded quota: compute"}}, "status", "conditions")
				})
			}
		}()
		w.refuses(t, ensure, "the candidate (Deployment/checkout-candidate) does not get on: FailedCreate: exceeded quota: compute")
		close(ended)
		<-done
	})
}

// TestTold: a wait says how far it is.
func TestTold(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, ensure)
		w.mu.Lock()
		defer w.mu.Unlock()
		if !slices.ContainsFunc(w.told, func(s string) bool { return strings.Contains(s, "the candidate: ") && strings.Contains(s, "of 2 pods") }) {
			t.Errorf("told %q", w.told)
		}
		if len(slices.Compact(slices.Clone(w.told))) != len(w.told) {
			t.Errorf("told twice: %q", w.told)
		}
	})
}

// TestScaler: an autoscaler's minimum is held at the present size, and given back as it was.
func TestScaler(t *testing.T) {
	for _, tc := range []struct {
		name, manifests, field string
		gvr                    schema.GroupVersionResource
		before, held           any
	}{
		{"HorizontalPodAutoscaler", hpa, "minReplicas", hpas, int64(2), int64(3)},
		{"HorizontalPodAutoscaler without a minimum", strings.Replace(hpa, "  minReplicas: 2\n", "", 1), "minReplicas", hpas, int64(1), int64(3)},
		{"already high enough", strings.Replace(hpa, "minReplicas: 2", "minReplicas: 3", 1), "minReplicas", hpas, int64(3), int64(3)},
		{"ScaledObject without a minimum", keda, "minReplicaCount", scaled, nil, int64(3)},
		{"ScaledObject", strings.Replace(keda, "maxReplicaCount: 10", "minReplicaCount: 0, maxReplicaCount: 10", 1), "minReplicaCount", scaled, int64(0), int64(3)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, objects+tc.manifests, "checkout:v2", func(t *testing.T, w *world) {
				before := plan.Digest(field(w.get(tc.gvr, "checkout"), "spec"))
				if got := field(w.get(tc.gvr, "checkout"), "spec", tc.field); got != tc.before {
					t.Fatalf("at first it is %v", got)
				}
				w.do(t, hold)
				o := w.get(tc.gvr, "checkout")
				if got := field(o, "spec", tc.field); got != tc.held {
					t.Errorf("held at %v", got)
				}
				wantOurs(t, o, tc.before != tc.held)
				w.do(t, hold, release)
				o = w.get(tc.gvr, "checkout")
				if plan.Digest(field(o, "spec")) != before {
					t.Errorf("spec is %v", o.Object["spec"])
				}
				wantOurs(t, o, false)
				w.do(t, release)
			})
		})
	}
}

// TestNoScaler: without one there is nothing to hold.
func TestNoScaler(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) { w.do(t, hold, release) })
}

// TestUsersApplyAfterwards: their unchanged files apply without a conflict with us.
func TestUsersApplyAfterwards(t *testing.T) {
	inWorld(t, objects+hpa, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, ensure, hold, split, splitAll, toBase, release, remove)
		for _, gvr := range []schema.GroupVersionResource{deployments, routes, hpas} {
			for _, e := range w.get(gvr, "checkout").GetManagedFields() {
				if e.Manager == kube.Manager {
					t.Errorf("%s: a field is ours", gvr.Resource)
				}
			}
		}
	})
}
