package app

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/actuate"
	"github.com/tidegate/tidegate/internal/catalog"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/preflight"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
	"github.com/tidegate/tidegate/strategies"
)

// recover takes a rollout back whose record was deleted: what it made carries our label, and what it changed keeps the
// original in an annotation. The baseline is made anew from those, the same plan is compiled for it, and its way back is
// run.
func (r *rollout) recover(ctx context.Context, c *compiled) error {
	r.Warn(fmt.Sprintf("found what an earlier rollout left, but not its record (%v); taking it back first", c.leftovers))
	by := kube.MarkedBy(&unstructured.Unstructured{Object: c.observed.Baseline.Workload}, kube.OriginalMark(r.workload.Name))
	if ro, err := r.lostReplicas(ctx, c); ro != nil || err != nil {
		if err != nil {
			return err
		}
		return r.takeBack(ctx, ro, by)
	}
	if ro, ok := r.lostInPlace(c); ok {
		return r.takeBack(ctx, ro, by)
	}
	lost := *r.session
	if c.switched() {
		lost.Deploy = switching(lost.Deploy)
	} else if lost.Deploy.Spec.Strategy.Shadow != nil { // it may have been what follows the shadow
		lost.Deploy.Spec.Strategy = spec.Strategy{Canary: &spec.Canary{Steps: []spec.Step{{Weight: spec.All}}, MinPods: 1}}
	}
	found, err := r.findLost(ctx, c.observed)
	if err != nil {
		return err
	}
	found.route = found.route || c.observed.Switched
	lost.Images, lost.template, lost.restores = found.images, nil, ""
	again, err := lost.compile(preflight.Observed{Baseline: found.baseline})
	if err != nil {
		return err
	}
	again.alsoRemove(slices.Concat(c.observed.Previews, c.observed.Made))
	ro := lost.newRollout(again)
	ro.Phase, ro.Cause, ro.Reason = engine.Undoing, engine.CauseFailure, recordDeleted
	switch {
	case found.base && found.route: // the base was being rolled off traffic
		ro.Step = again.plan.Index("roll-base")
	case found.base: // the traffic is back on a base that runs the new version: only marks are left, on the route, too
		ro.Phase, ro.Step = engine.Running, again.plan.Index("return")
	default:
		ro.Step = again.plan.Index("confirm") // the last one before the base is touched
	}
	return r.takeBack(ctx, ro, by)
}

// switched tells whether the Service of the workload carries the mark of a switch.
func (c *compiled) switched() bool {
	return slices.Contains(c.leftovers, plan.RefOf(c.observed.Baseline.Service))
}

// switching is a spec by which the selector of the workload's Service moves the requests: what moved them decides how they
// come back, whatever the spec says now.
func switching(d spec.Deploy) spec.Deploy {
	d.Spec.Traffic, d.Spec.Strategy = nil, spec.Strategy{BlueGreen: &spec.BlueGreen{}}
	return d
}

// alsoRemove has the way back remove a preview that was left.
func (c *compiled) alsoRemove(left []plan.Object) {
	for _, o := range left {
		if !slices.ContainsFunc(c.plan.Objects.Preview, func(p plan.Object) bool { return plan.RefOf(p) == plan.RefOf(o) }) {
			c.plan.Objects.Preview = append(c.plan.Objects.Preview, o)
		}
	}
}

const recordDeleted = "its record was deleted"

// takeBack runs what is left of a rollout that was made anew, under the ID by which its mark names it: marks of others count
// for nothing.
func (r *rollout) takeBack(ctx context.Context, ro *engine.Rollout, id string) error {
	if id != "" {
		ro.ID = id
	}
	r.record.Rollout = ro
	result, err := r.start(ctx, engine.EventResumed, "taking back what was left")
	if err != nil {
		return err
	}
	if result.Result == report.UndoFailed {
		return fmt.Errorf("what an earlier rollout left could not be taken back: %s", result.Reason)
	}
	return nil
}

// lostRollout is what the marks of a rollout without a record tell.
type lostRollout struct {
	baseline    plan.Baseline
	images      map[string]string // of the candidate, or of the base where none is left
	base, route bool              // what carried marks
}

