package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
)

// waitedFor is the rollout of another holder that was waited for.
type waitedFor struct {
	id   string
	same bool // it has our target
}

// sameTarget tells whether the rollout that was waited for had our target and has ended: its end is ours.
func (w *waitedFor) sameTarget(rec *engine.Record) bool {
	return w != nil && w.same && rec.Rollout != nil && rec.Rollout.ID == w.id
}

// errRejected says that another rollout is in flight and the spec rejects that.
var errRejected = errors.New("another rollout is in flight")

// errOvertaken says that a newer rollout began between two stages of this deploy: it is not asked to go back.
var errOvertaken = errors.New("a newer rollout began after the shadow; what should have followed the shadow did not begin")

// lock takes the lock. When another run holds it, the spec's concurrency decides: its rollout is asked to go back
// (supersede), waited for (queue), or we are rejected. A rollout with our own target is waited for in any case but the
// last: two runs of one commit do the work once.
func (d *deployment) lock(ctx context.Context) (context.Context, func(), *waitedFor, error) {
	locked, unlock, err := d.locker.Lock(ctx)
	var held *engine.HeldError
	if err == nil || !errors.As(err, &held) {
		return locked, unlock, nil, err
	}
	if d.Deploy.Spec.Concurrency == spec.Reject {
		return nil, nil, nil, fmt.Errorf("%w: %w", errRejected, err)
	}
	rec, err := d.store.Load(ctx)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read the record of %s: %w", d.workload, err)
	}
	if over, err := d.overtaken(rec); over && rec.Rollout.Phase.InFlight() || err != nil {
		return nil, nil, nil, errors.Join(errOvertaken, err)
	}
	w, longest := &waitedFor{}, d.Deploy.Spec.Deadline.Std()
	if rec != nil && rec.Rollout != nil && rec.Rollout.Phase.InFlight() {
		w.id = rec.Rollout.ID
		if w.same, err = d.sameTarget(rec.Rollout); err != nil {
			return nil, nil, nil, err
		}
	}
	switch {
	case w.same:
		d.Warn(fmt.Sprintf("%s carries this very version already; waiting for its end", held.Holder))
	case d.Deploy.Spec.Concurrency == spec.Queue || w.id == "":
		d.Warn(fmt.Sprintf("%s is at work on %s; waiting for its end", held.Holder, d.workload))
	default:
		longest = d.takeover()
		d.Warn(fmt.Sprintf("asking %s to take its rollout of %s back; this one starts from the base then", held.Holder, d.workload))
		if err := d.ask(ctx, engine.Supersede, w.id); err != nil {
			return nil, nil, nil, err
		}
	}
	locked, unlock, err = d.locker.LockWait(ctx, longest)
	return locked, unlock, w, err
}

// ask puts a request into the holder's inbox.
func (s *session) ask(ctx context.Context, verb engine.Verb, rollout string) error {
	return s.post(ctx, engine.Request{ID: requestID(verb, s.now()), Verb: verb, By: s.person(), Rollout: rollout})
}

func (s *session) post(ctx context.Context, r engine.Request) error {
	r.Reason, r.At = s.Reason, s.now().Truncate(time.Millisecond)
	if err := s.inbox.Post(ctx, r); err != nil {
		return fmt.Errorf("ask the rollout in flight to %s: %w", r.Verb, err)
	}
	return nil
}

func requestID(verb engine.Verb, now time.Time) string {
	return fmt.Sprintf("%s-%d", verb, now.UnixNano())
}

// notLocked is the result when the lock was not to be had.
func (d *deployment) notLocked(err error) (Result, error) {
	var held *engine.HeldError
	switch {
	case errors.Is(err, errOvertaken):
		return Result{Result: report.Superseded, Reason: errOvertaken.Error()}, nil
	case errors.Is(err, errRejected):
		return Result{Result: report.Locked, Reason: err.Error(), Ending: ending(err),
			Hint: "Wait for its end, stop it with `tidegate abort`, or set spec.concurrency to queue or supersede."}, nil
	case errors.As(err, &held):
		return Result{Result: report.Locked, Reason: "the lock was not released in time: " + err.Error(), Ending: ending(err),
			Hint: "See what it is doing with `tidegate status`."}, nil
	case errors.Is(err, engine.ErrCancelled):
		return Result{Result: report.Cancelled, Reason: "cancelled while waiting for the lock; nothing was touched"}, nil
	}
	return Result{Result: report.Failed, Reason: err.Error()}, err
}

// ending names the holder of the lock for the closing words.
func ending(err error) report.End {
	var held *engine.HeldError
	if !errors.As(err, &held) {
		return report.End{}
	}
	return report.End{Holder: held.Holder, Since: held.Since}
}
