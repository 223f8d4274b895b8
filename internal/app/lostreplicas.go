package app

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/preflight"
	"github.com/tidegate/tidegate/strategies"
)

// lostReplicas is what is left to do of a canary by replicas whose record is gone; nil when what was left is another
// rollout's. The base's annotation keeps its size and its template; the candidate, if it is there, is told by its label.
func (r *rollout) lostReplicas(ctx context.Context, c *compiled) (*engine.Rollout, error) {
	now := c.observed.Baseline
	candidate, err := r.client.Get(ctx, kube.DeploymentRef(r.namespace, strategies.CandidateName(r.workload.Name)))
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("look for the candidate that an earlier rollout left: %w; run the same command again", err)
	}
	there := err == nil && strategies.Tracked(candidate.Object)
	kept, marked := kube.ReadOriginal(&unstructured.Unstructured{Object: now.Workload}, kube.OriginalMark(r.workload.Name))
	size, sized := kube.ReadSize(kept)
	d := r.Deploy.Spec
	onlyScaler := !marked && d.Strategy.Canary != nil && d.Traffic == nil // no more than the scaler was changed
	if !there && !sized && !onlyScaler {
		return nil, nil
	}
	if !sized {
		size = now.Size
	}
	objects, baseline, err := r.lostObjects(now, size, candidate, there)
	if err != nil {
		return nil, err
	}
	settled := sized && plan.Digest(objects.Templates[plan.Base]) != plan.Digest(template(now.Workload))
	in := strategies.Input{Deploy: r.Deploy, Baseline: baseline, Images: strategies.Images(objects.Templates[plan.Candidate])}
	ro := r.newRollout(&compiled{observed: preflight.Observed{Baseline: baseline},
		plan: plan.Plan{Strategy: "recovery", Target: in.InPlaceTarget(objects), Objects: objects, Steps: []plan.Step{lostStep(objects, settled, there)}}})
	if ro.Reason = recordDeleted; !settled || there {
		ro.Phase, ro.Cause = engine.Undoing, engine.CauseFailure
	}
	return ro, nil
}

// lostObjects are the objects of the rollout as its marks tell of them.
func (r *rollout) lostObjects(now plan.Baseline, size int, candidate *unstructured.Unstructured, there bool) (plan.Objects, plan.Baseline, error) {
	baseline := now
	baseline.Size = size
	cleaned, _ := cleanedWorkload(now.Workload, r.workload.Name)
	baseline.Workload = runtime.DeepCopyJSON(cleaned)
	baseline.Scaler = cleanedScaler(now.Scaler, r.workload.Name)
	if err := unstructured.SetNestedField(baseline.Workload, int64(size), "spec", "replicas"); err != nil {
		return plan.Objects{}, baseline, fmt.Errorf("%s: %w", r.workload, err)
	}
	images := strategies.WorkloadImages(now.Workload)
	if there {
		images = strategies.WorkloadImages(candidate.Object)
	}
	bare := baseline
	bare.Scaler = nil // what its kind allows was asked before the rollout began
	objects, err := strategies.Alongside(strategies.Input{Deploy: r.Deploy, Baseline: bare, Images: images})
	if err != nil {
		return plan.Objects{}, baseline, &Invalid{err}
	}
	if baseline.Scaler != nil {
		ref := plan.RefOf(baseline.Scaler)
		objects.Scaler, objects.Originals = &ref, append(objects.Originals, baseline.Scaler)
	}
	return objects, baseline, nil
}

// lostStep goes back from wherever the rollout is: the base has its size and its template again before the candidate goes.
// When only the marks are left on a base that runs the new version, it takes those off.
func lostStep(objects plan.Objects, settled, there bool) plan.Step {
	step := plan.Step{ID: "clean-up", Title: "what an earlier rollout began", Weight: plan.All, Whole: plan.Base}
	end := []plan.Op{{Kind: plan.RemoveCandidate}, {Kind: plan.ReleaseBase}, {Kind: plan.ReleaseScaler}}
	if settled && !there {
		step.Do = end
		return step
	}
	if settled { // the candidate carries everything while the base goes back
		step.Undo = append(step.Undo, plan.Op{Kind: plan.ScaleCandidate, Pods: objects.Size}, plan.Op{Kind: plan.ScaleBase, Version: plan.Base})
	}
	step.Undo = append(step.Undo, plan.Op{Kind: plan.HoldScaler, Pods: objects.Size}, plan.Op{Kind: plan.ScaleBase, Pods: objects.Size, Version: plan.Base}, strategies.Follow())
	step.Undo = append(step.Undo, end...)
	return step
}