func (r *rollout) findLost(ctx context.Context, observed preflight.Observed) (lostRollout, error) {
	now := observed.Baseline
	found := lostRollout{baseline: now, images: strategies.WorkloadImages(now.Workload)}
	candidate, err := r.client.Get(ctx, kube.DeploymentRef(r.namespace, strategies.CandidateName(r.workload.Name)))
	if err == nil {
		found.images = strategies.WorkloadImages(candidate.Object)
	}
	found.baseline.Workload, found.base = cleanedWorkload(now.Workload, r.workload.Name)
	found.baseline.Scaler = cleanedScaler(now.Scaler, r.workload.Name)
	service := plan.RefOf(now.Service).Name
	t := plan.Traffic{Namespace: r.namespace, Base: service, Candidate: strategies.CandidateName(service)}
	var kind traffic.Kind
	if block := r.Deploy.Spec.Traffic; block != nil {
		t.Router, kind = block.Kind(), catalog.KindOf(*block)
	}
	for _, made := range observed.Made {
		found.route = found.route || kind.Reaches(made, t)
	}
	found.baseline.Routes = slices.Clone(now.Routes)
	for i, route := range now.Routes {
		found.route = found.route || kind.Reaches(route, t)
		if found.baseline.Routes[i], err = traffic.Cleaned(kind, route, r.workload.Name, t); err != nil {
			return found, err
		}
	}
	return found, nil
}

// lostInPlace is the way back of a rollout in place, whose mark keeps how the pods were replaced before. It goes
// back from wherever it is, by the way in which its pods are replaced now: a strategy that runs two versions at once must
// not take the place of one that does not.
func (r *rollout) lostInPlace(c *compiled) (*engine.Rollout, bool) {
	now := c.observed.Baseline
	kept, _ := kube.ReadOriginal(&unstructured.Unstructured{Object: now.Workload}, kube.OriginalMark(r.workload.Name))
	present := kube.ReadPace(&unstructured.Unstructured{Object: now.Workload})
	pace, inPlace := actuate.KeptPace(kept)
	switch {
	case inPlace:
	case !r.Deploy.Spec.Strategy.InPlace():
		return nil, false
	default:
		pace = present // no more than the scaler was changed
	}
	baseline := now
	baseline.Workload, _ = cleanedWorkload(now.Workload, r.workload.Name)
	baseline.Scaler = cleanedScaler(now.Scaler, r.workload.Name)
	old := &unstructured.Unstructured{Object: baseline.Workload}
	if err := pace.Write(old); err != nil {
		return nil, false
	}
	in := strategies.Input{Deploy: r.Deploy, Baseline: baseline, Images: strategies.WorkloadImages(now.Workload)}
	objects, err := strategies.InPlace(in)
	if err != nil {
		return nil, false
	}
	how := plan.Pace{Recreate: present.IsRecreate() || actuate.KeptHalt(kept) || r.Deploy.Spec.Strategy.Recreate != nil}
	if pace.IsRecreate() && !how.Recreate {
		how.MaxSurge, how.MaxUnavailable = "25%", "25%" // the defaults of Kubernetes
	}
	back := []plan.Op{{Kind: plan.Roll, Version: plan.Base, Pace: how}, {Kind: plan.ReleaseBase}}
	if baseline.Scaler != nil {
		ref := plan.RefOf(baseline.Scaler)
		objects.Scaler, objects.Originals = &ref, append(objects.Originals, baseline.Scaler)
		back = append(back, plan.Op{Kind: plan.ReleaseScaler})
	}
	ro := r.newRollout(&compiled{
		plan: plan.Plan{Strategy: "recovery", Target: in.InPlaceTarget(objects), Objects: objects,
			Steps: []plan.Step{{ID: "roll", Title: "what an earlier rollout began", Weight: plan.All, Whole: plan.Base, Undo: back}}},
		observed: preflight.Observed{Baseline: baseline},
	})
	ro.Phase, ro.Cause, ro.Reason = engine.Undoing, engine.CauseFailure, recordDeleted
	return ro, true
}

// cleanedWorkload is the workload with the template that its annotation kept, and, if it was stopped, its size.
func cleanedWorkload(o plan.Object, workload string) (plan.Object, bool) {
	u, kept, marked := unmarked(o, workload)
	if !marked {
		return o, false
	}
	if template, ok := kept["template"].(map[string]any); ok {
		_ = unstructured.SetNestedMap(u.Object, template, "spec", "template") // spec is a map: the API server says so
	}
	if size, stopped := actuate.KeptSize(kept); stopped && kube.WorkloadRollout(u).Desired == 0 {
		_ = unstructured.SetNestedField(u.Object, size, "spec", "replicas") // likewise
	}
	return u.Object, true
}

// cleanedScaler is the scaler with the bounds that its annotation kept.
func cleanedScaler(o plan.Object, workload string) plan.Object {
	if o == nil {
		return nil
	}
	u, kept, marked := unmarked(o, workload)
	if !marked {
		return o
	}
	_ = kube.FreeScaler(u, kept) // spec is a map: the API server says so
	return u.Object
}

func unmarked(o plan.Object, workload string) (*unstructured.Unstructured, map[string]any, bool) {
	u := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(o)}
	mark := kube.OriginalMark(workload)
	kept, marked := kube.ReadOriginal(u, mark)
	kube.Unmark(u, mark)
	return u, kept, marked
}
