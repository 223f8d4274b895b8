package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
)

// detached is a step in whose hold no run has to stay.
func detached(id string, hold time.Duration, names ...string) plan.Step {
	s := step(id, hold, names...)
	s.Skip, s.Detach = s.Hold, true
	return s
}

// wantHolding wants a run that left its rollout in a detached hold which ends that long after the world's beginning.
func (w *world) wantHolding(o engine.Outcome, err error, step string, until time.Duration) {
	w.t.Helper()
	at, end, holds := w.stored().Rollout.Holding()
	if err != nil || !o.Waiting || o.Phase != engine.Running || !holds || at.ID != step || end.Sub(began) != until {
		w.t.Errorf("outcome is %+v, %v; stored holds: %t at %q until %v, want %q until %v", o, err, holds, at.ID, end.Sub(began), step, until)
	}
}

// TestLeavesAHold: the run ends once its gates have been asked. A run that looks in passing asks them once and ends, at
// once; the first one after the end of the hold goes on when they have passed.
func TestLeavesAHold(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		g := w.watch("g", "p", gates.Rule{Every: time.Minute})
		w.takes("do b", 5*time.Second)
		w.plan.Steps = []plan.Step{step("a", 0), detached("b", 12*time.Hour, "g"), step("c", 0)}
		o, err := w.run(t.Context(), w.record(24*time.Hour))
		w.wantHolding(o, err, "b", 12*time.Hour+5*time.Second)
		w.wantLog("claim", "save running a", "do a", "save running b after a", "do b", "save running b in force after a", "save running b in force after a")
		if got, want := w.kinds(), "step-started in-force step-finished step-started in-force detached"; got != want {
			t.Errorf("events are %s", got)
		}
		if e := w.find(engine.EventDetached); e.Message != "holds at step b until 2026-01-02T15:04:10Z; nobody watches meanwhile" {
			t.Errorf("told %q", e.Message)
		}
		w.clock.Advance(3 * time.Hour)
		before, looks := w.at(), len(g.looks)
		o, err = w.resume()
		w.wantHolding(o, err, "b", 12*time.Hour+5*time.Second)
		if took := w.at() - before; took != 5*time.Second || len(g.looks) == looks {
			t.Errorf("a look in passing took %v and asked %d times", took, len(g.looks)-looks)
		}
		w.clock.Advance(12 * time.Hour)
		looks = len(g.looks)
		o, err = w.resume()
		w.want(o, err, engine.Succeeded, "")
		if len(g.looks) == looks || w.state["c"] != 1 {
			t.Errorf("%d looks after the hold, state %v", len(g.looks)-looks, w.state)
		}
	})
}

// TestGatesInADetachedHold: nobody leaves while a gate is on its way to a failure or has no data; in a look in passing, and
// after the end of the hold, a failure takes the rollout back.
func TestGatesInADetachedHold(t *testing.T) {
	for _, tc := range []struct {
		name, letters string
		rule          gates.Rule
		then          string // what the gate says from then on
		after         time.Duration
		cause         engine.Cause
		phase         engine.Phase
	}{
		{"good", "p", gates.Rule{}, "p", 12 * time.Hour, "", engine.Succeeded},
		{"bad at once", "f", gates.Rule{}, "", 0, engine.CauseGate, engine.RolledBack},
		{"bad three times", "fff", gates.Rule{Of: 3, In: 3}, "", 0, engine.CauseGate, engine.RolledBack},
		{"bad twice", "ffp", gates.Rule{Of: 3, In: 3}, "p", 12 * time.Hour, "", engine.Succeeded},
		{"silent", "-", gates.Rule{NoData: gates.NoDataWait, NoDataFor: time.Minute}, "", 0, engine.CauseGate, engine.RolledBack},
		{"bad in passing", "p", gates.Rule{}, "f", time.Hour, engine.CauseGate, engine.RolledBack},
		{"bad at the end", "p", gates.Rule{}, "f", 12 * time.Hour, engine.CauseGate, engine.RolledBack},
		{"undecided, then good", "u", gates.Rule{}, "uuup", 12 * time.Hour, "", engine.Succeeded},
		{"bad, but only reported", "f", gates.Rule{DryRun: true}, "f", 12 * time.Hour, "", engine.Succeeded},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				g := w.watch("g", tc.letters, tc.rule)
				o, err := w.begin(step("a", 0), detached("b", 12*time.Hour, "g"), step("c", 0))
				if tc.then != "" {
					w.wantHolding(o, err, "b", 12*time.Hour)
					g.answer, g.looks = w.watch("spare", tc.then, gates.Rule{}).answer, nil
					w.gates = w.gates[:1]
					w.clock.Advance(tc.after)
					o, err = w.resume()
				}
				w.want(o, err, tc.phase, tc.cause)
			})
		})
	}
}

