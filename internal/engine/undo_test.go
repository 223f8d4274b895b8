package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
)

// TestUndoOrder: the way back goes from the step that was started last to the first, each op once, each saved.
func TestUndoOrder(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.watch("g", "f", gates.Rule{Delay: 10 * time.Second})
		back := []plan.Op{{Kind: "split"}}
		b, c := step("b", 0), step("c", time.Minute, "g")
		b.Undo, c.Undo = append(back, plan.Op{Kind: "scaler"}), back // the same op twice in a row is done once
		o, err := w.begin(step("a", 0), b, c, step("never", 0))
		w.want(o, err, engine.RolledBack, engine.CauseGate)
		w.wantLog("claim", "save running a", "do a", "save running b after a", "do b", "save running c after a,b", "do c",
			"save running c in force after a,b",
			"save undoing c in force after a,b undone 0",
			"undo split", "save undoing c in force after a,b undone 1",
			"undo scaler", "save undoing c in force after a,b undone 2",
			"undo a", "save rolled-back c in force after a,b undone 3")
		if !strings.HasSuffix(w.kinds(), "undoing undo-op undo-op undo-op rolled-back") {
			t.Errorf("events: %s", w.kinds())
		}
		if last := w.find(engine.EventRolledBack); last.Weight != 0 || last.Rollout.Ended.IsZero() {
			t.Errorf("told %+v", last)
		}
	})
}

// TestResumeHalfDoneUndo goes on with the op that is not finished.
func TestResumeHalfDoneUndo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.plan.Steps = []plan.Step{step("a", 0), step("b", 0), step("c", 0)}
		rec := w.record(time.Hour)
		rec.Rollout.Phase, rec.Rollout.Cause, rec.Rollout.Step, rec.Rollout.Undone = engine.Undoing, engine.CauseAbort, 2, 1
		o, err := w.run(t.Context(), rec)
		w.want(o, err, engine.RolledBack, engine.CauseAbort)
		w.wantLog("claim", "undo b", "save undoing c undone 2", "undo a", "save rolled-back c undone 3")
	})
}

// TestUndoFails: what could not be undone is left, the rest is not cleaned up around it, and a later run goes on there.
func TestUndoFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.fails("do c", errors.New("broken"))
		w.fails("undo b", errors.New("forbidden"))
		o, err := w.begin(step("a", 0), step("b", 0), step("c", 0))
		w.want(o, err, engine.UndoFailed, engine.CauseFailure)
		for _, want := range []string{"could not c: broken", "the way back failed", "could not b: forbidden"} {
			if !strings.Contains(o.Reason, want) {
				t.Errorf("the reason does not tell %q: %s", want, o.Reason)
			}
		}
		rec := w.stored()
		if rec.Rollout.Undone != 1 || len(rec.History) != 0 || w.state["a"] != 1 {
			t.Errorf("undone %d, history %v, state %v", rec.Rollout.Undone, rec.History, w.state)
		}
		if w.find(engine.EventUndoFailed) == nil || w.find(engine.EventRolledBack) != nil {
			t.Errorf("events: %s", w.kinds())
		}

		delete(w.ops, "undo b")
		w.log = nil
		o, err = w.resume()
		w.want(o, err, engine.RolledBack, engine.CauseFailure)
		w.wantLog("claim", "undo b", "save undoing c after a,b undone 2", "undo a", "save rolled-back c after a,b undone 3")
	})
}

// TestUndoLimit: a way back that takes too long needs a person, and its op is ended.
func TestUndoLimit(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.limit = 10 * time.Minute
		w.fails("do b", errors.New("broken"))
		w.takes("undo b", time.Hour)
		o, err := w.begin(step("a", 0), step("b", 0))
		w.want(o, err, engine.UndoFailed, engine.CauseFailure)
		if w.at() != 10*time.Minute || !strings.Contains(o.Reason, "longer than its limit") {
			t.Errorf("at %v: %s", w.at(), o.Reason)
		}
	})
}

// TestUndoIsFree of the deadline and of requests: nothing turns a way back around.
func TestUndoIsFree(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.fails("do b", errors.New("broken"))
		w.takes("undo b", 5*time.Minute)
		w.after(time.Minute, func() {
			_ = w.process.Post(context.Background(), engine.Request{ID: "r", Verb: engine.Supersede, By: "other", Rollout: "one"})
		})
		w.plan.Steps = []plan.Step{step("a", 0), step("b", 0)}
		o, err := w.run(t.Context(), w.record(2*time.Minute))
		w.want(o, err, engine.RolledBack, engine.CauseFailure)
	})
}

