package app

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/preflight"
)

// observe reads the cluster. The mark of a rollout that has ended is passed over, and stale tells that there is one.
func (s *session) observe(ctx context.Context) (observed preflight.Observed, stale bool, err error) {
	if observed, err = preflight.Observe(ctx, s.free, s.Deploy, s.namespace); err != nil || len(observed.Leftovers) == 0 {
		return observed, false, err
	}
	rec, err := s.store.Load(ctx)
	if err != nil {
		return observed, false, fmt.Errorf("read the record of %s: %w", s.workload, err)
	}
	return observed, observed.Forgive(rec.HasEnded), nil
}

// unmark takes the mark of a rollout that has ended off the workload, and our entry in managedFields with it.
func (r *rollout) unmark(ctx context.Context) error {
	mark := kube.OriginalMark(r.workload.Name)
	_, err := r.client.Modify(ctx, r.workload, func(o *unstructured.Unstructured) (bool, error) {
		by := kube.MarkedBy(o, mark)
		if by == "" || !r.record.HasEnded(by) {
			return false, nil
		}
		kube.Unmark(o, mark)
		kube.Disown(o, nil)
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("take the mark of a rollout that has ended off %s: %w", r.workload, err)
	}
	return nil
}
