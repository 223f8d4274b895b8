package strategies

import (
	"time"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// Shift compiles what all strategies with a candidate beside the base share: the candidate starts, at full share it bakes
// while the base stands untouched, and then the base takes the new version over while no request comes to it.
type Shift struct {
	In      Input
	Objects plan.Objects
	Guard   time.Duration // until the data plane has followed what its status says
	Drain   time.Duration // for connections to end before pods are told to stop
	MinPods int           // of the candidate
	// Last is the greatest share that the candidate gets; zero means all. With less than all the base is rolled under its own
	// share of the requests.
	Last plan.Share
}

// inPlace tells whether the base is rolled while it has requests.
func (s Shift) inPlace() bool { return s.Last > 0 && s.Last < plan.All }

// reached is the share of the candidate when the base takes the new version over.
func (s Shift) reached() plan.Share {
	if s.inPlace() {
		return s.Last
	}
	return plan.All
}

// Guard is how long the data plane may take to follow a Service, where no router's own guard is set.
const Guard = 2 * time.Second

// BySelector is the traffic of the workload's Service, whose selector moves it: no route is needed.
func BySelector(in Input, objects plan.Objects) *plan.Traffic {
	service, candidate := wrap(in.Baseline.Service), wrap(objects.Create[1])
	return &plan.Traffic{
		Router: plan.ServiceRouter, Routes: []plan.Ref{plan.RefOf(in.Baseline.Service)},
		Namespace: objects.Workload.Namespace, Base: service.GetName(), Candidate: candidate.GetName(),
		Selectors: map[plan.Side]map[string]string{
			plan.Base:      stringMap(service, "spec", "selector"),
			plan.Candidate: stringMap(candidate, "spec", "selector"),
		},
	}
}

// Drain is how long connections get to end before pods are told to stop: the pod's grace period unless the spec says.
func Drain(conf *spec.Duration, b plan.Baseline) time.Duration {
	if conf != nil {
		return conf.Std()
	}
	return GracePeriod(b.Workload)
}

// Route gives the objects the traffic between the Services of base and candidate over the routes of the spec, for splits that
// have at most what most has.
func Route(in Input, objects *plan.Objects, most plan.Split) error {
	t := &plan.Traffic{
		Router: in.Deploy.Spec.Traffic.Kind(), Rules: in.Deploy.Spec.Traffic.RuleNames(), Subsets: in.Deploy.Spec.Traffic.SubsetNames(),
		Namespace: objects.Workload.Namespace, Base: plan.RefOf(in.Baseline.Service).Name, Candidate: plan.RefOf(objects.Create[1]).Name,
	}
	for _, r := range in.Baseline.Routes {
		t.Routes = append(t.Routes, plan.RefOf(r))
	}
	objects.Traffic = t
	if in.Make == nil {
		return nil
	}
	made, err := in.Make(t, in.Baseline, most)
	objects.Create = append(objects.Create, made...)
	return err
}

// Wait is the op that lets time pass.
func (s Shift) Wait(d time.Duration) plan.Op {
	return plan.Op{Kind: plan.Wait, For: plan.Duration(d)}
}

// ToBase is the way back of everything that moved traffic: one write, then time for connections to end.
func (s Shift) ToBase() []plan.Op {
	return []plan.Op{s.toBase(false), s.Wait(s.Guard + s.Drain)}
}

func (s Shift) toBase(strict bool) plan.Op {
	return plan.Op{Kind: plan.SetSplit, Strict: strict, Selector: s.Objects.Traffic.BySelector()}
}

// FullSize is an op about a candidate that carries everything.
func (s Shift) FullSize(kind plan.Kind) plan.Op {
	return plan.Op{Kind: kind, Weight: plan.All, MinPods: s.MinPods, Selector: kind == plan.SetSplit && s.Objects.Traffic.BySelector()}
}

// sightFor bounds the wait for the gates' data. Prometheus takes up to 5 s to take a new pod in, and a scrape interval
// more; a service whose metrics only begin with its first request is not waited for any longer.
const sightFor = 5 * time.Second

// Candidate starts the candidate at the size that first asks for. No user meets it yet.
func (s Shift) Candidate(first plan.Op) plan.Step {
	title, sight := "start the candidate and wait until it is ready", time.Duration(0)
	if len(s.In.Deploy.Spec.Gates) > 0 {
		title, sight = title+" and the gates have data of it", sightFor
	}
	return plan.Step{
		ID: "candidate", Title: title, Whole: plan.Base, Sight: plan.Duration(sight),
		Hold: plan.Duration(s.Guard), // until the gateways know the new endpoints
		Do:   []plan.Op{first}, Undo: []plan.Op{{Kind: plan.RemoveCandidate}},
		Gates: s.Watched(s.In.GatesAt(spec.AtCandidateReady)),
	}
}

// Watched adds the gate on pods where other gates hold the step.
func (s Shift) Watched(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	return append([]string{PodGate}, names...)
}

// Full sends everything to the candidate, for at least the guard. moments are those by which gates may name it.
func (s Shift) Full(hold time.Duration, moments ...string) plan.Step {
	hold = max(hold, s.Guard)
	return plan.Step{
		ID: "full", Title: "send every request to the new version; the base still stands untouched", Weight: plan.All, Whole: plan.Base,
		Do:    []plan.Op{s.FullSize(plan.ScaleCandidate), s.FullSize(plan.SetSplit)},
		Undo:  s.ToBase(),
		Hold:  plan.Duration(hold),
		Skip:  plan.Duration(hold - s.Guard),
		Gates: s.In.Watching(append([]string{spec.AtBake, plan.All.String()}, moments...)...),
	}
}

// HoldScaler makes the step, the first that takes requests from the base, hold the base's autoscaler.
func (s Shift) HoldScaler(step plan.Step) plan.Step {
	if s.Objects.Scaler != nil {
		step.Do = append([]plan.Op{{Kind: plan.HoldScaler}}, step.Do...)
		step.Undo = append(step.Undo, plan.Op{Kind: plan.ReleaseScaler})
	}
	return step
}

// Settle are the steps by which the base takes the new version over while the candidate carries everything, and takes the
// requests back.
func (s Shift) Settle() []plan.Step {
	return []plan.Step{s.Confirm(), s.rollBase(), s.giveBack(), s.CleanUp()}
}

// Confirm asks every gate once more before the base is touched.
func (s Shift) Confirm() plan.Step {
	return plan.Step{
		ID: "confirm", Title: "ask every gate once more before the base is touched", Weight: s.reached(), Whole: plan.Base,
		Gates: s.In.Watching(spec.AtBeforeSettle),
	}
}

func (s Shift) rollBase() plan.Step {
	if s.inPlace() {
		return s.rollServing()
	}
	roll := plan.Op{Kind: plan.RollBase, Version: plan.Candidate, Selector: s.Objects.Traffic.BySelector()}
	back := roll
	back.Version = plan.Base
	return plan.Step{
		ID: "roll-base", Title: roll.String(), Weight: plan.All, Whole: plan.Candidate,
		Do:   []plan.Op{roll},
		Undo: []plan.Op{back, s.Wait(s.Guard), {Kind: plan.ReleaseBase}},
		Hold: plan.Duration(s.Guard), // until the gateways know the new endpoints
	}
}

// rollServing rolls the base by the Deployment's own parameters while requests come to it. The candidate keeps its share
// there and back: the base's pods that are stopped do not serve that.
func (s Shift) rollServing() plan.Step {
	return plan.Step{
		ID: "roll-base", Title: "roll the base to the new version while it serves its share of the requests", Weight: plan.All, Whole: plan.Base,
		Do:   []plan.Op{{Kind: plan.RollBase, Version: plan.Candidate, Serving: true}},
		Undo: []plan.Op{{Kind: plan.RollBase, Version: plan.Base, Serving: true}, s.Wait(s.Guard), {Kind: plan.ReleaseBase}},
		Hold: plan.Duration(s.Guard), // until the gateways know the new endpoints
	}
}

func (s Shift) giveBack() plan.Step {
	step := plan.Step{
		ID: "return", Title: "send every request to the base, which runs the new version", Weight: plan.All, Whole: plan.Candidate,
		Do:   []plan.Op{s.toBase(true), s.Wait(s.Guard + s.Drain)},
		Undo: []plan.Op{s.FullSize(plan.EnsureCandidate), s.Wait(s.Guard), s.FullSize(plan.SetSplit), s.Wait(s.Guard)},
	}
	if s.inPlace() { // the base is rolled back as it was rolled there, under the requests
		step.Whole, step.Undo = plan.Base, nil
	}
	return step
}

// CleanUp removes the candidate and all marks. It has no undo of its own: the way back from here makes the candidate anew,
// which the undo of the step before does first.
func (s Shift) CleanUp() plan.Step {
	step := plan.Step{ID: "clean-up", Title: "remove the candidate and all marks", Weight: plan.All, Whole: plan.Base}
	if s.Objects.Scaler != nil {
		step.Do = append(step.Do, plan.Op{Kind: plan.ReleaseScaler})
		step.Undo = append(step.Undo, plan.Op{Kind: plan.HoldScaler})
	}
	step.Do = append(step.Do, plan.Op{Kind: plan.ReleaseBase}, plan.Op{Kind: plan.RemoveCandidate})
	return step
}
