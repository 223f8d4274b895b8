package actuate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

// The strategies of the tests, and ten pods with settings of the user's own.
const (
	rolls     = "{rolling: {}}"
	pauses    = "{rolling: {pauseAt: [1]}}"
	recreates = "{recreate: {}}"
)

var ten = strings.Replace(objects, "  replicas: 3\n", "  replicas: 10\n  minReadySeconds: 3\n  progressDeadlineSeconds: 120\n"+
	"  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 30%, maxUnavailable: 1}}\n", 1)

// The ops of the tests.
var (
	forward  = plan.Op{Kind: plan.Roll, Version: plan.Candidate}
	back     = plan.Op{Kind: plan.Roll, Version: plan.Base}
	exchange = plan.Op{Kind: plan.Roll, Version: plan.Candidate, Pace: plan.Pace{Recreate: true}}
	restore  = plan.Op{Kind: plan.Roll, Version: plan.Base, Pace: plan.Pace{Recreate: true}}
	pin      = plan.Op{Kind: plan.HoldScaler, Pods: 10}
)

func part(n, from int) plan.Op { return plan.Op{Kind: plan.RollPods, Pods: n, From: from} }

// counts are the pods that stay and the ready ones of them, by image.
func (w *world) counts() (staying, ready map[string]int) {
	staying, ready = map[string]int{}, map[string]int{}
	for _, p := range w.cluster.API().Store().View(pods.GroupResource(), "shop") {
		if p.GetDeletionTimestamp() != nil {
			continue
		}
		containers, _, _ := unstructured.NestedSlice(p.Object, "spec", "containers")
		image, _ := containers[0].(map[string]any)["image"].(string)
		staying[image]++
		conditions, _, _ := unstructured.NestedSlice(p.Object, "status", "conditions")
		for _, c := range conditions {
			if m := c.(map[string]any); m["type"] == "Ready" && m["status"] == "True" {
				ready[image]++
			}
		}
	}
	return staying, ready
}

// TestTwiceInPlace: every op of the strategies in place, applied again after it is done, writes nothing.
func TestTwiceInPlace(t *testing.T) {
	for _, tc := range []struct {
		name, strategy string
		ops            []plan.Op
	}{
		{"rolling", rolls, []plan.Op{forward, releaseBase}},
		{"rolling with a pace", rolls, []plan.Op{{Kind: plan.Roll, Version: plan.Candidate, Pace: plan.Pace{MaxSurge: "50%", MaxUnavailable: "0",
			MinReady: plan.Duration(5 * time.Second)}}, releaseBase}},
		{"pauses", pauses, []plan.Op{pin, part(1, 0), part(4, 1), forward, release, releaseBase}},
		{"pauses and back", pauses, []plan.Op{pin, part(1, 0), part(4, 1), back, releaseBase, release}},
		{"recreate", recreates, []plan.Op{exchange, releaseBase}},
		{"recreate and back", recreates, []plan.Op{exchange, restore, releaseBase}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorldOf(t, tc.strategy, ten+hpa, "checkout:v2", func(t *testing.T, w *world) {
				before := plan.Digest(field(w.get(deployments, "checkout"), "spec"))
				for _, op := range tc.ops {
					w.do(t, op)
					time.Sleep(10 * time.Second)
					synctest.Wait()
					wrote, watching := 0, true
					w.cluster.API().OnWrite(func(apiserver.Write) {
						if watching {
							wrote++
						}
					})
					w.do(t, op)
					if watching = false; wrote > 0 {
						t.Errorf("%s: applied again it wrote %d times", op, wrote)
					}
				}
				d := w.get(deployments, "checkout")
				wantOurs(t, d, false)
				wantOurs(t, w.get(hpas, "checkout"), false)
				w.image(t, "checkout", "checkout:v1")
				if plan.Digest(field(w.get(deployments, "checkout"), "spec")) != before {
					t.Errorf("spec is %v", d.Object["spec"])
				}
			})
		})
	}
}

