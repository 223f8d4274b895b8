package app

import (
	"context"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
)

// behindError says that this run has to wait behind a rollout that waits for a person.
type behindError struct {
	id    string
	until time.Time // then its approval's time is over
}

// Error names the rollout.
func (b *behindError) Error() string { return "rollout " + b.id + " waits for an approval" }

// look carries a rollout of another target that waits for an approval as far as it goes without its answer: its gates are
// asked, and when its time is over it goes back or on. While it waits still, the error is a *behindError.
func (r *rollout) look(ctx context.Context) (Result, error) {
	passing := *r.session
	passing.Wait = false
	looking := *r
	looking.session = &passing
	result, err := looking.resume(ctx)
	if _, a, waits := r.record.Rollout.Waiting(); err == nil && waits {
		return result, &behindError{id: r.record.Rollout.ID, until: a.Until}
	}
	return result, err
}

// rejected is the result of a deploy that may not disturb a rollout which waits for an approval.
func (d *deployment) rejected(ro *engine.Rollout) Result {
	step, _, _ := ro.Waiting()
	return Result{Result: report.Locked, Reason: "another rollout is in flight: " + ro.ID + " waits for an approval: " + step.Approve.Message,
		Hint: "Answer it with `tidegate promote` or `tidegate abort`, or set spec.concurrency to queue or supersede."}
}

// behind waits until the rollout before this one does not wait any more, or its approval's time is over. done is true when
// that took too long, or the run was cancelled.
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
				Hint: "Answer it with `tidegate promote` or `tidegate abort`."}, true
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
	_, _, waits := rec.Rollout.Waiting()
	return waits
}
