package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/routine"
)

// aheadOf is how long before the end of a hold the next step is prepared.
const aheadOf = 10 * time.Second

// stepRun is one step being carried out: its ops beside the loop, its gates watched from the start.
type stepRun struct {
	*run
	step    plan.Step
	state   *StepState
	panel   *panel
	applied chan error // the result of Do
	ahead   chan error // the result of Ahead; nil while it does not run
	holdEnd time.Time  // zero until the ops are done
	aheadAt time.Time  // zero when there is nothing (more) to prepare
	drift   watch
	seen    chan struct{} // closed when the gates have data of the candidate, or were waited for long enough; nil before
}

// step applies the present step and holds while its gates watch. It returns nil when the step is done, *undo when the
// rollout must go back, and any other error when the run must stop.
func (r *run) step(ctx context.Context) error {
	s := &stepRun{run: r, step: r.ro.Plan.Steps[r.ro.Step], state: r.ro.Current(),
		applied: make(chan error, 1)}
	s.panel = newPanel(r.Engine, s.step, r.Clock.Now())

	work, cancel := context.WithCancel(ctx)
	s.start(work, s.step.Do, s.applied)
	err := s.loop(ctx, work)
	if err != nil {
		cancel()
	}
	s.drainWork()
	cancel()
	s.panel.stop()
	s.state.Gates = s.panel.tallies()
	return err
}

// start applies ops one after another beside the loop.
func (s *stepRun) start(ctx context.Context, ops []plan.Op, done chan<- error) {
	routine.Go(func() {
		for _, op := range ops {
			if err := s.Actuator.Apply(ctx, op); err != nil {
				done <- fmt.Errorf("could not %s: %w", op, err)
				return
			}
		}
		done <- nil
	})
}

// drainWork waits until no op of the step is running any more: what comes next must be the only writer.
func (s *stepRun) drainWork() {
	if s.applied != nil {
		<-s.applied
	}
	if s.ahead != nil {
		<-s.ahead
	}
	if s.drift.correcting != nil {
		<-s.drift.correcting
	}
	if s.seen != nil {
		<-s.seen
	}
}

func (s *stepRun) loop(ctx, work context.Context) error {
	for {
		if err := s.lookForDrift(ctx, work); err != nil {
			return err
		}
		switch {
		case s.done():
			return nil
		case s.leaves():
			return errWaiting
		}
		now := s.Clock.Now()
		s.panel.askDue(work, now, s.Look)
		timer := s.Clock.NewTimer(s.nextMoment(now).Sub(now))
		err := s.wait(ctx, work, timer)
		timer.Stop()
		if cause := context.Cause(ctx); cause != nil {
			return cause // a run that is told to stop decides nothing more: what just ended, ended by that
		}
		if err != nil {
			return err
		}
	}
}

// wait handles the one thing that happens next.
func (s *stepRun) wait(ctx, work context.Context, timer clock.Timer) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case req, open := <-s.requests:
		if !open {
			s.requests = nil // the inbox ends with the run
			return nil
		}
		return s.answer(ctx, req)
	case err := <-s.applied:
		return s.inForce(ctx, work, err)
	case err := <-s.ahead:
		s.ahead = nil
		return s.failure(ctx, err)
	case err := <-s.drift.correcting:
		s.drift.correcting = nil
		return s.failure(ctx, err)
	case look := <-s.panel.looks:
		return s.judge(ctx, look)
	case <-s.waited():
		return nil
	case <-timer.C():
		return s.moment(ctx, work)
	}
}

// moment handles what is due by the clock.
func (s *stepRun) moment(ctx, work context.Context) error {
	now := s.Clock.Now()
	if s.waiting() { // the deadline stands still
		if !now.Before(s.state.Approval.Until) {
			return s.timedOut(ctx)
		}
	} else if err := s.overdue(now); err != nil {
		return err
	}
	if !s.aheadAt.IsZero() && !now.Before(s.aheadAt) && s.drift.correcting == nil {
		s.aheadAt = time.Time{}
		s.ahead = make(chan error, 1)
		s.start(work, []plan.Op{*s.step.Ahead}, s.ahead)
	}
	return nil
}

