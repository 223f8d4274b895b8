// Package rolling compiles the exchange pod by pod: the workload's own rolling update, which can stop at an exact number of
// new pods, be judged there, and go back from any pod.
//
// No candidate stands beside the base and no route is needed: a pod gets its share of the requests from the Service. The
// share that meets the new version is the share of its pods.
package rolling

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
)

// Strategy is the exchange pod by pod.
type Strategy struct{}

var _ strategies.Strategy = Strategy{}

// Name implements strategies.Strategy.
func (Strategy) Name() string { return "rolling" }

// Compile implements strategies.Strategy.
func (Strategy) Compile(in strategies.Input) (plan.Plan, error) {
	conf := in.Deploy.Spec.Strategy.Rolling
	if conf == nil {
		return plan.Plan{}, errors.New("spec.strategy.rolling is missing")
	}
	c, err := newCompiler(in, *conf)
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.Plan{
		Strategy: "rolling", Target: in.InPlaceTarget(c.objects), Objects: c.objects, Gates: in.AllGates(),
		Steps: c.steps(), Notes: c.notes(),
	}, nil
}

type compiler struct {
	in      strategies.Input
	conf    spec.Rolling
	objects plan.Objects
	user    settings
	forward plan.Pace // of the roll to the new version
	back    plan.Pace // of the roll to the old one
	pauses  []pause
	slept   bool // graceful found a container without a preStop hook
}

func newCompiler(in strategies.Input, conf spec.Rolling) (*compiler, error) {
	objects, err := strategies.InPlace(in)
	if err != nil {
		return nil, err
	}
	c := &compiler{in: in, conf: conf, objects: objects, user: settingsOf(in.Baseline.Workload)}
	if c.forward, c.back, err = c.user.paces(conf); err != nil {
		return nil, err
	}
	if c.pauses, err = pauses(conf.PauseAt, objects); err != nil {
		return nil, err
	}
	if len(c.pauses) > 0 && in.Baseline.Scaler != nil {
		ref := plan.RefOf(in.Baseline.Scaler)
		c.objects.Scaler = &ref
		c.objects.Originals = append(c.objects.Originals, in.Baseline.Scaler)
	}
	if conf.Graceful > 0 {
		c.objects.Templates[plan.Candidate], c.slept, err = strategies.Graceful(objects.Templates[plan.Candidate], conf.Graceful.Std())
		if err != nil {
			return nil, fmt.Errorf("spec.strategy.rolling.graceful: %s: %w", objects.Workload, err)
		}
	}
	return c, nil
}

func (c *compiler) steps() []plan.Step {
	var steps []plan.Step
	before := 0
	for _, p := range c.pauses {
		steps = append(steps, c.pause(p, before))
		before = p.pods
	}
	steps = append(steps, c.roll(), c.cleanUp())
	steps[0].Undo = append(steps[0].Undo, plan.Op{Kind: plan.ReleaseBase})
	if c.objects.Scaler != nil {
		steps[0].Do = append([]plan.Op{{Kind: plan.HoldScaler, Pods: c.objects.Size}}, steps[0].Do...)
		steps[0].Undo = append(steps[0].Undo, plan.Op{Kind: plan.ReleaseScaler})
	}
	return steps
}

// toOld is the way back from everywhere.
func (c *compiler) toOld() plan.Op {
	return plan.Op{Kind: plan.Roll, Version: plan.Base, Pace: c.back}
}

func (c *compiler) pause(p pause, before int) plan.Step {
	return plan.Step{
		ID: fmt.Sprintf("pods-%d", p.pods), Title: fmt.Sprintf("let %d of %d pods run the new version", p.pods, c.objects.Size),
		Weight: share(p.pods, c.objects.Size), Whole: plan.Base,
		Do:   []plan.Op{{Kind: plan.RollPods, Pods: p.pods, From: before, Pace: plan.Pace{MinReady: c.minReady()}}},
		Undo: []plan.Op{c.toOld()},
		Hold: plan.Duration(c.conf.Hold), Skip: plan.Duration(c.conf.Hold), Detach: c.conf.Detach, Gates: c.in.Watching(p.texts...),
	}
}

// minReady is how long a pod must have been ready at a pause.
func (c *compiler) minReady() plan.Duration {
	if c.conf.MinReady > 0 {
		return plan.Duration(c.conf.MinReady)
	}
	return plan.Duration(c.user.minReady)
}

