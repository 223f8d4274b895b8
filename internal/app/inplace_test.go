package app_test

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/actuate"
	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

func recreate() kind {
	return kind{strategy: "{recreate: {hold: 2s}}", check: (*world).neverTwoVersions, outage: true}
}

func rolling() kind {
	return kind{strategy: "{rolling: {hold: 2s}}", check: (*world).neverShort}
}

func pausing() kind {
	return kind{strategy: "{rolling: {pauseAt: [1, 50%], hold: 2s, minReady: 1s}}", check: (*world).neverShort}
}

// kinds are the strategies that change the workload itself.
func kinds() map[string]kind {
	return map[string]kind{"recreate": recreate(), "rolling": rolling(), "pausing": pausing()}
}

// versions counts the workload's pods by image: all, those that do not end, and of these the ready ones.
func (w *world) versions() (all, staying, ready map[string]int) {
	all, staying, ready = map[string]int{}, map[string]int{}, map[string]int{}
	for _, p := range w.cluster.API().Store().View(pods.GroupResource(), "shop") {
		containers, _, _ := unstructured.NestedSlice(p.Object, "spec", "containers")
		image, _ := containers[0].(map[string]any)["image"].(string)
		all[image]++
		if p.GetDeletionTimestamp() != nil {
			continue
		}
		staying[image]++
		conditions, _, _ := unstructured.NestedSlice(p.Object, "status", "conditions")
		for _, c := range conditions {
			if m := c.(map[string]any); m["type"] == "Ready" && m["status"] == "True" {
				ready[image]++
			}
		}
	}
	return all, staying, ready
}

// neverTwoVersions: not even a pod that is ending stands beside one of another version.
func (w *world) neverTwoVersions() {
	if all, _, _ := w.versions(); len(all) > 1 {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.problem("pods of several versions: %v", all)
	}
}

// neverShort: with the usual 25 % three pods are ready at any moment, whatever their version.
func (w *world) neverShort() {
	_, _, ready := w.versions()
	sum := 0
	for _, n := range ready {
		sum += n
	}
	if sum < size {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.problem("only %v are ready", ready)
	}
}

func TestGoodInPlace(t *testing.T) {
	for name, k := range inPlace() {
		t.Run(name, func(t *testing.T) {
			k.inWorld(t, func(w *world) {
				result, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
				if err != nil || result.Result != report.Succeeded {
					t.Fatalf("%+v, %v", result, err)
				}
				w.want("checkout:v2")
				again, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
				if err != nil || again.Result != report.Unchanged {
					t.Errorf("the same again: %+v, %v", again, err)
				}
			})
		})
	}
}

// bound calls do with every event of a rollout.
func bound(do func(engine.Event)) []engine.Listener { return []engine.Listener{listener(do)} }

// TestPausesAreExact: from the moment when a pause is in force until its end there are exactly as many new pods, all ready,
// and the others old.
func TestPausesAreExact(t *testing.T) {
	for _, k := range []kind{pausing(), pausingStateful(), pausingDaemon()} {
		t.Run(cmp.Or(k.workload, "deployment"), k.pausesAreExact)
	}
}

func (s kind) pausesAreExact(t *testing.T) {
	s.inWorld(t, func(w *world) {
		var mu sync.Mutex
		paused, looks := 0, map[int]int{}
		look := func() {
			mu.Lock()
			defer mu.Unlock()
			if paused == 0 {
				return
			}
			looks[paused]++
			if _, _, ready := w.versions(); ready["checkout:v2"] != paused || ready["checkout:v1"] != size-paused {
				t.Errorf("at the pause of %d: %v", paused, ready)
			}
		}
		w.cluster.API().OnWrite(func(apiserver.Write) { look() })
		o := w.options("checkout:v2", nil)
		o.Listeners = bound(func(e engine.Event) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case e.Kind == engine.EventInForce && strings.HasPrefix(e.Step, "pods-"):
				paused, _ = strconv.Atoi(strings.TrimPrefix(e.Step, "pods-"))
			case e.Kind == engine.EventStepFinished:
				paused = 0
			}
		})
		over, ended := make(chan struct{}), make(chan struct{})
		go func() { // also when nothing is written
			defer close(ended)
			for {
				select {
				case <-over:
					return
				case <-time.After(100 * time.Millisecond):
					look()
				}
			}
		}()
		result, err := app.Deploy(w.t.Context(), o)
		close(over)
		<-ended
		if err != nil || result.Result != report.Succeeded || looks[1] < 10 || looks[2] < 10 {
			t.Errorf("%+v, %v; looks %v", result, err, looks)
		}
		w.want("checkout:v2")
	})
}

