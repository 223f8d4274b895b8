package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
)

// predecessorGone is how long Finish waits for the lock of a process that left no identity: a lease's duration and a
// little.
const predecessorGone = 20 * time.Second

// Finish ends what an earlier process of the same job left: its rollout is taken back (or carried on, when nothing is left
// that could still be judged), or, with leave, only told to be in flight still. A rollout that has ended, or that another run carries, is not touched: it must be o.Rollout, if that
// is known, and its holder o.Holder.
func Finish(ctx context.Context, o Options, leave bool) (Result, error) {
	result, err := reported(ctx, o, func(s *session) (Result, error) {
		result, err := s.finish(ctx, leave)
		if err != nil {
			s.abandon(err)
		}
		return result, err
	})
	var wrong *Invalid
	if errors.As(err, &wrong) { // there was no session yet
		s := &session{Options: o}
		if s.tell(ctx) == nil {
			s.abandon(err)
			_, result.Told = s.told(ctx, result)
		}
	}
	return result, err
}

func (s *session) finish(ctx context.Context, leave bool) (Result, error) {
	rec, err := s.store.Load(ctx)
	if err != nil {
		return Result{Result: report.Failed}, fmt.Errorf("read the record of %s: %w; the rollout may be in flight still: when the cluster answers again, "+
			"see it with `tidegate status` and take it back with `tidegate abort`", s.workload, err)
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
		result.Reason = fmt.Sprintf("left in flight at step %s with %s of the %s on the new version, as on-cancel: leave asks for",
			result.Step, report.Share(*rec.Rollout), rec.Rollout.Plan.Of())
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
	return s.abortUnderLock(locked, id, true)
}

// nearlyDone tells whether only mechanics are left of a rollout: every gate has passed, and the base runs the new version
// already. The shortest way to a whole cluster is then forward.
func nearlyDone(ro *engine.Rollout) bool {
	for _, step := range ro.Plan.Steps[ro.Step:] {
		if len(step.Gates) > 0 || slices.ContainsFunc(step.Do, func(op plan.Op) bool {
			return op.Kind == plan.RollBase || op.Kind == plan.Roll || op.Kind == plan.ScaleBase
		}) {
			return false
		}
	}
	return ro.Step > 0
}

// ours tells whether a rollout is the one that this job carried.
func (s *session) ours(ro *engine.Rollout) bool {
	return ro.Holder == s.Holder && (s.Rollout == "" || s.Rollout == ro.ID)
}
