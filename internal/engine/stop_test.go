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
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/state/memory"
)

// moments are those at which a run may be told to stop.
var moments = []struct {
	name string
	at   time.Duration
	turn bool // the gate fails at a minute, so that the run is on its way back
	log  []string
}{
	{"in an op", 5 * time.Second, false, []string{"claim", "save running a", "do a", "do a was cancelled"}},
	{"in a hold", 30 * time.Second, false, []string{"claim", "save running a", "do a", "save running a in force"}},
	{"in an undo op", 65 * time.Second, true, []string{"claim", "save running a", "do a", "save running a in force",
		"save undoing a in force undone 0", "undo a", "undo a was cancelled"}},
}

// stopAt runs a rollout whose ops take ten seconds, and stops it.
func stopAt(w *world, at time.Duration, turn bool, cause error) error {
	letters := "p"
	if turn {
		letters = "pppppppf" // the start, in force at 10 s, and then up to 60 s
	}
	w.watch("g", letters, gates.Rule{})
	w.takes("do a", 10*time.Second)
	w.takes("undo a", 10*time.Second)
	ctx, cancel := context.WithCancelCause(w.t.Context())
	defer cancel(nil)
	w.after(at, func() { cancel(cause) })
	w.plan.Steps = append(w.plan.Steps, step("a", 100*time.Second, "g"), step("b", 0))
	_, err := w.run(ctx, w.record(time.Hour))
	return err
}

// TestLostLock is law 6: everything ends at once, and nothing more is saved or changed.
func TestLostLock(t *testing.T) {
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				if err := stopAt(w, m.at, m.turn, engine.ErrLockLost); !errors.Is(err, engine.ErrLockLost) {
					t.Errorf("error %v", err)
				}
				w.wantLog(m.log...)
				if w.at() != m.at {
					t.Errorf("ended at %v, not %v", w.at(), m.at)
				}
				if e := w.find(engine.EventStopped); e == nil || !errors.Is(e.Err, engine.ErrLockLost) {
					t.Errorf("told %+v", e)
				}
			})
		})
	}
}

// TestCancelled: a signal stops the run without an undo; what was seen is saved, and the next run carries on.
func TestCancelled(t *testing.T) {
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				if err := stopAt(w, m.at, m.turn, engine.ErrCancelled); !errors.Is(err, engine.ErrCancelled) {
					t.Errorf("error %v", err)
				}
				log := w.notes()
				if !slices.Equal(log[:len(log)-1], m.log) || !strings.HasPrefix(log[len(log)-1], "save ") {
					t.Errorf("log is %q", log)
				}
				rec := w.stored()
				if looks := rec.Rollout.Steps[0].Gates["g"].Looks; looks == 0 {
					t.Error("the looks were not saved")
				}
				if (rec.Rollout.Phase == engine.Undoing) != m.turn {
					t.Errorf("phase is %s", rec.Rollout.Phase)
				}
				o, err := w.resume()
				if m.turn {
					w.want(o, err, engine.RolledBack, engine.CauseGate)
				} else {
					w.want(o, err, engine.Succeeded, "")
				}
			})
		})
	}
}

// TestCancelledDecidesNothing: what ends because of a cancellation (a look, an op, the inbox) is no reason to go back,
// also when the engine was at work while all of that ended.
func TestCancelledDecidesNothing(t *testing.T) {
	for n := range 20 {
		inWorld(t, func(t *testing.T, w *world) {
			w.watch("quick", "p", gates.Rule{})
			hanging := &gate{w: w, name: "hanging", answer: func(ctx context.Context, _ int) (gates.Verdict, error) {
				<-ctx.Done()
				return gates.Verdict{}, ctx.Err()
			}}
			w.add(hanging, gates.Rule{NoData: gates.NoDataFail, Timeout: time.Hour})
			ctx, cancel := context.WithCancelCause(w.t.Context())
			w.listen = func(e engine.Event) { // in the engine's goroutine
				if e.Kind == engine.EventVerdict && w.at() >= 20*time.Second {
					cancel(engine.ErrCancelled)
					time.Sleep(time.Second) // by the bubble's clock: everything else comes to its end
				}
			}
			w.plan.Steps = append(w.plan.Steps, step("a", time.Hour, "quick", "hanging"))
			if _, err := w.run(ctx, w.record(2*time.Hour)); !errors.Is(err, engine.ErrCancelled) {
				t.Errorf("%d: error %v", n, err)
			}
			if ro := w.stored().Rollout; ro.Phase != engine.Running || ro.Cause != "" {
				t.Errorf("%d: recorded %s, %s: %s", n, ro.Phase, ro.Cause, ro.Reason)
			}
		})
	}
}

// closedInbox is one whose watch was refused.
type closedInbox struct{ engine.Inbox }

func (closedInbox) Requests(context.Context) <-chan engine.Request {
	c := make(chan engine.Request)
	close(c)
	return c
}

// TestInboxEnds: an inbox that tells nothing more asks for nothing.
func TestInboxEnds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.inbox = closedInbox{w.process}
		o, err := w.begin(step("a", time.Minute), step("b", 0))
		w.want(o, err, engine.Succeeded, "")
	})
}