// breakPod makes one of the new pods restart with an error, as the kubelet would tell it.
func (w *world) breakPod() {
	for _, p := range w.cluster.API().Store().View(pods.GroupResource(), "shop") {
		containers, _, _ := unstructured.NestedSlice(p.Object, "spec", "containers")
		if containers[0].(map[string]any)["image"] != "checkout:v2" {
			continue
		}
		_, err := w.cluster.API().Mutate(pods, apiserver.Key{Namespace: "shop", Name: p.GetName()}, func(o map[string]any) {
			status := (&unstructured.Unstructured{Object: o}).DeepCopy().Object["status"].(map[string]any)
			container := status["containerStatuses"].([]any)[0].(map[string]any)
			container["restartCount"] = int64(1)
			container["lastState"] = map[string]any{"terminated": map[string]any{"exitCode": int64(3), "reason": "Error"}}
			o["status"] = status
		})
		if err != nil {
			w.t.Error(err)
		}
		return
	}
}

// TestGateFailsInPlace: at whatever step a gate fails, no new pod is left, and no request is lost on the way.
func TestGateFailsInPlace(t *testing.T) {
	for name, step := range map[string]string{"pausing": "pods-2", "rolling": "roll", "recreate": "recreate",
		"pausing a StatefulSet": "pods-2", "rolling a StatefulSet": "roll", "recreating a StatefulSet": "recreate",
		"pausing a DaemonSet": "pods-2", "rolling a DaemonSet": "roll", "recreating a DaemonSet": "recreate"} {
		t.Run(name, func(t *testing.T) {
			inPlace()[name].inWorld(t, func(w *world) {
				o := w.options("checkout:v2", nil)
				o.Listeners = bound(func(e engine.Event) {
					if e.Kind == engine.EventInForce && e.Step == step {
						w.breakPod()
					}
				})
				result, err := app.Deploy(w.t.Context(), o)
				if err != nil || result.Result != report.RolledBack || !strings.Contains(result.Reason, "gate kubernetes failed") {
					t.Errorf("%+v, %v", result, err)
				}
				w.want("checkout:v1")
				if all, _, _ := w.versions(); len(all) != 1 {
					t.Errorf("pods: %v", all)
				}
			})
		})
	}
}

// TestBadVersionsInPlace: a version that does not start turns the rollout back, by its own reason.
func TestBadVersionsInPlace(t *testing.T) {
	for name, k := range inPlace() {
		for image, reason := range map[string]string{"checkout:crash": "crashes again and again", "checkout:unready": "was not ready within",
			"checkout:none": "cannot get its image"} {
			t.Run(name+" "+image, func(t *testing.T) {
				k.inWorld(t, func(w *world) {
					result, err := app.Deploy(w.t.Context(), w.options(image, nil))
					if err != nil || result.Result != report.RolledBack || !strings.Contains(result.Reason, reason) {
						t.Errorf("%+v, %v", result, err)
					}
					w.want("checkout:v1")
				})
			})
		}
	}
}

// seen is for how long users got no answer, from the first that was lost to the last.
func (w *world) seen() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.lost) == 0 {
		return 0
	}
	return w.lost[len(w.lost)-1].Sub(w.lost[0])
}

// near asserts that an outage that was told is what the users saw, but for a second.
func (w *world) near(result app.Result) {
	w.t.Helper()
	told := time.Duration(result.Outage * float64(time.Second))
	if diff := (told - w.seen()).Abs(); told < time.Second || diff > time.Second {
		w.t.Errorf("the outage is told to be %v, users saw %v", told, w.seen())
	}
}

// TestOutage: what is told of it is what users see, also when the run died before, in or after it.
func TestOutage(t *testing.T) {
	for _, k := range []kind{recreate(), sets()["recreating a StatefulSet"], sets()["recreating a DaemonSet"]} {
		t.Run(cmp.Or(k.workload, "deployment"), k.outageIsTold)
	}
}

func (s kind) outageIsTold(t *testing.T) {
	t.Run("whole", func(t *testing.T) {
		s.inWorld(t, func(w *world) {
			result, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
			if err != nil || result.Result != report.Succeeded || !strings.Contains(result.Ending.Closing().Outage, "no pod was ready for") {
				t.Errorf("%+v, %v", result, err)
			}
			w.near(result)
		})
	})
	for _, after := range []time.Duration{0, 500 * time.Millisecond, 1200 * time.Millisecond, 2500 * time.Millisecond} {
		t.Run(fmt.Sprint("killed after ", after), func(t *testing.T) {
			s.inWorld(t, func(w *world) {
				ctx, kill := context.WithCancelCause(w.t.Context())
				begun := false
				w.cluster.API().OnWrite(func(c apiserver.Write) {
					if c.Resource == s.resource() && !begun && w.told(s) {
						begun = true
						time.AfterFunc(after, func() { kill(errKilled) })
					}
				})
				if _, err := app.Deploy(ctx, w.options("checkout:v2", nil)); err == nil {
					t.Fatal("it was not killed")
				}
				result, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
				if err != nil || result.Result != report.Succeeded {
					t.Errorf("%+v, %v", result, err)
				}
				if s.workload == "statefulset" {
					// Its pods stop one after the other, and when the last one did nobody was there to see.
					if told := time.Duration(result.Outage * float64(time.Second)); told < w.seen()-time.Second || told > w.seen()+5*time.Second {
						t.Errorf("the outage is told to be %v, users saw %v", told, w.seen())
					}
					return
				}
				w.near(result)
			})
		})
	}
}

