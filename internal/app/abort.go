package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
)

// Abort undoes the rollout in flight: its holder is asked to, or, when nobody holds it, it is undone here.
func Abort(ctx context.Context, o Options) (Result, error) {
	return reported(ctx, o, func(s *session) (Result, error) { return s.abort(ctx) })
}

// reported connects, carries a command out and ends its reporting.
func reported(ctx context.Context, o Options, command func(*session) (Result, error)) (Result, error) {
	started := o.now()
	s, err := connect(o)
	if err != nil {
		return Result{Result: report.Invalid}.closed(o, started, err), err
	}
	defer s.calls.write(o.Calls)
	if err := s.tell(ctx); err != nil {
		return Result{Result: report.Invalid}.closed(o, started, err), err
	}
	result, err := command(s)
	err = s.explain(err)
	result = result.closed(o, started, err)
	result.Deployment, result.Told = s.told(ctx, result)
	return result, err
}

func (s *session) abort(ctx context.Context) (Result, error) {
	rec, err := s.store.Load(ctx)
	if err != nil {
		return Result{Result: report.Failed}, fmt.Errorf("read the record of %s: %w", s.workload, err)
	}
	if rec == nil || rec.Rollout == nil || !rec.Rollout.Phase.InFlight() {
		return Result{Result: report.Unchanged, Reason: nothingInFlight(s, rec)}, nil
	}
	id := rec.Rollout.ID
	locked, unlock, err := s.locker.Lock(ctx)
	var held *engine.HeldError
	if errors.As(err, &held) {
		if err := s.ask(ctx, engine.Abort, id); err != nil {
			return Result{Result: report.Failed, Reason: err.Error()}, err
		}
		s.Warn(fmt.Sprintf("asked %s to take the rollout back; waiting for it", held.Holder))
		locked, unlock, err = s.locker.LockWait(ctx, s.takeover())
	}
	if err != nil {
		return (&deployment{session: s}).notLocked(err)
	}
	defer unlock()
	return s.abortUnderLock(locked, id, false)
}

func nothingInFlight(s *session, rec *engine.Record) string {
	text := fmt.Sprintf("no rollout of %s is in flight in namespace %s: nothing to abort", s.workload, s.namespace)
	switch {
	case rec == nil || rec.Rollout == nil:
	case rec.Rollout.Phase == engine.Succeeded:
		text += fmt.Sprintf(", or too late: the last one (%s) succeeded", rec.Rollout.ID)
	default:
		text += fmt.Sprintf("; the last one (%s) %s", rec.Rollout.ID, rec.Rollout.Phase)
	}
	return text
}

// abortUnderLock looks at what the holder left and undoes what is still in flight. With forward, a rollout that is nearly
// done is carried to its end instead.
func (s *session) abortUnderLock(ctx context.Context, id string, forward bool) (Result, error) {
	client, store, err := s.fenced()
	if err != nil {
		return Result{Result: report.Failed}, err
	}
	rec, err := store.Load(ctx)
	if err != nil || rec == nil || rec.Rollout == nil {
		return Result{Result: report.Failed, Reason: "the record of the rollout is gone"}, errors.Join(err,
			errors.New("the record of the rollout is gone; run `tidegate deploy` with the version that should run: it takes what is left back first"))
	}
	ro := rec.Rollout
	switch {
	case ro.ID != id:
		return Result{Result: report.Unchanged, Reason: "that rollout has ended and another one has begun; look at `tidegate status`"}, nil
	case ro.Phase == engine.Succeeded:
		return Result{Result: report.Failed, Reason: "too late: the rollout had succeeded before it could be aborted",
			Hint: "To go back: `tidegate rollback`."}, nil
	case ro.Phase == engine.RolledBack:
		return ended(ro), nil
	case ro.Phase == engine.Running && forward && nearlyDone(ro):
	case ro.Phase == engine.Running:
		ro.Phase, ro.Cause, ro.Undone, ro.By = engine.Undoing, engine.CauseAbort, 0, s.person()
		ro.Reason = "aborted by " + s.person()
		if s.Reason != "" {
			ro.Reason += ": " + s.Reason
		}
	}
	r := &rollout{session: s, client: client, store: store, record: rec}
	return r.resume(ctx)
}
