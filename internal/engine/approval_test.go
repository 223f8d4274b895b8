package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
)

// asks is a step that waits for a person.
func asks(id string, timeout time.Duration, names ...string) plan.Step {
	return plan.Step{ID: id, Title: "wait for an approval: go", Gates: names, Approve: &plan.Approval{Message: "go", Timeout: plan.Duration(timeout)}}
}

// attended is asks where users may not be left alone.
func attended(id string, timeout time.Duration, names ...string) plan.Step {
	s := asks(id, timeout, names...)
	s.Approve.Attended = true
	return s
}

// promote is a request for an approval.
func promote(rollout, step string) engine.Request {
	return engine.Request{ID: "promote-" + rollout + step, Verb: engine.Promote, By: "ann", Run: "https://ci.example.com/7", Reason: "looks good",
		Rollout: rollout, Step: step}
}

// posts puts requests into the inbox d after now.
func (w *world) posts(d time.Duration, all ...engine.Request) {
	w.after(d, func() {
		for _, r := range all {
			if err := w.cluster.Process("person").Post(w.t.Context(), r); err != nil {
				w.t.Error(err)
			}
		}
	})
}

// wantWaiting wants a run that left its rollout to a person, at this step.
func (w *world) wantWaiting(o engine.Outcome, err error, step string) {
	w.t.Helper()
	at, _, waits := w.stored().Rollout.Waiting()
	if err != nil || !o.Waiting || o.Phase != engine.Running || !waits || at.ID != step {
		w.t.Errorf("outcome is %+v, %v; stored waits: %t at %q, want %q", o, err, waits, at.ID, step)
	}
}

// TestWaitsWithoutARun: the run ends with everything saved, each further run looks and ends as well, and who answers in
// the record carries it on. The deadline stands still.
func TestWaitsWithoutARun(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		g := w.watch("g", "p", gates.Rule{})
		w.plan.Steps = []plan.Step{step("a", 0), asks("ask", 24*time.Hour, "g"), step("b", 0)}
		o, err := w.run(t.Context(), w.record(time.Hour))
		w.wantWaiting(o, err, "ask")
		w.wantLog("claim", "save running a", "do a", "save running ask after a", "save running ask in force after a")
		if got, want := w.kinds(), "step-started in-force step-finished step-started in-force waiting"; got != want {
			t.Errorf("events are %s", got)
		}
		since := w.stored().Rollout.Steps[1].Approval.Since
		w.clock.Advance(5 * time.Hour) // past the deadline of an hour
		o, err = w.resume()
		w.wantWaiting(o, err, "ask")
		if len(g.looks) < 4 || !w.stored().Rollout.Steps[1].Approval.Since.Equal(since) {
			t.Errorf("looks at %v; waits since %v, at first %v", g.looks, w.stored().Rollout.Steps[1].Approval.Since, since)
		}
		w.restart()
		rec := w.stored()
		rec.Rollout.Approve(engine.Answer{By: "ann", At: w.clock.Now()})
		o, err = w.run(t.Context(), rec)
		w.want(o, err, engine.Succeeded, "")
		ro := w.stored().Rollout
		if left := ro.Deadline.Sub(began); left < 6*time.Hour || left > 6*time.Hour+time.Minute {
			t.Errorf("the deadline is %v after the beginning", left)
		}
		if step, a, ok := ro.Answered(); !ok || step.ID != "ask" || a.By != "ann" {
			t.Errorf("answered: %q by %+v, %t", step.ID, a, ok)
		}
	})
}

