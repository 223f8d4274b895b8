// Package recreate compiles the exchange of all pods at once: the old version stops, then the new one starts.
//
// Never do two versions run at once, at the price of an outage, which is measured. The Deployment's own type Recreate does
// it, written together with the pod template: when the runner dies the cluster finishes by itself. StatefulSets and
// DaemonSets have no such type. Tidegate stops and starts them, so the spec has to accept that a runner that dies in between
// leaves no pods.
package recreate

import (
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/strategies"
)

// Strategy is the exchange of all pods at once.
type Strategy struct{}

var _ strategies.Strategy = Strategy{}

// Name implements strategies.Strategy.
func (Strategy) Name() string { return "recreate" }

// Compile implements strategies.Strategy.
func (Strategy) Compile(in strategies.Input) (plan.Plan, error) {
	conf := in.Deploy.Spec.Strategy.Recreate
	if conf == nil {
		return plan.Plan{}, errors.New("spec.strategy.recreate is missing")
	}
	objects, err := strategies.InPlace(in)
	if err != nil {
		return plan.Plan{}, err
	}
	if kind := objects.Workload.Kind; kind != deployment && !conf.AcceptOutageOnCrash {
		return plan.Plan{}, fmt.Errorf("spec.strategy.recreate: a %s has no type Recreate: should the runner die between stop and start, no pod "+
			"runs until the next run comes; accept that with acceptOutageOnCrash: true, or choose rolling", kind)
	}
	roll := func(version plan.Side) plan.Op {
		return plan.Op{Kind: plan.Roll, Version: version, Pace: plan.Pace{Recreate: true}}
	}
	release := plan.Op{Kind: plan.ReleaseBase}
	p := plan.Plan{
		Strategy: "recreate", Target: in.InPlaceTarget(objects), Objects: objects, Gates: in.AllGates(),
		Steps: []plan.Step{
			{
				ID: "recreate", Title: "stop the old version, then start the new one", Weight: plan.All, Whole: plan.Base,
				Do: []plan.Op{roll(plan.Candidate)}, Undo: []plan.Op{roll(plan.Base), release},
				Hold: plan.Duration(conf.Hold), Skip: plan.Duration(conf.Hold), Detach: conf.Detach, Gates: in.Watching(plan.All.String()),
			},
			{
				ID: "clean-up", Title: title(objects.Workload.Kind), Weight: plan.All, Whole: plan.Base,
				Do: []plan.Op{release},
			},
		},
		Notes: notes(in, objects.Workload.Kind),
	}
	p.Notes = append(p.Notes, strategies.DetachNotes(p.Steps)...)
	return p, nil
}

const deployment = "Deployment"

// title of the last step.
func title(kind string) string {
	if kind == deployment {
		return "give the workload its own strategy back and remove all marks"
	}
	return "remove all marks"
}

func notes(in strategies.Input, kind string) []string {
	list := []string{
		fmt.Sprintf("Nobody is served from the moment when the old pods are told to stop until the first new one is ready: up to %s "+
			"for the old pods to end, and the time that the new version needs to start. A way back costs the same again.",
			strategies.GracePeriod(in.Baseline.Workload).Round(time.Second)),
	}
	if kind != deployment {
		list = append(list, fmt.Sprintf("A %s has no type Recreate. Tidegate stops and starts it: should the runner die in between, no pod runs until "+
			"the next run, which goes on from there or back (spec.strategy.recreate.acceptOutageOnCrash).", kind))
	}
	if in.Deploy.Spec.Traffic != nil {
		list = append(list, "spec.traffic is not used: this strategy leaves the routes alone.")
	}
	if len(in.Deploy.Spec.Gates) == 0 {
		list = append(list, "Only the pods are watched: no gate asks how the new version answers. Add one under spec.gates.")
	}
	return list
}
