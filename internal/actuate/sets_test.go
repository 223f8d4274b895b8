package actuate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

var (
	statefuls = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"}
	daemons   = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "daemonsets"}
)

// The user's objects with a workload of another kind, and settings of its own that a rollout has to give back.
var (
	statefulObjects = strings.Replace(strings.Replace(objects, "kind: Deployment", "kind: StatefulSet", 1), "  replicas: 3\n",
		"  replicas: 3\n  updateStrategy: {type: OnDelete}\n", 1)
	daemonObjects = strings.Replace(strings.Replace(objects, "kind: Deployment", "kind: DaemonSet", 1), "  replicas: 3\n",
		"  updateStrategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 50%}}\n", 1)
)

const exchanges = "{recreate: {acceptOutageOnCrash: true}}"

// setCase is a kind of workload with its objects.
type setCase struct {
	name, manifests string
	resource        schema.GroupVersionResource
}

func setCases() []setCase {
	return []setCase{{"statefulset", statefulObjects, statefuls}, {"daemonset", daemonObjects, daemons}}
}

func (c setCase) inWorld(t *testing.T, strategy, image string, test func(t *testing.T, w *world)) {
	t.Helper()
	inWorldWith(t, c.name, strategy, c.manifests, image, test)
}

// TestSetsTwice: every op, applied again after it is done, writes nothing; at the end the user's own settings are back.
func TestSetsTwice(t *testing.T) {
	for _, tc := range []struct {
		name, strategy, image string
		ops                   []plan.Op
	}{
		{"rolling", rolls, "checkout:v2", []plan.Op{forward, releaseBase}},
		{"pauses", pauses, "checkout:v2", []plan.Op{part(1, 0), part(2, 1), forward, releaseBase}},
		{"pauses and back", pauses, "checkout:v2", []plan.Op{part(1, 0), part(2, 1), back, releaseBase}},
		{"recreate", exchanges, "checkout:v2", []plan.Op{exchange, releaseBase}},
		{"recreate and back", exchanges, "checkout:v2", []plan.Op{exchange, restore, releaseBase}},
	} {
		for _, c := range setCases() {
			t.Run(c.name+" "+tc.name, func(t *testing.T) {
				c.inWorld(t, tc.strategy, tc.image, func(t *testing.T, w *world) {
					before := w.get(c.resource, "checkout").DeepCopy()
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
					now := w.get(c.resource, "checkout").DeepCopy()
					wantOurs(t, now, false)
					for _, field := range []string{"updateStrategy", "replicas", "minReadySeconds"} {
						if was, is := fmt.Sprint(before.Object["spec"].(map[string]any)[field]), fmt.Sprint(now.Object["spec"].(map[string]any)[field]); was != is {
							t.Errorf("%s is %s, was %s", field, is, was)
						}
					}
				})
			})
		}
	}
}

// TestSetsArePaused: the number of new pods is exact when the op is done and stays so; never are two pods missing.
func TestSetsArePaused(t *testing.T) {
	for _, c := range setCases() {
		t.Run(c.name, func(t *testing.T) {
			c.inWorld(t, pauses, "checkout:v2", func(t *testing.T, w *world) {
				w.cluster.API().OnWrite(func(apiserver.Write) {
					if _, ready := w.counts(); ready["checkout:v1"]+ready["checkout:v2"] < 2 {
						t.Errorf("ready: %v", ready)
					}
				})
				for n := 1; n <= 3; n++ {
					w.do(t, part(n, n-1))
					for range 20 {
						if _, ready := w.counts(); ready["checkout:v2"] != n || ready["checkout:v1"] != 3-n {
							t.Fatalf("at %d: %v", n, ready)
						}
						time.Sleep(time.Second)
					}
					if fresh, old := len(w.Pods(plan.Candidate)), len(w.Pods(plan.Base)); fresh != n || old != 3-n {
						t.Errorf("at %d the gates see %d new pods and %d old ones", n, fresh, old)
					}
				}
			})
		})
	}
}