// TestRollPods: the number of new pods is exact when the op is done and stays so; at no moment are fewer pods ready than the
// workload has, or more there than the op may start.
func TestRollPods(t *testing.T) {
	inWorldOf(t, pauses, ten, "checkout:v2", func(t *testing.T, w *world) {
		from, to := 0, 0
		var mu sync.Mutex // of both: the hook runs where the writes do
		w.cluster.API().OnWrite(func(apiserver.Write) {
			mu.Lock()
			defer mu.Unlock()
			staying, ready := w.counts()
			if n := ready["checkout:v1"] + ready["checkout:v2"]; n < 10 {
				t.Errorf("%d ready pods on the way from %d to %d", n, from, to)
			}
			if n := staying["checkout:v1"] + staying["checkout:v2"]; n > 10+to-from || staying["checkout:v2"] > to {
				t.Errorf("pods on the way from %d to %d: %v", from, to, staying)
			}
		})
		for _, n := range []int{1, 3, 8, 10} {
			mu.Lock()
			from, to = to, n
			mu.Unlock()
			w.do(t, part(to, from))
			for range 20 {
				if _, ready := w.counts(); ready["checkout:v2"] != to || ready["checkout:v1"] != 10-to {
					t.Fatalf("at %d: %v", to, ready)
				}
				time.Sleep(time.Second)
			}
			if fresh, old := len(w.Pods(plan.Candidate)), len(w.Pods(plan.Base)); fresh != to || old != 10-to {
				t.Errorf("at %d the gates see %d new pods and %d old ones", to, fresh, old)
			}
		}
	})
}

// TestRollPodsIsTakenOver: cut off at any moment and begun anew by another run it ends with the same number.
func TestRollPodsIsTakenOver(t *testing.T) {
	for after := range 12 {
		inWorldOf(t, pauses, ten, "checkout:v2", func(t *testing.T, w *world) {
			w.do(t, part(2, 0))
			ctx, cut := context.WithCancel(t.Context())
			time.AfterFunc(time.Duration(after)*100*time.Millisecond, cut)
			if err := w.Apply(ctx, part(5, 2)); err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			w.do(t, part(5, 2))
			time.Sleep(5 * time.Second)
			if _, ready := w.counts(); ready["checkout:v2"] != 5 || ready["checkout:v1"] != 5 {
				t.Errorf("cut off after %d: %v", after, ready)
			}
		})
	}
}

// TestMinReady: at a pause pods have been ready for as long as they must.
func TestMinReady(t *testing.T) {
	inWorldOf(t, pauses, objects, "checkout:v2", func(t *testing.T, w *world) {
		start := time.Now()
		w.do(t, plan.Op{Kind: plan.RollPods, Pods: 1, Pace: plan.Pace{MinReady: plan.Duration(7 * time.Second)}})
		if took := time.Since(start); took < 7*time.Second || took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// TestRollBack: from any number of new pods the old version comes back by the user's own settings, with no pod fewer than
// those allow.
func TestRollBack(t *testing.T) {
	for _, n := range []int{1, 5, 10} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			inWorldOf(t, pauses, ten, "checkout:v2", func(t *testing.T, w *world) {
				before := plan.Digest(field(w.get(deployments, "checkout"), "spec"))
				w.do(t, part(n, 0))
				w.cluster.API().OnWrite(func(apiserver.Write) {
					if _, ready := w.counts(); ready["checkout:v1"]+ready["checkout:v2"] < 9 { // maxUnavailable is 1
						t.Errorf("ready: %v", ready)
					}
				})
				w.do(t, back, releaseBase)
				if fresh := w.Pods(plan.Candidate); len(fresh) > 0 {
					t.Errorf("new pods are left: %v", fresh)
				}
				d := w.get(deployments, "checkout")
				if plan.Digest(field(d, "spec")) != before {
					t.Errorf("spec is %v", d.Object["spec"])
				}
				wantOurs(t, d, false)
			})
		})
	}
}