// TestWaitsWithARun: where users may not be left alone, or the run is to stay, it stays and gates watch until somebody
// answers.
func TestWaitsWithARun(t *testing.T) {
	for _, tc := range []struct {
		name string
		ask  plan.Step
		wait bool
	}{
		{"attended", attended("ask", 24*time.Hour, "g"), false},
		{"asked to stay", asks("ask", 24*time.Hour, "g"), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				g := w.watch("g", "p", gates.Rule{})
				w.stay = tc.wait
				w.posts(3*time.Hour, promote("one", "ask"))
				o, err := w.begin(step("a", 0), tc.ask, step("b", 0))
				w.want(o, err, engine.Succeeded, "")
				if len(g.looks) < 1000 || w.at() < 3*time.Hour {
					t.Errorf("%d looks in %v", len(g.looks), w.at())
				}
				_, a, _ := w.stored().Rollout.Answered()
				if a.By != "ann" || a.Run != "https://ci.example.com/7" || a.Reason != "looks good" || a.At.Sub(began) != 3*time.Hour {
					t.Errorf("answered by %+v", a)
				}
				e := w.find(engine.EventApproved)
				if e == nil || e.Message != "approved by ann (https://ci.example.com/7): looks good" || w.find(engine.EventWaiting).Message != "go" {
					t.Errorf("told %+v", e)
				}
			})
		})
	}
}

// TestGatesAtAnApproval: what a gate sees while the rollout waits undoes it, in the run that stays and in one that looks
// in passing.
func TestGatesAtAnApproval(t *testing.T) {
	for _, tc := range []struct {
		name, letters string
		rule          gates.Rule
		waits         bool
	}{
		{"good", "p", gates.Rule{}, true},
		{"undecided", "u", gates.Rule{}, true},
		{"bad", "f", gates.Rule{}, false},
		{"bad three times", "fff", gates.Rule{Of: 3, In: 3}, false},
		{"bad twice", "ffp", gates.Rule{Of: 3, In: 3}, true},
		{"bad, but only reported", "f", gates.Rule{DryRun: true}, true},
		{"silent", "-", gates.Rule{NoData: gates.NoDataWait, NoDataFor: time.Minute}, false},
		{"silent for a while", "---p", gates.Rule{NoData: gates.NoDataWait, NoDataFor: time.Minute}, true},
		{"silence passes", "-", gates.Rule{NoData: gates.NoDataPass}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.watch("g", tc.letters, tc.rule)
				o, err := w.begin(step("a", 0), asks("ask", 24*time.Hour, "g"), step("b", 0))
				if tc.waits {
					w.wantWaiting(o, err, "ask")
					return
				}
				w.want(o, err, engine.RolledBack, engine.CauseGate)
			})
		})
	}
}

// TestNobodyAnswers: when the time is over the plan says what happens, in a run that stays and in the next one.
func TestNobodyAnswers(t *testing.T) {
	for _, stays := range []bool{true, false} {
		for _, promotes := range []bool{true, false} {
			t.Run(fmt.Sprintf("stays %t, promotes %t", stays, promotes), func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					w.watch("g", "p", gates.Rule{})
					ask := asks("ask", 2*time.Hour, "g")
					ask.Approve.Promotes, ask.Approve.Attended = promotes, stays
					o, err := w.begin(step("a", 0), ask, step("b", 0))
					if !stays {
						w.wantWaiting(o, err, "ask")
						w.clock.Advance(2 * time.Hour)
						o, err = w.resume()
					}
					if w.at() < 2*time.Hour || w.at() > 2*time.Hour+time.Minute {
						t.Errorf("ended after %v", w.at())
					}
					if promotes {
						w.want(o, err, engine.Succeeded, "")
						if _, a, ok := w.stored().Rollout.Answered(); !ok || !strings.Contains(a.String(), "nobody answered within 2h") {
							t.Errorf("answered by %+v", a)
						}
						return
					}
					w.want(o, err, engine.RolledBack, engine.CauseApproval)
					if o.Reason != "nobody approved within 2h: go" {
						t.Errorf("reason %q", o.Reason)
					}
				})
			})
		}
	}
}

