package actuate_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

// replicas is a canary without a route.
const replicas = "{canary: {steps: [34%], hold: 5s}}"

// The ops of the tests, of a workload of three pods.
var (
	mark      = plan.Op{Kind: plan.MarkBase}
	beside2   = plan.Op{Kind: plan.EnsureCandidate, Pods: 2}
	beside3   = plan.Op{Kind: plan.ScaleCandidate, Pods: 3}
	down      = plan.Op{Kind: plan.ScaleBase, Pods: 1, From: 3, Strict: true, Version: plan.Base}
	none      = plan.Op{Kind: plan.ScaleBase, From: 1, Strict: true, Version: plan.Base}
	settle    = plan.Op{Kind: plan.ScaleBase, Pods: 3, Strict: true, Version: plan.Candidate}
	unsettle  = plan.Op{Kind: plan.ScaleBase, Version: plan.Base}
	wholeBase = plan.Op{Kind: plan.ScaleBase, Pods: 3, Version: plan.Base}
)

func pinned(n int) plan.Op { return plan.Op{Kind: plan.HoldScaler, Pods: n} }

// TestTwiceByReplicas: every op, applied again after it is done, writes nothing; at the end the user's objects are as they
// were but for the version.
func TestTwiceByReplicas(t *testing.T) {
	for _, tc := range []struct {
		name, image string
		ops         []plan.Op
	}{
		{"there", "checkout:v2", []plan.Op{pinned(3), mark, beside2, pinned(1), down, beside3, none, pinned(3), settle, remove, releaseBase, release}},
		{"back from a share", "checkout:v1", []plan.Op{pinned(3), mark, beside2, pinned(1), down, pinned(3), wholeBase, remove, releaseBase, release}},
		{"back from the end", "checkout:v1", []plan.Op{pinned(3), mark, beside2, pinned(1), down, beside3, none, pinned(3), settle, unsettle, wholeBase,
			remove, releaseBase, release}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorldOf(t, replicas, objects+hpa, "checkout:v2", func(t *testing.T, w *world) {
				bounds := plan.Digest(field(w.get(hpas, "checkout"), "spec"))
				for _, op := range tc.ops {
					w.do(t, op)
					time.Sleep(10 * time.Second)
					synctest.Wait()
					writes := 0
					w.cluster.API().OnWrite(func(c apiserver.Write) {
						if c.Resource.Resource == "deployments" || c.Resource.Resource == "horizontalpodautoscalers" {
							writes++
						}
					})
					applied := writes
					w.do(t, op)
					if op.Kind != plan.EnsureCandidate && writes != applied { // an apply is told as a write in any case
						t.Errorf("%s, once more, writes %d times", op, writes-applied)
					}
				}
				base := w.get(deployments, "checkout")
				if imageOf(base) != tc.image || field(base, "spec", "replicas") != int64(3) || plan.Digest(field(w.get(hpas, "checkout"), "spec")) != bounds {
					t.Errorf("at the end: %v", base.Object["spec"])
				}
				wantOurs(t, base, false)
				wantOurs(t, w.get(hpas, "checkout"), false)
			})
		})
	}
}

// TestSidesByReplicas: the pods of base and candidate are told apart although one selector matches both, and no moment
// without pods is seen when the base has none.
func TestSidesByReplicas(t *testing.T) {
	inWorldOf(t, replicas, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, mark, beside2)
		if a, b := len(w.Pods(plan.Base)), len(w.Pods(plan.Candidate)); a != 3 || b != 2 {
			t.Errorf("%d pods of the base, %d of the candidate", a, b)
		}
		w.do(t, down, beside3, none)
		time.Sleep(20 * time.Second)
		if a, b := len(w.Pods(plan.Base)), len(w.Pods(plan.Candidate)); a != 0 || b != 3 || w.Outage() != 0 {
			t.Errorf("%d pods of the base, %d of the candidate, %s without", a, b, w.Outage())
		}
		kept, _ := kube.ReadOriginal(w.get(deployments, "checkout"), kube.OriginalMark("checkout"))
		if n, ok := kube.ReadSize(kept); !ok || n != 3 {
			t.Errorf("kept is %v", kept)
		}
	})
}

// TestNoPodIsTakenAwayTooEarly: the base keeps its pods as long as the candidate's do not make up for them.
func TestNoPodIsTakenAwayTooEarly(t *testing.T) {
	inWorldOf(t, replicas, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, mark, plan.Op{Kind: plan.EnsureCandidate, Pods: 1})
		w.refuses(t, down, "the candidate has 1 ready pods, too few to take away all but 1 of the 3")
		if n := field(w.get(deployments, "checkout"), "spec", "replicas"); n != int64(3) {
			t.Errorf("the base has %v pods", n)
		}
	})
}

// TestScaledByReplicas: a size that is not ours is told, and on the way back one that is larger than the old one stays.
func TestScaledByReplicas(t *testing.T) {
	scale := func(t *testing.T, w *world, n int64) {
		t.Helper()
		w.change(t, deployments, "checkout", func(o map[string]any) { o["spec"].(map[string]any)["replicas"] = n })
		time.Sleep(10 * time.Second)
	}
	for _, tc := range []struct {
		name  string
		do    []plan.Op
		to    int64
		op    plan.Op
		want  string
		after int64 // on the way back
	}{
		{"before it begins", nil, 5, mark, "from 3 to 5 pods", 5},
		{"more", []plan.Op{mark, beside2}, 5, down, "from 3 to 5 pods", 5},
		{"fewer", []plan.Op{mark, beside2}, 2, down, "from 3 to 2 pods", 3},
		{"at a share", []plan.Op{mark, beside2, down, beside3}, 2, none, "from 1 to 2 pods", 3},
		{"without a pod", []plan.Op{mark, beside2, down, beside3, none}, 1, settle, "from 0 to 1 pods", 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorldOf(t, replicas, objects, "checkout:v2", func(t *testing.T, w *world) {
				w.do(t, tc.do...)
				scale(t, w, tc.to)
				w.refuses(t, tc.op, "somebody scaled Deployment/checkout "+tc.want)
				w.do(t, wholeBase)
				if n := field(w.get(deployments, "checkout"), "spec", "replicas"); n != tc.after {
					t.Errorf("the base has %v pods, want %d", n, tc.after)
				}
			})
		})
	}
}

// TestTemplateChangedByReplicas: somebody else's template is no version of this rollout.
func TestTemplateChangedByReplicas(t *testing.T) {
	inWorldOf(t, replicas, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, mark, beside2)
		w.image(t, "checkout", "checkout:v3")
		time.Sleep(10 * time.Second)
		w.refuses(t, down, "somebody changed the pod template of Deployment/checkout")
	})
}
