package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
)

// detachedCanary leaves its rollout at 50 % and at full share.
func detachedCanary() kind {
	k := canary()
	k.strategy = "{canary: {steps: [10%, {weight: 50%, detach: true}, {weight: 100%, detach: true}], hold: 5s}}"
	return k
}

// detachedRolling leaves its rollout at each pause, and when all pods are new.
func detachedRolling() kind {
	return kind{strategy: "{rolling: {pauseAt: [1, 50%], hold: 5s, minReady: 1s, detach: true}}", check: (*world).neverShort}
}

// carry deploys, and again whenever a run has left its rollout in a hold that is over then, as a schedule would.
func carry(ctx context.Context, o app.Options) (app.Result, error) {
	for {
		result, err := app.Deploy(ctx, o)
		if err != nil || result.Result != report.Pending {
			return result, err
		}
		if err := clock.Sleep(ctx, clock.Real{}, 6*time.Second); err != nil {
			return result, err
		}
	}
}

// holding is a strategy with a long detached hold.
func holding() kind {
	k := canary()
	k.strategy = "{canary: {steps: [{weight: 50%, hold: 10m, detach: true}, {weight: 100%, hold: 5m, detach: true}], hold: 5s}}"
	return k
}

// holds brings a rollout to its first detached hold.
func (w *world) holds() app.Result {
	w.t.Helper()
	result, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
	if err != nil || result.Result != report.Pending || result.Step != "shift-50" {
		w.t.Fatalf("%+v, %v", result, err)
	}
	return result
}

// caller are the options of a command that names no image.
func (w *world) caller(name string) app.Options {
	o := w.options("", nil)
	o.Images, o.Holder = nil, name
	return o
}

// resume is what a scheduled run does.
func (w *world) resume() (app.Result, error) {
	o := w.caller("clock")
	o.Resume = true
	return app.Deploy(w.t.Context(), o)
}

// TestDetachedHold: the run ends in it, its result says so, and a scheduled run looks, goes on when it is over, and leaves
// again in the next one.
func TestDetachedHold(t *testing.T) {
	holding().inWorld(t, func(w *world) {
		first := w.holds()
		if !strings.Contains(first.Reason, "holds at step shift-50 until ") || !strings.Contains(first.Reason, "; nobody watches meanwhile") || first.Result.ExitCode() != 4 {
			t.Errorf("%+v", first)
		}
		v, err := app.Status(w.t.Context(), w.caller("reader"))
		if err != nil || v.Facts.Alive == nil || *v.Facts.Alive {
			t.Errorf("the lock is still held: %+v, %v", v.Facts, err)
		}
		_, until, _ := v.Record.Rollout.Holding()
		time.Sleep(5 * time.Minute)
		for _, who := range []string{"schedule", "same deploy"} {
			before := time.Now()
			r, err := w.resume()
			if who == "same deploy" {
				r, err = app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
			}
			if err != nil || r.Result != report.Pending || r.Rollout != first.Rollout || r.Step != "shift-50" || time.Since(before) > 15*time.Second {
				t.Errorf("%s: %+v, %v after %v", who, r, err, time.Since(before))
			}
			if _, now, _ := w.rollout().Holding(); !now.Equal(until) {
				t.Errorf("%s: the hold ends at %v, was to end at %v", who, now, until)
			}
		}
		time.Sleep(5 * time.Minute)
		if r, err := w.resume(); err != nil || r.Result != report.Pending || r.Step != "full" {
			t.Errorf("after the first hold: %+v, %v", r, err)
		}
		time.Sleep(5 * time.Minute)
		if r, err := w.resume(); err != nil || r.Result != report.Succeeded || r.Rollout != first.Rollout {
			t.Errorf("after the last: %+v, %v", r, err)
		}
		w.want("checkout:v2")
	})
}

// TestDetachedHoldWatched: a run that is told to stay does.
func TestDetachedHoldWatched(t *testing.T) {
	holding().inWorld(t, func(w *world) {
		o := w.options("checkout:v2", nil)
		o.Wait = true
		begun := time.Now()
		if r, err := app.Deploy(w.t.Context(), o); err != nil || r.Result != report.Succeeded || time.Since(begun) < 15*time.Minute {
			t.Errorf("%+v, %v after %v", r, err, time.Since(begun))
		}
		w.want("checkout:v2")
	})
}

// TestDetachedHoldLate: the first run that comes after the deadline takes the rollout back, whoever it is.
func TestDetachedHoldLate(t *testing.T) {
	for _, who := range []string{"schedule", "same", "full"} {
		t.Run(who, func(t *testing.T) {
			holding().inWorld(t, func(w *world) {
				first := w.holds()
				time.Sleep(2 * time.Hour)
				r, err := app.Result{}, error(nil)
				switch who {
				case "schedule":
					r, err = w.resume()
				case "same":
					r, err = app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
				case "full":
					o := w.caller("ann")
					o.Full = true
					r, err = app.Promote(w.t.Context(), o)
				}
				if err != nil || r.Result != report.RolledBack || r.Rollout != first.Rollout || !strings.Contains(r.Reason, "deadline") {
					t.Errorf("%+v, %v", r, err)
				}
				w.want("checkout:v1")
			})
		})
	}
}

