package actuate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// foreign tells whether the workload runs a template that is neither the old nor the new version when the old one is to
// come back: somebody wanted it, after us, and it is not ours to write over. Nil when it is one of the two.
func (a *Actuator) foreign(o *unstructured.Unstructured, version plan.Side) *engine.LeftError {
	if version != plan.Base || !a.neither(o) {
		return nil
	}
	present, _, _ := unstructured.NestedMap(o.Object, "spec", "template")
	return &engine.LeftError{
		Reason: fmt.Sprintf("somebody changed the pod template of %s during the rollout%s: it runs %s, neither the old nor the new version, and was left so",
			a.objects.Workload, by(o), imageList(present)),
		Hint: fmt.Sprintf("If it should run the old version: tidegate rollback, or deploy that version. See who wrote it: kubectl get deployment %s -n %s -o yaml --show-managed-fields",
			a.objects.Workload.Name, a.objects.Workload.Namespace),
	}
}

// neither tells whether the workload's template is of neither version. With our mark on it that is told by the images;
// without one the old images in another template are somebody else's change, too.
func (a *Actuator) neither(o *unstructured.Unstructured) bool {
	present, _, err := unstructured.NestedMap(o.Object, "spec", "template")
	if err != nil {
		return false
	}
	base, candidate := a.objects.Templates[plan.Base], a.objects.Templates[plan.Candidate]
	if digest := plan.Digest(present); digest == plan.Digest(base) || digest == plan.Digest(candidate) {
		return false
	}
	images := imagesOf(present)
	if pinned(images, imagesOf(candidate)) {
		return false
	}
	return !a.marked(o) || !runs(images, imagesOf(base))
}

// leave gives the workload's pods the user's own pace back, since somebody else's template runs, and waits until it does.
func (a *Actuator) leave(ctx context.Context, left *engine.LeftError) error {
	stored, err := a.client.Modify(ctx, a.objects.Workload, func(o *unstructured.Unstructured) (bool, error) {
		kept, _ := a.kept(o)
		pace, ok := KeptPace(kept)
		if !ok || plan.Digest(pace) == plan.Digest(kube.ReadPace(o)) {
			return false, nil
		}
		return true, pace.Write(o)
	})
	if err != nil {
		return fmt.Errorf("give %s its own settings back: %w", a.objects.Workload, err)
	}
	w := a.workload(plan.Base, stored)
	w.mine, w.done = nil, kube.Rollout.Done
	if err := a.podsReady(ctx, w); err != nil {
		return err
	}
	return left
}

// by names who wrote an object last, beside us, for the middle of a sentence.
func by(o *unstructured.Unstructured) string {
	if who := kube.LastWriter(o); who != "" {
		return " (last written by " + who + ")"
	}
	return ""
}

func imageList(template plan.Object) string {
	images := imagesOf(template)
	var list []string
	for _, container := range slices.Sorted(maps.Keys(images)) {
		list = append(list, images[container])
	}
	return strings.Join(list, ", ")
}
