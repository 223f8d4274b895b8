package actuate_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/actuate"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

// TestTwice: every op of a canary, applied again after it is done, writes nothing.
func TestTwice(t *testing.T) {
	inWorld(t, objects+hpa, "checkout:v2", func(t *testing.T, w *world) {
		for _, op := range []plan.Op{ensure, hold, split, full, splitAll, roll, toBaseStrict, release, releaseBase, remove} {
			w.do(t, op)
			time.Sleep(10 * time.Second)
			synctest.Wait()
			var wrote []string
			watching := true
			w.cluster.API().OnWrite(func(c apiserver.Write) {
				if watching {
					wrote = append(wrote, c.Resource.Resource)
				}
			})
			w.do(t, op)
			if watching = false; len(wrote) > 0 {
				t.Errorf("%s: applied again it wrote %v", op, wrote)
			}
		}
		if got := imageOf(w.get(deployments, "checkout")); got != "checkout:v2" {
			t.Errorf("the base runs %s", got)
		}
		for gvr, name := range map[schema.GroupVersionResource]string{deployments: "checkout", routes: "checkout", hpas: "checkout"} {
			wantOurs(t, w.get(gvr, name), false)
		}
	})
}

// TestCandidate: it is sized for its share, marked as ours, and its pods are nobody else's.
func TestCandidate(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, ensure)
		d := w.get(deployments, "checkout-candidate")
		if field(d, "spec", "replicas") != int64(2) || imageOf(d) != "checkout:v2" {
			t.Errorf("spec is %v", d.Object["spec"])
		}
		for _, gvr := range []schema.GroupVersionResource{deployments, services} {
			labels := w.get(gvr, "checkout-candidate").GetLabels()
			if labels[actuate.RolloutLabel] != "one" || labels[actuate.ManagedByLabel] != actuate.ManagedBy {
				t.Errorf("%s has the labels %v", gvr.Resource, labels)
			}
		}
		base, candidate := w.Pods(plan.Base), w.Pods(plan.Candidate)
		if len(base) != 3 || len(candidate) != 2 || !candidate[0].Ready || !candidate[1].Ready {
			t.Errorf("pods: %+v, %+v", base, candidate)
		}
		w.do(t, full)
		if got := w.Pods(plan.Candidate); len(got) != 3 {
			t.Errorf("%d pods at full size", len(got))
		}
		w.do(t, plan.Op{Kind: plan.ScaleCandidate, Weight: plan.OnePercent, MinPods: 1})
		if got := field(w.get(deployments, "checkout-candidate"), "spec", "replicas"); got != int64(1) {
			t.Errorf("scaled to %v", got)
		}
	})
}

// TestNoWait: the next size is asked for and not waited for.
func TestNoWait(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, ensure)
		ahead := full
		ahead.NoWait = true
		start := time.Now()
		w.do(t, ahead)
		if time.Since(start) > 0 || field(w.get(deployments, "checkout-candidate"), "spec", "replicas") != int64(3) {
			t.Errorf("it took %v", time.Since(start))
		}
	})
}

// TestSizeFollowsTheBase: the candidate is sized beside the base as it is now, not as it was.
func TestSizeFollowsTheBase(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, ensure)
		w.change(t, deployments, "checkout", func(o map[string]any) { o["spec"].(map[string]any)["replicas"] = int64(6) })
		time.Sleep(5 * time.Second)
		w.do(t, full)
		if got := len(w.Pods(plan.Candidate)); got != 6 {
			t.Errorf("%d pods beside a base of 6", got)
		}
	})
}

// TestSplitGrowsFirst: no request goes to a side that is not ready at the size that it must carry.
func TestSplitGrowsFirst(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, ensure)
		w.cluster.API().OnWrite(func(c apiserver.Write) {
			if c.Resource.Resource != "httproutes" {
				return
			}
			d := w.get(deployments, "checkout-candidate")
			if ready, _ := field(d, "status", "readyReplicas").(int64); ready < 3 {
				t.Errorf("%s with %d pods ready", w.weights(), ready)
			}
		})
		w.do(t, splitAll)
		if got := w.weights(); got != "checkout=0 checkout-candidate=100" {
			t.Errorf("weights: %s", got)
		}
	})
}

