package canary

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
)

// byReplicas compiles the canary without a route. The candidate's pods stand behind the same Service as the base's, so that
// the share of the requests is that of the pods: as the candidate grows, the base shrinks, never below its size together.
func byReplicas(in strategies.Input, conf spec.Canary) (plan.Plan, error) {
	if in.Baseline.Size == 0 {
		return plan.Plan{}, errors.New("a canary by replicas divides the requests by pods, and the workload runs none: " +
			"scale it up, or use the strategy rolling")
	}
	objects, err := strategies.Alongside(in)
	if err != nil {
		return plan.Plan{}, err
	}
	weights, approvals := divide(conf.Steps)
	r := replicas{compiler: compiler{
		Shift: strategies.Shift{In: in, Objects: objects, Guard: strategies.Follows, MinPods: conf.MinPods},
		conf:  conf, weights: weights, approvals: approvals,
	}}
	r.sizes = r.sized()
	p := plan.Plan{Strategy: "canary", Target: in.InPlaceTarget(objects), Objects: objects, Gates: in.AllGates()}
	p.Steps = r.steps()
	p.Notes = r.notes()
	return p, nil
}

type replicas struct {
	compiler
	sizes []sides // by weight; one more for everything, if the last weight is less
}

// sides are the pods of a step.
type sides struct{ fresh, old int }

func (s sides) share() plan.Share { return plan.Share(s.fresh * int(plan.All) / (s.fresh + s.old)) }

// sized are the pods for each weight. The candidate's are rounded up and never get fewer; the base keeps one until the
// candidate carries everything.
func (r replicas) sized() []sides {
	size := r.Objects.Size
	var all []sides
	fresh := 0
	for i, s := range r.weights {
		if plan.Share(s.Weight) == plan.All {
			break
		}
		fresh = max(fresh, r.compiler.sized(plan.ScaleCandidate, i).PodsFor(size))
		all = append(all, sides{fresh, max(size-fresh, 1)})
	}
	return append(all, sides{fresh: max(fresh, size, r.MinPods)})
}

func (r replicas) steps() []plan.Step {
	steps := append(r.waits(0), r.candidate())
	for i, s := range r.weights {
		if plan.Share(s.Weight) == plan.All {
			break
		}
		steps = append(append(steps, r.shift(i)), r.waits(i+1)...)
	}
	steps = append(steps, r.full())
	if n := len(r.weights); plan.Share(r.weights[n-1].Weight) == plan.All {
		steps = append(steps, r.waits(n)...)
	}
	return append(steps, r.confirm(), r.settle(), r.cleanUp())
}

// waits are the approvals after so many weights, with the share that the pods come to. Before the first there is no
// candidate yet whose pods could be watched.
func (r replicas) waits(after int) []plan.Step {
	steps := r.compiler.waits(after)
	for i := range steps {
		if after > 0 {
			steps[i].Weight = r.sizes[after-1].share()
			continue
		}
		steps[i].Gates = slices.DeleteFunc(steps[i].Gates, func(name string) bool { return name == strategies.PodGate })
	}
	return steps
}

// hold keeps the autoscaler at a number of pods: its selector matches the candidate's, too, so that what it would make of
// their averages is of no use.
func (r replicas) hold(pods int) []plan.Op {
	if r.Objects.Scaler == nil {
		return nil
	}
	return []plan.Op{{Kind: plan.HoldScaler, Pods: pods}}
}

// only lets the candidate have its pods first, and then takes away those of the base that they make up for.
func (r replicas) only(i, from int) []plan.Op {
	s := r.sizes[i]
	ops := []plan.Op{{Kind: plan.ScaleCandidate, Pods: s.fresh}, strategies.Follow()}
	if s.old > 0 { // an autoscaler lets a workload of no pods alone, and has no such bound
		ops = append(ops, r.hold(s.old)...)
	}
	return append(ops, plan.Op{Kind: plan.ScaleBase, Pods: s.old, From: from, Strict: true, Version: plan.Base})
}

// candidate starts the candidate beside a base that has its size still. From here every way back leads over its undo: the
// base has its pods again before the candidate's go.
func (r replicas) candidate() plan.Step {
	first, size := r.sizes[0], r.Objects.Size
	step := r.Candidate(plan.Op{Kind: plan.EnsureCandidate, Pods: first.fresh})
	step.Title += "; the Service sends to it from then on"
	step.Weight = sides{first.fresh, size}.share()
	step.Gates = r.In.Watching(spec.AtCandidateReady)
	step.Do = slices.Concat(r.hold(size), []plan.Op{{Kind: plan.MarkBase}}, step.Do)
	step.Undo = slices.Concat(r.hold(size), []plan.Op{
		{Kind: plan.ScaleBase, Pods: size, Version: plan.Base}, strategies.Follow(), {Kind: plan.RemoveCandidate}, {Kind: plan.ReleaseBase},
	}, r.release())
	return step
}

func (r replicas) release() []plan.Op {
	if r.Objects.Scaler == nil {
		return nil
	}
	return []plan.Op{{Kind: plan.ReleaseScaler}}
}

// before is how many pods of the base the step before a weight leaves.
func (r replicas) before(i int) int {
	if i == 0 {
		return r.Objects.Size
	}
	return r.sizes[i-1].old
}

func (r replicas) shift(i int) plan.Step {
	step, s := r.compiler.shift(i), r.sizes[i]
	step.Title = fmt.Sprintf("let %d of %d pods run the new version", s.fresh, s.fresh+s.old)
	if name := r.weights[i].Name; name != "" {
		step.Title = name + ": " + step.Title
	}
	step.Weight, step.Do, step.Undo, step.Ahead = s.share(), r.only(i, r.before(i)), nil, nil
	return step
}

func (r replicas) full() plan.Step {
	step, i := r.compiler.full(), len(r.sizes)-1
	step.Title, step.Whole = "let only pods of the new version run; the base has none", plan.Candidate
	step.Do, step.Undo = r.only(i, r.before(i)), nil
	return step
}

func (r replicas) confirm() plan.Step {
	step := r.Confirm()
	step.Whole = plan.Candidate
	return step
}

// settle starts the new version in the base while the candidate carries everything. On the way back the candidate does, too.
func (r replicas) settle() plan.Step {
	size, most := r.Objects.Size, r.sizes[len(r.sizes)-1].fresh
	return plan.Step{
		ID: "roll-base", Title: "start the new version in the base, beside the candidate", Weight: plan.All, Whole: plan.Candidate,
		Do: append(r.hold(size), plan.Op{Kind: plan.ScaleBase, Pods: size, Strict: true, Version: plan.Candidate}),
		Undo: []plan.Op{{Kind: plan.EnsureCandidate, Pods: most}, strategies.Follow(),
			{Kind: plan.ScaleBase, Version: plan.Base}},
		Hold: plan.Duration(r.Guard), // until whoever sends to the Service knows the base's pods
	}
}

// cleanUp has no undo of its own: that of the steps before makes the candidate anew.
func (r replicas) cleanUp() plan.Step {
	return plan.Step{
		ID: "clean-up", Title: "remove the candidate and all marks", Weight: plan.All, Whole: plan.Base,
		Do:   slices.Concat([]plan.Op{{Kind: plan.RemoveCandidate}, {Kind: plan.ReleaseBase}}, r.release()),
		Undo: r.hold(r.Objects.Size),
	}
}
