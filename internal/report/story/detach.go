package story

import (
	"fmt"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
)

// Detached is Canary with a hold of twelve hours at 25 % for which no run has to stay.
func Detached() plan.Plan {
	p := Canary()
	p.Steps[2].Hold, p.Steps[2].Skip, p.Steps[2].Detach = plan.Duration(12*time.Hour), plan.Duration(12*time.Hour-guard), true
	return p
}

// Left is a rollout in a detached hold: its gates were asked once, and nobody is attached to it.
func Left() *Story {
	s := New(Detached()).Begin()
	s.Record.Rollout.Deadline = s.now.Add(24 * time.Hour)
	s.Step(0, 7*time.Second, 0, Healthy())
	s.Step(1, 7*time.Second, 0, Healthy())
	s.Step(2, 7*time.Second, time.Nanosecond, Healthy())
	return s.leave()
}

// leave ends the run in a detached hold.
func (s *Story) leave() *Story {
	step, until, _ := s.Record.Rollout.Holding()
	return s.Tell(engine.Event{Kind: engine.EventDetached,
		Message: fmt.Sprintf("holds at step %s until %s; nobody watches meanwhile", step.ID, until.UTC().Format(time.RFC3339))})
}
