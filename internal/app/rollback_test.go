package app_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/spec"
)

// quick is the test's options for a rollout that does not hold.
func (w *world) quick(image string) app.Options {
	o := w.options(image, nil)
	canary := *o.Deploy.Spec.Strategy.Canary
	canary.Steps = slices.Clone(canary.Steps)
	for i := range canary.Steps {
		canary.Steps[i].Hold = 0
	}
	o.Deploy.Spec.Strategy.Canary = &canary
	if image == "" {
		o.Images = nil
	}
	return o
}

func (w *world) deployed(image string) {
	w.t.Helper()
	if result, err := app.Deploy(w.t.Context(), w.quick(image)); err != nil || result.Result != report.Succeeded {
		w.t.Fatalf("%s: %+v, %v", image, result, err)
	}
}

// back rolls back and wants this image to run then.
func (w *world) back(to, image string) app.Result {
	w.t.Helper()
	o := w.quick("")
	o.To = to
	result, err := app.Rollback(w.t.Context(), o)
	if err != nil || result.Result != report.Succeeded || w.image() != image {
		w.t.Errorf("rollback to %q: %+v, %v; %s runs", to, result, err, w.image())
	}
	return result
}

// refused wants a rollback that says why it cannot be.
func (w *world) refused(to, says string) {
	w.t.Helper()
	o := w.quick("")
	o.To = to
	result, err := app.Rollback(w.t.Context(), o)
	if err == nil || result.Result != report.Invalid || !strings.Contains(err.Error(), says) {
		w.t.Errorf("rollback to %q: %+v, %v; want %q", to, result, err, says)
	}
}

// TestRollback goes back step by step, also to what ran before the first rollout, and forth only by name.
func TestRollback(t *testing.T) {
	inWorld(t, func(w *world) {
		w.refused("", "there is no earlier revision")
		w.deployed("checkout:v2")
		if result, err := app.Deploy(w.t.Context(), w.options("checkout:crash", nil)); err != nil || result.Result != report.RolledBack {
			t.Fatalf("%+v, %v", result, err)
		}
		w.deployed("checkout:v3")
		w.refused("crash", "never served everyone")
		w.refused("v9", `the history has no revision "v9"; it has 1 (`)
		w.refused("v3", "is what runs now")
		result := w.back("", "checkout:v2")
		if result.Previous != "v3" || result.Revision != "v2" {
			t.Errorf("from %s to %s", result.Previous, result.Revision)
		}
		ro := w.rollout()
		var steps []string
		for _, s := range ro.Plan.Steps {
			steps = append(steps, s.ID)
		}
		if want := []string{"candidate", "full", "confirm", "roll-base", "return", "clean-up"}; !slices.Equal(steps, want) {
			t.Errorf("steps are %v, want %v", steps, want)
		}
		w.back("", "checkout:v1") // further back, not forth to v3
		w.refused("", "there is no earlier revision")
		w.back("v3", "checkout:v3")
		w.back("6", "checkout:v2") // after v3, v1, v2, v3 and the crash
		w.want("checkout:v2")
	})
}

// TestRollbackRestoresTheTemplate: what ran comes back whole, not only its image, whatever was applied since.
func TestRollbackRestoresTheTemplate(t *testing.T) {
	inWorld(t, func(w *world) {
		w.deployed("checkout:v2")
		before := nested(w.get(deployments, "checkout").DeepCopy(), "spec", "template")
		if _, err := w.cluster.API().Mutate(deployments, apiserver.Key{Namespace: "shop", Name: "checkout"}, func(o map[string]any) {
			_ = unstructured.SetNestedField(o, "yes", "spec", "template", "metadata", "annotations", "changed")
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		w.deployed("checkout:v3")
		o := w.quick("")
		o.To = "2" // what ran before v3: v2 with the change
		if result, err := app.Rollback(w.t.Context(), o); err != nil || result.Result != report.Succeeded {
			t.Fatalf("%+v, %v", result, err)
		}
		if got, _ := nested(w.get(deployments, "checkout"), "spec", "template", "metadata", "annotations", "changed").(string); got != "yes" {
			t.Error("the changed template was not restored")
		}
		w.back("4", "checkout:v2") // the rollout of v2 itself
		if after := nested(w.get(deployments, "checkout"), "spec", "template"); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("the template is\n%v, was\n%v", after, before)
		}
		w.want("checkout:v2")
	})
}

// TestRollbackInFlight is the abort: one write while the base is untouched.
func TestRollbackInFlight(t *testing.T) {
	for _, step := range []string{"shift-10", "full", "roll-base"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				started := make(chan struct{})
				o := w.options("checkout:v2", nil)
				o.Listeners = append(o.Listeners, at(step, func() { close(started) }))
				run := w.begin(o)
				<-started
				result, err := app.Rollback(w.t.Context(), w.quick(""))
				run.end(t, report.Aborted)
				if err != nil || result.Result != report.Aborted || !result.Asked {
					t.Errorf("%+v, %v", result, err)
				}
				w.want("checkout:v1")
			})
		})
	}
}

