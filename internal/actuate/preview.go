package actuate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
)

// previewPatience is how long gateways may take to accept a preview's route, and the cluster to remove what was deleted.
const previewPatience = time.Minute

// errPreview is the cause of a wait for the preview that ran out.
var errPreview = errors.New("the preview is not as it should be in time")

// followPreview starts to follow what the preview consists of.
func (a *Actuator) followPreview(follow func(service string) *kube.View) {
	a.previews = map[plan.Ref]*kube.View{}
	for _, o := range a.objects.Preview {
		ref := plan.RefOf(o)
		a.previews[ref] = a.scene.FollowOne(ref)
		if ref.Kind == "Service" {
			a.previewSlices = append(a.previewSlices, follow(ref.Name))
		}
	}
}

// openPreview applies the preview's objects and waits until gateways have accepted its routes, and its Services know the
// candidate's pods.
func (a *Actuator) openPreview(ctx context.Context) error {
	for _, o := range a.objects.Preview {
		stored, err := a.client.Apply(ctx, a.mark(o, 0))
		if err != nil {
			return refused(o, err)
		}
		if err := a.previewAccepted(ctx, stored); err != nil {
			return err
		}
	}
	for _, slices := range a.previewSlices {
		if err := a.knownBy(ctx, slices, "the preview's Service", plan.Candidate); err != nil {
			return err
		}
	}
	return nil
}

// previewAccepted waits until the watch has told of an object of the preview, and every gateway has accepted it, where the
// router's objects need that.
func (a *Actuator) previewAccepted(ctx context.Context, stored *unstructured.Unstructured) error {
	ref := plan.RefOf(stored.Object)
	judge, judged := a.router.(traffic.Acceptance)
	judged = judged && ref.Kind != "Service"
	bounded, cancel := a.client.Bounded(ctx, previewPatience, errPreview)
	defer cancel()
	missing := ""
	err := a.scene.Wait(bounded, 0, func() (bool, error) {
		seen := a.previews[ref].One()
		if seen == nil || seen.GetUID() != stored.GetUID() || seen.GetGeneration() < stored.GetGeneration() {
			missing = "the API has not told of it yet"
			return false, nil
		}
		if missing = ""; judged {
			missing = judge.NotAccepted(seen.Object)
		}
		return missing == "", nil
	})
	if errors.Is(err, errPreview) {
		return &engine.StepError{Reason: fmt.Sprintf("the preview's %s was made, but %s after %s", ref, missing, previewPatience),
			Hint: fmt.Sprintf("Does a listener of the gateway take the preview's host? kubectl describe %s %s -n %s", strings.ToLower(ref.Kind), ref.Name, ref.Namespace)}
	}
	return err
}

// closePreview deletes the preview's objects and waits until they are gone.
func (a *Actuator) closePreview(ctx context.Context) error {
	for _, o := range a.objects.Preview {
		if err := a.client.Delete(ctx, plan.RefOf(o)); err != nil {
			return fmt.Errorf("remove %s: %w", plan.RefOf(o), err)
		}
	}
	bounded, cancel := a.client.Bounded(ctx, previewPatience, errPreview)
	defer cancel()
	left := plan.Ref{}
	err := a.scene.Wait(bounded, 0, func() (bool, error) {
		for ref, view := range a.previews {
			if left = ref; !view.Synced() || view.One() != nil {
				return false, nil
			}
		}
		return true, nil
	})
	if errors.Is(err, errPreview) {
		return fmt.Errorf("the preview's %s was still there %s after it was deleted; look for finalizers: kubectl get %s %s -n %s -o yaml",
			left, previewPatience, strings.ToLower(left.Kind), left.Name, left.Namespace)
	}
	return err
}
