// Package bluegreen compiles the switch: the new version stands ready at full size, can be tried at a preview, and takes
// every request with one write. The old one stands by untouched, one write away, until its time is over.
//
// With spec.traffic the routes move the requests, without it the selector of the workload's own Service. Either way the
// base takes the new version over afterwards, while no request comes to it.
package bluegreen

import (
	"errors"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
)

// Strategy is the switch of every request at once.
type Strategy struct{}

var _ strategies.Strategy = Strategy{}

// Name implements strategies.Strategy.
func (Strategy) Name() string { return "blueGreen" }

// Compile implements strategies.Strategy.
func (s Strategy) Compile(in strategies.Input) (plan.Plan, error) {
	conf := in.Deploy.Spec.Strategy.BlueGreen
	if conf == nil {
		return plan.Plan{}, errors.New("spec.strategy.blueGreen is missing")
	}
	if in.Baseline.Service == nil {
		return plan.Plan{}, errors.New("a switch needs a Service in front of the workload: make one that selects its pods, or name it in spec.service")
	}
	objects, err := strategies.Beside(in)
	if err != nil {
		return plan.Plan{}, err
	}
	guard := strategies.Guard
	if routed := in.Deploy.Spec.Traffic; routed != nil {
		guard = routed.Guard.Std()
		if err := strategies.Route(in, &objects, plan.Split{Weight: plan.All}); err != nil {
			return plan.Plan{}, err
		}
	} else {
		objects.Traffic = strategies.BySelector(in, objects)
		objects.Originals = append(objects.Originals, in.Baseline.Service)
	}
	if objects.Preview, err = preview(conf.Preview, in.Baseline, objects); err != nil {
		return plan.Plan{}, err
	}
	c := compiler{
		Shift: strategies.Shift{In: in, Objects: objects, Guard: guard, Drain: strategies.Drain(conf.Drain, in.Baseline), MinPods: 1},
		conf:  *conf,
	}
	return plan.Plan{Strategy: s.Name(), Target: in.Target(objects), Objects: objects, Gates: in.AllGates(),
		Steps: c.steps(), Notes: c.notes()}, nil
}

type compiler struct {
	strategies.Shift
	conf spec.BlueGreen
}

func (c compiler) steps() []plan.Step {
	steps := []plan.Step{c.Candidate(c.FullSize(plan.EnsureCandidate))}
	if c.previewed() {
		steps = append(steps, c.open(&steps[0]))
	}
	if c.conf.Approve != nil {
		steps = append(steps, c.approval())
	}
	steps = append(steps, c.HoldScaler(c.switchOver()))
	return append(steps, c.Settle()...)
}

func (c compiler) previewed() bool { return len(c.Objects.Preview) > 0 }

// open is the step with the preview. The gates that are asked when the candidate is ready are asked here instead: they
// may want to look at the preview.
func (c compiler) open(candidate *plan.Step) plan.Step {
	gates := candidate.Gates
	candidate.Gates = nil
	return plan.Step{
		ID: "preview", Title: "open the preview of the new version: " + c.where(), Whole: plan.Base,
		Do:   []plan.Op{{Kind: plan.OpenPreview}, c.Wait(c.Guard)},
		Undo: []plan.Op{{Kind: plan.ClosePreview}}, Gates: gates,
	}
}

// where people find the preview.
func (c compiler) where() string {
	if c.conf.Preview.Host != "" {
		return "host " + c.conf.Preview.Host
	}
	return "Service " + c.conf.Preview.Service
}

func (c compiler) approval() plan.Step {
	ask := c.conf.Approve
	return plan.Step{
		ID: "approve", Title: "wait for an approval: " + ask.Message, Whole: plan.Base, Gates: []string{strategies.PodGate},
		Approve: &plan.Approval{Message: ask.Message, Timeout: plan.Duration(ask.Timeout), Promotes: ask.OnTimeout == spec.TimeoutPromote},
	}
}

// switchOver moves every request. Its hold is the time in which the old version stands by; what connections need to end
// on the old pods cannot be skipped, for these are told to stop next.
func (c compiler) switchOver() plan.Step {
	least := c.Guard + c.Drain
	step := c.Full(max(c.conf.KeepOld.Std(), least))
	step.Title = "switch every request to the new version; the old one stands by, one write away"
	step.Skip, step.Detach = step.Hold-plan.Duration(least), c.conf.Detach
	if c.previewed() {
		step.Do = append([]plan.Op{{Kind: plan.ClosePreview}, c.Wait(c.Guard)}, step.Do...) // nobody finds it when users come
	}
	return step
}

// standby is how long both versions run at full size, beside the time to roll the base.
func (c compiler) standby() time.Duration {
	return (max(c.conf.KeepOld.Std(), c.Guard+c.Drain) + 2*c.Guard + c.Drain).Round(time.Second)
}
