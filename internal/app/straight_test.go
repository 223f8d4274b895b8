package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
)

// stepsOf are the IDs of the steps of a rollout, with their holds.
func stepsOf(ro *engine.Rollout) string {
	var all []string
	for _, s := range ro.Plan.Steps {
		text := s.ID
		if s.Hold > 0 {
			text += ":" + time.Duration(s.Hold).String()
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

// TestRollbackIsStraight: whatever the strategy is, a rollback goes to everyone at once, and what was undone of it can be
// started again.
func TestRollbackIsStraight(t *testing.T) {
	paused := rolling()
	paused.strategy = "{rolling: {pauseAt: [1, 50%], hold: 5s, detach: true}}"
	stopped := recreate()
	stopped.strategy = "{recreate: {hold: 5s, detach: true}}"
	inFull := canary()
	for _, tc := range []struct {
		name string
		kind kind
		now  bool
		want string
	}{
		{"canary", inFull, false, "candidate:2s full:2s confirm roll-base:2s return clean-up"},
		{"rolling", paused, false, "roll clean-up"},
		{"recreate", stopped, false, "recreate clean-up"},
		{"canary, now", inFull, true, "roll clean-up"},
		{"rolling, now", paused, true, "roll clean-up"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.kind.inWorld(t, func(w *world) {
				if r, err := carry(w.t.Context(), w.options("checkout:v2", nil)); err != nil || r.Result != report.Succeeded {
					t.Fatalf("%+v, %v", r, err)
				}
				if tc.now {
					w.kind.check = (*world).neverShort // there is no other side any more
				}
				o := w.caller("ann")
				o.Now = tc.now
				begun := time.Now()
				if r, err := app.Rollback(w.t.Context(), o); err != nil || r.Result != report.Succeeded {
					t.Errorf("%+v, %v", r, err)
				}
				if got := stepsOf(w.rollout()); got != tc.want {
					t.Errorf("steps are %s, want %s", got, tc.want)
				}
				if took := time.Since(begun); tc.now && took > 30*time.Second {
					t.Errorf("it took %v", took)
				}
				w.want("checkout:v1")
			})
		})
	}
}

// TestRetryOfARollbackNow: what was undone of it is started again in the same way.
func TestRetryOfARollbackNow(t *testing.T) {
	inWorld(t, func(w *world) {
		if r, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil)); err != nil || r.Result != report.Succeeded {
			t.Fatalf("%+v, %v", r, err)
		}
		w.kind.check = (*world).neverShort
		rolled := make(chan struct{})
		o := w.caller("ann")
		o.Now = true
		o.Listeners = bound(func(e engine.Event) {
			if e.Kind == engine.EventStepStarted && e.Step == "roll" {
				close(rolled)
			}
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			if r, err := app.Rollback(w.t.Context(), o); err != nil || r.Result != report.Aborted {
				t.Errorf("%+v, %v", r, err)
			}
		}()
		<-rolled
		if r, err := app.Abort(w.t.Context(), w.caller("bob")); err != nil || r.Result != report.Aborted {
			t.Errorf("abort: %+v, %v", r, err)
		}
		<-done
		w.want("checkout:v2")
		if r, err := app.Retry(w.t.Context(), w.caller("ann")); err != nil || r.Result != report.Succeeded {
			t.Errorf("retry: %+v, %v", r, err)
		}
		if got := stepsOf(w.rollout()); got != "roll clean-up" {
			t.Errorf("steps are %s", got)
		}
		w.want("checkout:v1")
	})
}
