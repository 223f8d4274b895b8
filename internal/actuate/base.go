package actuate

import (
	"context"
	"fmt"
	"maps"

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
	stored, err := a.client.Modify(ctx, a.objects.Workload, func(o *unstructured.Unstructured) (bool, error) {
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
	if err != nil {
		return err
	}
	return a.known(ctx, plan.Base)
}

// setTemplate changes the pod template, unless somebody else changed it to something that is neither version. On the
// way forward the old template is kept in an annotation.
func (a *Actuator) setTemplate(o *unstructured.Unstructured, version plan.Side) (bool, error) {
	template := a.objects.Templates[version]
	present, _, err := unstructured.NestedMap(o.Object, "spec", "template")
	if err != nil {
		return false, fmt.Errorf("%s: %w", a.objects.Workload, err)
	}
	mark := kube.OriginalMark(a.objects.Workload.Name)
	_, marked := o.GetAnnotations()[mark]
	switch digest := plan.Digest(present); {
	case digest == plan.Digest(template):
		return false, nil
	case !marked && digest != plan.Digest(a.objects.Templates[plan.Base]) && digest != plan.Digest(a.objects.Templates[plan.Candidate]):
		return false, &engine.StepError{
			Reason: fmt.Sprintf("somebody changed the pod template of %s during the rollout: it is neither the old nor the new version", a.objects.Workload),
			Hint:   "See who: kubectl get deployment " + a.objects.Workload.Name + " -n " + a.objects.Workload.Namespace + " -o yaml --show-managed-fields",
		}
	case !marked && version == plan.Candidate:
		if err := kube.KeepOriginal(o, mark, map[string]any{"template": present}); err != nil {
			return false, err
		}
	}
	return true, unstructured.SetNestedMap(o.Object, runtime.DeepCopyJSON(template), "spec", "template")
}

// releaseBase takes our annotation and our entry in managedFields off the base, in one write.
func (a *Actuator) releaseBase(ctx context.Context) error {
	return a.release(ctx, a.objects.Workload, nil)
}

// release removes our marks from an object of the user's, after give (may be nil) has restored what the annotation kept.
// Values first, managedFields second: a write that changes a value makes us its owner again.
func (a *Actuator) release(ctx context.Context, ref plan.Ref, give func(o *unstructured.Unstructured, kept map[string]any) error) error {
	mark := kube.OriginalMark(a.objects.Workload.Name)
	stored, err := a.client.Modify(ctx, ref, func(o *unstructured.Unstructured) (bool, error) {
		kept, marked := kube.ReadOriginal(o, mark)
		if !marked {
			return false, nil
		}
		if give != nil {
			if err := give(o, kept); err != nil {
				return false, err
			}
		}
		annotations := maps.Clone(o.GetAnnotations())
		delete(annotations, mark)
		o.SetAnnotations(annotations)
		a.disown(o)
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("take our marks off %s: %w", ref, err)
	}
	_, err = a.client.ModifyFrom(ctx, stored, func(o *unstructured.Unstructured) (bool, error) { return a.disown(o), nil })
	if err != nil {
		return fmt.Errorf("take our marks off %s: %w", ref, err)
	}
	return nil
}

func (a *Actuator) disown(o *unstructured.Unstructured) bool {
	original, _ := a.objects.Original(plan.RefOf(o.Object))
	return kube.Disown(o, original)
}

// runs tells whether the pod's containers run these images; containers that were injected into the pod do not count.
func runs(pod, images map[string]string) bool {
	for container, image := range images {
		if pod[container] != image {
			return false
		}
	}
	return true
}

// imagesOf are the images by container of a pod or a pod template.
func imagesOf(o plan.Object) map[string]string {
	images := map[string]string{}
	containers, _, _ := unstructured.NestedSlice(o, "spec", "containers")
	for _, c := range containers {
		m, _ := c.(map[string]any)
		name, _ := m["name"].(string)
		images[name], _ = m["image"].(string)
	}
	return images
}
