package app

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/preflight"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/traffic/gatewayapi"
	"github.com/tidegate/tidegate/strategies"
)

// recover takes a rollout back whose record was deleted: what it made carries our label, and what it changed keeps the
// original in an annotation. The baseline is made anew from those, the same plan is compiled for it, and its way back is
// run.
func (r *rollout) recover(ctx context.Context, c *compiled) error {
	r.Warn(fmt.Sprintf("found what an earlier rollout left, but not its record (%v); taking it back first", c.leftovers))
	found, err := r.findLost(ctx, c.observed.Baseline)
	if err != nil {
		return err
	}
	lost := *r.session
	lost.Images = found.images
	again, err := lost.compile(preflight.Observed{Baseline: found.baseline})
	if err != nil {
		return err
	}
	ro := lost.newRollout(again)
	ro.Phase, ro.Cause, ro.Reason = engine.Undoing, engine.CauseFailure, "its record was deleted"
	switch {
	case found.base && found.route: // the base was being rolled off traffic
		ro.Step = again.plan.Index("roll-base")
	case found.base: // the traffic is back on a base that runs the new version: only marks are left, on the route, too
		ro.Phase, ro.Step = engine.Running, again.plan.Index("return")
	default:
		ro.Step = again.plan.Index("full")
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

func (r *rollout) findLost(ctx context.Context, now plan.Baseline) (lostRollout, error) {
	found := lostRollout{baseline: now, images: strategies.WorkloadImages(now.Workload)}
	candidate, err := r.client.Get(ctx, kube.DeploymentRef(r.namespace, strategies.CandidateName(r.workload.Name)))
	if err == nil {
		found.images = strategies.WorkloadImages(candidate.Object)
	}
	found.baseline.Workload, found.base = cleanedWorkload(now.Workload, r.workload.Name)
	found.baseline.Scaler = cleanedScaler(now.Scaler, r.workload.Name)
	service := plan.RefOf(now.Service).Name
	t := plan.Traffic{Namespace: r.namespace, Base: service, Candidate: strategies.CandidateName(service)}
	found.baseline.Routes = slices.Clone(now.Routes)
	for i, route := range now.Routes {
		found.route = found.route || gatewayapi.Splits(route, t)
		if found.baseline.Routes[i], _, err = gatewayapi.Cleaned(route, r.workload.Name, t); err != nil {
			return found, err
		}
	}
	return found, nil
}

// cleanedWorkload is the workload with the template that its annotation kept.
func cleanedWorkload(o plan.Object, workload string) (plan.Object, bool) {
	u, kept, marked := unmarked(o, workload)
	if !marked {
		return o, false
	}
	if template, ok := kept["template"].(map[string]any); ok {
		_ = unstructured.SetNestedMap(u.Object, template, "spec", "template") // spec is a map: the API server says so
	}
	return u.Object, true
}

// cleanedScaler is the scaler with the minimum that its annotation kept.
func cleanedScaler(o plan.Object, workload string) plan.Object {
	if o == nil {
		return nil
	}
	u, kept, marked := unmarked(o, workload)
	if !marked {
		return o
	}
	path := kube.ScalerMinimum(u.GetKind())
	if least, ok := kept["min"].(float64); ok {
		_ = unstructured.SetNestedField(u.Object, int64(least), path...)
	} else {
		unstructured.RemoveNestedField(u.Object, path...)
	}
	return u.Object
}

func unmarked(o plan.Object, workload string) (*unstructured.Unstructured, map[string]any, bool) {
	u := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(o)}
	mark := kube.OriginalMark(workload)
	kept, marked := kube.ReadOriginal(u, mark)
	annotations := u.GetAnnotations()
	delete(annotations, mark)
	if len(annotations) == 0 {
		annotations = nil
	}
	u.SetAnnotations(annotations)
	return u, kept, marked
}
