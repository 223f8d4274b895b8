package app

import (
	"context"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/preflight"
)

// Planned is what a deploy would do.
type Planned struct {
	Plan      plan.Plan
	Digest    string
	Findings  preflight.Findings
	Unchanged bool       // the version already runs
	Leftovers []plan.Ref // of an earlier rollout without a record; deploy takes them back first
	Needs     []string   // environment variables that the gates' providers need
	Then      *Planned   // what follows when this has succeeded; nil for nothing
}

// Plan observes the cluster and compiles the plan, with everything that would fail. It changes nothing.
func Plan(ctx context.Context, o Options) (Planned, error) {
	stages := o.Deploy.Stages()
	first, err := planStage(ctx, o.with(stages[0]))
	if err != nil || len(stages) == 1 || len(first.Leftovers) > 0 { // what follows cannot be planned from what was left
		return first, err
	}
	then, err := planStage(ctx, o.with(stages[1]))
	first.Then = &then
	return first, err
}

func planStage(ctx context.Context, o Options) (Planned, error) {
	s, err := connect(o)
	if err != nil {
		return Planned{}, err
	}
	defer s.calls.write(o.Calls)
	observed, _, err := s.observe(ctx)
	if err != nil {
		return Planned{}, err
	}
	c, err := s.compile(observed)
	if err != nil {
		return Planned{}, err
	}
	p := Planned{Plan: c.plan, Digest: c.plan.Digest(), Unchanged: c.unchanged, Leftovers: observed.Leftovers, Needs: o.Deploy.Names()}
	p.Findings, err = preflight.Check(ctx, s.free, observed, c.input, c.plan, preflight.Options{Accept: o.Accept, Force: o.Force})
	if err == nil {
		p.Findings = append(p.Findings, s.advice(ctx, c)...)
	}
	return p, err
}
