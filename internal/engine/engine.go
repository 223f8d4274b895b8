package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/plan"
)

// Engine carries rollouts out. All fields are required but Inbox, Outage, Drift and Correct.
type Engine struct {
	Store    Store
	Actuator Actuator
	Inbox    Inbox
	Clock    clock.Clock
	Listener Listener
	// Gates are the gates that the plan's steps name, in the order in which they are told.
	Gates []Watched
	// Look describes the rollout to a gate at this moment: which pods run which side.
	Look func(step plan.Step) gates.Input
	// Outage tells for how long nobody was served since the engine began, where that is measured.
	Outage func() time.Duration
	// Drift tells what is not as these ops, the last of them last, left the cluster. It costs no call and is asked at least
	// once a second while a step holds. Nil where nobody can tell.
	Drift func(done []plan.Op) []Drift
	// Correct is how often a split that somebody else changed may be put back; zero for never.
	Correct time.Duration
	// UndoLimit bounds the way back. When it passes, a person is needed.
	UndoLimit time.Duration
	// Wait keeps the run while an approval waits and in detached holds. Without it the run ends then, unless users may not be
	// left alone.
	Wait bool
}

// Watched is a gate with the rule under which its answers count.
type Watched struct {
	Gate gates.Gate
	Rule gates.Rule
}

// Outcome is how a run ended.
type Outcome struct {
	Phase  Phase
	Cause  Cause
	Reason string
	// Waiting says that the rollout waits for a person or in a detached hold: whoever answers, or resumes it, carries it on.
	Waiting bool
}

// undo is the error by which a step asks for the way back.
type undo struct {
	cause  Cause
	reason string
	by     string
}

func (u *undo) Error() string { return u.reason }

// Run carries rec's rollout on from where it stands until it succeeded, is undone, or waits for a person or in a detached
// hold. The record must be claimed and saved by the caller; ctx is the lock's. An error means that the run stopped in
// between (cancelled, fenced, the cluster out of reach): what was done is recorded, and the next run carries on.
func (e *Engine) Run(ctx context.Context, rec *Record) (Outcome, error) {
	r := &run{Engine: e, rec: rec, ro: rec.Rollout, outage: rec.Rollout.Outage}
	if e.Inbox != nil {
		inbox, stop := context.WithCancel(ctx)
		defer stop()
		r.requests = e.Inbox.Requests(inbox)
	}
	if r.ro.Phase == Running {
		err := r.forward(ctx)
		var u *undo
		switch {
		case err == nil:
			return r.outcome(), nil
		case errors.Is(err, errWaiting):
			return r.left(ctx)
		case !errors.As(err, &u):
			return r.stopped(ctx, err)
		}
		if err := r.turnBack(ctx, u); err != nil {
			return r.stopped(ctx, err)
		}
	}
	if err := r.back(ctx); err != nil {
		return r.stopped(ctx, err)
	}
	return r.outcome(), nil
}

// run is one call of Run. Its goroutine alone touches rec.
type run struct {
	*Engine
	rec      *Record
	ro       *Rollout
	requests <-chan Request
	outage   plan.Duration // of the runs before this one
}

func (r *run) outcome() Outcome {
	return Outcome{Phase: r.ro.Phase, Cause: r.ro.Cause, Reason: r.ro.Reason}
}

// left saves what was seen and leaves a rollout that waits without a run.
func (r *run) left(ctx context.Context) (Outcome, error) {
	if err := r.Store.Save(ctx, r.rec); err != nil {
		return r.stopped(ctx, fmt.Errorf("save that the rollout waits: %w", err))
	}
	if step, until, holds := r.ro.Holding(); holds {
		r.tell(ctx, Event{Kind: EventDetached, Message: fmt.Sprintf("holds at step %s until %s; nobody watches meanwhile", step.ID,
			until.UTC().Format(time.RFC3339))})
	}
	outcome := r.outcome()
	outcome.Waiting = true
	return outcome, nil
}

// forward runs the remaining steps. It returns *undo when the rollout has to go back.
func (r *run) forward(ctx context.Context) error {
	for i := r.ro.Step; i < len(r.ro.Plan.Steps); i++ {
		r.ro.Step = i
		state := r.ro.Current()
		r.begin(state, r.ro.Plan.Steps[i])
		if err := r.overdue(state.Started); err != nil && !state.InForce.IsZero() {
			return err // nobody looked in time: nothing of the step is done again
		}
		r.await(r.ro.Plan.Steps[i], state.Started)
		if err := r.Store.Save(ctx, r.rec); err != nil {
			return fmt.Errorf("save the start of step %s: %w", state.ID, err)
		}
		r.tell(ctx, Event{Kind: EventStepStarted, Message: r.ro.Plan.Steps[i].Title})
		if err := r.step(ctx); err != nil {
			return err
		}
		state.Finished = r.Clock.Now()
		r.tell(ctx, Event{Kind: EventStepFinished, Message: r.ro.Plan.Steps[i].Title})
	}
	r.end(Succeeded)
	if err := r.Store.Save(ctx, r.rec); err != nil {
		return fmt.Errorf("save the end of the rollout: %w", err)
	}
	r.tell(ctx, Event{Kind: EventSucceeded, Message: r.arrived()})
	return nil
}

// arrived says what the end of the plan means for users.
func (r *run) arrived() string {
	if r.ro.Plan.Shadow() {
		return "the shadow is over; users stay with the old version"
	}
	return "the new version serves everyone"
}

func (r *run) end(p Phase) {
	r.measure()
	r.ro.Phase, r.ro.Ended, r.ro.Drift = p, r.Clock.Now(), nil
	r.rec.remember()
}

// measure brings the outage up to date.
func (r *run) measure() {
	if r.Outage != nil {
		r.ro.Outage = r.outage + plan.Duration(r.Outage())
	}
}

// stopped saves what is known, if this run still may, and explains the stop.
func (r *run) stopped(ctx context.Context, err error) (Outcome, error) {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if !errors.Is(err, ErrLockLost) && !errors.Is(err, ErrFenced) {
		save, cancel := clock.WithTimeout(context.WithoutCancel(ctx), r.Clock, stopSave, context.DeadlineExceeded)
		defer cancel()
		_ = r.Store.Save(save, r.rec) // what counts was saved before the step; this adds the latest evidence
	}
	r.tell(ctx, Event{Kind: EventStopped, Message: err.Error(), Err: err})
	return r.outcome(), err
}

// stopSave bounds the last save of a cancelled run, which has 7 s in all.
const stopSave = 2 * time.Second

// tell hands an event to the listener, with the context's values but not its end.
func (r *run) tell(ctx context.Context, ev Event) {
	r.measure()
	ev.At = r.Clock.Now()
	if ev.Step == "" && len(r.ro.Plan.Steps) > 0 {
		ev.Step = r.ro.Plan.Steps[r.ro.Step].ID
	}
	ev.Weight = r.ro.Weight()
	ev.Rollout = r.ro.Copy()
	r.Listener.Handle(context.WithoutCancel(ctx), ev)
}