// told says that the workload has been told to stop its pods.
func (w *world) told(k kind) bool {
	o := w.get(k.resource(), "checkout")
	_, stopped, _ := unstructured.NestedString(o.Object, "spec", "template", "spec", "nodeSelector", actuate.StoppedLabel)
	return stopped || nested(o, "spec", "replicas") == int64(0) || w.image() == "checkout:v2"
}

// TestNoOutage: a rolling update has none to tell of.
func TestNoOutage(t *testing.T) {
	pausing().inWorld(t, func(w *world) {
		result, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
		if err != nil || result.Outage != 0 || result.Ending.Closing().Outage != "" || w.seen() != 0 {
			t.Errorf("%+v, %v", result, err)
		}
	})
}

// TestGraceful: pods of a service that exits at once are stopped without a lost request when they sleep first.
func TestGraceful(t *testing.T) {
	k := kind{strategy: "{rolling: {pauseAt: [2], hold: 2s, graceful: 1s}}", check: (*world).neverShort}
	k.inWorld(t, func(w *world) {
		started := make(chan struct{})
		o := w.options("checkout:rude", nil)
		o.Listeners = bound(func(e engine.Event) {
			if e.Kind == engine.EventInForce && e.Step == "pods-2" {
				close(started)
			}
		})
		run := w.begin(o)
		<-started
		if result, err := app.Abort(w.t.Context(), w.options("", nil)); err != nil || result.Result != report.Aborted {
			t.Errorf("%+v, %v", result, err)
		}
		run.end(t, report.Aborted)
		w.want("checkout:v1")
	})
}

// TestScaledByHand: somebody who scales the workload during a pause is told so, and the old version is back.
func TestScaledByHand(t *testing.T) {
	k := pausing()
	k.objects = func(text string) string { return text[:strings.LastIndex(text, "---")] } // no autoscaler
	k.inWorld(t, func(w *world) {
		delete(w.before, scalers)
		o := w.options("checkout:v2", nil)
		o.Listeners = bound(func(e engine.Event) {
			if e.Kind == engine.EventInForce && e.Step == "pods-1" {
				w.scale(4)
			}
		})
		result, err := app.Deploy(w.t.Context(), o)
		if err != nil || result.Result != report.RolledBack || !strings.Contains(result.Reason, "somebody scaled Deployment/checkout from 3 to 4 pods") {
			t.Errorf("%+v, %v", result, err)
		}
		w.scale(size)
		w.want("checkout:v1")
	})
}

func (w *world) scale(n int64) {
	if _, err := w.cluster.API().Mutate(deployments, apiserver.Key{Namespace: "shop", Name: "checkout"}, func(o map[string]any) {
		spec := (&unstructured.Unstructured{Object: o}).DeepCopy().Object["spec"].(map[string]any)
		spec["replicas"] = n
		o["spec"] = spec
	}); err != nil {
		w.t.Error(err)
	}
}

// TestScalerIsPinned: at a pause the autoscaler can neither add nor take pods, and at the end its bounds are the user's.
func TestScalerIsPinned(t *testing.T) {
	for name, k := range map[string]kind{"checkout:v2": pausing(), "checkout:crash": pausing(), "checkout:v2 stateful": pausingStateful(),
		"checkout:crash stateful": pausingStateful()} {
		image, _, _ := strings.Cut(name, " ")
		t.Run(name, func(t *testing.T) {
			k.inWorld(t, func(w *world) {
				image := image
				pinned := 0
				w.cluster.API().OnWrite(func(apiserver.Write) {
					spec := w.get(scalers, "checkout").Object["spec"].(map[string]any)
					if spec["minReplicas"] == int64(size) && spec["maxReplicas"] == int64(size) {
						pinned++
					} else if _, staying, _ := w.versions(); len(staying) > 1 {
						w.mu.Lock()
						w.problem("not pinned with pods %v", staying)
						w.mu.Unlock()
					}
				})
				result, err := app.Deploy(w.t.Context(), w.options(image, nil))
				if err != nil || (result.Result == report.Succeeded) != (image == "checkout:v2") || pinned == 0 {
					t.Errorf("%+v, %v; pinned %d times", result, err, pinned)
				}
				if image == "checkout:crash" {
					image = "checkout:v1"
				}
				w.want(image)
			})
		})
	}
}
