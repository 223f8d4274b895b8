package actuate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// baseNow is the workload as the watch last told; the first time it waits for the watch.
func (a *Actuator) baseNow(ctx context.Context) (*unstructured.Unstructured, error) {
	bounded, cancel := a.client.Bounded(ctx, a.progress, errSlow)
	defer cancel()
	err := a.scene.Wait(bounded, 0, func() (bool, error) {
		if !a.base.Synced() {
			return false, nil
		}
		if a.base.One() == nil {
			return false, &engine.StepError{Reason: fmt.Sprintf("%s is gone: somebody deleted it during the rollout", a.objects.Workload)}
		}
		return true, nil
	})
	return a.base.One(), err
}

// rollBase brings the template of one version to the base and waits until all its pods run it.
func (a *Actuator) rollBase(ctx context.Context, version plan.Side) error {
	template := a.objects.Templates[version]
	var left *engine.LeftError
	stored, err := a.client.Modify(ctx, a.objects.Workload, func(o *unstructured.Unstructured) (bool, error) {
		if left = a.foreign(o, version); left != nil {
			template, _, _ = unstructured.NestedMap(o.Object, "spec", "template")
			return false, nil
		}
		return a.setTemplate(o, version)
	})
	if err != nil {
		return fmt.Errorf("roll %s: %w", a.objects.Workload, err)
	}
	images := imagesOf(template)
	err = a.podsReady(ctx, wanted{
		what: "the base", ref: a.objects.Workload, view: a.base, pods: a.basePods,
		generation: stored.GetGeneration(), done: kube.Rollout.Done,
		// Pods of the other template may be in trouble without that being this roll's fault.
		mine: func(pod *unstructured.Unstructured) bool { return runs(imagesOf(pod.Object), images) },
	})
	if err == nil {
		err = a.known(ctx, plan.Base)
	}
	if err == nil && left != nil {
		return left
	}
	return err
}

// setTemplate changes the pod template. On the way forward the old template is kept in an annotation.
func (a *Actuator) setTemplate(o *unstructured.Unstructured, version plan.Side) (bool, error) {
	template := a.objects.Templates[version]
	if same, err := a.hasTemplate(o, version); same || err != nil {
		return false, err
	}
	mark := kube.OriginalMark(a.objects.Workload.Name)
	if !a.marked(o) && version == plan.Candidate {
		if err := kube.KeepOriginalOf(o, mark, a.rollout, map[string]any{keptTemplate: a.objects.Templates[plan.Base]}); err != nil {
			return false, err
		}
	}
	return true, unstructured.SetNestedMap(o.Object, runtime.DeepCopyJSON(template), "spec", "template")
}

// marked tells whether the workload carries the mark of this rollout, or one that does not say whose it is. That of another
// one was brought back by somebody (kubectl rollout undo) and keeps nothing of what was before this one.
func (a *Actuator) marked(o *unstructured.Unstructured) bool {
	mark := kube.OriginalMark(a.objects.Workload.Name)
	_, marked := o.GetAnnotations()[mark]
	by := kube.MarkedBy(o, mark)
	return marked && (by == "" || by == a.rollout)
}

// kept is what the mark of this rollout keeps on the workload; false without one.
func (a *Actuator) kept(o *unstructured.Unstructured) (map[string]any, bool) {
	if !a.marked(o) {
		return nil, false
	}
	return kube.ReadOriginal(o, kube.OriginalMark(a.objects.Workload.Name))
}

// What of the workload its annotation keeps.
const (
	keptTemplate = "template"
	keptPace     = "pace"
	keptHalt     = "halt" // of a StatefulSet or DaemonSet that is stopped and started: true
	keptSize     = "size" // of such a StatefulSet
)

// KeptPace is how the workload's pods were replaced before a rollout in place, by what its annotation keeps; false for any
// other rollout's annotation.
func KeptPace(kept map[string]any) (kube.Pace, bool) {
	pace, ok := kept[keptPace].(map[string]any)
	return pace, ok
}

// KeptHalt tells, by what the workload's annotation keeps, whether a rollout stops all its pods before the first new one
// starts, where the cluster has no type for that.
func KeptHalt(kept map[string]any) bool { return kept[keptHalt] == true }

// KeptSize is how many pods a StatefulSet had that a rollout stopped; false for any other annotation.
func KeptSize(kept map[string]any) (int64, bool) {
	n, ok := kept[keptSize].(int64)
	return n, ok
}

