package actuate

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// rollOrdinals comes to op.Pods new pods of a StatefulSet by its partition: the pods from there on are replaced, the last one
// first, and the others are not, whatever becomes of the runner. Template and partition are one write.
func (a *Actuator) rollOrdinals(ctx context.Context, op plan.Op) error {
	if err := a.madeCurrent(ctx); err != nil {
		return err
	}
	pace := func(own kube.Pace) kube.Pace {
		return minReady(own.Partition(max(a.objects.Size-op.Pods, 0)), op.Pace)
	}
	stored, err := a.client.Modify(ctx, a.objects.Workload, func(o *unstructured.Unstructured) (bool, error) {
		return a.bring(o, plan.Candidate, pace)
	})
	if err != nil {
		return fmt.Errorf("roll %s to %d new pods: %w", a.objects.Workload, op.Pods, err)
	}
	w := a.workload(plan.Candidate, stored)
	w.size = a.objects.Size
	if op.Pace.MinReady > 0 {
		w.recheck = time.Second
	}
	w.done = func(r kube.Rollout) bool {
		fresh, old := a.Pods(plan.Candidate), a.Pods(plan.Base)
		return r.Current && r.Updated == op.Pods && r.Available >= w.size && len(fresh) == op.Pods && ready(fresh) == op.Pods &&
			len(old) == w.size-op.Pods && ready(old) == len(old)
	}
	return a.podsReady(ctx, w)
}

// minReady is a pace with the time that an op asks for.
func minReady(p kube.Pace, asked plan.Pace) kube.Pace {
	if asked.MinReady == 0 {
		return p
	}
	return p.MinReady(int64(time.Duration(asked.MinReady) / time.Second))
}

// madeCurrent sees to it that the revision that all pods run is the one that the StatefulSet holds for current: pods below
// the partition that are made anew, as after the loss of a node, come from that one. Under OnDelete it may be one of long
// ago, until the type changes.
func (a *Actuator) madeCurrent(ctx context.Context) error {
	stored, err := a.client.Modify(ctx, a.objects.Workload, func(o *unstructured.Unstructured) (bool, error) {
		same, err := a.hasTemplate(o, plan.Base)
		if !same || err != nil || !kube.ReadPace(o).IsOnDelete() {
			return false, err
		}
		return a.bring(o, plan.Base, func(own kube.Pace) kube.Pace { return own.Partition(0) })
	})
	if err != nil {
		return fmt.Errorf("prepare %s: %w", a.objects.Workload, err)
	}
	if same, err := a.hasTemplate(stored, plan.Base); !same || err != nil {
		return err
	}
	w := a.workload(plan.Base, stored)
	w.done = func(r kube.Rollout) bool { return r.Current && !r.Unsettled }
	return a.podsReady(ctx, w)
}

// clearStuck deletes the pods of the new version that are not ready, each once as it was seen. A StatefulSet whose pods
// follow one another waits for such a pod although its template is the old one again, and would wait for ever.
func (a *Actuator) clearStuck() func(context.Context) error {
	return a.clear(func() func(*unstructured.Unstructured) bool {
		of := a.sides()
		return func(pod *unstructured.Unstructured) bool { return of(pod) == plan.Candidate }
	})
}

// clearAll deletes all pods that are not ready, each once as it was seen: a StatefulSet that is to have no pods waits for the
// lowest of those before it takes the highest away, and for ever when there are several.
func (a *Actuator) clearAll() func(context.Context) error {
	return a.clear(func() func(*unstructured.Unstructured) bool {
		return func(*unstructured.Unstructured) bool { return true }
	})
}

func (a *Actuator) clear(choose func() func(pod *unstructured.Unstructured) bool) func(context.Context) error {
	tried := map[string]bool{}
	return func(ctx context.Context) error {
		chosen := choose()
		for _, o := range a.basePods.List() {
			p, state := kube.ReadPod(o), string(o.GetUID())+"/"+o.GetResourceVersion()
			if p.Ready || p.Terminating || tried[state] || !a.owned(o) || !chosen(o) {
				continue
			}
			tried[state] = true
			gone, err := a.client.DeleteExact(ctx, o)
			if err != nil {
				return fmt.Errorf("delete pod %s, which is not ready and for which %s would wait: %w", p.Name, a.objects.Workload, err)
			}
			if gone {
				a.tell(fmt.Sprintf("deleted pod %s: it is not ready, and %s would wait for it", p.Name, a.objects.Workload))
			}
		}
		return nil
	}
}