// TestStalePromotes: a request for another rollout, for another approval, or for one that was answered changes nothing.
func TestStalePromotes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.stay = true
		w.posts(time.Minute, promote("another", "ask"), promote("one", "later"), promote("one", ""))
		w.posts(2*time.Minute, promote("one", "ask"))
		again := promote("one", "ask")
		again.ID, again.By = "again", "bob"
		w.posts(3*time.Minute, again)
		w.posts(4*time.Minute, promote("one", "later"))
		o, err := w.begin(step("a", 0), asks("ask", time.Hour), step("b", 0), asks("later", time.Hour), step("c", 0))
		w.want(o, err, engine.Succeeded, "")
		ro := w.stored().Rollout
		for i, at := range map[int]time.Duration{1: 2 * time.Minute, 3: 4 * time.Minute} {
			if a := ro.Steps[i].Approval.Answer; a == nil || a.By != "ann" || a.At.Sub(began) != at {
				t.Errorf("%s was answered by %+v", ro.Steps[i].ID, a)
			}
		}
	})
}

// TestPromoteInFull cuts what may be cut of the holds and gives the approvals that are left; every gate still passes once
// in each step.
func TestPromoteInFull(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		g := w.watch("g", "p", gates.Rule{})
		first, second := step("a", time.Hour, "g"), step("b", time.Hour, "g")
		first.Skip, second.Skip = plan.Duration(50*time.Minute), plan.Duration(time.Hour-2*time.Second)
		full := promote("one", "")
		full.Full = true
		w.posts(5*time.Minute, full)
		o, err := w.begin(first, attended("ask", time.Hour, "g"), second, step("guard", time.Minute))
		w.want(o, err, engine.Succeeded, "")
		if want := 10*time.Minute + 2*time.Second + time.Minute; w.at() != want {
			t.Errorf("it took %v, want %v", w.at(), want)
		}
		seen := map[string]bool{}
		for _, s := range g.steps {
			seen[s] = true
		}
		ro := w.stored().Rollout
		if !seen["ask"] || !seen["b"] || ro.Full == nil || ro.Full.By != "ann" || ro.Steps[1].Approval.Answer.By != "ann" {
			t.Errorf("asked in %v; full by %+v, approval %+v", g.steps, ro.Full, ro.Steps[1].Approval.Answer)
		}
	})
}

// TestFullAnswers the approval that waits, and a gate still has its say.
func TestFullAnswers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.watch("g", "p", gates.Rule{})
		w.watch("last", "f", gates.Rule{})
		full := promote("one", "ask")
		full.Full = true
		w.posts(5*time.Minute, full)
		o, err := w.begin(step("a", 0), attended("ask", time.Hour, "g"), step("b", time.Hour, "last"))
		w.want(o, err, engine.RolledBack, engine.CauseGate)
	})
}

// TestAbortAtAnApproval goes back, in the run that stays and, by the record, in another one.
func TestAbortAtAnApproval(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.posts(time.Hour, engine.Request{ID: "no", Verb: engine.Abort, By: "bob", Reason: "not today", Rollout: "one"}, promote("one", "ask"))
		o, err := w.begin(step("a", 0), attended("ask", 24*time.Hour), step("b", 0))
		w.want(o, err, engine.RolledBack, engine.CauseAbort)
		if w.state["a"] != 0 {
			t.Errorf("state %v", w.state)
		}
	})
}

// TestCrashAroundAnApproval: wherever runs end, the next ones lead to the same end; the wait begins once, and an answer
// that was saved holds.
func TestCrashAroundAnApproval(t *testing.T) {
	for _, stored := range []bool{false, true} {
		for n, crashed := 1, true; crashed; n++ {
			t.Run(fmt.Sprintf("save %d, stored %t", n, stored), func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					w.watch("g", "p", gates.Rule{})
					w.posts(time.Minute, promote("one", "ask"))
					dies(n, stored, w.process)
					w.plan.Steps = []plan.Step{step("a", 0), attended("ask", time.Hour, "g"), step("b", 0)}
					_, err := w.run(t.Context(), w.record(2*time.Hour))
					if crashed = err != nil; !crashed {
						return
					}
					rec := w.stored()
					if rec != nil && !rec.Rollout.Phase.InFlight() {
						return
					}
					o, err := w.resume()
					w.want(o, err, engine.Succeeded, "")
					if _, a, ok := w.stored().Rollout.Answered(); !ok || a.By != "ann" {
						t.Errorf("answered by %+v", a)
					}
				})
			})
			if n > 30 {
				t.Fatal("a run has no end")
			}
		}
	}
}
