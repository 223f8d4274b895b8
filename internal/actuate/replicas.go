package actuate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// markBase writes down on the workload what it was, its number of pods included, before a rollout changes that.
func (a *Actuator) markBase(ctx context.Context) error {
	_, err := a.client.Modify(ctx, a.objects.Workload, func(o *unstructured.Unstructured) (bool, error) {
		if same, err := a.hasTemplate(o, plan.Base); !same {
			return false, err // it is half way to the other one, and marked
		}
		kept, err := a.keep(o)
		if now := kube.WorkloadRollout(o).Desired; kept && now != a.objects.Size && a.objects.Scaler == nil {
			return false, a.scaledFrom(a.objects.Size, now)
		}
		return kept, err
	})
	if err != nil {
		return fmt.Errorf("mark %s: %w", a.objects.Workload, err)
	}
	return nil
}

// keep writes the annotation of a rollout by replicas, unless there is one.
func (a *Actuator) keep(o *unstructured.Unstructured) (bool, error) {
	if a.marked(o) {
		return false, nil
	}
	return true, kube.KeepOriginalOf(o, kube.OriginalMark(a.objects.Workload.Name), a.rollout, map[string]any{keptTemplate: a.objects.Templates[plan.Base], kube.KeptSize: int64(a.objects.Size)})
}

// scaleBase brings the base to op.Pods pods of a version, both in one write, and waits until they are ready and no others
// are left. An autoscaler that was pinned a moment ago may still write the size that it was pinned at before: then it is
// written once more. Without one a size that is not ours is somebody's.
func (a *Actuator) scaleBase(ctx context.Context, op plan.Op) error {
	if err := a.madeUp(ctx, op); err != nil {
		return err
	}
	for until := a.clock.Now().Add(a.progress); ; {
		other, err := a.scaleBaseOnce(ctx, op)
		switch {
		case err != nil:
			return err
		case other < 0:
			return nil
		case a.objects.Scaler == nil || a.clock.Now().After(until):
			return a.scaledFrom(op.Pods, other)
		}
		a.tell(fmt.Sprintf("%s has %d pods, not the %d that it was given; giving them once more", a.objects.Workload, other, op.Pods))
	}
}

// scaleBaseOnce is the write and the wait. other is the size that somebody else gave the workload meanwhile, or -1.
func (a *Actuator) scaleBaseOnce(ctx context.Context, op plan.Op) (other int, err error) {
	want := op.Pods
	stored, err := a.client.Modify(ctx, a.objects.Workload, func(o *unstructured.Unstructured) (changed bool, err error) {
		want, changed, err = a.resizeBase(o, op)
		return changed, err
	})
	if err != nil {
		return -1, fmt.Errorf("scale %s to %d pods: %w", a.objects.Workload, op.Pods, err)
	}
	images := imagesOf(a.objects.Templates[op.Version])
	other = -1
	err = a.podsReady(ctx, wanted{
		what: "the base", ref: a.objects.Workload, view: a.base, pods: a.basePods, generation: stored.GetGeneration(), patient: true,
		// Pods of the other template may be in trouble without that being this op's fault.
		mine: func(pod *unstructured.Unstructured) bool { return runs(imagesOf(pod.Object), images) },
		done: func(r kube.Rollout) bool {
			if r.Desired != want {
				other = r.Desired
				return true
			}
			// The pods come by a watch of their own: the gates must see them, too.
			pods := a.Pods(plan.Base)
			return r.Done() && len(pods) == want && ready(pods) == want
		},
	})
	return other, err
}

// resizeBase gives the workload the size and the template of an op. On the way back a size above the one that it had is
// left alone: somebody wanted more.
func (a *Actuator) resizeBase(o *unstructured.Unstructured, op plan.Op) (want int, changed bool, err error) {
	same, err := a.hasTemplate(o, op.Version)
	now, want := kube.WorkloadRollout(o).Desired, op.Pods
	switch {
	case err != nil:
		return want, false, err
	case op.Strict && op.Version == plan.Base && !same:
		return want, false, a.othersTemplate() // on the way forward the base has its own until it settles
	case op.Strict && a.objects.Scaler == nil && now != op.From && now != op.Pods:
		return want, false, a.scaledFrom(op.From, now)
	case !op.Strict && op.Pods > 0 && a.objects.Scaler == nil:
		want = max(want, now)
	}
	if same && now == want {
		return want, false, nil
	}
	if _, err := a.keep(o); err != nil {
		return want, false, err
	}
	if err := unstructured.SetNestedField(o.Object, int64(want), "spec", "replicas"); err != nil || same {
		return want, err == nil, err
	}
	return want, true, unstructured.SetNestedField(o.Object, runtime.DeepCopyJSON(a.objects.Templates[op.Version]), "spec", "template")
}

// errShort is the cause of a wait for the candidate's pods that ran out.
var errShort = errors.New("the candidate does not make up for the base's pods")

// madeUp waits until the candidate's ready pods make up for those of the base that an op takes away.
func (a *Actuator) madeUp(ctx context.Context, op plan.Op) error {
	base, err := a.baseNow(ctx)
	if err != nil || kube.WorkloadRollout(base).Desired <= op.Pods {
		return err
	}
	bounded, cancel := a.client.Bounded(ctx, a.progress, errShort)
	defer cancel()
	have := 0
	err = a.scene.Wait(bounded, 0, func() (bool, error) {
		have = ready(a.Pods(plan.Candidate))
		return a.candidatePods.Synced() && have+op.Pods >= a.objects.Size, nil
	})
	if errors.Is(err, errShort) {
		return &engine.StepError{Reason: fmt.Sprintf("the candidate has %d ready pods, too few to take away all but %d of the %d of %s",
			have, op.Pods, a.objects.Size, a.objects.Workload),
			Hint: fmt.Sprintf("They were waited for %s (spec.progressDeadline). See why they are not ready: kubectl get pods -n %s -l %s",
				a.progress.Round(time.Second), a.objects.Workload.Namespace, a.objects.PodSelector(plan.Candidate))}
	}
	return err
}

// scaledFrom is the error for a workload that somebody scaled, whose pods the shares count.
func (a *Actuator) scaledFrom(was, now int) error {
	return &engine.StepError{
		Reason: fmt.Sprintf("somebody scaled %s from %d to %d pods during the rollout, whose shares count its pods", a.objects.Workload, was, now),
		Hint:   "Deploy again: the pods are then counted anew. Scale between rollouts, or by an autoscaler, which is held meanwhile.",
	}
}