// TestAnswersInADetachedHold: promote has nothing to answer, promote --full carries the rollout to its end, abort takes it
// back; each a second time, and after each other, has a clear answer.
func TestAnswersInADetachedHold(t *testing.T) {
	holding().inWorld(t, func(w *world) {
		w.holds()
		r, err := app.Promote(w.t.Context(), w.caller("ann"))
		if err == nil || r.Result != report.Invalid || !strings.Contains(err.Error(), "nothing waits for an approval: rollout "+w.rollout().ID+" holds at step shift-50 until") ||
			!strings.Contains(err.Error(), "promote --full") {
			t.Errorf("promote: %+v, %v", r, err)
		}
		full := w.caller("ann")
		full.Full = true
		begun := time.Now()
		if r, err := app.Promote(w.t.Context(), full); err != nil || r.Result != report.Succeeded || time.Since(begun) > 2*time.Minute {
			t.Errorf("in full: %+v, %v after %v", r, err, time.Since(begun))
		}
		if r, err := app.Promote(w.t.Context(), full); err == nil || r.Result != report.Invalid || !strings.Contains(err.Error(), "succeeded") {
			t.Errorf("in full again: %+v, %v", r, err)
		}
		if r, err := app.Abort(w.t.Context(), w.caller("bob")); err != nil || r.Result != report.Unchanged || !strings.Contains(r.Reason, "too late") {
			t.Errorf("abort afterwards: %+v, %v", r, err)
		}
		w.want("checkout:v2")
	})
	holding().inWorld(t, func(w *world) {
		first := w.holds()
		if r, err := app.Abort(w.t.Context(), w.caller("bob")); err != nil || r.Result != report.Aborted || r.Rollout != first.Rollout {
			t.Errorf("abort: %+v, %v", r, err)
		}
		if r, err := app.Abort(w.t.Context(), w.caller("bob")); err != nil || r.Result != report.Unchanged || !strings.Contains(r.Reason, "nothing to abort") {
			t.Errorf("abort again: %+v, %v", r, err)
		}
		full := w.caller("ann")
		full.Full = true
		if r, err := app.Promote(w.t.Context(), full); err == nil || r.Result != report.Invalid || !strings.Contains(err.Error(), "too late to promote") {
			t.Errorf("promote afterwards: %+v, %v", r, err)
		}
		w.want("checkout:v1")
	})
}

// TestPromoteAgainInAHold: who promoted an approval before is told about the hold, and that is no failure.
func TestPromoteAgainInAHold(t *testing.T) {
	k := holding()
	k.strategy = "{canary: {steps: [{approve: {message: go}}, {weight: 50%, hold: 10m, detach: true}]}}"
	k.inWorld(t, func(w *world) {
		if r, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil)); err != nil || r.Result != report.Pending || r.Step != "approve" {
			t.Fatalf("%+v, %v", r, err)
		}
		if r, err := app.Promote(w.t.Context(), w.caller("ann")); err != nil || r.Result != report.Pending || r.Step != "shift-50" {
			t.Errorf("promote: %+v, %v", r, err)
		}
		r, err := app.Promote(w.t.Context(), w.caller("ann"))
		if err != nil || r.Result != report.Unchanged || !strings.Contains(r.Reason, "approved by ann") || !strings.Contains(r.Reason, "holds at step shift-50") {
			t.Errorf("promote again: %+v, %v", r, err)
		}
		if r, err := app.Abort(w.t.Context(), w.caller("bob")); err != nil || r.Result != report.Aborted {
			t.Errorf("abort: %+v, %v", r, err)
		}
		w.want("checkout:v1")
	})
}