// TestRecreateIsOneWrite: type and template come together, so that the cluster finishes whatever becomes of the runner.
func TestRecreateIsOneWrite(t *testing.T) {
	inWorldOf(t, recreates, ten, "checkout:v2", func(t *testing.T, w *world) {
		ctx, cut := context.WithCancel(t.Context())
		w.cluster.API().OnWrite(func(c apiserver.Write) {
			d := w.get(deployments, "checkout")
			if kind := field(d, "spec", "strategy", "type"); (kind == "Recreate") != (imageOf(d) == "checkout:v2") {
				t.Errorf("type %v with %s", kind, imageOf(d))
			}
			if imageOf(d) == "checkout:v2" {
				cut()
			}
			if staying, _ := w.counts(); len(staying) > 1 {
				t.Errorf("two versions: %v", staying)
			}
		})
		if err := w.Apply(ctx, exchange); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		if _, ready := w.counts(); ready["checkout:v2"] != 10 {
			t.Errorf("the cluster came to %v", ready)
		}
	})
}

// TestOthersTemplate: what somebody else brings during a pause is not taken for one of the versions. The way back leaves it,
// and gives it the user's own settings so that the cluster can finish it.
func TestOthersTemplate(t *testing.T) {
	inWorldOf(t, pauses, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, part(1, 0))
		w.image(t, "checkout", "checkout:v3")
		w.refuses(t, part(2, 1), "somebody changed the pod template of Deployment/checkout")
		w.leaves(t, back, "somebody changed the pod template of Deployment/checkout", "checkout:v3")
		w.do(t, releaseBase)
		if _, ready := w.counts(); ready["checkout:v3"] != 3 || len(ready) != 1 {
			t.Errorf("ready: %v", ready)
		}
		if d := w.get(deployments, "checkout"); field(d, "spec", "minReadySeconds") != nil || imageOf(d) != "checkout:v3" {
			t.Errorf("spec is %v", d.Object["spec"])
		}
		wantOurs(t, w.get(deployments, "checkout"), false)
	})
}

// TestMirroredPods: what rewrites the images of pods on their way in makes no other version of them.
func TestMirroredPods(t *testing.T) {
	inWorldOf(t, pauses, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, part(1, 0))
		for _, p := range w.cluster.API().Store().View(pods.GroupResource(), "shop") {
			w.change(t, pods, p.GetName(), func(o map[string]any) {
				containers, _, _ := unstructured.NestedSlice(o, "spec", "containers")
				containers[0].(map[string]any)["image"] = "mirror/" + containers[0].(map[string]any)["image"].(string)
				_ = unstructured.SetNestedSlice(o, containers, "spec", "containers")
			})
		}
		time.Sleep(time.Second)
		if fresh, old := len(w.Pods(plan.Candidate)), len(w.Pods(plan.Base)); fresh != 1 || old != 2 {
			t.Errorf("%d new pods and %d old ones", fresh, old)
		}
	})
}

// TestScaledMeanwhile: pauses count on the workload's size; another one is told at once.
func TestScaledMeanwhile(t *testing.T) {
	inWorldOf(t, pauses, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.change(t, deployments, "checkout", func(o map[string]any) { o["spec"].(map[string]any)["replicas"] = int64(5) })
		time.Sleep(5 * time.Second)
		start := time.Now()
		w.refuses(t, part(1, 0), "somebody scaled Deployment/checkout from 3 to 5 pods", "Deploy again")
		if time.Since(start) > time.Second {
			t.Errorf("it took %v", time.Since(start))
		}
	})
}

// TestPatience: many pods, each of which takes a good part of the progress deadline, may take longer together; one that
// does not get on may not.
func TestPatience(t *testing.T) {
	slow := strings.Replace(objects, "  replicas: 3\n", "  replicas: 3\n  minReadySeconds: 40\n", 1)
	inWorldOf(t, rolls, slow, "checkout:v2", func(t *testing.T, w *world) {
		time.Sleep(time.Minute)
		start := time.Now()
		w.do(t, forward)
		if took := time.Since(start); took < 2*progress {
			t.Errorf("it took %v", took)
		}
	})
	inWorldOf(t, rolls, objects, "checkout:unready", func(t *testing.T, w *world) {
		start := time.Now()
		w.refuses(t, forward, "was not ready within 1m0s")
		if took := time.Since(start); took < progress || took > progress+5*time.Second {
			t.Errorf("it took %v", took)
		}
		w.do(t, back, releaseBase)
	})
}
