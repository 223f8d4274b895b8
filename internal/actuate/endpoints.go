package actuate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// endpointPatience bounds the wait for a Service's endpoints. A Service may well select other pods beside ours, which
// nobody can tell from old ones.
const endpointPatience = 15 * time.Second

// errEndpoints is the cause of a wait for endpoints that ran out.
var errEndpoints = errors.New("the endpoints do not follow")

// known waits until the Service in front of a side names its ready pods and no others. A ready pod that the gateway does
// not know yet answers with 503, and one that is gone but still known with 502 (both seen). After this the gateways need
// the guard to follow.
func (a *Actuator) known(ctx context.Context, side plan.Side) error {
	slices := a.slices[side]
	if slices == nil {
		return nil // no Service stands before this side alone
	}
	return a.knownBy(ctx, slices, fmt.Sprintf("the %s's Service", side), side)
}

// knownBy is known for a Service by its EndpointSlices.
func (a *Actuator) knownBy(ctx context.Context, slices *kube.View, whose string, side plan.Side) error {
	bounded, cancel := a.client.Bounded(ctx, endpointPatience, errEndpoints)
	defer cancel()
	err := a.scene.Wait(bounded, 0, func() (bool, error) {
		return slices.Synced() && sameNames(endpointPods(slices.List()), a.Pods(side)), nil
	})
	if errors.Is(err, errEndpoints) {
		a.tell(fmt.Sprintf("the endpoints of %s are not just its ready pods after %s; going on", whose, endpointPatience))
		return nil
	}
	return err
}

// sameNames tells whether the endpoints are exactly the ready pods.
func sameNames(endpoints map[string]bool, pods []kube.Pod) bool {
	n := 0
	for _, p := range pods {
		if p.Ready {
			if !endpoints[p.Name] {
				return false
			}
			n++
		}
	}
	return n == len(endpoints)
}

// endpointPods are the pods that EndpointSlices give out as ready.
func endpointPods(slices []*unstructured.Unstructured) map[string]bool {
	pods := map[string]bool{}
	for _, s := range slices {
		list, _, _ := unstructured.NestedSlice(s.Object, "endpoints")
		for _, item := range list {
			e, _ := item.(map[string]any)
			if ready, found, _ := unstructured.NestedBool(e, "conditions", "ready"); ready || !found {
				name, _, _ := unstructured.NestedString(e, "targetRef", "name")
				pods[name] = true
			}
		}
	}
	return pods
}