// hasTemplate tells whether the workload has the template of a version. One that is neither version's is somebody else's
// change, and an error; as long as nothing carries our mark, that is told by every detail, and later by the images: what
// the cluster itself changes in a template that it is given (an admission webhook) is no reason to go back.
func (a *Actuator) hasTemplate(o *unstructured.Unstructured, version plan.Side) (bool, error) {
	present, _, err := unstructured.NestedMap(o.Object, "spec", "template")
	if err != nil {
		return false, fmt.Errorf("%s: %w", a.objects.Workload, err)
	}
	base, candidate := a.objects.Templates[plan.Base], a.objects.Templates[plan.Candidate]
	marked := a.marked(o)
	switch digest := plan.Digest(present); {
	case digest == plan.Digest(a.objects.Templates[version]):
		return true, nil
	case digest == plan.Digest(base), digest == plan.Digest(candidate), marked && version == plan.Base:
		return false, nil
	case marked && (runs(imagesOf(present), imagesOf(base)) || pinned(imagesOf(present), imagesOf(candidate))):
		return false, nil
	}
	return false, a.othersTemplate()
}

// othersTemplate is the error for a workload that somebody else brings a version of their own.
func (a *Actuator) othersTemplate() error {
	return &engine.StepError{
		Reason: fmt.Sprintf("somebody changed the pod template of %s during the rollout: it is neither the old nor the new version", a.objects.Workload),
		Hint:   "See who: kubectl get " + kube.Arg(a.objects.Workload) + " -n " + a.objects.Workload.Namespace + " -o yaml --show-managed-fields",
	}
}

// pinned tells whether containers run these images, perhaps with a digest that the cluster has added.
func pinned(present, images map[string]string) bool {
	for container, image := range images {
		if present[container] != image && !strings.HasPrefix(present[container], image+"@") {
			return false
		}
	}
	return true
}

// releaseBase gives the base its own settings back, where a rollout in place changed them, and takes our annotation and
// our entry in managedFields off it.
func (a *Actuator) releaseBase(ctx context.Context) error {
	stored, err := a.release(ctx, a.objects.Workload, func(o *unstructured.Unstructured, kept map[string]any) error {
		if pace, ok := KeptPace(kept); ok {
			return pace.Write(o)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.rested(ctx, stored.GetGeneration())
}

// controllerSees bounds the wait for a controller that has nothing to do but to see that marks are gone.
const controllerSees = 10 * time.Second

// rested waits until the workload's controller has seen that it is released, and, where its own settings came back with
// that, finds every pod available by them: the next rollout may start from it. Nothing would be won by going back over a
// pod that is not.
func (a *Actuator) rested(ctx context.Context, generation int64) error {
	limit, missing := controllerSees, "its controller has not seen that"
	if a.objects.InPlace() {
		limit, missing = a.progress, "not all of its pods are available"
	}
	bounded, cancel := a.client.Bounded(ctx, limit, errSlow)
	defer cancel()
	err := a.scene.Wait(bounded, 0, func() (bool, error) {
		seen := a.base.One()
		if seen == nil || seen.GetGeneration() < generation {
			return false, nil
		}
		r := kube.WorkloadRollout(seen)
		return r.Current && (r.Done() || !a.objects.InPlace()), nil
	})
	if errors.Is(err, errSlow) {
		a.tell(fmt.Sprintf("%s has its own settings back, but %s after %s", a.objects.Workload, missing, limit))
		return nil
	}
	return err
}

// release removes our marks from an object of the user's, after give has restored what the annotation kept. Values first:
// a write that changes a value makes us its owner. The annotation and our entry in managedFields go together, last, so
// that as long as anything is left of us the object says so. It returns the object as stored.
func (a *Actuator) release(ctx context.Context, ref plan.Ref,
	give func(o *unstructured.Unstructured, kept map[string]any) error) (*unstructured.Unstructured, error) {
	mark := kube.OriginalMark(a.objects.Workload.Name)
	stored, err := a.client.Modify(ctx, ref, func(o *unstructured.Unstructured) (bool, error) {
		kept, marked := kube.ReadOriginal(o, mark)
		if !marked || ref == a.objects.Workload && !a.marked(o) {
			return false, nil
		}
		before := plan.Digest(o.Object)
		err := give(o, kept)
		return plan.Digest(o.Object) != before, err
	})
	if err == nil {
		stored, err = a.client.ModifyFrom(ctx, stored, func(o *unstructured.Unstructured) (bool, error) {
			_, marked := o.GetAnnotations()[mark]
			kube.Unmark(o, mark)
			return a.disown(o) || marked, nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("take our marks off %s: %w", ref, err)
	}
	return stored, nil
}

func (a *Actuator) disown(o *unstructured.Unstructured) bool {
	original, _ := a.objects.Original(plan.RefOf(o.Object))
	return kube.Disown(o, original)
}
