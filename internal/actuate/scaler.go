package actuate

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/kube"
)

// holdScaler raises the scaler's minimum to the present size, so that a base that loses traffic to the candidate keeps
// the pods that it needs when the traffic comes back.
func (a *Actuator) holdScaler(ctx context.Context) error {
	if a.objects.Scaler == nil {
		return nil
	}
	base, err := a.baseNow(ctx)
	if err != nil {
		return err
	}
	size := int64(max(kube.DeploymentRollout(base).Desired, 1))
	path, mark := kube.ScalerMinimum(a.objects.Scaler.Kind), kube.OriginalMark(a.objects.Workload.Name)
	_, err = a.client.Modify(ctx, *a.objects.Scaler, func(o *unstructured.Unstructured) (bool, error) {
		if _, marked := o.GetAnnotations()[mark]; marked {
			return false, nil
		}
		present, found, _ := unstructured.NestedInt64(o.Object, path...)
		if found && present >= size {
			return false, nil
		}
		kept := map[string]any{}
		if found {
			kept["min"] = present
		}
		if err := kube.KeepOriginal(o, mark, kept); err != nil {
			return false, err
		}
		return true, unstructured.SetNestedField(o.Object, size, path...)
	})
	if err != nil {
		return fmt.Errorf("hold %s at %d pods: %w", a.objects.Scaler, size, err)
	}
	return nil
}

// releaseScaler gives the scaler its own minimum back.
func (a *Actuator) releaseScaler(ctx context.Context) error {
	if a.objects.Scaler == nil {
		return nil
	}
	path := kube.ScalerMinimum(a.objects.Scaler.Kind)
	return a.release(ctx, *a.objects.Scaler, func(o *unstructured.Unstructured, kept map[string]any) error {
		if min, ok := kept["min"].(float64); ok {
			return unstructured.SetNestedField(o.Object, int64(min), path...)
		}
		unstructured.RemoveNestedField(o.Object, path...)
		return nil
	})
}
