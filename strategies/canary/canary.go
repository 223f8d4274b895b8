// Package canary compiles the canary: a growing share of the requests, judged at every step.
//
// The candidate stands beside the base, which is not touched until the new version carries everything and has baked.
// Then the base takes the new version over while it has no traffic from the route, the traffic returns to it, and the
// candidate goes. Until then the way back is one write.
package canary

import (
	"errors"
	"fmt"
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
	if in.Deploy.Spec.Traffic == nil || in.Deploy.Spec.Traffic.GatewayAPI == nil {
		return plan.Plan{}, errors.New("a canary needs a route to divide the requests: set spec.traffic.gatewayAPI")
	}
	objects, err := strategies.Beside(in)
	if err != nil {
		return plan.Plan{}, err
	}
	objects.Traffic = traffic(in, objects)
	weights, marks := divide(conf.Steps)
	c := compiler{in: in, conf: *conf, weights: weights, approvals: marks, objects: objects, guard: in.Deploy.Spec.Traffic.Guard.Std(), drain: drain(*conf, in.Baseline)}
	p := plan.Plan{Strategy: "canary", Target: in.Target(objects), Objects: objects, Gates: in.AllGates()}
	p.Steps = c.steps()
	p.Notes = c.notes()
	return p, nil
}

func traffic(in strategies.Input, objects plan.Objects) *plan.Traffic {
	t := &plan.Traffic{
		Router: in.Deploy.Spec.Traffic.Kind(), Rules: in.Deploy.Spec.Traffic.GatewayAPI.Rules,
		Namespace: objects.Workload.Namespace, Base: plan.RefOf(in.Baseline.Service).Name, Candidate: plan.RefOf(objects.Create[1]).Name,
	}
	for _, r := range in.Baseline.Routes {
		t.Routes = append(t.Routes, plan.RefOf(r))
	}
	return t
}

// drain is how long connections get to end before pods are told to stop: the pod's grace period unless the spec says.
func drain(conf spec.Canary, b plan.Baseline) time.Duration {
	if conf.Drain != nil {
		return conf.Drain.Std()
	}
	return strategies.GracePeriod(b.Workload)
}

type compiler struct {
	in           strategies.Input
	conf         spec.Canary
	weights      []spec.Step         // the steps with a weight; the last may have all of it
	approvals    map[int][]spec.Step // by how many weights come before
	objects      plan.Objects
	guard, drain time.Duration
}

func (c compiler) steps() []plan.Step {
	steps := append([]plan.Step{c.candidate()}, c.waits(0)...)
	for i, s := range c.weights {
		if plan.Share(s.Weight) == plan.All {
			break // full is the next step anyway
		}
		steps = append(append(steps, c.shift(i)), c.waits(i+1)...)
	}
	steps = append(steps, c.full())
	if n := len(c.weights); plan.Share(c.weights[n-1].Weight) == plan.All {
		steps = append(steps, c.waits(n)...)
	}
	return append(steps, c.confirm(), c.rollBase(), c.giveBack(), c.cleanUp())
}

// toBase is the way back of everything that moved traffic: one write, then time for connections to end.
func (c compiler) toBase() []plan.Op {
	return []plan.Op{{Kind: plan.SetSplit}, c.wait(c.guard + c.drain)}
}

func (c compiler) wait(d time.Duration) plan.Op {
	return plan.Op{Kind: plan.Wait, For: plan.Duration(d)}
}

func (c compiler) sized(kind plan.Kind, i int) plan.Op {
	s := c.weights[i]
	return plan.Op{Kind: kind, Weight: plan.Share(s.Weight), Pods: s.Pods, MinPods: c.conf.MinPods}
}

func (c compiler) fullSize(kind plan.Kind) plan.Op {
	return plan.Op{Kind: kind, Weight: plan.All, MinPods: c.conf.MinPods}
}

func (c compiler) candidate() plan.Step {
	first := c.fullSize(plan.EnsureCandidate)
	if plan.Share(c.weights[0].Weight) < plan.All {
		first = c.sized(plan.EnsureCandidate, 0)
	}
	title, sight := "start the candidate and wait until it is ready", time.Duration(0)
	if len(c.in.Deploy.Spec.Gates) > 0 {
		title, sight = title+" and the gates have data of it", sightFor
	}
	return plan.Step{
		ID: "candidate", Title: title, Whole: plan.Base, Sight: plan.Duration(sight),
		Hold: plan.Duration(c.guard), // until the gateways know the new endpoints
		Do:   []plan.Op{first}, Undo: []plan.Op{{Kind: plan.RemoveCandidate}},
		Gates: c.watched(c.in.GatesAt(spec.AtCandidateReady)),
	}
}

// sightFor bounds the wait for the gates' data. Prometheus takes up to 5 s to take a new pod in, and a scrape interval
// more; a service whose metrics only begin with its first request is not waited for any longer.
const sightFor = 5 * time.Second

// watched adds the gate on pods where other gates hold the step.
func (c compiler) watched(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	return append([]string{strategies.PodGate}, names...)
}