// TestRollbackWaiting is the abort of a rollout that waits for an approval, and --to its base is the same.
func TestRollbackWaiting(t *testing.T) {
	for _, to := range []string{"", "v2"} {
		t.Run(to, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.deployed("checkout:v2")
				o := w.asking("checkout:v3")
				if result, err := app.Deploy(w.t.Context(), o); err != nil || result.Result != report.Pending {
					t.Fatalf("%+v, %v", result, err)
				}
				o = w.person("ann")
				o.To = to
				result, err := app.Rollback(w.t.Context(), o)
				if err != nil || result.Result != report.Aborted || !result.Asked {
					t.Errorf("%+v, %v", result, err)
				}
				w.want("checkout:v2")
			})
		})
	}
}

// TestRollbackIsWatched: a revision that does not run any more is not forced on users.
func TestRollbackIsWatched(t *testing.T) {
	inWorld(t, func(w *world) {
		w.deployed("checkout:v2")
		o := w.quick("")
		o.Deploy.Spec.Gates = []spec.Gate{{Name: "errors", At: []string{"10%"}, Every: spec.Duration(time.Second), Timeout: spec.Duration(time.Second),
			NoData: "fail", Threshold: &spec.Threshold{Query: "up", Pass: "result < 1", From: "prom"}}}
		o.Deploy.Spec.Metrics = map[string]spec.Provider{"prom": {Prometheus: &spec.Prometheus{URL: "http://127.0.0.1:1"}}}
		result, err := app.Rollback(w.t.Context(), o)
		if err != nil || result.Result != report.RolledBack || result.Asked || !strings.Contains(result.Reason, "gate errors failed") || result.Step != "full" {
			t.Errorf("%+v, %v", result, err)
		}
		w.want("checkout:v2")
	})
}

// TestRollbackKilled: a rollback whose run was killed is carried on by the next one, before and after each write.
func TestRollbackKilled(t *testing.T) {
	stride, _ := strides()
	for at := 1; at <= 25; at += max(stride/2, 1) {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				w.deployed("checkout:v2")
				ctx, kill := context.WithCancelCause(w.t.Context())
				k := &killer{at: at, after: at%2 == 0, kill: kill}
				o := w.quick("")
				o.Wrap = k.wrap
				first, err := app.Rollback(ctx, o)
				if k.where == "" {
					if err != nil || first.Result != report.Succeeded {
						t.Errorf("%+v, %v", first, err)
					}
					return
				}
				if w.image() == "checkout:v1" && w.rollout().Phase == engine.Succeeded {
					return // its last write was its end
				}
				second, err := app.Rollback(w.t.Context(), w.quick(""))
				if err != nil || second.Result != report.Succeeded {
					t.Errorf("killed at %s: %+v, %v", k.where, second, err)
				}
				w.want("checkout:v1")
			})
		})
	}
}

// TestRetry starts what was undone again: the same images, the same spec.
func TestRetry(t *testing.T) {
	inWorld(t, func(w *world) {
		refused := func(o app.Options, says string) {
			t.Helper()
			if result, err := app.Retry(w.t.Context(), o); err == nil || result.Result != report.Invalid || !strings.Contains(err.Error(), says) {
				t.Errorf("%+v, %v; want %q", result, err, says)
			}
		}
		refused(w.person("ann"), "nothing to start again")
		w.waits()
		refused(w.person("ann"), "is in flight")
		if result, err := app.Abort(w.t.Context(), w.person("ann")); err != nil || result.Result != report.Aborted {
			t.Fatalf("%+v, %v", result, err)
		}
		undone := w.rollout()
		refused(w.quick(""), "the spec has changed since rollout "+undone.ID)
		result, err := app.Retry(w.t.Context(), w.person("ann"))
		again := w.rollout()
		if err != nil || result.Result != report.Pending || again.ID == undone.ID || !reflect.DeepEqual(again.Plan.Target, undone.Plan.Target) {
			t.Errorf("%+v, %v; targets %+v and %+v", result, err, undone.Plan.Target, again.Plan.Target)
		}
		if result, err := app.Promote(w.t.Context(), w.person("ann")); err != nil || result.Result != report.Succeeded {
			t.Errorf("%+v, %v", result, err)
		}
		refused(w.person("ann"), "succeeded")
		w.want("checkout:v2")
	})
}

// TestRetryARollback restores the same revision.
func TestRetryARollback(t *testing.T) {
	inWorld(t, func(w *world) {
		w.deployed("checkout:v2")
		started := make(chan struct{})
		o := w.quick("")
		o.Listeners = append(o.Listeners, at("full", func() { close(started) }))
		done := make(chan app.Result)
		go func() {
			result, err := app.Rollback(w.t.Context(), o)
			if err != nil {
				t.Error(err)
			}
			done <- result
		}()
		<-started
		if result, err := app.Abort(w.t.Context(), w.person("ann")); err != nil || result.Result != report.Aborted {
			t.Errorf("%+v, %v", result, err)
		}
		if result := <-done; result.Result != report.Aborted || result.Asked {
			t.Errorf("%+v", result)
		}
		result, err := app.Retry(w.t.Context(), w.quick(""))
		if err != nil || result.Result != report.Succeeded || w.rollout().Plan.Target.Restores == "" {
			t.Errorf("%+v, %v", result, err)
		}
		w.want("checkout:v1")
	})
}