// TestDeployBehindAHold: what becomes of another version while a rollout holds without a run, by spec.concurrency.
func TestDeployBehindAHold(t *testing.T) {
	for _, tc := range []struct {
		concurrency spec.Concurrency
		answer      string // after five minutes
		want        report.Result
		stands      string
		atLeast     time.Duration
	}{
		{spec.Supersede, "", report.Succeeded, "checkout:v3", 0},
		{spec.Reject, "", report.Locked, "checkout:v1", 0},
		{spec.Queue, "", report.Succeeded, "checkout:v3", 15 * time.Minute},
		{spec.Queue, "abort", report.Succeeded, "checkout:v3", 5 * time.Minute},
		{spec.Queue, "full", report.Succeeded, "checkout:v3", 5 * time.Minute},
	} {
		t.Run(fmt.Sprintf("%s %s", tc.concurrency, tc.answer), func(t *testing.T) {
			t.Parallel()
			holding().inWorld(t, func(w *world) {
				first := w.holds()
				other := w.options("checkout:v3", nil)
				other.Deploy.Spec.Strategy.Canary.Steps = []spec.Step{{Weight: spec.All}}
				other.Deploy.Spec.Concurrency = tc.concurrency
				begun := time.Now()
				run := w.begin(other)
				time.Sleep(5 * time.Minute)
				ann := w.caller("ann")
				ann.Full = true
				switch tc.answer {
				case "abort":
					if r, err := app.Abort(w.t.Context(), ann); err != nil || r.Result != report.Aborted {
						t.Errorf("abort: %+v, %v", r, err)
					}
				case "full":
					if r, err := app.Promote(w.t.Context(), ann); err != nil || r.Result != report.Succeeded {
						t.Errorf("promote: %+v, %v", r, err)
					}
				}
				run.end(t, tc.want)
				if took := time.Since(begun); took < tc.atLeast {
					t.Errorf("it took %v", took)
				}
				if tc.want == report.Locked {
					if !strings.Contains(run.result.Reason, first.Rollout+" holds at step shift-50 until") || !strings.Contains(run.result.Hint, "promote --full") {
						t.Errorf("rejected with %+v", run.result)
					}
					if r, err := app.Abort(w.t.Context(), ann); err != nil || r.Result != report.Aborted {
						t.Errorf("abort: %+v, %v", r, err)
					}
				}
				w.want(tc.stands)
			})
		})
	}
}

// TestKilledAroundADetachedHold kills the run that leaves, the one that looks, the one that goes on and the one that
// promotes in full, before and after each of its writes. A schedule then leads to the new version, promote --full too, an
// abort to the old one, without a lost request.
func TestKilledAroundADetachedHold(t *testing.T) {
	for _, who := range []string{"look", "over", "full"} {
		n := holding().holdWrites(t, who)
		t.Logf("%s makes %d writes", who, n)
		stride, _ := strides()
		for at := 1; at <= n; at += stride {
			for _, after := range []bool{false, true} {
				for _, then := range []string{"schedule", "full", "abort"} {
					t.Run(fmt.Sprintf("%s, %d, after %t, %s", who, at, after, then), func(t *testing.T) {
						t.Parallel()
						holding().inWorld(t, func(w *world) { w.killInHold(who, at, after, then) })
					})
				}
			}
		}
	}
}

// inHold is one run that meets the rollout in its detached hold.
func (w *world) inHold(ctx context.Context, who string, k *killer) (app.Result, error) {
	o := w.caller(who)
	o.Wrap = k.wrap
	if who == "full" {
		o.Full = true
		return app.Promote(ctx, o)
	}
	if who == "over" {
		time.Sleep(10 * time.Minute)
	}
	o.Resume = true
	return app.Deploy(ctx, o)
}

func (s kind) holdWrites(t *testing.T, who string) int {
	k := &killer{at: -1}
	s.inWorld(t, func(w *world) {
		w.holds()
		if r, err := w.inHold(w.t.Context(), who, k); err != nil || (r.Result != report.Pending && r.Result != report.Succeeded) {
			t.Fatalf("%+v, %v", r, err)
		}
	})
	return k.count
}

func (w *world) killInHold(who string, at int, after bool, then string) {
	first := w.holds()
	ctx, kill := context.WithCancelCause(w.t.Context())
	k := &killer{at: at, after: after, kill: kill}
	if r, err := w.inHold(ctx, who, k); k.where == "" && err != nil {
		w.t.Errorf("%s: %+v, %v", who, r, err)
	}
	image := "checkout:v2"
	switch then {
	case "abort":
		r, err := app.Abort(w.t.Context(), w.caller("bob"))
		if err != nil || (r.Result != report.Aborted && r.Result != report.Unchanged) {
			w.t.Errorf("killed at %s; aborted: %+v, %v", k.where, r, err)
		}
		if image = "checkout:v1"; r.Result == report.Unchanged { // too late
			image = "checkout:v2"
		}
	case "full":
		o := w.caller("ann")
		o.Full = true
		if r, err := app.Promote(w.t.Context(), o); w.rollout().Phase != engine.Succeeded {
			w.t.Errorf("killed at %s; promoted: %+v, %v", k.where, r, err)
		}
	default:
		for range 3 {
			time.Sleep(10 * time.Minute)
			if r, err := w.resume(); err != nil {
				w.t.Errorf("killed at %s; resumed: %+v, %v", k.where, r, err)
			}
		}
	}
	if ro := w.rollout(); ro.ID != first.Rollout {
		w.t.Errorf("killed at %s: rollout %s has become %s", k.where, first.Rollout, ro.ID)
	}
	w.want(image)
}
