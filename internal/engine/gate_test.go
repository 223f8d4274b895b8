package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
)

// TestGateFailsDuringTheOps: they are cancelled, and only when they have ended does the way back begin.
func TestGateFailsDuringTheOps(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.watch("g", "pf", gates.Rule{})
		w.ops["do b"] = func(ctx context.Context) error {
			<-ctx.Done()
			_ = clock.Sleep(context.WithoutCancel(ctx), w.clock, 3*time.Second) // a write on its way
			w.note("do b has ended")
			return context.Cause(ctx)
		}
		o, err := w.begin(step("a", 0), step("b", time.Hour, "g"))
		w.want(o, err, engine.RolledBack, engine.CauseGate)
		w.wantLog("claim", "save running a", "do a", "save running b after a", "do b", "do b has ended", "do b was cancelled",
			"save undoing b after a undone 0", "undo b", "save undoing b after a undone 1", "undo a", "save rolled-back b after a undone 2")
		if o.Reason != "gate g failed: bad 2" || w.at() != 13*time.Second {
			t.Errorf("at %v: %s", w.at(), o.Reason)
		}
	})
}

// TestGateFailsInHold: the way back begins at once, not at the hold's end.
func TestGateFailsInHold(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		g := w.watch("g", "ppppf", gates.Rule{Every: 7 * time.Second})
		o, err := w.begin(step("a", time.Hour, "g"))
		w.want(o, err, engine.RolledBack, engine.CauseGate)
		if w.at() != 21*time.Second {
			t.Errorf("undone after %v", w.at())
		}
		if !slices.Equal(g.looks, seconds(0, 0, 7, 14, 21)) {
			t.Errorf("asked at %v", g.looks)
		}
	})
}

// TestRules is what stands beside a gate's kind: when it is asked, and what its answers lead to. A gate is asked when
// the step starts and again when it is in force, which here is the same moment.
func TestRules(t *testing.T) {
	for _, tc := range []struct {
		name   string
		rule   gates.Rule
		looks  string
		hold   time.Duration
		asked  []time.Duration // the first looks
		ends   time.Duration
		phase  engine.Phase
		reason string
	}{
		{"every", gates.Rule{Every: 25 * time.Second}, "p", time.Minute, seconds(0, 0, 25, 50), time.Minute, engine.Succeeded, ""},
		{"delay", gates.Rule{Delay: 30 * time.Second}, "p", time.Minute, seconds(30, 40, 50), time.Minute, engine.Succeeded, ""},
		{"delay beyond the hold", gates.Rule{Delay: 2 * time.Minute}, "p", time.Minute, seconds(120), 2 * time.Minute, engine.Succeeded, ""},
		{"failures: 3", gates.Rule{Of: 3, In: 3}, "pfff", time.Minute, seconds(0, 0, 10, 20), 20 * time.Second, engine.RolledBack,
			"gate g failed: bad 4"},
		{"failures: 3, never in a row", gates.Rule{Of: 3, In: 3}, "ffpffpffp", 85 * time.Second, seconds(0, 0, 10, 20), 85 * time.Second, engine.Succeeded, ""},
		{"failures: 2 of 4", gates.Rule{Of: 2, In: 4}, "pfpppfpf", time.Hour, seconds(0, 0, 10, 20, 30, 40, 50, 60), time.Minute, engine.RolledBack,
			"gate g failed: bad 8"},
		{"dryRun", gates.Rule{DryRun: true}, "f", time.Minute, seconds(0, 0, 10, 20), time.Minute, engine.Succeeded, ""},
		{"dryRun does not hold either", gates.Rule{DryRun: true}, "u", time.Minute, seconds(0), time.Minute, engine.Succeeded, ""},
		{"pending extends the hold", gates.Rule{}, "uuuuuuuuuup", time.Minute, seconds(0, 0, 10), 90 * time.Second, engine.Succeeded, ""},
		{"an error is no failure", gates.Rule{NoDataFor: time.Hour}, "eeeeeeeeeep", time.Minute, seconds(0, 0, 10), 90 * time.Second, engine.Succeeded, ""},
		{"no data is not a pass", gates.Rule{NoDataFor: 3 * time.Minute}, "-", time.Minute, seconds(0, 0, 10), 6 * time.Minute, engine.RolledBack,
			"gate g failed: no data for 6m0s, twice noDataFor: no series"},
		{"noData: fail", gates.Rule{NoData: gates.NoDataFail}, "pp-", time.Minute, seconds(0, 0, 10), 10 * time.Second, engine.RolledBack,
			"gate g failed: no series (noData: fail)"},
		{"noData: pass", gates.Rule{NoData: gates.NoDataPass}, "-", time.Minute, seconds(0, 0, 10), time.Minute, engine.Succeeded, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				g := w.watch("g", tc.looks, tc.rule)
				o, err := w.begin(step("a", tc.hold, "g"))
				cause := engine.Cause("")
				if tc.phase == engine.RolledBack {
					cause = engine.CauseGate
				}
				w.want(o, err, tc.phase, cause)
				if w.at() != tc.ends || o.Reason != tc.reason {
					t.Errorf("ended after %v: %q; want %v: %q", w.at(), o.Reason, tc.ends, tc.reason)
				}
				if len(g.looks) < len(tc.asked) || !slices.Equal(g.looks[:len(tc.asked)], tc.asked) {
					t.Errorf("asked at %v, want %v", g.looks, tc.asked)
				}
			})
		})
	}
}

