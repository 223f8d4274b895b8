package report

import (
	"maps"
	"slices"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
)

// Mark is how far a step has got.
type Mark string

// The marks of a step.
const (
	Done    Mark = "done"
	Current Mark = "current"
	Coming  Mark = "coming"
	Turning Mark = "turning" // being undone, or waiting for it
	Undone  Mark = "undone"
)

// Step is one step of a plan with what happened in it.
type Step struct {
	plan.Step
	State engine.StepState
	Mark  Mark
}

// Took is how long the step took, or has taken until now.
func (s Step) Took(now time.Time) time.Duration {
	switch {
	case s.State.Started.IsZero():
		return 0
	case s.State.Finished.IsZero():
		return now.Sub(s.State.Started)
	}
	return s.State.Finished.Sub(s.State.Started)
}

// HoldLeft is what is left of the step's hold; false while its ops are not in force or when it has none.
func (s Step) HoldLeft(now time.Time) (time.Duration, bool) {
	if s.State.InForce.IsZero() || s.Hold == 0 {
		return 0, false
	}
	return max(s.State.InForce.Add(time.Duration(s.Hold)).Sub(now), 0), true
}

// Sound is the rollout with its step inside the plan and a state for every step, whatever a record said: rendering must
// not fail over a record that was cut short or edited. A rollout without a plan stays as it is.
func Sound(ro engine.Rollout) engine.Rollout {
	n := len(ro.Plan.Steps)
	if n == 0 {
		return ro
	}
	ro.Step = min(max(ro.Step, 0), n-1)
	if len(ro.Steps) < n {
		ro.Steps = append(slices.Clone(ro.Steps), make([]engine.StepState, n-len(ro.Steps))...)
	}
	return ro
}

// Steps are the plan's steps with their marks.
func Steps(ro engine.Rollout) []Step {
	ro = Sound(ro)
	steps := make([]Step, len(ro.Plan.Steps))
	for i, s := range ro.Plan.Steps {
		steps[i] = Step{Step: s, State: ro.Steps[i], Mark: mark(ro, i)}
	}
	return steps
}

func mark(ro engine.Rollout, i int) Mark {
	switch {
	case i > ro.Step:
		return Coming
	case ro.Phase == engine.Succeeded:
		return Done
	case ro.Phase == engine.RolledBack:
		return Undone
	case ro.Phase == engine.Undoing || ro.Phase == engine.UndoFailed:
		if ro.Undone >= opsBackTo(ro, i) {
			return Undone
		}
		return Turning
	case i < ro.Step:
		return Done
	}
	return Current
}

// opsBackTo is the number of undo ops that bring the rollout to the state before step i.
func opsBackTo(ro engine.Rollout, i int) int {
	return len(plan.Plan{Steps: ro.Plan.Steps[i : ro.Step+1]}.UndoFrom(ro.Step - i))
}

// wayBack are the ops that lead back from where the rollout stands.
func wayBack(ro engine.Rollout) []plan.Op {
	if len(ro.Plan.Steps) == 0 {
		return nil
	}
	ro = Sound(ro)
	return ro.Plan.UndoFrom(ro.Step)
}

// Share is the share of requests that meets the new version, as far as it was saved. On the way back it follows the
// ops that are done: traffic is back on the base before everything else is.
func Share(ro engine.Rollout) plan.Share {
	if len(ro.Plan.Steps) == 0 {
		return 0
	}
	ro = Sound(ro)
	if ro.Phase == engine.Undoing || ro.Phase == engine.UndoFailed {
		ops := wayBack(ro)
		for i := min(ro.Undone, len(ops)) - 1; i >= 0; i-- {
			switch {
			case ops[i].Kind == plan.SetSplit:
				return ops[i].Weight
			case ops[i].Kind == plan.Roll && ops[i].Version == plan.Base, ops[i].Kind == plan.RemoveCandidate:
				return 0
			}
		}
	}
	return ro.Weight()
}

// Peak is the largest share of requests that met the new version.
func Peak(ro engine.Rollout) plan.Share {
	var peak plan.Share
	for _, s := range Steps(ro) {
		if !s.State.InForce.IsZero() {
			peak = max(peak, s.Weight)
		}
	}
	return peak
}

// FirstShift is when the first request could meet the new version; zero when none could.
func FirstShift(ro engine.Rollout) time.Time {
	for _, s := range Steps(ro) {
		if s.Weight > 0 && !s.State.InForce.IsZero() {
			return s.State.InForce
		}
	}
	return time.Time{}
}

// Gate is what one gate said in the last step in which it was asked.
type Gate struct {
	Name string
	Step string
	engine.Tally
}

// Gates are the gates that were asked or watch the present step, in the order of the spec. One that has not been asked
// yet has no looks.
func Gates(ro engine.Rollout) []Gate {
	ro = Sound(ro)
	steps := Steps(ro)
	last := map[string]Gate{}
	for i, s := range steps[:min(ro.Step+1, len(steps))] {
		for name, tally := range s.State.Gates {
			last[name] = Gate{Name: name, Step: s.ID, Tally: tally}
		}
		if i == ro.Step && ro.Phase == engine.Running {
			for _, name := range s.Gates {
				if _, asked := s.State.Gates[name]; !asked {
					last[name] = Gate{Name: name, Step: s.ID}
				}
			}
		}
	}
	var all []Gate
	for _, name := range ro.Plan.Gates {
		if g, ok := last[name]; ok {
			all = append(all, g)
			delete(last, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(last)) {
		all = append(all, last[name])
	}
	return all
}

// FailedGate is the gate that undid the rollout, if one did.
func FailedGate(ro engine.Rollout) (Gate, bool) {
	if ro.Cause != engine.CauseGate || len(ro.Plan.Steps) == 0 {
		return Gate{}, false
	}
	ro = Sound(ro)
	for _, g := range Gates(ro) {
		if g.Step == ro.Plan.Steps[ro.Step].ID && g.Last.Outcome == gates.Fail {
			return g, true
		}
	}
	return Gate{}, false
}
