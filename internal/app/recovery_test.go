package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

var (
	configMaps     = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	endpointSlices = schema.GroupVersionResource{Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"}
	leases         = schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}
)

// remove deletes every object of a kind in the workload's namespace, as a person with kubectl may.
func (w *world) remove(gvr schema.GroupVersionResource) int {
	w.t.Helper()
	all := w.cluster.API().Store().View(gvr.GroupResource(), "shop")
	for _, o := range all {
		if err := w.cluster.API().Delete(gvr, apiserver.Key{Namespace: "shop", Name: o.GetName()}, 0); err != nil {
			w.t.Error(err)
		}
	}
	return len(all)
}

// TestRecordDeleted: a run is killed after each of its writes and its record and inbox are deleted. What is left is
// found by its marks, and the next deploy leads to the version that it was given, through no lost request.
func TestRecordDeleted(t *testing.T) {
	for name, k := range strategies() {
		t.Run(name, func(t *testing.T) {
			n := k.writes(t)
			stride, _ := strides()
			for at := 1; at <= n; at += stride {
				for _, image := range []string{"checkout:v2", "checkout:v3"} {
					t.Run(fmt.Sprintf("after %d, then %s", at, image), func(t *testing.T) {
						t.Parallel()
						k.recordDeleted(t, at, image)
					})
				}
			}
		})
	}
}

func (s kind) recordDeleted(t *testing.T, at int, image string) {
	s.inWorld(t, func(w *world) {
		ctx, kill := context.WithCancelCause(w.t.Context())
		k := &killer{at: at, after: true, kill: kill}
		if _, err := carry(ctx, w.options("checkout:v2", k.wrap)); err == nil && k.where == "" {
			return // it made fewer writes than usual
		}
		w.remove(configMaps)
		result, err := carry(w.t.Context(), w.options(image, nil))
		if err != nil || (result.Result != report.Succeeded && result.Result != report.Unchanged) {
			t.Errorf("killed at %s; then %+v, %v", k.where, result, err)
		}
		w.want(s.final(image))
	})
}

