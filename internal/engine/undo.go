package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/internal/clock"
)

// errUndoLimit is the cause of an undo that took too long.
var errUndoLimit = errors.New("the way back took longer than its limit")

// turnBack records that the rollout goes back, and why.
func (r *run) turnBack(ctx context.Context, u *undo) error {
	r.ro.Phase, r.ro.Cause, r.ro.Reason, r.ro.By, r.ro.Undone = Undoing, u.cause, u.reason, u.by, 0
	if err := r.Store.Save(ctx, r.rec); err != nil {
		return fmt.Errorf("save the decision to roll back (%s): %w", u.reason, err)
	}
	return nil
}

// back applies the undo ops that are left, traffic first. What cannot be undone is left as it is, never cleaned up
// around: the side that carries the traffic stays.
func (r *run) back(ctx context.Context) error {
	ctx, cancel := clock.WithTimeout(ctx, r.Clock, r.UndoLimit, errUndoLimit)
	defer cancel()
	r.ro.Phase = Undoing
	r.tell(ctx, Event{Kind: EventUndoing, Message: r.ro.Reason})
	ops := r.ro.Plan.UndoFrom(r.ro.Step)
	for r.ro.Undone < len(ops) {
		op := ops[r.ro.Undone]
		if err := r.keeping(ctx, r.Actuator.Apply(ctx, op)); err != nil {
			return r.undoFailed(ctx, fmt.Errorf("could not %s: %w", op, err))
		}
		r.ro.Undone++
		if r.ro.Undone < len(ops) {
			if err := r.Store.Save(ctx, r.rec); err != nil {
				return fmt.Errorf("save the way back: %w", err)
			}
		}
		r.tell(ctx, Event{Kind: EventUndoOp, Message: op.String()})
	}
	r.end(RolledBack)
	if err := r.Store.Save(ctx, r.rec); err != nil {
		return fmt.Errorf("save the end of the way back: %w", err)
	}
	r.tell(ctx, Event{Kind: EventRolledBack, Message: r.ro.Reason})
	return nil
}

// undoFailed ends the run with a person needed, unless it was only stopped: then the next run goes on.
func (r *run) undoFailed(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errUndoLimit):
		err = fmt.Errorf("%w: %w", errUndoLimit, err)
	case cause != nil:
		return cause
	case errors.Is(err, ErrLockLost), errors.Is(err, ErrFenced):
		return err
	}
	r.ro.Phase = UndoFailed
	r.ro.Reason = fmt.Sprintf("%s; and the way back failed: %v", r.ro.Reason, err)
	save, cancel := clock.WithTimeout(context.WithoutCancel(ctx), r.Clock, stopSave, context.DeadlineExceeded)
	defer cancel()
	saved := r.Store.Save(save, r.rec)
	r.tell(ctx, Event{Kind: EventUndoFailed, Message: r.ro.Reason})
	return errors.Join(saved)
}

// keeping turns what an op left to somebody else into a warning that stays with the rollout. Everything else is as it was.
func (r *run) keeping(ctx context.Context, err error) error {
	var left *LeftError
	if !errors.As(err, &left) {
		return err
	}
	if !slices.Contains(r.ro.Left, left.Reason) {
		r.ro.Left = append(r.ro.Left, left.Reason)
		r.ro.Reason += "; " + left.Reason
	}
	r.tell(ctx, Event{Kind: EventWarning, Message: left.Error()})
	return nil
}
