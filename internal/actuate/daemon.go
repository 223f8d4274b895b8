package actuate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// rollNodes comes to op.Pods new pods of a DaemonSet. By type OnDelete the cluster replaces no pod by itself; old ones are
// deleted here, one at a time and only while all others are available. How far it is the pods tell, so that a run that was
// killed anywhere goes on from there. A pod that goes for another reason (a drained node) comes back as a new one.
func (a *Actuator) rollNodes(ctx context.Context, op plan.Op) error {
	stored, err := a.client.Modify(ctx, a.objects.Workload, func(o *unstructured.Unstructured) (bool, error) {
		return a.bring(o, plan.Candidate, func(own kube.Pace) kube.Pace { return minReady(own.OnDelete(), op.Pace) })
	})
	if err != nil {
		return fmt.Errorf("roll %s to %d new pods: %w", a.objects.Workload, op.Pods, err)
	}
	w := a.workload(plan.Candidate, stored)
	if op.Pace.MinReady > 0 {
		w.recheck = time.Second
	}
	w.done = func(r kube.Rollout) bool {
		fresh, old := a.Pods(plan.Candidate), a.Pods(plan.Base)
		return r.Current && len(fresh) >= min(op.Pods, r.Desired) && len(fresh)+len(old) == r.Desired && r.Available >= r.Desired &&
			ready(fresh) == len(fresh) && ready(old) == len(old)
	}
	w.tend = func(ctx context.Context) error { return a.replaceOne(ctx, op.Pods) }
	return a.podsReady(ctx, w)
}

// replaceOne deletes one old pod, if more have to go and none is missing. What the watches tell may be late: before a pod
// is deleted the server is asked for all.
func (a *Actuator) replaceOne(ctx context.Context, wanted int) error {
	if !a.mayReplace(a.base.One(), a.basePods.List(), wanted) {
		return nil
	}
	now, err := a.client.Get(ctx, a.objects.Workload)
	if err != nil {
		return fmt.Errorf("read %s: %w", a.objects.Workload, err)
	}
	list, err := a.client.List(ctx, "v1", "Pod", a.objects.Workload.Namespace, a.objects.PodSelector(plan.Base))
	if err != nil {
		return fmt.Errorf("list the pods of %s: %w", a.objects.Workload, err)
	}
	pods := make([]*unstructured.Unstructured, len(list))
	for i := range list {
		pods[i] = &list[i]
	}
	if !a.mayReplace(now, pods, wanted) {
		return nil
	}
	old := a.oldPods(pods)
	if _, err := a.client.DeleteExact(ctx, old[0]); err != nil {
		return fmt.Errorf("delete pod %s, so that one of the new version takes its place: %w", old[0].GetName(), err)
	}
	return nil
}

// mayReplace tells whether an old pod may be deleted: there are fewer new ones than wanted, none is on its way, and either it
// is no loss, since it is not ready, or all pods are available.
func (a *Actuator) mayReplace(workload *unstructured.Unstructured, pods []*unstructured.Unstructured, wanted int) bool {
	if workload == nil {
		return false
	}
	r, of := kube.WorkloadRollout(workload), a.sides()
	all, fresh, ready := 0, 0, 0
	for _, o := range pods {
		if !a.owned(o) {
			continue
		}
		p, isNew := kube.ReadPod(o), of(o) == plan.Candidate
		if p.Terminating || isNew && !p.Ready {
			return false
		}
		all++
		if isNew {
			fresh++
		}
		if p.Ready {
			ready++
		}
	}
	old := a.oldPods(pods)
	if len(old) == 0 || !r.Current || all != r.Desired || fresh >= min(wanted, r.Desired) {
		return false
	}
	return !kube.ReadPod(old[0]).Ready || ready == all && r.Available >= r.Desired
}

// oldPods are the pods of the old version, those that are not ready first, then by name.
func (a *Actuator) oldPods(pods []*unstructured.Unstructured) []*unstructured.Unstructured {
	of := a.sides()
	var old []*unstructured.Unstructured
	for _, o := range pods {
		if a.owned(o) && of(o) == plan.Base {
			old = append(old, o)
		}
	}
	rank := func(o *unstructured.Unstructured) int {
		if kube.ReadPod(o).Ready {
			return 1
		}
		return 0
	}
	slices.SortFunc(old, func(x, y *unstructured.Unstructured) int {
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(x.GetName(), y.GetName()))
	})
	return old
}
