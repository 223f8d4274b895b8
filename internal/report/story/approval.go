package story

import (
	"slices"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
)

// Approvals is Canary with two approvals: one before the first share, which may be given by the clock, and one at 25 %.
func Approvals() plan.Plan {
	p := Canary()
	ask := func(id, message string, weight plan.Share, gates ...string) plan.Step {
		return plan.Step{ID: id, Title: "wait for an approval: " + message, Weight: weight, Whole: plan.Base, Gates: gates,
			Approve: &plan.Approval{Message: message, Timeout: plan.Duration(24 * time.Hour)}}
	}
	early, late := ask("approve", "Support is staffed", 0, "kubernetes"), ask("sign-off", "Business sign-off", 25*plan.OnePercent, p.Gates...)
	early.Approve.Promotes = true
	p.Steps = slices.Insert(slices.Insert(p.Steps, 3, late), 1, early)
	return p
}

// ask runs step i, an approval, as far as the gates go, and begins to wait.
func (s *Story) ask(i int, say Verdicts) {
	ro := s.Record.Rollout
	step := ro.Plan.Steps[i]
	ro.Step = i
	ro.Steps[i] = engine.StepState{ID: step.ID, Started: s.now, InForce: s.now,
		Approval: &engine.Approval{Since: s.now, Until: s.now.Add(time.Duration(step.Approve.Timeout))}}
	s.judges = nil
	s.Tell(engine.Event{Kind: engine.EventStepStarted, Message: step.Title})
	s.Tell(engine.Event{Kind: engine.EventInForce, Message: step.Title})
	s.Tell(engine.Event{Kind: engine.EventWaiting, Message: step.Approve.Message})
	s.look(step, say)
}

// Approve tells the answer of a person, and the end of the step.
func (s *Story) Approve(a engine.Answer) *Story {
	a.At = s.now
	ro := s.Record.Rollout
	ro.Approve(a)
	s.Tell(engine.Event{Kind: engine.EventApproved, Message: a.String()})
	ro.Current().Finished = s.now
	return s.Tell(engine.Event{Kind: engine.EventStepFinished, Message: ro.Plan.Steps[ro.Step].Title})
}

// Asked is a rollout that waits at 25 % for its second approval; nobody is attached to it.
func Asked() *Story {
	s := New(Approvals()).Begin()
	s.Step(0, 7*time.Second, 0, Healthy())
	s.ask(1, Healthy())
	s.Wait(20 * time.Minute).Approve(engine.Answer{By: "mara", Run: "https://github.com/acme/shop/actions/runs/4712/attempts/1", Reason: "Ben and Kim are there"})
	s.Step(2, 7*time.Second, 0, Healthy())
	s.Step(3, 7*time.Second, 0, Healthy())
	s.ask(4, Healthy())
	return s
}

// Answered is Asked after a person approved, to its end.
func Answered() *Story {
	s := Asked().Wait(3 * time.Hour).Approve(engine.Answer{By: "ines@laptop"})
	for i := 5; i < len(s.Record.Rollout.Plan.Steps); i++ {
		s.Step(i, 7*time.Second, 0, Healthy())
	}
	return s.Succeed()
}

// Unanswered is Asked, undone because nobody answered.
func Unanswered() *Story {
	s := Asked().Wait(24 * time.Hour)
	return s.Turn(engine.CauseApproval, "nobody approved within 24h: Business sign-off", "").Back(10, 3*time.Second)
}
