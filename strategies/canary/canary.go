// Package canary compiles the canary: a growing share of the requests, judged at every step.
//
// The candidate stands beside the base, which is not touched until the new version carries everything and has baked.
// Then the base takes the new version over while it has no traffic from the route, the traffic returns to it, and the
// candidate goes. Until then the way back is one write. With `settle: inPlace` the candidate stays at the size of the last
// share, and the base is rolled under the rest of the requests.
//
// With `sticky` the shares are those of users: each stays with one version until the step that moves them (sticky.go).
// Without a route the share is that of the pods (replicas.go).
package canary

import (
	"errors"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
)

// Strategy is the canary over a route.
type Strategy struct{}

var _ strategies.Strategy = Strategy{}

// Name implements strategies.Strategy.
func (Strategy) Name() string { return "canary" }

// Compile implements strategies.Strategy.
func (Strategy) Compile(in strategies.Input) (plan.Plan, error) {
	conf := in.Deploy.Spec.Strategy.Canary
	if conf == nil {
		return plan.Plan{}, errors.New("spec.strategy.canary is missing")
	}
	if in.Deploy.Spec.Traffic == nil {
		return byReplicas(in, *conf)
	}
	objects, err := strategies.Beside(in)
	if err != nil {
		return plan.Plan{}, err
	}
	weights, approvals := divide(conf.Steps)
	groups, err := cohorts(in.Deploy, *conf, weights)
	if err != nil {
		return plan.Plan{}, err
	}
	if err := strategies.Route(in, &objects, plan.Split{Weight: plan.All, Ring: ringOf(conf.Internal), Cohorts: groups}); err != nil {
		return plan.Plan{}, err
	}
	c := compiler{
		Shift: strategies.Shift{In: in, Objects: objects, Guard: in.Deploy.Spec.Traffic.Guard.Std(),
			Drain: strategies.Drain(conf.Drain, in.Baseline), MinPods: conf.MinPods},
		conf: *conf, weights: weights, approvals: approvals, ring: ringOf(conf.Internal), cohorts: groups,
	}
	if conf.Settle == spec.SettleInPlace {
		if c.Last, err = last(in, weights); err != nil {
			return plan.Plan{}, err
		}
	}
	p := plan.Plan{Strategy: "canary", Target: in.Target(objects), Objects: objects, Gates: in.AllGates()}
	p.Steps = c.steps()
	p.Notes = c.notes()
	return p, nil
}

type compiler struct {
	strategies.Shift
	conf      spec.Canary
	weights   []spec.Step         // the steps with a weight; the last may have all of it
	approvals map[int][]spec.Step // by how many weights come before
	ring      []plan.Match        // who meets the new version first; empty for nobody
	cohorts   *plan.Cohorts       // the groups in which users move; nil where requests are divided
}

func (c compiler) steps() []plan.Step {
	steps := []plan.Step{c.candidate()}
	if len(c.ring) > 0 {
		steps = append(steps, c.internal())
	}
	steps = append(steps, c.waits(0)...)
	moving := len(steps) // the first step that moves a share of the requests
	for i, s := range c.weights {
		if plan.Share(s.Weight) == plan.All {
			break // full is the next step anyway
		}
		steps = append(append(steps, c.shift(i)), c.waits(i+1)...)
	}
	if c.Last == 0 {
		steps = append(steps, c.full())
	}
	steps[moving] = c.HoldScaler(steps[moving])
	if n := len(c.weights); plan.Share(c.weights[n-1].Weight) == plan.All {
		steps = append(steps, c.waits(n)...)
	}
	return append(steps, c.Settle()...)
}

func (c compiler) sized(kind plan.Kind, i int) plan.Op {
	s := c.weights[i]
	return plan.Op{Kind: kind, Weight: plan.Share(s.Weight), Pods: s.Pods, MinPods: c.conf.MinPods}
}

func (c compiler) candidate() plan.Step {
	first := c.FullSize(plan.EnsureCandidate)
	switch {
	case len(c.ring) > 0:
		first = c.ringSized(plan.EnsureCandidate)
	case plan.Share(c.weights[0].Weight) < plan.All:
		first = c.sized(plan.EnsureCandidate, 0)
	}
	return c.Candidate(first)
}

func (c compiler) shift(i int) plan.Step {
	s := c.weights[i]
	weight := plan.Share(s.Weight)
	step := plan.Step{
		ID: "shift-" + trimPercent(weight), Weight: weight, Whole: plan.Base,
		Title: c.moves(weight),
		Do: []plan.Op{c.sized(plan.ScaleCandidate, i),
			{Kind: plan.SetSplit, Weight: weight, Ring: c.ring, Cohorts: c.moved(i + 1), Pods: s.Pods, MinPods: c.conf.MinPods}},
		Undo:  c.ToBase(),
		Hold:  plan.Duration(max(s.Hold.Std(), c.Guard)),
		Skip:  plan.Duration(max(s.Hold.Std()-c.Guard, 0)),
		Gates: c.In.Watching(s.Name, s.Weight.String()),
		Ahead: c.aheadOf(c.sized(plan.ScaleCandidate, i), i+1), Detach: s.Detach,
	}
	if c.Last == weight { // the base takes the new version over from here
		hold := max(s.Hold.Std(), c.conf.Bake.Std(), c.Guard)
		step.Hold, step.Skip = plan.Duration(hold), plan.Duration(hold-c.Guard)
		step.Gates = c.In.Watching(s.Name, s.Weight.String(), spec.AtBake)
	}
	if s.Name != "" {
		step.ID, step.Title = s.Name, s.Name+": "+step.Title
	}
	return step
}

// aheadOf sizes the candidate for the weight i while the step before it, which has the size of now, still holds; nil when
// that is enough.
func (c compiler) aheadOf(now plan.Op, i int) *plan.Op {
	if i == len(c.weights) && c.Last > 0 {
		return nil // it keeps its size to the end
	}
	next := c.FullSize(plan.ScaleCandidate)
	if i < len(c.weights) {
		next = c.sized(plan.ScaleCandidate, i)
	}
	if now.PodsFor(c.Objects.Size) >= next.PodsFor(c.Objects.Size) {
		return nil
	}
	next.NoWait = true
	return &next
}

// full is also what a last step of 100 % asks for: its hold and its name.
func (c compiler) full() plan.Step {
	last := c.weights[len(c.weights)-1]
	if plan.Share(last.Weight) != plan.All {
		return c.Full(c.conf.Bake.Std())
	}
	step := c.Full(max(c.conf.Bake.Std(), last.Hold.Std()), last.Name)
	step.Detach = last.Detach
	return step
}

func trimPercent(s plan.Share) string {
	text := s.String()
	return text[:len(text)-1]
}

// costly is for how long the candidate runs as many pods as the base, beside the time to roll the base.
func (c compiler) costly() time.Duration {
	return (max(c.conf.Bake.Std(), c.Guard) + c.Guard + c.Drain).Round(time.Second)
}
