package actuate

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// holdScaler raises the scaler's minimum to the present size, so that a base that loses traffic to the candidate keeps
// the pods that it needs when the traffic comes back. An op that names a number of pods holds it at exactly that.
func (a *Actuator) holdScaler(ctx context.Context, op plan.Op) error {
	if a.objects.Scaler == nil {
		return nil
	}
	size := int64(op.Pods)
	if size == 0 {
		base, err := a.baseNow(ctx)
		if err != nil {
			return err
		}
		size = int64(max(kube.WorkloadRollout(base).Desired, 1))
	}
	_, err := a.client.Modify(ctx, *a.objects.Scaler, func(o *unstructured.Unstructured) (bool, error) {
		if a.objects.ByReplicas() { // its size changes from step to step
			return kube.PinScaler(o, kube.OriginalMark(a.objects.Workload.Name), size)
		}
		return kube.HoldScaler(o, kube.OriginalMark(a.objects.Workload.Name), size, op.Pods > 0)
	})
	if err != nil {
		return fmt.Errorf("hold %s at %d pods: %w", a.objects.Scaler, size, err)
	}
	return nil
}

// releaseScaler gives the scaler its own bounds back.
func (a *Actuator) releaseScaler(ctx context.Context) error {
	if a.objects.Scaler == nil {
		return nil
	}
	_, err := a.release(ctx, *a.objects.Scaler, kube.FreeScaler)
	return err
}