// TestSetsAreTakenOver: cut off at any moment and begun anew, a pause ends with the same number.
func TestSetsAreTakenOver(t *testing.T) {
	for _, c := range setCases() {
		for after := range 20 {
			t.Run(fmt.Sprint(c.name, " ", after), func(t *testing.T) {
				c.inWorld(t, pauses, "checkout:v2", func(t *testing.T, w *world) {
					ctx, cut := context.WithCancel(t.Context())
					time.AfterFunc(time.Duration(after)*150*time.Millisecond, cut)
					if err := w.Apply(ctx, part(2, 0)); err != nil && !errors.Is(err, context.Canceled) {
						t.Fatal(err)
					}
					w.do(t, part(2, 0))
					time.Sleep(5 * time.Second)
					if _, ready := w.counts(); ready["checkout:v2"] != 2 || ready["checkout:v1"] != 1 {
						t.Errorf("cut off after %d: %v", after, ready)
					}
				})
			})
		}
	}
}

// TestNoPodIsStuck: a pod of a bad version keeps neither a pause nor a whole roll from going back, nor a stop.
func TestNoPodIsStuck(t *testing.T) {
	for _, tc := range []struct {
		name, strategy string
		there, back    plan.Op
	}{
		{"pause", pauses, part(1, 0), back},
		{"roll", rolls, forward, back},
		{"recreate", exchanges, exchange, restore},
	} {
		for _, c := range setCases() {
			t.Run(c.name+" "+tc.name, func(t *testing.T) {
				c.inWorld(t, tc.strategy, "checkout:unready", func(t *testing.T, w *world) {
					w.refuses(t, tc.there, "was not ready within")
					w.do(t, tc.back, releaseBase)
					if staying, ready := w.counts(); ready["checkout:v1"] != 3 || len(staying) != 1 {
						t.Errorf("pods %v, ready %v", staying, ready)
					}
				})
			})
		}
	}
}

// TestSeveralUnreadyPodsStop: a StatefulSet that is to have no pods would wait for ever for the first of several that are
// not ready.
func TestSeveralUnreadyPodsStop(t *testing.T) {
	setCases()[0].inWorld(t, exchanges, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, exchange)
		for _, name := range []string{"checkout-0", "checkout-2"} {
			w.change(t, pods, name, func(o map[string]any) {
				for _, c := range o["status"].(map[string]any)["conditions"].([]any) {
					if m := c.(map[string]any); m["type"] == "Ready" {
						m["status"] = "False"
					}
				}
			})
		}
		w.do(t, restore, releaseBase)
		if _, ready := w.counts(); ready["checkout:v1"] != 3 || len(ready) != 1 {
			t.Errorf("ready: %v", ready)
		}
	})
}

// TestHealthyPodsAreNotDeleted: on its way back a StatefulSet replaces its pods by itself; only those that are not ready are
// deleted.
func TestHealthyPodsAreNotDeleted(t *testing.T) {
	setCases()[0].inWorld(t, pauses, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, part(2, 0))
		w.do(t, back, releaseBase)
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, line := range w.told {
			if strings.Contains(line, "deleted pod") {
				t.Error(line)
			}
		}
	})
}

// TestExchangeOfSets: at no moment are there pods of two versions, not even one that ends, and whatever moment a run is cut
// off at, the next one goes on there or back.
func TestExchangeOfSets(t *testing.T) {
	for _, c := range setCases() {
		for after := range 25 {
			for _, next := range []plan.Op{exchange, restore} {
				t.Run(fmt.Sprint(c.name, " ", after, " ", next.Version), func(t *testing.T) {
					c.inWorld(t, exchanges, "checkout:v2", func(t *testing.T, w *world) {
						w.cluster.API().OnWrite(func(apiserver.Write) {
							if all := w.images(); len(all) > 1 {
								t.Errorf("two versions: %v", all)
							}
						})
						ctx, cut := context.WithCancel(t.Context())
						time.AfterFunc(time.Duration(after)*200*time.Millisecond, cut)
						if err := w.Apply(ctx, exchange); err != nil && !errors.Is(err, context.Canceled) {
							t.Fatal(err)
						}
						w.do(t, next, releaseBase)
						want := map[plan.Side]string{plan.Base: "checkout:v1", plan.Candidate: "checkout:v2"}[next.Version]
						if _, ready := w.counts(); ready[want] != 3 || len(ready) != 1 {
							t.Errorf("ready: %v", ready)
						}
						wantOurs(t, w.get(c.resource, "checkout"), false)
					})
				})
			}
		}
	}
}

