package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
)

// predecessorGone is how long Finish waits for the lock of a process that left no identity: a lease's duration and a
// little.
const predecessorGone = 20 * time.Second

// Finish ends what an earlier process of the same job left: its rollout is taken back, or, with leave, only told to be
// in flight still. A rollout that has ended, or that another run carries, is not touched: it must be o.Rollout, if that
// is known, and its holder o.Holder.
func Finish(ctx context.Context, o Options, leave bool) (Result, error) {
	return reported(ctx, o, func(s *session) (Result, error) { return s.finish(ctx, leave) })
}

func (s *session) finish(ctx context.Context, leave bool) (Result, error) {
	rec, err := s.store.Load(ctx)
	if err != nil {
		return Result{Result: report.Failed}, fmt.Errorf("read the record of %s: %w", s.workload, err)
	}
	switch {
	case rec == nil || rec.Rollout == nil || !s.ours(rec.Rollout):
		return Result{Result: report.Unchanged, Reason: "this job left no rollout of " + s.workload.String() + " in flight"}, nil
	case !rec.Rollout.Phase.InFlight():
		if s.reporter != nil {
			s.reporter.Conclude(rec.Rollout.Copy())
		}
		return ended(rec.Rollout), nil
	case leave:
		result := ended(rec.Rollout)
		result.Result = report.Cancelled
		result.Reason = fmt.Sprintf("left in flight at step %s with %s of the requests on the new version, as on-cancel: leave asks for",
			result.Step, report.Share(*rec.Rollout))
		result.Hint = "Deploy the same version again to resume it, or abort it."
		if s.reporter != nil {
			s.reporter.Leave(rec.Rollout.Copy(), result.Reason)
		}
		return result, nil
	}
	id := rec.Rollout.ID
	locked, unlock, err := s.locker.LockWait(ctx, predecessorGone)
	var held *engine.HeldError
	if errors.As(err, &held) {
		return Result{Result: report.Locked, Reason: held.Holder + " carries the rollout now"}, nil
	}
	if err != nil {
		return (&deployment{session: s}).notLocked(err)
	}
	defer unlock()
	return s.abortUnderLock(locked, id)
}

// ours tells whether a rollout is the one that this job carried.
func (s *session) ours(ro *engine.Rollout) bool {
	return ro.Holder == s.Holder && (s.Rollout == "" || s.Rollout == ro.ID)
}
