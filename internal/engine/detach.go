package engine

import (
	"time"

	"github.com/tidegate/tidegate/internal/plan"
)

// Holding is the detached hold that the rollout stands in, if it does, and when that is over: the hold of a step that needs
// no run to stay. Whether one stays all the same is told by the lock.
func (r *Rollout) Holding() (step plan.Step, until time.Time, holds bool) {
	if r == nil || r.Phase != Running || r.Step < 0 || r.Step >= len(r.Plan.Steps) || r.Step >= len(r.Steps) {
		return plan.Step{}, time.Time{}, false
	}
	step, state := r.Plan.Steps[r.Step], r.Steps[r.Step]
	if !step.Detach || state.InForce.IsZero() || !state.Finished.IsZero() {
		return plan.Step{}, time.Time{}, false
	}
	return step, r.holdOver(step, state.InForce), true
}

// Rests tells whether the rollout may stand without a run, and until when it does by itself: it waits for a person, or in a
// detached hold. Whichever is sooner, that time or the deadline of a hold, the next run has something to do.
func (r *Rollout) Rests() (until time.Time, rests bool) {
	if _, a, waits := r.Waiting(); waits {
		return a.Until, true
	}
	if _, end, holds := r.Holding(); holds {
		return minTime(end, r.Deadline), true
	}
	return time.Time{}, false
}

// holdOver is when a hold ends that began then; sooner than planned when somebody asked for it.
func (r *Rollout) holdOver(step plan.Step, since time.Time) time.Time {
	end := since.Add(time.Duration(step.Hold))
	if r.Full != nil {
		end = end.Add(-time.Duration(step.Skip))
	}
	return end
}

// begin marks the start of the present step. A detached hold that an earlier run began goes on: its end stays.
func (r *run) begin(state *StepState, step plan.Step) {
	state.ID, state.Started = step.ID, r.Clock.Now()
	if !step.Detach {
		state.InForce = time.Time{}
	}
}

// detaches tells whether nobody has to stay for the hold: it is not over, and every gate has been asked what there is to
// see. Who asked for the rest of the rollout without holds wants its end.
func (s *stepRun) detaches(now time.Time) bool {
	return s.step.Detach && s.ro.Full == nil && s.ahead == nil && closed(s.seen) && now.Before(s.holdEnd) && now.Before(s.ro.Deadline) &&
		s.panel.settled()
}
