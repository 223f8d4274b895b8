package app

import (
	"context"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
)

// behindError says that this run has to wait behind a rollout that waits without a run.
type behindError struct {
	id    string
	what  string    // it does
	until time.Time // then its approval's time or its hold is over
}

// Error names the rollout.
func (b *behindError) Error() string { return "rollout " + b.id + " " + b.what }

// rests says what a rollout does that waits without a run.
func rests(ro *engine.Rollout) string {
	if step, _, waits := ro.Waiting(); waits {
		return "waits for an approval: " + step.Approve.Message
	}
	step, until, _ := ro.Holding()
	return report.Alone(step, until, time.UTC)
}

// look carries a rollout of another target that waits without a run as far as it goes by itself: its gates are asked, and
// when its time is over it goes back or on. While it waits still, the error is a *behindError.
func (r *rollout) look(ctx context.Context) (Result, error) {
	passing := *r.session
	passing.Wait = false
	looking := *r
	looking.session = &passing
	result, err := looking.resume(ctx)
	if until, still := r.record.Rollout.Rests(); err == nil && still {
		return result, &behindError{id: r.record.Rollout.ID, what: rests(r.record.Rollout), until: until}
	}
	return result, err
}

// rejected is the result of a deploy that may not disturb a rollout which waits without a run.
func (d *deployment) rejected(ro *engine.Rollout) Result {
	return Result{Result: report.Locked, Reason: "another rollout is in flight: " + ro.ID + " " + rests(ro),
		Hint: wayOn(ro) + ", or set spec.concurrency to queue or supersede."}
}

// wayOn is how a rollout comes to an end that waits without a run.
func wayOn(ro *engine.Rollout) string {
	if _, _, holds := ro.Holding(); holds {
		return "End it with `tidegate promote --full` or `tidegate abort`"
	}
	return "Answer it with `tidegate promote` or `tidegate abort`"
}

// behind waits until the rollout before this one does not wait any more, or its time is over. done is true when that took
// too long, or the run was cancelled.
func (d *deployment) behind(ctx context.Context, b *behindError, limit time.Time) (result Result, done bool) {
	d.Warn(b.Error() + "; this one begins when it has ended")
	next := b.until
	if limit.Before(next) {
		next = limit
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	timer := d.Clock.NewTimer(next.Sub(d.now()))
	defer timer.Stop()
	records := d.store.WatchRecord(watching)
	for {
		select {
		case <-ctx.Done():
			result, _ = d.notLocked(context.Cause(ctx))
			return result, true
		case <-timer.C():
			if d.now().Before(limit) {
				return Result{}, false
			}
			return Result{Result: report.Locked, Reason: "the rollout before this one did not end in time: " + b.Error(),
				Hint: "Let it go on with `tidegate promote`, in a hold with `--full`, or undo it with `tidegate abort`."}, true
		case rec, open := <-records:
			if !open {
				records = nil // ctx ends
				continue
			}
			if !waitsStill(rec, b.id) {
				return Result{}, false
			}
		}
	}
}

func waitsStill(rec *engine.Record, id string) bool {
	if rec == nil || rec.Rollout == nil || rec.Rollout.ID != id {
		return false
	}
	_, still := rec.Rollout.Rests()
	return still
}