func (c *compiler) roll() plan.Step {
	title := "roll every pod to the new version"
	if len(c.pauses) > 0 {
		title = "roll the other pods to the new version"
	}
	return plan.Step{
		ID: "roll", Title: title, Weight: plan.All, Whole: plan.Base,
		Do:   []plan.Op{{Kind: plan.Roll, Version: plan.Candidate, Pace: c.forward}},
		Undo: []plan.Op{c.toOld()},
		Hold: plan.Duration(c.conf.Hold), Skip: plan.Duration(c.conf.Hold), Detach: c.conf.Detach, Gates: c.in.Watching(plan.All.String()),
	}
}

// cleanUp has no undo of its own: that of the steps before brings the old version back and releases everything.
func (c *compiler) cleanUp() plan.Step {
	step := plan.Step{ID: "clean-up", Title: "give the workload its own settings back and remove all marks", Weight: plan.All, Whole: plan.Base}
	if c.objects.Scaler != nil {
		step.Do = append(step.Do, plan.Op{Kind: plan.ReleaseScaler})
	}
	step.Do = append(step.Do, plan.Op{Kind: plan.ReleaseBase})
	return step
}

func (c *compiler) notes() []string {
	list := []string{fmt.Sprintf("A pod gets its share of the requests: of %d pods one is %s. What keeps its connections (keep-alive, streams) "+
		"stays with its pod until that stops.", c.objects.Size, share(1, max(c.objects.Size, 1)))}
	if len(c.pauses) > 0 {
		list = append(list, c.pausing())
	}
	list = append(list, c.user.warnings(c.forward, c.objects.Size)...)
	if c.slept {
		list = append(list, fmt.Sprintf("The new pods get a preStop hook that sleeps %s. Write it into your own manifests, too: without it "+
			"the next apply of them takes it away, which rolls every pod.", c.conf.Graceful))
	}
	if c.in.Deploy.Spec.Traffic != nil {
		list = append(list, "spec.traffic is not used: this strategy leaves the routes alone.")
	}
	if len(c.in.Deploy.Spec.Gates) == 0 {
		list = append(list, "Only the pods are watched: no gate asks how the new version answers. Add one under spec.gates.")
	}
	return append(list, strategies.DetachNotes(c.steps())...)
}

// pausing says what the pauses cost and count on.
func (c *compiler) pausing() string {
	switch c.user.kind {
	case statefulSet:
		return fmt.Sprintf("On the way to a pause pods are replaced one by one, the last one first: one is missing at a time. An autoscaler is held at %d pods "+
			"until the end; scaled by hand meanwhile, the rollout goes back.", c.objects.Size)
	case daemonSet:
		return "On the way to a pause one pod is replaced at a time, and is missing on its node until the new one is ready. A node that joins, or a pod " +
			"that goes by itself (a drained node), gets the new version: then more pods than the pause says are new."
	}
	return fmt.Sprintf("At each pause the new pods start beside all others: %d at most. An autoscaler is held at %d pods until "+
		"the end; scaled by hand meanwhile, the rollout goes back.", c.objects.Size+c.largest(), c.objects.Size)
}

// largest is the greatest number of pods by which a pause grows.
func (c *compiler) largest() int {
	most, before := 0, 0
	for _, p := range c.pauses {
		most, before = max(most, p.pods-before), p.pods
	}
	return most
}

// pause is a number of new pods at which the rollout holds, with the texts by which gates may name it.
type pause struct {
	pods  int
	texts []string
}

// pauses are the spec's as numbers of pods. Shares that come to the same number (25% and 50% of one pod) are one pause.
func pauses(at []spec.Amount, objects plan.Objects) ([]pause, error) {
	var list []pause
	for i, a := range at {
		n, path := a.Of(objects.Size), fmt.Sprintf("spec.strategy.rolling.pauseAt[%d]", i)
		if n > objects.Size {
			return nil, fmt.Errorf("%s: %s of the new version, but %s runs %d; pause at fewer, or write shares, such as 25%%",
				path, count(n), objects.Workload, objects.Size)
		}
		last := len(list) - 1
		switch {
		case n == 0: // a workload without pods
			continue
		case last >= 0 && n == list[last].pods:
			list[last].texts = append(list[last].texts, a.String())
			continue
		case last >= 0 && n < list[last].pods:
			return nil, fmt.Errorf("%s: %s of %d pods is %s, fewer than the %d of the pause before it (%s); pauses rise",
				path, a, objects.Size, count(n), list[last].pods, strings.Join(list[last].texts, ", "))
		}
		list = append(list, pause{pods: n, texts: []string{a.String()}})
	}
	return list, nil
}

func count(n int) string {
	if n == 1 {
		return "1 pod"
	}
	return fmt.Sprintf("%d pods", n)
}

// share is n of size as a share of the requests.
func share(n, size int) plan.Share { return plan.Share(n * int(plan.All) / size) }