func (c compiler) shift(i int) plan.Step {
	s := c.weights[i]
	weight := plan.Share(s.Weight)
	step := plan.Step{
		ID: "shift-" + trimPercent(weight), Weight: weight, Whole: plan.Base,
		Title: fmt.Sprintf("send %s of the requests to the new version", weight),
		Do:    []plan.Op{c.sized(plan.ScaleCandidate, i), {Kind: plan.SetSplit, Weight: weight, Pods: s.Pods, MinPods: c.conf.MinPods}},
		Undo:  c.toBase(),
		Hold:  plan.Duration(max(s.Hold.Std(), c.guard)),
		Skip:  plan.Duration(max(s.Hold.Std()-c.guard, 0)),
		Gates: c.in.Watching(s.Name, s.Weight.String()),
		Ahead: c.ahead(i + 1),
	}
	if s.Name != "" {
		step.ID, step.Title = s.Name, s.Name+": "+step.Title
	}
	if i == 0 && c.objects.Scaler != nil {
		step.Do = append([]plan.Op{{Kind: plan.HoldScaler}}, step.Do...)
		step.Undo = append(step.Undo, plan.Op{Kind: plan.ReleaseScaler})
	}
	return step
}

// ahead sizes the candidate for step i while the one before it still holds; nil when it has the size already.
func (c compiler) ahead(i int) *plan.Op {
	now := c.sized(plan.ScaleCandidate, i-1)
	next := c.fullSize(plan.ScaleCandidate)
	if i < len(c.weights) {
		next = c.sized(plan.ScaleCandidate, i)
	}
	if now.PodsFor(c.objects.Size) >= next.PodsFor(c.objects.Size) {
		return nil
	}
	next.NoWait = true
	return &next
}

// full is also what a last step of 100 % asks for: its hold and its name.
func (c compiler) full() plan.Step {
	last := c.weights[len(c.weights)-1]
	hold, moments := max(c.conf.Bake.Std(), c.guard), []string{spec.AtBake, plan.All.String()}
	if plan.Share(last.Weight) == plan.All {
		hold, moments = max(hold, last.Hold.Std()), append(moments, last.Name)
	}
	step := plan.Step{
		ID: "full", Title: "send every request to the new version; the base still stands untouched", Weight: plan.All, Whole: plan.Base,
		Do:    []plan.Op{c.fullSize(plan.ScaleCandidate), c.fullSize(plan.SetSplit)},
		Undo:  c.toBase(),
		Hold:  plan.Duration(hold),
		Skip:  plan.Duration(hold - c.guard),
		Gates: c.in.Watching(moments...),
	}
	if plan.Share(c.weights[0].Weight) == plan.All && c.objects.Scaler != nil { // no shift before this one
		step.Do = append([]plan.Op{{Kind: plan.HoldScaler}}, step.Do...)
		step.Undo = append(step.Undo, plan.Op{Kind: plan.ReleaseScaler})
	}
	return step
}

// confirm asks every gate once more before the base is touched.
func (c compiler) confirm() plan.Step {
	return plan.Step{
		ID: "confirm", Title: "ask every gate once more before the base is touched", Weight: plan.All, Whole: plan.Base,
		Gates: c.in.Watching(spec.AtBeforeSettle),
	}
}

func (c compiler) rollBase() plan.Step {
	return plan.Step{
		ID: "roll-base", Title: "roll the base to the new version while it has no traffic from the route", Weight: plan.All, Whole: plan.Candidate,
		Do:   []plan.Op{{Kind: plan.RollBase, Version: plan.Candidate}},
		Undo: []plan.Op{{Kind: plan.RollBase, Version: plan.Base}, c.wait(c.guard), {Kind: plan.ReleaseBase}},
		Hold: plan.Duration(c.guard), // until the gateways know the new endpoints
	}
}

func (c compiler) giveBack() plan.Step {
	return plan.Step{
		ID: "return", Title: "send every request to the base, which runs the new version", Weight: plan.All, Whole: plan.Candidate,
		Do:   []plan.Op{{Kind: plan.SetSplit, Strict: true}, c.wait(c.guard + c.drain)},
		Undo: []plan.Op{c.fullSize(plan.EnsureCandidate), c.wait(c.guard), c.fullSize(plan.SetSplit), c.wait(c.guard)},
	}
}

// cleanUp has no undo of its own: the way back from here makes the candidate anew, which the undo of the step before
// does first.
func (c compiler) cleanUp() plan.Step {
	step := plan.Step{ID: "clean-up", Title: "remove the candidate and all marks", Weight: plan.All, Whole: plan.Base}
	if c.objects.Scaler != nil {
		step.Do = append(step.Do, plan.Op{Kind: plan.ReleaseScaler})
		step.Undo = append(step.Undo, plan.Op{Kind: plan.HoldScaler})
	}
	step.Do = append(step.Do, plan.Op{Kind: plan.ReleaseBase}, plan.Op{Kind: plan.RemoveCandidate})
	return step
}