// images counts all pods by image, those that end, too.
func (w *world) images() map[string]int {
	all := map[string]int{}
	for _, p := range w.cluster.API().Store().View(pods.GroupResource(), "shop") {
		spec := p.Object["spec"].(map[string]any)
		all[fmt.Sprint(spec["containers"].([]any)[0].(map[string]any)["image"])]++
	}
	return all
}

// TestScaledWhileStopped: somebody who starts a stopped StatefulSet in between is told so.
func TestScaledWhileStopped(t *testing.T) {
	setCases()[0].inWorld(t, exchanges, "checkout:v2", func(t *testing.T, w *world) {
		halt := make(chan struct{}, 100)
		w.cluster.API().OnWrite(func(c apiserver.Write) {
			if c.Resource.Resource == "statefulsets" && field(w.get(statefuls, "checkout"), "spec", "replicas") == int64(0) {
				halt <- struct{}{}
			}
		})
		go func() {
			<-halt
			_, _ = w.cluster.API().Mutate(statefuls, apiserver.Key{Namespace: "shop", Name: "checkout"}, func(o map[string]any) {
				o["spec"].(map[string]any)["replicas"] = int64(1)
			})
		}()
		w.refuses(t, exchange, "somebody scaled StatefulSet/checkout")
	})
}

// TestNodeJoins: a DaemonSet has the size of its nodes at the moment; a node that joins gets a new pod, and nothing waits
// for a size of long ago.
func TestNodeJoins(t *testing.T) {
	setCases()[1].inWorld(t, pauses, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, part(1, 0))
		nodes := schema.GroupVersionResource{Version: "v1", Resource: "nodes"}
		if _, err := w.cluster.API().Create(nodes, map[string]any{"metadata": map[string]any{"name": "late"}, "spec": map[string]any{}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		w.do(t, part(1, 0), part(2, 1))
		if _, ready := w.counts(); ready["checkout:v2"] != 2 || ready["checkout:v1"] != 2 {
			t.Errorf("ready: %v", ready)
		}
		w.do(t, forward, releaseBase)
		if _, ready := w.counts(); ready["checkout:v2"] != 4 || len(ready) != 1 {
			t.Errorf("ready: %v", ready)
		}
	})
}

// TestNodesWaitForAvailable: of a DaemonSet the next pod goes only when the one before has been ready for long enough.
func TestNodesWaitForAvailable(t *testing.T) {
	setCases()[1].inWorld(t, pauses, "checkout:v2", func(t *testing.T, w *world) {
		var last time.Time
		w.cluster.API().OnWrite(func(c apiserver.Write) {
			if c.Resource != pods || c.Object == nil || c.Object.GetDeletionTimestamp() == nil || c.Old.GetDeletionTimestamp() != nil {
				return
			}
			if since := time.Since(last); since < 7*time.Second {
				t.Errorf("a pod was deleted %v after the one before", since)
			}
			last = time.Now()
		})
		w.do(t, plan.Op{Kind: plan.RollPods, Pods: 3, Pace: plan.Pace{MinReady: plan.Duration(7 * time.Second)}})
		if _, ready := w.counts(); ready["checkout:v2"] != 3 || last.IsZero() {
			t.Errorf("ready: %v; last deleted %v", ready, last)
		}
	})
}
