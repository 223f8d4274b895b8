package canary

import (
	"maps"
	"slices"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// ringOf is what requests of the spec's ring have, sorted by name: a plan is the same every time.
func ringOf(conf *spec.Internal) []plan.Match {
	if conf == nil {
		return nil
	}
	var ring []plan.Match
	for _, name := range slices.Sorted(maps.Keys(conf.Header)) {
		ring = append(ring, plan.Match{Header: name, Value: conf.Header[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(conf.Cookie)) {
		ring = append(ring, plan.Match{Cookie: name, Value: conf.Cookie[name]})
	}
	return ring
}

// ringSized is an op about a candidate that serves nobody but the ring.
func (c compiler) ringSized(kind plan.Kind) plan.Op {
	return plan.Op{Kind: kind, Pods: c.conf.Internal.Pods, MinPods: c.conf.MinPods}
}

// internal is the step of the ring. The base keeps nearly all of its requests, so its autoscaler is held only by the first
// step with a weight: people may decide in between, for as long as that takes.
func (c compiler) internal() plan.Step {
	split := c.ringSized(plan.SetSplit)
	split.Ring = c.ring
	hold := c.conf.Internal.Hold.Std()
	step := plan.Step{
		ID: spec.AtInternal, Whole: plan.Base,
		Title: spec.AtInternal + ": send requests with " + plan.RingText(c.ring) + " to the new version, and no other",
		Do:    []plan.Op{c.ringSized(plan.ScaleCandidate), split},
		Undo:  c.ToBase(),
		Hold:  plan.Duration(max(hold, c.Guard)),
		Skip:  plan.Duration(max(hold-c.Guard, 0)),
		Gates: c.In.Watching(spec.AtInternal), Scant: c.In.GateNames(),
	}
	if len(c.approvals[0]) == 0 { // nobody knows how long a person takes
		step.Ahead = c.aheadOf(c.ringSized(plan.ScaleCandidate), 0)
	}
	return step
}