// TestPaused: missing data is told once it has lasted, and data ends the pause.
func TestPaused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.watch("g", "pp-----------p", gates.Rule{NoDataFor: time.Minute})
		o, err := w.begin(step("a", 30*time.Second, "g"))
		w.want(o, err, engine.Succeeded, "")
		if w.at() != 2*time.Minute {
			t.Errorf("done after %v", w.at())
		}
		if n := strings.Count(w.kinds(), "paused"); n != 1 {
			t.Errorf("told %d pauses", n)
		}
		if paused := w.find(engine.EventPaused); paused.At.Sub(began) != time.Minute || paused.Gate != "g" || !paused.Look.Paused {
			t.Errorf("told %+v", paused)
		}
	})
}

// TestNotAsked: a gate is asked only in steps that name it, and those that the plan does not know, never.
func TestNotAsked(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		one, two, none := w.watch("one", "p", gates.Rule{}), w.watch("two", "p", gates.Rule{}), w.watch("none", "f", gates.Rule{})
		o, err := w.begin(step("a", time.Second, "one"), step("b", time.Second, "one", "two"), step("c", time.Second))
		w.want(o, err, engine.Succeeded, "")
		if !slices.Equal(one.steps, []string{"a", "a", "b", "b"}) || !slices.Equal(two.steps, []string{"b", "b"}) || len(none.steps) > 0 {
			t.Errorf("asked in %v, %v, %v", one.steps, two.steps, none.steps)
		}
	})
}

// TestLooksBeforeInForce do not end a hold: the step was not yet what they looked at.
func TestLooksBeforeInForce(t *testing.T) {
	for _, tc := range []struct {
		name  string
		hold  time.Duration
		lasts time.Duration // each look
		asked []time.Duration
		ends  time.Duration
	}{
		{"no hold: asked again at once", 0, 0, seconds(0, 5), 5 * time.Second},
		{"no hold: a look is on its way", 0, 8 * time.Second, seconds(0, 8), 16 * time.Second},
		{"hold: asked again at once", time.Second, 0, seconds(0, 5), 6 * time.Second},
		{"hold: a look is on its way", time.Second, 8 * time.Second, seconds(0, 8), 16 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				g := &gate{w: w, name: "g", answer: func(ctx context.Context, _ int) (gates.Verdict, error) {
					return gates.Verdict{Outcome: gates.Pass}, clock.Sleep(ctx, w.clock, tc.lasts)
				}}
				w.add(g, gates.Rule{Every: time.Minute})
				w.takes("do a", 5*time.Second)
				o, err := w.begin(step("a", tc.hold, "g"))
				w.want(o, err, engine.Succeeded, "")
				if !slices.Equal(g.looks, tc.asked) || w.at() != tc.ends {
					t.Errorf("asked at %v, done at %v", g.looks, w.at())
				}
			})
		})
	}
}

