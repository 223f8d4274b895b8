// Package shadow compiles the shadow: the new version gets a copy of live requests, and no user sees its answers.
//
// The candidate stands beside the base with an environment in which its side effects are isolated. A share of the requests
// is copied to it for a while, and gates judge it by what it makes of them. Then the copies end and the candidate goes. The
// base is never touched, and users stay with it: what follows, if anything does, is a rollout of its own.
package shadow

import (
	"errors"
	"fmt"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
)

// Strategy is the copy of live requests.
type Strategy struct{}

var _ strategies.Strategy = Strategy{}

// Name implements strategies.Strategy.
func (Strategy) Name() string { return "shadow" }

// Compile implements strategies.Strategy.
func (s Strategy) Compile(in strategies.Input) (plan.Plan, error) {
	conf := in.Deploy.Spec.Strategy.Shadow
	switch {
	case conf == nil:
		return plan.Plan{}, errors.New("spec.strategy.shadow is missing")
	case in.Deploy.Spec.Traffic == nil:
		return plan.Plan{}, errors.New("spec.strategy.shadow: there is no router that could copy requests; add one: traffic: {gatewayAPI: {httpRoute: NAME}}")
	case in.Baseline.Service == nil:
		return plan.Plan{}, errors.New("spec.strategy.shadow: a copy needs a Service in front of the workload: make one that selects its pods, or name it in spec.service")
	}
	template, err := in.NewTemplate()
	if err != nil {
		return plan.Plan{}, err
	}
	if in.Template, err = isolated(template, in.Images, conf.Env); err != nil {
		return plan.Plan{}, err
	}
	objects, err := strategies.Beside(in)
	if err != nil {
		return plan.Plan{}, err
	}
	c := compiler{conf: *conf, copied: plan.Share(conf.Weight)}
	if err := strategies.Route(in, &objects, plan.Split{Mirror: c.copied}); err != nil {
		return plan.Plan{}, err
	}
	c.Shift = strategies.Shift{In: in, Objects: objects, Guard: in.Deploy.Spec.Traffic.Guard.Std(),
		Drain: strategies.Drain(conf.Drain, in.Baseline), MinPods: conf.MinPods}
	return plan.Plan{Strategy: s.Name(), Target: in.Target(objects), Objects: objects, Gates: in.AllGates(),
		Steps: c.steps(), Notes: c.notes()}, nil
}

type compiler struct {
	strategies.Shift
	conf   spec.Shadow
	copied plan.Share
}

func (c compiler) steps() []plan.Step {
	return []plan.Step{c.candidate(), c.shadow(), c.stop(), c.cleanUp()}
}

// candidate starts the shadow with the pods that the copies need.
func (c compiler) candidate() plan.Step {
	return c.Candidate(plan.Op{Kind: plan.EnsureCandidate, Shadow: true, Mirror: c.copied, MinPods: c.MinPods})
}

// shadow copies requests while gates watch.
func (c compiler) shadow() plan.Step {
	hold := max(c.conf.Duration.Std(), c.Guard)
	return plan.Step{
		ID: spec.AtShadow, Whole: plan.Base,
		Title: fmt.Sprintf("copy %s of the requests to the new version; users get the answers of the old one", c.copied),
		Do:    []plan.Op{{Kind: plan.SetSplit, Mirror: c.copied, MinPods: c.MinPods}},
		Undo:  c.noCopies(),
		Hold:  plan.Duration(hold),
		Skip:  plan.Duration(hold - c.Guard),
		Gates: c.In.Watching(spec.AtShadow),
	}
}

// stop ends the copies, and lets those that are on their way end.
func (c compiler) stop() plan.Step {
	return plan.Step{ID: "stop", Title: "copy no request any more", Whole: plan.Base, Do: c.noCopies()}
}

func (c compiler) noCopies() []plan.Op {
	return []plan.Op{{Kind: plan.SetSplit, Shadow: true}, c.Wait(c.Guard + c.Drain)}
}

// cleanUp has no undo of its own: nothing that users have depends on the candidate.
func (c compiler) cleanUp() plan.Step {
	return plan.Step{ID: "clean-up", Title: "remove the shadow and all that was made for it", Whole: plan.Base,
		Do: []plan.Op{{Kind: plan.RemoveCandidate}}}
}
