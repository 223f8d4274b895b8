package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
)

// TestOrder is law 1: a start is saved before its ops, finishing a step and starting the next is one write.
func TestOrder(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.watch("g", "p", gates.Rule{})
		o, err := w.begin(step("a", 0), step("b", 15*time.Second, "g"), step("c", 0))
		w.want(o, err, engine.Succeeded, "")
		w.wantLog("claim",
			"save running a", "do a",
			"save running b after a", "do b", "save running b in force after a",
			"save running c after a,b", "do c",
			"save succeeded c in force after a,b,c")
		if got := w.at(); got != 15*time.Second {
			t.Errorf("it took %v", got)
		}
		if got, want := w.kinds(), "step-started in-force step-finished step-started in-force step-finished "+
			"step-started in-force step-finished succeeded"; got != want {
			t.Errorf("events are %s", got)
		}
	})
}

// TestOpsInOrder: a step's ops follow one another, and none follows one that failed.
func TestOpsInOrder(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := step("a", 0)
		s.Do = []plan.Op{{Kind: "x", Pods: 1}, {Kind: "y", Pods: 1}, {Kind: "z", Pods: 1}}
		w.takes("do x", time.Minute)
		w.fails("do y", &engine.StepError{Reason: "no such image", Hint: "Push it."})
		o, err := w.begin(s)
		w.want(o, err, engine.RolledBack, engine.CauseFailure)
		w.wantLog("claim", "save running a", "do x", "do y", "save undoing a undone 0", "undo a", "save rolled-back a undone 1")
		if want := "could not y: no such image\nPush it."; o.Reason != want {
			t.Errorf("reason is %q", o.Reason)
		}
	})
}

// TestResume applies the started step again and none that is finished.
func TestResume(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.plan.Steps = []plan.Step{step("a", 0), step("b", 0), step("c", 0)}
		rec := w.record(time.Hour)
		rec.Rollout.Step = 1
		rec.Rollout.Steps[0].Started, rec.Rollout.Steps[0].Finished = began, began
		rec.Rollout.Steps[1].Started, rec.Rollout.Steps[1].InForce = began, began
		o, err := w.run(t.Context(), rec)
		w.want(o, err, engine.Succeeded, "")
		w.wantLog("claim", "save running b after a", "do b", "save running c after a,b", "do c", "save succeeded c in force after a,b,c")
	})
}

// TestResumeHoldsAnew: the hold of a step that is resumed begins when its ops are in force again.
func TestResumeHoldsAnew(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.watch("g", "p", gates.Rule{})
		ctx, cancel := context.WithCancelCause(t.Context())
		w.after(40*time.Second, func() { cancel(engine.ErrCancelled) })
		w.plan.Steps = []plan.Step{step("a", time.Minute, "g")}
		if _, err := w.run(ctx, w.record(time.Hour)); !errors.Is(err, engine.ErrCancelled) {
			t.Fatal(err)
		}
		o, err := w.resume()
		w.want(o, err, engine.Succeeded, "")
		if got := w.at(); got != 100*time.Second {
			t.Errorf("done after %v", got)
		}
	})
}

// TestAhead prepares the next step during the last ten seconds of a hold, and waits for that before the next begins.
func TestAhead(t *testing.T) {
	for _, tc := range []struct {
		name      string
		hold      time.Duration
		lasts     time.Duration
		begins    time.Duration
		nextBegan time.Duration
	}{
		{"long hold", time.Minute, 2 * time.Second, 50 * time.Second, time.Minute},
		{"short hold", 4 * time.Second, time.Second, 0, 4 * time.Second},
		{"not done in time", time.Minute, 30 * time.Second, 50 * time.Second, 80 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a := step("a", tc.hold)
				a.Ahead = &plan.Op{Kind: "ahead", Pods: 1}
				var began, next time.Duration
				w.ops["do ahead"] = func(ctx context.Context) error {
					began = w.at()
					return clock.Sleep(ctx, w.clock, tc.lasts)
				}
				w.ops["do b"] = func(context.Context) error { next = w.at(); return nil }
				o, err := w.begin(a, step("b", 0))
				w.want(o, err, engine.Succeeded, "")
				if began != tc.begins || next != tc.nextBegan {
					t.Errorf("prepared from %v, the next step began at %v", began, next)
				}
			})
		})
	}
}

// TestAheadFails: what cannot be prepared undoes the rollout at once.
func TestAheadFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := step("a", time.Minute)
		a.Ahead = &plan.Op{Kind: "ahead", Pods: 1}
		w.fails("do ahead", errors.New("no room"))
		o, err := w.begin(a, step("b", 0))
		w.want(o, err, engine.RolledBack, engine.CauseFailure)
		if w.at() != 50*time.Second || !strings.Contains(o.Reason, "no room") {
			t.Errorf("at %v: %s", w.at(), o.Reason)
		}
	})
}

