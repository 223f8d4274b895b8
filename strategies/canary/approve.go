package canary

import (
	"fmt"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
)

// divide sorts the steps of a spec into those with a weight and the approvals between them. Without a weight the rollout
// goes from nothing to everything.
func divide(steps []spec.Step) (weights []spec.Step, approvals map[int][]spec.Step) {
	approvals = map[int][]spec.Step{}
	number := 0
	for _, s := range steps {
		if s.Approve == nil {
			weights = append(weights, s)
			continue
		}
		if number++; s.Name == "" {
			s.Name = "approve"
			if number > 1 {
				s.Name = fmt.Sprintf("approve-%d", number)
			}
		}
		approvals[len(weights)] = append(approvals[len(weights)], s)
	}
	if len(weights) == 0 {
		weights = []spec.Step{{Weight: spec.All}}
	}
	return weights, approvals
}

// waits are the approvals after so many weights.
func (c compiler) waits(after int) []plan.Step {
	var steps []plan.Step
	for _, s := range c.approvals[after] {
		step := plan.Step{
			ID: s.Name, Title: "wait for an approval: " + s.Approve.Message, Whole: plan.Base, Gates: []string{strategies.PodGate},
			Approve: &plan.Approval{Message: s.Approve.Message, Timeout: plan.Duration(s.Approve.Timeout),
				Promotes: s.Approve.OnTimeout == spec.TimeoutPromote},
		}
		if after > 0 {
			at := c.weights[after-1]
			moments := []string{s.Name, at.Name, at.Weight.String()}
			if step.Weight = plan.Share(at.Weight); step.Weight == plan.All || step.Weight == c.Last {
				moments = append(moments, spec.AtBake)
			}
			step.Gates = append(step.Gates, c.In.GateNames(moments...)...)
			step.Approve.Attended = !s.Approve.Unattended
		} else {
			step.Gates = append(step.Gates, c.In.GatesAt(s.Name)...)
		}
		steps = append(steps, step)
	}
	return steps
}