// TestLockLostByAnOp: an actuator that finds the lock gone ends the run as the lock's own context would.
func TestLockLostByAnOp(t *testing.T) {
	for _, cause := range []error{engine.ErrLockLost, engine.ErrFenced} {
		for _, back := range []bool{false, true} {
			inWorld(t, func(t *testing.T, w *world) {
				if back {
					w.fails("do b", errors.New("broken"))
					w.fails("undo b", cause)
				} else {
					w.fails("do b", cause)
				}
				_, err := w.begin(step("a", 0), step("b", 0))
				if !errors.Is(err, cause) {
					t.Errorf("error %v", err)
				}
				log := w.notes()
				if last := log[len(log)-1]; last != "do b" && last != "undo b" {
					t.Errorf("done after the lock was lost: %v", log)
				}
			})
		}
	}
}

// TestInbox: a request ends each step where it is; a stale one, for another rollout, is only taken out.
func TestInbox(t *testing.T) {
	for _, tc := range []struct {
		name    string
		request engine.Request
		phase   engine.Phase
		cause   engine.Cause
		reason  string
	}{
		{"abort", engine.Request{Verb: engine.Abort, By: "ann", Rollout: "one", Reason: "smells"}, engine.RolledBack, engine.CauseAbort, "aborted by ann: smells"},
		{"abort whichever", engine.Request{Verb: engine.Abort, By: "ann"}, engine.RolledBack, engine.CauseAbort, "aborted by ann"},
		{"supersede", engine.Request{Verb: engine.Supersede, By: "run 7", Rollout: "one"}, engine.RolledBack, engine.CauseSuperseded, "superseded by run 7"},
		{"stale", engine.Request{Verb: engine.Abort, By: "ann", Rollout: "zero"}, engine.Succeeded, "", ""},
	} {
		for _, at := range []time.Duration{0, 5 * time.Second, 15 * time.Second, 25 * time.Second} {
			t.Run(tc.name+" at "+at.String(), func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					request := tc.request
					request.ID, request.At = "r", w.clock.Now()
					post := func() {
						if err := w.process.Post(context.Background(), request); err != nil {
							t.Error(err)
						}
					}
					if at == 0 {
						post()
					} else {
						w.after(at, post)
					}
					w.takes("do a", 10*time.Second)
					w.takes("do b", 10*time.Second)
					o, err := w.begin(step("a", 0), step("b", 10*time.Second))
					w.want(o, err, tc.phase, tc.cause)
					if o.Reason != tc.reason {
						t.Errorf("reason is %q", o.Reason)
					}
					if tc.cause != "" && (w.at() != at || w.stored().Rollout.By != tc.request.By || w.state["a"] != 0) {
						t.Errorf("undone at %v, by %q, state %v", w.at(), w.stored().Rollout.By, w.state)
					}
					ctx, stop := context.WithCancel(w.t.Context())
					defer stop()
					left := w.process.Requests(ctx)
					w.after(time.Second, stop)
					if r, more := <-w.advanced(left); more {
						t.Errorf("%+v is still in the inbox", r)
					}
				})
			})
		}
	}
}

// advanced passes a channel on after the clock has moved by a minute.
func (w *world) advanced(c <-chan engine.Request) <-chan engine.Request {
	w.clock.Advance(time.Minute)
	return c
}

// deafInbox cannot be cleared.
type deafInbox struct{ engine.Inbox }

func (deafInbox) Clear(context.Context, string) error { return errors.New("forbidden") }

// TestInboxNotCleared is worth a warning, no more.
func TestInboxNotCleared(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.inbox = deafInbox{w.process}
		if err := w.process.Post(t.Context(), engine.Request{ID: "r", Verb: engine.Abort, By: "ann"}); err != nil {
			t.Fatal(err)
		}
		o, err := w.begin(step("a", time.Minute))
		w.want(o, err, engine.RolledBack, engine.CauseAbort)
		if e := w.find(engine.EventWarning); e == nil || !strings.Contains(e.Message, "forbidden") {
			t.Errorf("told %+v", e)
		}
	})
}

// TestNoInbox: rehearsals have none.
func TestNoInbox(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.inbox = nil
		o, err := w.begin(step("a", time.Minute))
		w.want(o, err, engine.Succeeded, "")
	})
}