// TestFenced: once another run has claimed the record, the first save stops this one; nothing is done after it.
func TestFenced(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.after(30*time.Second, func() {
			rec := w.stored()
			if err := w.cluster.Process("other").Claim(context.Background(), rec); err != nil {
				t.Error(err)
			}
		})
		_, err := w.begin(step("a", time.Minute), step("b", 0))
		if !errors.Is(err, engine.ErrFenced) {
			t.Errorf("error %v", err)
		}
		w.wantLog("claim", "save running a", "do a")
		if got := w.stored(); got.Epoch != 2 || got.Rollout.Step != 0 {
			t.Errorf("stored is epoch %d, step %d", got.Epoch, got.Rollout.Step)
		}
	})
}

// TestCutOff: a holder that cannot reach the cluster loses its lock, and stops at that moment.
func TestCutOff(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, unlock, err := w.process.Lock(w.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.after(30*time.Second, w.process.Cut)
		w.plan.Steps = append(w.plan.Steps, step("a", time.Hour))
		if _, err = w.run(ctx, w.record(2*time.Hour)); !errors.Is(err, engine.ErrLockLost) {
			t.Errorf("error %v", err)
		}
		unlock()
		if w.at() != 45*time.Second {
			t.Errorf("stopped at %v", w.at())
		}
	})
}

// TestFailingSave: whichever save fails, no op is applied after it.
func TestFailingSave(t *testing.T) {
	broken := errors.New("etcd is full")
	for n := 2; n <= 8; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.watch("g", "pppppp", gates.Rule{})
				w.watch("h", "f", gates.Rule{})
				w.process.Hooks.Before = func(i int, r *engine.Record) error {
					if i >= n {
						w.note("save failed")
						return broken
					}
					return nil
				}
				_, err := w.begin(step("a", 10*time.Second, "g"), step("b", 0), step("c", time.Minute, "h"))
				if !errors.Is(err, broken) {
					t.Errorf("error %v", err)
				}
				log := w.notes()
				i := slices.Index(log, "save failed")
				if i < 0 {
					t.Fatalf("nothing failed: %v", log)
				}
				for _, line := range log[i:] {
					if line != "save failed" {
						t.Errorf("%q comes after the failed save; log: %v", line, log)
					}
				}
			})
		})
	}
}

// dies lets a process's saves fail from the nth on, which may be stored without its answer.
func dies(n int, stored bool, p *memory.Process) {
	gone := errors.New("the process is gone")
	note := p.Hooks.After
	fail := memory.FailSave(n, stored, gone)
	p.Hooks.Before = func(i int, r *engine.Record) error {
		if i > n {
			return gone
		}
		if fail.Before != nil {
			return fail.Before(i, r)
		}
		return nil
	}
	p.Hooks.After = func(i int, r *engine.Record) error {
		_ = note(i, r)
		if fail.After != nil {
			return fail.After(i, r)
		}
		return nil
	}
}

// TestCrashAtEverySave: wherever a run ends, the next ones lead to the same end, and no finished step is done twice.
func TestCrashAtEverySave(t *testing.T) {
	for _, tc := range []struct {
		name  string
		gate  string
		phase engine.Phase
		want  string
	}{
		{"forward", "p", engine.Succeeded, "map[a:1 b:1 c:1]"},
		{"back", "f", engine.RolledBack, "map[a:0 b:0 c:0]"},
	} {
		for _, stored := range []bool{false, true} {
			for n, crashed := 1, true; crashed; n++ {
				t.Run(fmt.Sprintf("%s, save %d, stored %t", tc.name, n, stored), func(t *testing.T) {
					inWorld(t, func(t *testing.T, w *world) {
						w.watch("g", "p", gates.Rule{})
						w.watch("last", tc.gate, gates.Rule{Delay: 5 * time.Second})
						dies(n, stored, w.process)
						w.plan.Steps = append(w.plan.Steps, step("a", 10*time.Second, "g"), step("b", 0), step("c", 10*time.Second, "last"))
						_, err := w.run(w.t.Context(), w.record(time.Hour))
						if crashed = err != nil; !crashed {
							return
						}
						rec := w.stored()
						if rec != nil && !rec.Rollout.Phase.InFlight() {
							if rec.Rollout.Phase != tc.phase || fmt.Sprint(w.state) != tc.want {
								t.Errorf("ended %s with %v", rec.Rollout.Phase, w.state)
							}
							return
						}
						w.log = nil
						o, err := w.resume()
						if err != nil || o.Phase != tc.phase || fmt.Sprint(w.state) != tc.want {
							t.Errorf("resumed: %+v, %v, %v", o, err, w.state)
						}
						if got := w.stored(); len(got.History) != 1 || got.Rollout.Phase != tc.phase {
							t.Errorf("stored %s, history %+v", got.Rollout.Phase, got.History)
						}
						if rec != nil {
							w.wantNothingTwice(rec)
						}
					})
				})
				if n > 30 {
					t.Fatal("a run has no end")
				}
			}
		}
	}
}

// wantNothingTwice asserts that what rec says is finished was not done again since.
func (w *world) wantNothingTwice(rec *engine.Record) {
	w.t.Helper()
	ro := rec.Rollout
	for _, s := range ro.Plan.Steps[:ro.Step] {
		if slices.Contains(w.log, opName(s.Do[0])) {
			w.t.Errorf("finished step %s was done again: %v", s.ID, w.log)
		}
	}
	if ro.Phase == engine.Undoing {
		for _, op := range ro.Plan.UndoFrom(ro.Step)[:ro.Undone] {
			if slices.Contains(w.log, opName(op)) {
				w.t.Errorf("%s was done again: %v", opName(op), w.log)
			}
		}
	}
}