// overdue asks for the way back when the deadline has passed.
func (r *run) overdue(now time.Time) error {
	if now.Before(r.ro.Deadline) {
		return nil
	}
	return &undo{cause: CauseDeadline, reason: fmt.Sprintf("the rollout was not done by its deadline (%s); "+
		"raise `spec.deadline` if it needs longer", r.ro.Deadline.UTC().Format(time.RFC3339))}
}

// inForce begins the hold, or goes on with a detached one.
func (s *stepRun) inForce(ctx, work context.Context, err error) error {
	s.applied = nil
	if err != nil {
		return s.failure(ctx, err)
	}
	now := s.Clock.Now()
	again := !s.state.InForce.IsZero()
	if !again {
		s.state.InForce = now
	}
	s.holdEnd = s.state.InForce.Add(time.Duration(s.step.Hold))
	if s.step.Ahead != nil {
		s.aheadAt = maxTime(now, s.holdEnd.Add(-aheadOf))
	}
	s.panel.inForce(now)
	s.seen = s.sight(work)
	if again {
		s.tell(ctx, Event{Kind: EventInfo, Message: fmt.Sprintf("the hold of step %s, which began at %s, goes on until %s", s.step.ID,
			s.state.InForce.UTC().Format(time.RFC3339), s.holdOver().UTC().Format(time.RFC3339))})
	} else {
		s.tell(ctx, Event{Kind: EventInForce, Message: s.step.Title})
	}
	if s.waiting() {
		s.tell(ctx, Event{Kind: EventWaiting, Message: s.step.Approve.Message})
	}
	if s.step.Hold == 0 || len(s.step.Gates) == 0 && !s.step.Detach {
		return nil
	}
	if err := s.Store.Save(ctx, s.rec); err != nil {
		return fmt.Errorf("save that step %s is in force: %w", s.step.ID, err)
	}
	return nil
}

// failure turns an op's error into the way back, unless the run itself must stop.
func (s *stepRun) failure(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case errors.Is(err, ErrLockLost), errors.Is(err, ErrFenced):
		return err
	}
	return &undo{cause: CauseFailure, reason: err.Error()}
}

// answer takes a request out of the inbox. One that means another rollout is stale.
func (s *stepRun) answer(ctx context.Context, req Request) error {
	if req.Verb == Promote && req.Rollout == s.ro.ID {
		if err := s.promoted(ctx, req); err != nil { // first saved, then cleared: nobody asks twice
			return err
		}
	}
	if err := s.Inbox.Clear(ctx, req.ID); err != nil {
		s.tell(ctx, Event{Kind: EventWarning, Message: fmt.Sprintf("could not clear the request to %s: %v", req.Verb, err)})
	}
	if req.Verb == Promote || req.Rollout != "" && req.Rollout != s.ro.ID {
		return nil
	}
	u := &undo{cause: CauseAbort, by: req.By, reason: "aborted by " + req.By}
	if req.Verb == Supersede {
		u.cause, u.reason = CauseSuperseded, "superseded by "+req.By
	}
	if req.Reason != "" {
		u.reason += ": " + req.Reason
	}
	return u
}

// done tells whether the ops are in force, the hold is over and every gate has passed since.
func (s *stepRun) done() bool {
	return !s.waiting() && !s.holdEnd.IsZero() && !s.Clock.Now().Before(s.holdOver()) && s.panel.satisfied() && closed(s.seen) && !s.drift.stands()
}

// holdOver is when the hold ends; sooner than planned when somebody asked for it.
func (s *stepRun) holdOver() time.Time {
	if s.ro.Full == nil {
		return s.holdEnd
	}
	return s.holdEnd.Add(-time.Duration(s.step.Skip))
}

func (s *stepRun) nextMoment(now time.Time) time.Time {
	next := s.ro.Deadline
	if s.waiting() {
		next = s.state.Approval.Until
	}
	if due, ok := s.panel.nextDue(); ok {
		next = minTime(next, due)
	}
	if end := s.holdOver(); !s.holdEnd.IsZero() && end.After(now) {
		next = minTime(next, end)
	}
	if !s.aheadAt.IsZero() && s.drift.correcting == nil {
		next = minTime(next, s.aheadAt)
	}
	if s.watchesDrift() {
		next = minTime(next, s.drift.looked.Add(driftEvery))
	}
	return maxTime(next, now)
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