// TestDeadline undoes whatever the step is at, and ends its op.
func TestDeadline(t *testing.T) {
	for _, tc := range []struct {
		name  string
		start func(w *world) plan.Step
	}{
		{"during an op", func(w *world) plan.Step { w.takes("do a", time.Hour); return step("a", 0) }},
		{"in a hold", func(*world) plan.Step { return step("a", time.Hour) }},
		{"waiting for a gate", func(w *world) plan.Step {
			w.watch("g", "u", gates.Rule{})
			return step("a", time.Second, "g")
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.plan.Steps = []plan.Step{tc.start(w)}
				o, err := w.run(t.Context(), w.record(30*time.Second))
				w.want(o, err, engine.RolledBack, engine.CauseDeadline)
				if w.at() != 30*time.Second || w.state["a"] != 0 {
					t.Errorf("undone at %v, state %v", w.at(), w.state)
				}
				if !strings.Contains(o.Reason, "2026-01-02T03:04:35Z") {
					t.Errorf("the reason does not tell the deadline: %s", o.Reason)
				}
			})
		})
	}
}

// TestEventsAreCopies: what a listener keeps does not change under its hands.
func TestEventsAreCopies(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.watch("g", "p", gates.Rule{})
		if _, err := w.begin(step("a", 30*time.Second, "g"), step("b", 0)); err != nil {
			t.Fatal(err)
		}
		first := w.find(engine.EventInForce).Rollout
		if first.Phase != engine.Running || !first.Steps[0].Finished.IsZero() || first.Steps[0].Gates["g"].Looks > 1 || first.Step != 0 {
			t.Errorf("the first event tells of later things: %+v", first)
		}
		var looks []int
		for _, e := range w.events {
			if e.Kind == engine.EventVerdict {
				looks = append(looks, e.Rollout.Steps[0].Gates["g"].Looks)
			}
		}
		// The look at the end of the hold may come before or after it.
		if len(looks) < 3 || !slices.Equal(looks[:3], []int{1, 2, 3}) {
			t.Errorf("looks as told: %v", looks)
		}
	})
}

// TestHistory: ten at most, the newest first, each with the template that it brought.
func TestHistory(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var rec *engine.Record
		for n := range 13 {
			w.restart()
			w.plan.Objects.Templates = map[plan.Side]plan.Object{plan.Candidate: {"n": float64(n)}}
			w.plan.Target.Images = map[string]string{"app": fmt.Sprintf("v%d", n)}
			w.plan.Steps = []plan.Step{step("a", 0)}
			next := w.record(time.Hour)
			next.Rollout.ID = fmt.Sprint(n)
			if n == 11 {
				w.fails("do a", errors.New("broken"))
			} else {
				delete(w.ops, "do a")
			}
			if rec != nil {
				next.Epoch, next.History = rec.Epoch, rec.History
			}
			if _, err := w.run(t.Context(), next); err != nil {
				t.Fatal(err)
			}
			rec = w.stored()
		}
		if len(rec.History) != engine.HistoryLimit {
			t.Fatalf("%d rollouts are kept", len(rec.History))
		}
		for i, past := range rec.History {
			want := fmt.Sprint(12 - i)
			if past.ID != want || past.Images["app"] != "v"+want || fmt.Sprint(past.Template["n"]) != want {
				t.Errorf("%d is %+v", i, past)
			}
		}
		if p := rec.History[1]; p.Phase != engine.RolledBack || !strings.Contains(p.Reason, "broken") {
			t.Errorf("the one that failed is %+v", p)
		}
	})
}

// TestShadowInHistory: a shadow that succeeded is no version that ran, neither for a way back nor for what ran before the next.
func TestShadowInHistory(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var rec *engine.Record
		for n, mirror := range []plan.Share{0, plan.All, 0} {
			w.restart()
			w.plan.Target.Images = map[string]string{"app": fmt.Sprintf("v%d", n)}
			base := plan.Object{"n": "v0"}
			if n == 0 {
				base = plan.Object{"n": "old"}
			}
			w.plan.Objects.Templates = map[plan.Side]plan.Object{plan.Base: base, plan.Candidate: {"n": fmt.Sprintf("v%d", n)}}
			w.plan.Steps = []plan.Step{step("a", 0)}
			w.plan.Steps[0].Do = append(w.plan.Steps[0].Do, plan.Op{Kind: plan.SetSplit, Mirror: mirror})
			next := w.record(time.Hour)
			next.Rollout.ID = fmt.Sprint(n)
			if rec != nil {
				next.Epoch, next.History = rec.Epoch, rec.History
			}
			if _, err := w.run(t.Context(), next); err != nil {
				t.Fatal(err)
			}
			rec = w.stored()
		}
		var told []string
		for _, r := range rec.Revisions() {
			told = append(told, fmt.Sprintf("%s good %t shadow %t", r.ID, r.Good(), r.Shadow))
		}
		want := "2 good true shadow false, 1 good false shadow true, 0 good true shadow false, before-0 good true shadow false"
		if got := strings.Join(told, ", "); got != want {
			t.Errorf("revisions are %s\nwant %s", got, want)
		}
	})
}