// TestStaysInADetachedHold when it is told to, and the hold ends when it would have.
func TestStaysInADetachedHold(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		g := w.watch("g", "p", gates.Rule{})
		o, err := w.begin(step("a", 0), detached("b", 12*time.Hour, "g"), step("c", 0))
		w.wantHolding(o, err, "b", 12*time.Hour)
		w.clock.Advance(4 * time.Hour)
		w.stay = true
		o, err = w.resume()
		w.want(o, err, engine.Succeeded, "")
		if w.at() != 12*time.Hour || len(g.looks) < 1000 {
			t.Errorf("%d looks until %v", len(g.looks), w.at())
		}
	})
}

// TestDeadlineOfADetachedHold goes on: the first run that comes later than it takes the rollout back, and asks nobody.
func TestDeadlineOfADetachedHold(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		g := w.watch("g", "p", gates.Rule{})
		w.plan.Steps = []plan.Step{step("a", 0), detached("b", 12*time.Hour, "g"), step("c", 0)}
		o, err := w.run(t.Context(), w.record(13*time.Hour))
		w.wantHolding(o, err, "b", 12*time.Hour)
		if until, rests := w.stored().Rollout.Rests(); !rests || until.Sub(began) != 12*time.Hour {
			t.Errorf("rests %t until %v", rests, until)
		}
		w.clock.Advance(13 * time.Hour)
		looks := len(g.looks)
		o, err = w.resume()
		w.want(o, err, engine.RolledBack, engine.CauseDeadline)
		w.wantLog("claim", "save running a", "do a", "save running b after a", "do b", "save running b in force after a", "save running b in force after a",
			"claim", "save undoing b in force after a undone 0", "undo b", "save undoing b in force after a undone 1", "undo a", "save rolled-back b in force after a undone 2")
		if len(g.looks) != looks {
			t.Errorf("%d looks after the deadline", len(g.looks)-looks)
		}
	})
}

// TestFullEndsADetachedHold: who asks for the rest without holds gets it, by whoever carries the rollout; what gateways need
// is waited for.
func TestFullEndsADetachedHold(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.watch("g", "p", gates.Rule{})
		next := detached("c", time.Hour, "g")
		next.Skip -= plan.Duration(2 * time.Second)
		o, err := w.begin(step("a", 0), detached("b", 12*time.Hour, "g"), next, step("d", 0))
		w.wantHolding(o, err, "b", 12*time.Hour)
		w.clock.Advance(time.Minute)
		before := w.at()
		w.restart()
		rec := w.stored()
		rec.Rollout.Promote(engine.Answer{By: "ann", At: w.clock.Now()})
		o, err = w.run(t.Context(), rec)
		w.want(o, err, engine.Succeeded, "")
		if took := w.at() - before; took != 2*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// TestSeveralDetachedHolds: each ends a run, and each begins when the one before is over and somebody has looked.
func TestSeveralDetachedHolds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o, err := w.begin(detached("a", time.Hour), detached("b", time.Hour), step("c", 0))
		w.wantHolding(o, err, "a", time.Hour)
		w.clock.Advance(2 * time.Hour)
		o, err = w.resume()
		w.wantHolding(o, err, "b", 3*time.Hour)
		w.clock.Advance(2 * time.Hour)
		o, err = w.resume()
		w.want(o, err, engine.Succeeded, "")
	})
}

// TestCrashAroundADetachedHold: wherever runs end, the next ones lead to the same end, and what was saved of the hold stays.
func TestCrashAroundADetachedHold(t *testing.T) {
	for _, stored := range []bool{false, true} {
		for n, crashed := 1, true; crashed; n++ {
			t.Run(fmt.Sprintf("save %d, stored %t", n, stored), func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					w.watch("g", "p", gates.Rule{})
					w.plan.Steps = []plan.Step{step("a", 0), detached("b", 12*time.Hour, "g"), step("c", 0)}
					dies(n, stored, w.process)
					_, err := w.run(t.Context(), w.record(24*time.Hour))
					crashed = err != nil
					w.clock.Advance(6 * time.Hour)
					was := began.Add(18 * time.Hour) // when the hold ends that the next run begins
					if rec := w.stored(); rec != nil {
						if _, until, holds := rec.Rollout.Holding(); holds {
							was = until
						}
					}
					o, err := w.resume()
					w.wantHolding(o, err, "b", was.Sub(began))
					w.clock.Advance(12 * time.Hour)
					o, err = w.resume()
					w.want(o, err, engine.Succeeded, "")
				})
			})
			if n > 30 {
				t.Fatal("a run has no end")
			}
		}
	}
}