// TestSplitRefusesAnUnreadyCandidate: the traffic stays where it is.
func TestSplitRefusesAnUnreadyCandidate(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, ensure)
		before := w.weights()
		w.image(t, "checkout-candidate", "checkout:unready")
		w.change(t, deployments, "checkout-candidate", func(o map[string]any) {
			_ = unstructured.SetNestedMap(o, map[string]any{"type": "Recreate"}, "spec", "strategy")
		})
		time.Sleep(10 * time.Second)
		w.refuses(t, splitAll, "the candidate", "was not ready within 1m0s")
		if w.weights() != before {
			t.Errorf("weights: %s", w.weights())
		}
	})
}

// TestStrictReturn: a base that is not whole does not get its traffic back; without Strict, one that has some pods does.
func TestStrictReturn(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, ensure, splitAll, roll)
		w.image(t, "checkout", "checkout:v2@sha256:0") // the new version, which is not to be had any more
		w.change(t, deployments, "checkout", func(o map[string]any) {
			_ = unstructured.SetNestedMap(o, map[string]any{"maxUnavailable": int64(1), "maxSurge": int64(0)}, "spec", "strategy", "rollingUpdate")
		})
		time.Sleep(10 * time.Second)
		before, start := w.weights(), time.Now()
		w.refuses(t, toBaseStrict, "is not ready to take the traffic back", "2 ready", "The traffic stays where it is")
		if w.weights() != before || time.Since(start) != progress {
			t.Errorf("weights %s after %v", w.weights(), time.Since(start))
		}
		start = time.Now()
		w.do(t, toBase)
		if took := time.Since(start); w.weights() != "checkout=1" || took < 30*time.Second || took > 40*time.Second {
			t.Errorf("weights %s after %v", w.weights(), took)
		}
	})
}

// TestNoWayBackToNothing: without a single ready pod the base gets no traffic, strict or not.
func TestNoWayBackToNothing(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, ensure, splitAll)
		w.change(t, deployments, "checkout", func(o map[string]any) { o["spec"].(map[string]any)["replicas"] = int64(0) })
		time.Sleep(10 * time.Second)
		before := w.weights()
		w.refuses(t, toBase, "is not ready to take the traffic back")
		if w.weights() != before {
			t.Errorf("weights: %s", w.weights())
		}
	})
}

// TestWait: it takes its time, and ends with the context.
func TestWait(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		wait := plan.Op{Kind: plan.Wait, For: plan.Duration(4 * time.Second)}
		start := time.Now()
		w.do(t, wait)
		if took := time.Since(start); took < 4*time.Second || took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		stop := errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(stop) })
		if err := w.Apply(ctx, wait); !errors.Is(err, stop) {
			t.Errorf("error %v", err)
		}
	})
}

