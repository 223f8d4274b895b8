package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
)

// between is drift that stands from one moment to another.
func (w *world) between(from, to time.Duration, d engine.Drift) {
	w.drift = func([]plan.Op) []engine.Drift {
		if now := w.at(); now >= from && now < to {
			return []engine.Drift{d}
		}
		return nil
	}
}

func (w *world) drifts() string {
	var all []string
	for _, e := range w.events {
		if e.Kind == engine.EventDrift {
			all = append(all, e.Message)
		}
	}
	return strings.Join(all, "; ")
}

// TestDriftHoldsTheStep: while gates judge something else than the plan says, the step does not end, though they pass; the
// hold stands still meanwhile, and it is told once when it comes and once when it goes.
func TestDriftHoldsTheStep(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.watch("g", strings.Repeat("p", 100), gates.Rule{Every: 10 * time.Second})
		w.between(5*time.Second, 15*time.Second, engine.Drift{Text: "the route is wrong", Remedy: "Tell the tool.", Judged: true})
		o, err := w.begin(step("a", 8*time.Second, "g"))
		w.want(o, err, engine.Succeeded, "")
		if w.at() != 18*time.Second || w.drifts() != "the route is wrong. Tell the tool.; no longer so: the route is wrong" {
			t.Errorf("ended at %v; told %s", w.at(), w.drifts())
		}
	})
}

// TestDriftGoesBack: what stands for two looks of the slowest gate, or ten seconds, undoes the rollout and names itself.
func TestDriftGoesBack(t *testing.T) {
	for _, tc := range []struct {
		name  string
		every time.Duration
		back  time.Duration
	}{{"quick gates", time.Second, 15 * time.Second}, {"a slow gate", 20 * time.Second, 45 * time.Second}} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.watch("g", strings.Repeat("p", 200), gates.Rule{Every: tc.every})
				recorded := 0
				w.between(5*time.Second, time.Hour, engine.Drift{Text: "the route is wrong", Remedy: "Tell the tool.", Judged: true})
				w.after(10*time.Second, func() { recorded = len(w.stored().Rollout.Drift) })
				o, err := w.begin(step("a", time.Minute, "g"))
				w.want(o, err, engine.RolledBack, engine.CauseFailure)
				if w.at() != tc.back || !strings.HasPrefix(o.Reason, "the route is wrong, and it stayed so for") || !strings.HasSuffix(o.Reason, "Tell the tool.") {
					t.Errorf("at %v: %s", w.at(), o.Reason)
				}
				if recorded != 1 || len(w.stored().Rollout.Drift) != 0 {
					t.Errorf("recorded %d then, %v at the end", recorded, w.stored().Rollout.Drift)
				}
			})
		})
	}
}

// TestDriftIsOnlySaid: what no gate judges, or in a step that no gate judges.
func TestDriftIsOnlySaid(t *testing.T) {
	for _, tc := range []struct {
		name   string
		judged bool
		gates  []string
	}{{"not judged", false, []string{"g"}}, {"no gates", true, nil}} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.watch("g", strings.Repeat("p", 100), gates.Rule{Every: time.Second})
				w.between(5*time.Second, time.Hour, engine.Drift{Text: "the scaler is changed", Judged: tc.judged})
				o, err := w.begin(step("a", 30*time.Second, tc.gates...))
				w.want(o, err, engine.Succeeded, "")
				if w.at() != 30*time.Second || w.drifts() != "the scaler is changed" {
					t.Errorf("ended at %v; told %s", w.at(), w.drifts())
				}
			})
		})
	}
}

// TestDriftIsPutBack where that is asked for: by the op that set the split, at most once in its period, and not when something
// else is wrong too.
func TestDriftIsPutBack(t *testing.T) {
	split := func() plan.Step {
		s := step("a", 20*time.Second, "g")
		s.Do = []plan.Op{{Kind: plan.SetSplit, Pods: 1, Weight: plan.OnePercent}}
		return s
	}
	t.Run("once", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.watch("g", strings.Repeat("p", 100), gates.Rule{Every: time.Second})
			w.correct = 3 * time.Second
			sets := 0
			w.ops["do split"] = func(context.Context) error { sets++; return nil }
			w.drift = func(done []plan.Op) []engine.Drift {
				if w.at() >= 5*time.Second && sets < 2 && done[len(done)-1].Weight == plan.OnePercent {
					return []engine.Drift{{Text: "wrong", Judged: true, Split: true}}
				}
				return nil
			}
			o, err := w.begin(split())
			w.want(o, err, engine.Succeeded, "")
			if sets != 2 || !strings.Contains(w.drifts(), "putting the split back") {
				t.Errorf("set %d times; told %s", sets, w.drifts())
			}
		})
	})
	t.Run("a tool that does not give way", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.watch("g", strings.Repeat("p", 500), gates.Rule{Every: time.Second})
			w.correct = 3 * time.Second
			var sets []time.Duration
			w.ops["do split"] = func(context.Context) error { sets = append(sets, w.at()); return nil }
			w.between(5*time.Second, 14*time.Second, engine.Drift{Text: "wrong", Judged: true, Split: true})
			o, err := w.begin(split())
			w.want(o, err, engine.Succeeded, "")
			if len(sets) != 4 || sets[2]-sets[1] < w.correct || sets[3]-sets[2] < w.correct {
				t.Errorf("set at %v", sets)
			}
		})
	})
	t.Run("something else is wrong too", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.watch("g", strings.Repeat("p", 100), gates.Rule{Every: time.Second})
			w.correct = time.Second
			w.drift = func([]plan.Op) []engine.Drift {
				return []engine.Drift{{Text: "wrong", Judged: true, Split: true}, {Text: "worse", Judged: true}}
			}
			o, err := w.begin(split())
			w.want(o, err, engine.RolledBack, engine.CauseFailure)
		})
	})
}

// TestLeft: what an op of the way back leaves to somebody else is a warning and part of the reason, and the way back goes on.
func TestLeft(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.watch("g", "pf", gates.Rule{Every: time.Second})
		w.fails("undo b", &engine.LeftError{Reason: "the template was left", Hint: "Look."})
		o, err := w.begin(step("a", 0), step("b", time.Hour, "g"))
		w.want(o, err, engine.RolledBack, engine.CauseGate)
		ro := w.stored().Rollout
		if !strings.HasSuffix(o.Reason, "; the template was left") || len(ro.Left) != 1 || w.find(engine.EventWarning) == nil {
			t.Errorf("%s; left %v", o.Reason, ro.Left)
		}
		if w.notes()[len(w.notes())-2] != "undo a" {
			t.Errorf("log %v", w.notes())
		}
	})
}
