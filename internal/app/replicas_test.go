package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

func canaryReplicas() kind {
	return kind{strategy: "{canary: {steps: [10%, 50%], hold: 2s}}", check: (*world).neverShort, unrouted: true}
}

func canaryInPlace() kind {
	return kind{strategy: "{canary: {steps: [10%, 50%], hold: 2s, settle: inPlace}}", check: (*world).splitsPointAtReadyPods}
}

// TestGoodAlongside: the plain case, of a candidate that never gets a full set of pods to itself.
func TestGoodAlongside(t *testing.T) {
	for name, k := range alongside() {
		t.Run(name, func(t *testing.T) {
			k.inWorld(t, func(w *world) {
				result, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
				if err != nil || result.Result != report.Succeeded || result.Outage != 0 {
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

// alongside are the kinds whose candidate stands beside a base that is not left alone.
func alongside() map[string]kind {
	return map[string]kind{"canary by replicas": canaryReplicas(), "canary in place": canaryInPlace()}
}

func (w *world) steps() []string {
	w.t.Helper()
	p, err := app.Plan(w.t.Context(), w.options("checkout:v2", nil))
	if err != nil {
		w.t.Fatal(err)
	}
	var ids []string
	for _, s := range p.Plan.Steps {
		ids = append(ids, s.ID)
	}
	return ids
}

// atEachStep runs a test once for every step of a kind's plan.
func (s kind) atEachStep(t *testing.T, test func(w *world, step string, last bool)) {
	var steps []string
	s.inWorld(t, func(w *world) { steps = w.steps() })
	for i, step := range steps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			s.inWorld(t, func(w *world) { test(w, step, i == len(steps)-1) })
		})
	}
}

// TestAbortAlongside: at every step the old version comes back, through no lost request.
func TestAbortAlongside(t *testing.T) {
	for name, k := range alongside() {
		t.Run(name, func(t *testing.T) {
			k.atEachStep(t, func(w *world, step string, last bool) {
				started := make(chan struct{})
				o := w.options("checkout:v2", nil)
				o.Listeners = append(o.Listeners, at(step, func() { close(started) }))
				run := w.begin(o)
				<-started
				result, err := app.Abort(w.t.Context(), w.options("", nil))
				<-run.done
				if last && run.result.Result == report.Succeeded {
					w.want("checkout:v2") // it was faster
					return
				}
				run.end(w.t, report.Aborted)
				if err != nil || result.Result != report.Aborted {
					w.t.Errorf("%+v, %v", result, err)
				}
				w.want("checkout:v1")
			})
		})
	}
}

// TestSupersededAlongside: a newer version takes a rollout's place at every step.
func TestSupersededAlongside(t *testing.T) {
	for name, k := range alongside() {
		t.Run(name, func(t *testing.T) {
			k.atEachStep(t, func(w *world, step string, last bool) {
				started := make(chan struct{})
				o := w.options("checkout:v2", nil)
				o.Holder = "first"
				o.Listeners = append(o.Listeners, at(step, func() { close(started) }))
				one := w.begin(o)
				<-started
				second := w.options("checkout:v3", nil)
				second.Holder = "second"
				two := w.begin(second)
				two.end(w.t, report.Succeeded)
				<-one.done
				if !last || one.result.Result != report.Succeeded {
					one.end(w.t, report.Superseded)
				}
				w.want("checkout:v3")
			})
		})
	}
}

// TestGateFailsAlongside: when pods of the new version break at a step that is in force, the old version comes back.
func TestGateFailsAlongside(t *testing.T) {
	steps := map[string][]string{"canary by replicas": {"candidate", "shift-10", "shift-50", "full"}, "canary in place": {"shift-10", "shift-50"}}
	for name, k := range alongside() {
		for _, step := range steps[name] {
			t.Run(name+" at "+step, func(t *testing.T) {
				k.inWorld(t, func(w *world) {
					o := w.options("checkout:v2", nil)
					broken := false
					o.Listeners = bound(func(e engine.Event) {
						if e.Kind == engine.EventInForce && e.Step == step && !broken {
							broken = true
							w.breakPod()
						}
					})
					result, err := app.Deploy(w.t.Context(), o)
					if err != nil || result.Result != report.RolledBack || !strings.Contains(result.Reason, "gate kubernetes failed") {
						t.Errorf("%+v, %v", result, err)
					}
					w.want("checkout:v1")
				})
			})
		}
	}
}

// TestBadVersionsAlongside: a version that does not start turns the rollout back before any pod of the base is gone.
func TestBadVersionsAlongside(t *testing.T) {
	for name, k := range alongside() {
		for image, reason := range map[string]string{"checkout:crash": "crashes again and again", "checkout:unready": "was not ready within"} {
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

// TestSharesAreExact: from the moment when a step is in force until its end there are exactly the pods that the plan tells.
func TestSharesAreExact(t *testing.T) {
	canaryReplicas().inWorld(t, func(w *world) {
		want := map[string][2]int{"candidate": {1, 3}, "shift-10": {1, 2}, "shift-50": {2, 1}, "full": {3, 0}, "roll-base": {6, 0}}
		seen := map[string]bool{}
		o := w.options("checkout:v2", nil)
		o.Listeners = bound(func(e engine.Event) {
			if e.Kind != engine.EventInForce {
				return
			}
			_, staying, ready := w.versions()
			if n, ok := want[e.Step]; ok {
				seen[e.Step] = true
				if ready["checkout:v2"] != n[0] || staying["checkout:v2"] != n[0] || ready["checkout:v1"] != n[1] || staying["checkout:v1"] != n[1] {
					t.Errorf("at %s there are %v, ready %v; want %v", e.Step, staying, ready, n)
				}
			}
		})
		if result, err := app.Deploy(w.t.Context(), o); err != nil || result.Result != report.Succeeded || len(seen) != len(want) {
			t.Errorf("%+v, %v; seen %v", result, err, seen)
		}
		w.want("checkout:v2")
	})
}

// autoscale acts as the worst of autoscalers: as soon as there are pods of the candidate, whose averages are of no use to
// it, it goes to its maximum; a workload of no pods it leaves alone.
func (w *world) autoscale(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(150 * time.Millisecond):
		}
		now, _ := nested(w.get(deployments, "checkout"), "spec", "replicas").(int64)
		least, _ := nested(w.get(scalers, "checkout"), "spec", "minReplicas").(int64)
		most, _ := nested(w.get(scalers, "checkout"), "spec", "maxReplicas").(int64)
		if now == 0 {
			continue
		}
		to := min(max(now, least), most)
		if w.get(deployments, "checkout-candidate") != nil {
			to = most
		}
		if to != now {
			w.scale(to)
		}
	}
}

// TestScalerCannotMoveTheBase: an autoscaler whose selector matches the candidate's pods finds no moment to act on that.
func TestScalerCannotMoveTheBase(t *testing.T) {
	for _, image := range []string{"checkout:v2", "checkout:crash"} {
		t.Run(image, func(t *testing.T) {
			canaryReplicas().inWorld(t, func(w *world) {
				ctx, stop := context.WithCancel(w.t.Context())
				defer stop()
				go w.autoscale(ctx)
				w.cluster.API().OnWrite(func(apiserver.Write) {
					if n, _ := nested(w.get(deployments, "checkout"), "spec", "replicas").(int64); n > size {
						w.mu.Lock()
						w.problem("the base has %d pods", n)
						w.mu.Unlock()
					}
				})
				result, err := app.Deploy(w.t.Context(), w.options(image, nil))
				if err != nil || (result.Result == report.Succeeded) != (image == "checkout:v2") {
					t.Errorf("%+v, %v", result, err)
				}
				if image == "checkout:crash" {
					image = "checkout:v1"
				}
				w.want(image)
			})
		})
	}
}

// TestReplicasScaledByHand: somebody who scales the base meanwhile is told so at the next step, and the old version is back.
func TestReplicasScaledByHand(t *testing.T) {
	k := canaryReplicas()
	k.objects = func(text string) string { return text[:strings.LastIndex(text, "---")] } // no autoscaler
	for step, to := range map[string]int64{"shift-10": 5, "shift-50": 3, "full": 1} {
		t.Run(step, func(t *testing.T) {
			k.inWorld(t, func(w *world) {
				delete(w.before, scalers)
				o := w.options("checkout:v2", nil)
				o.Listeners = bound(func(e engine.Event) {
					if e.Kind == engine.EventInForce && e.Step == step {
						w.scale(to)
					}
				})
				result, err := app.Deploy(w.t.Context(), o)
				if err != nil || result.Result != report.RolledBack || !strings.Contains(result.Reason, "somebody scaled Deployment/checkout from") {
					t.Errorf("%+v, %v", result, err)
				}
				if now, _ := nested(w.get(deployments, "checkout"), "spec", "replicas").(int64); now != max(to, size) {
					t.Errorf("the base has %d pods", now)
				}
				w.scale(size)
				w.want("checkout:v1")
			})
		})
	}
}

// TestRecordOfReplicasDeleted: what a canary by replicas left is taken back by whatever strategy comes next.
func TestRecordOfReplicasDeleted(t *testing.T) {
	for name, next := range strategies() {
		for _, step := range []string{"candidate", "shift-50", "full", "roll-base"} {
			t.Run(name+" after "+step, func(t *testing.T) {
				t.Parallel()
				canaryReplicas().inWorld(t, func(w *world) {
					ctx, kill := context.WithCancelCause(w.t.Context())
					o := w.options("checkout:v2", nil)
					o.Listeners = bound(func(e engine.Event) {
						if e.Kind == engine.EventInForce && e.Step == step {
							kill(errKilled)
						}
					})
					if _, err := app.Deploy(ctx, o); err == nil {
						t.Fatal("it was not killed")
					}
					w.remove(configMaps)
					w.kind.strategy, w.kind.unrouted = next.strategy, next.unrouted
					w.mu.Lock()
					w.relaxed, w.kind.outage = true, next.outage
					w.mu.Unlock()
					result, err := carry(w.t.Context(), w.options("checkout:v3", nil))
					if err != nil || result.Result != report.Succeeded {
						t.Errorf("%+v, %v", result, err)
					}
					w.want(next.final("checkout:v3"))
				})
			})
		}
	}
}

// TestRollbackAlongside: a rollback of a canary that settles in place goes straight to its greatest share, not to all.
func TestRollbackAlongside(t *testing.T) {
	for name, k := range alongside() {
		t.Run(name, func(t *testing.T) {
			k.inWorld(t, func(w *world) {
				for _, image := range []string{"checkout:v2", "checkout:v3"} {
					if result, err := app.Deploy(w.t.Context(), w.options(image, nil)); err != nil || result.Result != report.Succeeded {
						t.Fatalf("%+v, %v", result, err)
					}
				}
				result, err := app.Rollback(w.t.Context(), w.options("", nil))
				if err != nil || result.Result != report.Succeeded {
					t.Errorf("%+v, %v", result, err)
				}
				w.want("checkout:v2")
			})
		})
	}
}