// TestUsersEditsOfTheRoute during a rollout are kept, whatever they are.
func TestUsersEditsOfTheRoute(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, ensure, split)
		w.change(t, routes, "checkout", func(o map[string]any) {
			u := &unstructured.Unstructured{Object: o}
			u.SetLabels(map[string]string{"app": "checkout", "added": "yes"})
			rules, _, _ := unstructured.NestedSlice(o, "spec", "rules")
			rules = append([]any{map[string]any{
				"name": "other", "matches": []any{map[string]any{"path": map[string]any{"type": "PathPrefix", "value": "/other"}}},
				"backendRefs": []any{map[string]any{"name": "other", "port": int64(80)}},
			}}, rules...)
			rules[1].(map[string]any)["timeouts"] = map[string]any{"request": "10s"}
			_ = unstructured.SetNestedSlice(o, rules, "spec", "rules")
			_ = unstructured.SetNestedStringSlice(o, []string{"checkout.local", "checkout.example"}, "spec", "hostnames")
		})
		if err := w.cluster.Apply(t.Context(), "apiVersion: v1\nkind: Service\nmetadata: {name: other, namespace: shop}\nspec: {selector: {app: other}, ports: [{port: 80}]}"); err != nil {
			t.Fatal(err)
		}
		w.do(t, full, splitAll, toBase)
		o := w.get(routes, "checkout")
		rules, _, _ := unstructured.NestedSlice(o.Object, "spec", "rules")
		if len(rules) != 2 || o.GetLabels()["added"] != "yes" || len(field(o, "spec", "hostnames").([]any)) != 2 {
			t.Fatalf("route is %v", o.Object["spec"])
		}
		ours := rules[1].(map[string]any)
		if fmt.Sprint(ours["timeouts"]) != "map[request:10s]" || len(ours["backendRefs"].([]any)) != 1 {
			t.Errorf("our rule is %v", ours)
		}
		wantOurs(t, o, false)
	})
}

// TestRollBase brings the new template, and the old one back to the letter.
func TestRollBase(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		before := plan.Digest(field(w.get(deployments, "checkout"), "spec"))
		w.do(t, ensure, splitAll, roll)
		d := w.get(deployments, "checkout")
		if imageOf(d) != "checkout:v2" || d.GetAnnotations()["team"] != "red" {
			t.Errorf("base is %v", d.Object)
		}
		wantOurs(t, d, true)
		time.Sleep(time.Second) // the watch of pods is one of its own
		for _, p := range w.Pods(plan.Base) {
			if p.Containers[0].Image != "checkout:v2" || !p.Ready {
				t.Errorf("pod %+v", p)
			}
		}
		w.do(t, rollBack, releaseBase)
		d = w.get(deployments, "checkout")
		if plan.Digest(field(d, "spec")) != before {
			t.Errorf("spec is %v", d.Object["spec"])
		}
		wantOurs(t, d, false)
	})
}

// TestRollBaseRefuses a template that is neither version: somebody else rolls the base. On the way back it is left so.
func TestRollBaseRefuses(t *testing.T) {
	for _, op := range []plan.Op{roll, rollBack} {
		inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
			w.do(t, ensure)
			w.image(t, "checkout", "checkout:v3")
			time.Sleep(10 * time.Second)
			if op.Version == plan.Base {
				w.leaves(t, op, "somebody changed the pod template of Deployment/checkout", "checkout:v3", "--show-managed-fields")
			} else {
				w.refuses(t, op, "somebody changed the pod template of Deployment/checkout", "--show-managed-fields")
			}
			if got := imageOf(w.get(deployments, "checkout")); got != "checkout:v3" {
				t.Errorf("the base runs %s", got)
			}
		})
	}
}

// TestBaseIsGone: a base that somebody deleted is told, not waited for.
func TestBaseIsGone(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		if err := w.client.Delete(t.Context(), kube.DeploymentRef("shop", "checkout")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		w.refuses(t, ensure, "Deployment/checkout is gone")
	})
}

// TestRemoveCandidateWaits until the last of its pods has ended.
func TestRemoveCandidateWaits(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, ensure, remove)
		if w.get(deployments, "checkout-candidate") != nil || w.get(services, "checkout-candidate") != nil {
			t.Error("something is left")
		}
		for _, p := range w.cluster.API().Store().View(pods.GroupResource(), "shop") {
			if p.GetLabels()["app"] == "checkout-candidate" && p.GetDeletionTimestamp() == nil {
				t.Errorf("pod %s serves still", p.GetName())
			}
		}
		w.do(t, remove) // nothing there
	})
}

// TestUnknownOp is one of a later version.
func TestUnknownOp(t *testing.T) {
	inWorld(t, objects, "checkout:v2", func(t *testing.T, w *world) {
		if err := w.Apply(t.Context(), plan.Op{Kind: "teleport"}); err == nil {
			t.Error("no error")
		}
	})
}