// TestRecordDeletedUnderARun: the holder still knows everything, and writes its record anew.
func TestRecordDeletedUnderARun(t *testing.T) {
	for _, step := range canarySteps() {
		t.Run(step, func(t *testing.T) {
			inWorld(t, func(w *world) {
				deleted := 0
				o := w.options("checkout:v2", nil)
				o.Listeners = append(o.Listeners, at(step, func() { deleted += w.remove(configMaps) }))
				result, err := app.Deploy(w.t.Context(), o)
				if err != nil || result.Result != report.Succeeded || deleted == 0 {
					t.Errorf("%+v, %v; %d objects deleted", result, err, deleted)
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

// TestLeaseDeletedUnderARun: the holder takes its lock again or stops; the rollout comes to its end either way.
func TestLeaseDeletedUnderARun(t *testing.T) {
	for _, step := range canarySteps() {
		t.Run(step, func(t *testing.T) {
			inWorld(t, func(w *world) {
				deleted := 0
				o := w.options("checkout:v2", nil)
				o.Listeners = append(o.Listeners, at(step, func() { deleted += w.remove(leases) }))
				result, err := app.Deploy(w.t.Context(), o)
				if deleted != 1 {
					t.Fatalf("%d leases deleted", deleted)
				}
				if err != nil || result.Result != report.Succeeded {
					t.Logf("first: %+v, %v", result, err)
					if result, err = app.Deploy(w.t.Context(), w.options("checkout:v2", nil)); err != nil || result.Result != report.Succeeded {
						t.Errorf("then: %+v, %v", result, err)
					}
				}
				w.want("checkout:v2")
			})
		})
	}
}

// canarySteps are the steps of the test's spec.
func canarySteps() []string {
	return []string{"candidate", "shift-10", "shift-50", "full", "confirm", "roll-base", "return", "clean-up"}
}

// listener is a function as a listener.
type listener func(engine.Event)

// Handle implements engine.Listener.
func (l listener) Handle(_ context.Context, e engine.Event) { l(e) }

// at calls do once, when the step has started.
func at(step string, do func()) engine.Listener {
	done := false
	return listener(func(e engine.Event) {
		if e.Kind == engine.EventStepStarted && e.Step == step && !done {
			done = true
			do()
		}
	})
}

// TestCanarySteps: the list above is the plan's.
func TestCanarySteps(t *testing.T) {
	inWorld(t, func(w *world) {
		p, err := app.Plan(w.t.Context(), w.options("checkout:v2", nil))
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, s := range p.Plan.Steps {
			ids = append(ids, s.ID)
		}
		if !slices.Equal(ids, canarySteps()) {
			t.Errorf("steps are %v", ids)
		}
	})
}

// TestScalerIsHeld: while the route sends to the candidate the autoscaler's minimum is the base's size, and at the end it
// is the user's again.
func TestScalerIsHeld(t *testing.T) {
	for _, image := range []string{"checkout:v2", "checkout:crash"} {
		t.Run(image, func(t *testing.T) {
			inWorld(t, func(w *world) {
				split, short := 0, 0
				w.cluster.API().OnWrite(func(apiserver.Write) {
					if backendWeights(w.get(routes, "checkout"))["checkout-candidate"] == 0 {
						return
					}
					split++
					if least, _ := nested(w.get(scalers, "checkout"), "spec", "minReplicas").(int64); least != size {
						short++
					}
				})
				result, err := app.Deploy(w.t.Context(), w.options(image, nil))
				if err != nil || (result.Result == report.Succeeded) != (image == "checkout:v2") {
					t.Fatalf("%+v, %v", result, err)
				}
				if short > 0 || (split == 0) != (image == "checkout:crash") {
					t.Errorf("not held at %d of %d writes", short, split)
				}
				if image == "checkout:crash" {
					w.want("checkout:v1")
				} else {
					w.want(image)
				}
			})
		})
	}
}

// TestBaseNotWhole: a base with a broken pod is no way back; only --force starts from it.
func TestBaseNotWhole(t *testing.T) {
	inWorld(t, func(w *world) {
		w.stop() // users would see the broken base
		if _, err := w.cluster.API().Mutate(deployments, apiserver.Key{Namespace: "shop", Name: "checkout"}, func(o map[string]any) {
			spec := o["spec"].(map[string]any)
			spec["template"] = map[string]any{
				"metadata": map[string]any{"labels": map[string]any{"app": "checkout"}},
				"spec":     map[string]any{"containers": []any{map[string]any{"name": "app", "image": "checkout:unready"}}},
			}
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		result, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
		if err == nil || result.Result != report.Invalid {
			t.Errorf("%+v, %v", result, err)
		}
		if w.get(deployments, "checkout-candidate") != nil {
			t.Error("a candidate was made")
		}
	})
}

// TestNothingToDo writes nothing and takes no lock.
func TestNothingToDo(t *testing.T) {
	inWorld(t, func(w *world) {
		k := &killer{at: -1}
		result, err := app.Deploy(w.t.Context(), w.options("checkout:v1", k.wrap))
		if err != nil || result.Result != report.Unchanged || result.Revision != "v1" {
			t.Errorf("%+v, %v", result, err)
		}
		if k.count > 0 || len(w.cluster.API().Store().View(leases.GroupResource(), "shop")) > 0 {
			t.Errorf("%d writes", k.count)
		}
		resumed := w.options("", nil)
		resumed.Images, resumed.Resume = nil, true
		if result, err = app.Deploy(w.t.Context(), resumed); err != nil || result.Result != report.Unchanged {
			t.Errorf("resume: %+v, %v", result, err)
		}
		if result, err = app.Abort(w.t.Context(), w.options("", nil)); err != nil || result.Result != report.Unchanged {
			t.Errorf("abort: %+v, %v", result, err)
		}
		w.want("checkout:v1")
	})
}

// TestCancelledRun: a signal stops the run, leaves the cluster as it is, and the next one resumes.
func TestCancelledRun(t *testing.T) {
	for _, step := range canarySteps() {
		t.Run(step, func(t *testing.T) {
			inWorld(t, func(w *world) {
				ctx, cancel := context.WithCancelCause(w.t.Context())
				o := w.options("checkout:v2", nil)
				o.Listeners = append(o.Listeners, at(step, func() { cancel(engine.ErrCancelled) }))
				result, err := app.Deploy(ctx, o)
				if err != nil || result.Result != report.Cancelled {
					t.Errorf("%+v, %v", result, err)
				}
				result, err = app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
				if err != nil || result.Result != report.Succeeded {
					t.Errorf("resumed: %+v, %v", result, err)
				}
				w.want("checkout:v2")
			})
		})
	}
}

// TestEventsAreCopies: what a listener keeps of the first event does not change while the rollout goes on.
func TestEventsAreCopies(t *testing.T) {
	inWorld(t, func(w *world) {
		var first *engine.Event
		o := w.options("checkout:v2", nil)
		o.Listeners = append(o.Listeners, listener(func(e engine.Event) {
			if e.Kind == engine.EventStarted {
				first = &e
			}
		}))
		if result, err := app.Deploy(w.t.Context(), o); err != nil || result.Result != report.Succeeded {
			t.Fatalf("%+v, %v", result, err)
		}
		if first == nil || !first.Rollout.Steps[0].Started.IsZero() {
			t.Errorf("the first event tells of later things: %+v", first)
		}
	})
}

// TestUnreachable: a cluster that cannot be reached is an error, after a bounded time, and nothing was touched.
func TestUnreachable(t *testing.T) {
	inWorld(t, func(w *world) {
		refused := errors.New("connection refused")
		start := time.Now()
		result, err := app.Deploy(w.t.Context(), w.options("checkout:v2", func(http.RoundTripper) http.RoundTripper {
			return roundTripper(func(*http.Request) (*http.Response, error) { return nil, refused })
		}))
		if !errors.Is(err, refused) || result.Result != report.Failed || time.Since(start) > 2*time.Minute {
			t.Errorf("%+v, %v, after %v", result, err, time.Since(start))
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRecordDeletedAndAnotherStrategy: what a rollout in place left is taken back by whatever strategy comes next.
func TestRecordDeletedAndAnotherStrategy(t *testing.T) {
	for name, k := range kinds() {
		t.Run(name, func(t *testing.T) {
			k.inWorld(t, func(w *world) {
				ctx, kill := context.WithCancelCause(w.t.Context())
				o := w.options("checkout:v2", nil)
				o.Listeners = append(o.Listeners, listener(func(e engine.Event) {
					if e.Kind == engine.EventInForce {
						kill(errKilled)
					}
				}))
				if _, err := app.Deploy(ctx, o); err == nil {
					t.Fatal("it was not killed")
				}
				w.remove(configMaps)
				w.kind.strategy = canary().strategy
				w.relax() // a canary runs two versions
				result, err := app.Deploy(w.t.Context(), w.options("checkout:v3", nil))
				if err != nil || result.Result != report.Succeeded {
					t.Errorf("%+v, %v", result, err)
				}
				w.want("checkout:v3")
			})
		})
	}
}