// TestConfirm: a step without ops asks every gate afresh, whatever was said before.
func TestConfirm(t *testing.T) {
	confirm := plan.Step{ID: "confirm", Gates: []string{"g"}}
	inWorld(t, func(t *testing.T, w *world) {
		g := w.watch("g", "p", gates.Rule{})
		o, err := w.begin(step("a", time.Minute, "g"), confirm, step("roll", 0))
		w.want(o, err, engine.Succeeded, "")
		if n := len(g.steps); g.steps[n-1] != "confirm" || g.looks[n-1] != time.Minute {
			t.Errorf("asked in %v at %v", g.steps, g.looks)
		}
	})
	inWorld(t, func(t *testing.T, w *world) {
		g := w.watch("g", "p", gates.Rule{})
		pass := g.answer
		g.answer = func(ctx context.Context, n int) (gates.Verdict, error) {
			if g.steps[n-1] == "confirm" {
				return gates.Verdict{Outcome: gates.Fail, Reason: "not any more"}, nil
			}
			return pass(ctx, n)
		}
		o, err := w.begin(step("a", time.Minute, "g"), confirm, step("roll", 0))
		w.want(o, err, engine.RolledBack, engine.CauseGate)
		if slices.Contains(w.notes(), "do roll") {
			t.Error("the base was rolled")
		}
	})
}

// TestSlowGate: a look ends with its timeout, which is missing data; the gate is not asked twice at a time.
func TestSlowGate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		g := &gate{w: w, name: "g", answer: func(ctx context.Context, n int) (gates.Verdict, error) {
			if n > 2 {
				return gates.Verdict{Outcome: gates.Pass}, nil
			}
			<-ctx.Done()
			return gates.Verdict{}, errors.New("context canceled")
		}}
		w.add(g, gates.Rule{Every: 10 * time.Second, Timeout: 25 * time.Second})
		o, err := w.begin(step("a", 20*time.Second, "g"))
		w.want(o, err, engine.Succeeded, "")
		if !slices.Equal(g.looks, seconds(0, 25, 50)) {
			t.Errorf("asked at %v", g.looks)
		}
		if look := w.find(engine.EventVerdict).Look; !look.NoData || look.Reason != "no answer within 25s" {
			t.Errorf("the first look is %+v", look)
		}
	})
}

// TestTally counts looks, not standings: with failures: 3 three bad looks are three.
func TestTally(t *testing.T) {
	for _, tc := range []struct {
		name, looks         string
		rule                gates.Rule
		total, fails, empty int
		worst               time.Duration
	}{
		{"failures: 3", "ppfff", gates.Rule{Of: 3, In: 3}, 5, 3, 0, 10 * time.Second},
		{"missing before a failure", "--f", gates.Rule{}, 3, 1, 2, 10 * time.Second},
		{"missing after failures", "ff-f", gates.Rule{Of: 3, In: 3}, 5, 4, 1, 0}, // the look before the step was in force does not count among the three
		{"noData: fail", "pp--", gates.Rule{Of: 2, In: 2, NoData: gates.NoDataFail}, 4, 2, 0, 10 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.watch("g", tc.looks, tc.rule)
				o, err := w.begin(step("a", time.Hour, "g"))
				w.want(o, err, engine.RolledBack, engine.CauseGate)
				tally := w.stored().Rollout.Steps[0].Gates["g"]
				if tally.Looks != tc.total || tally.Fails != tc.fails || tally.NoData != tc.empty {
					t.Errorf("tally is %+v", tally)
				}
				if tally.Worst == nil || tally.Worst.At.Sub(began) != tc.worst || tally.Last.Outcome != gates.Fail {
					t.Errorf("worst is %+v, last %+v", tally.Worst, tally.Last)
				}
			})
		})
	}
}

// TestChanged marks the looks that are news.
func TestChanged(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.watch("g", "uuppfp", gates.Rule{DryRun: true})
		if _, err := w.begin(step("a", 55*time.Second, "g")); err != nil {
			t.Fatal(err)
		}
		var news []bool
		for _, e := range w.events {
			if e.Kind == engine.EventVerdict {
				news = append(news, e.Changed)
			}
		}
		if !slices.Equal(news, []bool{true, false, true, false, true, true, false}) {
			t.Errorf("changed: %v", news)
		}
	})
}
