package actuate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// StoppedLabel is a label that no node has: a DaemonSet whose pods ask for it has none.
const StoppedLabel = "tidegate.dev/stopped"

// exchange stops every pod of a StatefulSet or DaemonSet, and starts those of a version when none is left. Pods are never of
// another version than the template, for that changes only while there are none; so a run that was killed anywhere goes on
// from what it finds. If it is the version that was stopped that is wanted, it is started at once.
func (a *Actuator) exchange(ctx context.Context, version plan.Side) error {
	stored, err := a.client.Modify(ctx, a.objects.Workload, func(o *unstructured.Unstructured) (bool, error) {
		return a.halt(o, version)
	})
	if err != nil {
		return fmt.Errorf("stop %s: %w", a.objects.Workload, err)
	}
	if a.halted(stored) {
		same, err := a.hasTemplate(running(stored), version)
		if err != nil {
			return err
		}
		if !same {
			if err := a.allGone(ctx, stored); err != nil {
				return err
			}
		}
		stored, err = a.client.Modify(ctx, a.objects.Workload, func(o *unstructured.Unstructured) (bool, error) {
			return a.begin(o, version)
		})
		if err != nil {
			return fmt.Errorf("start %s: %w", a.objects.Workload, err)
		}
	}
	return a.podsReady(ctx, a.allOf(version, stored))
}

// halt tells the workload to have no pods, unless it is stopped or runs the version already.
func (a *Actuator) halt(o *unstructured.Unstructured, version plan.Side) (bool, error) {
	same, err := a.hasTemplate(running(o), version)
	if same || err != nil || a.halted(o) {
		return false, err
	}
	mark := kube.OriginalMark(a.objects.Workload.Name)
	kept, marked := a.kept(o)
	kept = maps.Clone(kept)
	if !marked || kept == nil {
		kept = map[string]any{keptTemplate: a.objects.Templates[plan.Base], keptPace: map[string]any(kube.ReadPace(o))}
	}
	kept[keptHalt] = true
	if a.objects.Workload.Kind == kube.DaemonSet {
		if err := unstructured.SetNestedField(o.Object, "true", "spec", "template", "spec", "nodeSelector", StoppedLabel); err != nil {
			return false, fmt.Errorf("%s: %w", a.objects.Workload, err)
		}
		return true, kube.KeepOriginalOf(o, mark, a.rollout, kept)
	}
	kept[keptSize] = int64(kube.WorkloadRollout(o).Desired)
	if err := unstructured.SetNestedField(o.Object, int64(0), "spec", "replicas"); err != nil {
		return false, fmt.Errorf("%s: %w", a.objects.Workload, err)
	}
	return true, kube.KeepOriginalOf(o, mark, a.rollout, kept)
}

// halted tells whether the workload was told to have no pods, and not yet to have them again.
func (a *Actuator) halted(o *unstructured.Unstructured) bool {
	kept, _ := a.kept(o)
	if a.objects.Workload.Kind == kube.DaemonSet {
		_, stopped, _ := unstructured.NestedString(o.Object, "spec", "template", "spec", "nodeSelector", StoppedLabel)
		return stopped
	}
	_, sized := KeptSize(kept)
	return sized && kube.WorkloadRollout(o).Desired == 0
}

// running is a workload as it is when its pods may run.
func running(o *unstructured.Unstructured) *unstructured.Unstructured {
	o = o.DeepCopy()
	selector, found, _ := unstructured.NestedStringMap(o.Object, "spec", "template", "spec", "nodeSelector")
	if _, stopped := selector[StoppedLabel]; !found || !stopped {
		return o
	}
	delete(selector, StoppedLabel)
	if len(selector) == 0 {
		unstructured.RemoveNestedField(o.Object, "spec", "template", "spec", "nodeSelector")
		return o
	}
	_ = unstructured.SetNestedStringMap(o.Object, selector, "spec", "template", "spec", "nodeSelector") // it was one
	return o
}

// begin gives a stopped workload the template of a version and its size back, in one write.
func (a *Actuator) begin(o *unstructured.Unstructured, version plan.Side) (bool, error) {
	if !a.halted(o) {
		return false, a.scaled(kube.WorkloadRollout(o).Desired)
	}
	if _, err := a.hasTemplate(running(o), version); err != nil {
		return false, err
	}
	before := plan.Digest(o.Object["spec"])
	if err := unstructured.SetNestedMap(o.Object, runtime.DeepCopyJSON(a.objects.Templates[version]), "spec", "template"); err != nil {
		return false, fmt.Errorf("%s: %w", a.objects.Workload, err)
	}
	kept, _ := a.kept(o)
	if size, sized := KeptSize(kept); sized {
		if err := unstructured.SetNestedField(o.Object, size, "spec", "replicas"); err != nil {
			return false, fmt.Errorf("%s: %w", a.objects.Workload, err)
		}
	}
	return plan.Digest(o.Object["spec"]) != before, nil
}

// allGone waits until the workload has no pod any more, not even one that ends. What the watches tell may be late, so
// the server has the last word.
func (a *Actuator) allGone(ctx context.Context, stored *unstructured.Unstructured) error {
	grace, found, _ := unstructured.NestedInt64(stored.Object, "spec", "template", "spec", "terminationGracePeriodSeconds")
	if !found {
		grace = 30 // the default of Kubernetes
	}
	limit := a.progress + time.Duration(grace)*time.Second
	bounded, cancel := a.client.Bounded(ctx, limit, errSlow)
	defer cancel()
	clearAll := func(context.Context) error { return nil }
	if a.objects.Workload.Kind == kube.StatefulSet {
		clearAll = a.clearAll()
	}
	err := a.scene.Wait(bounded, recheck, func() (bool, error) {
		now := a.base.One()
		if now == nil || now.GetGeneration() < stored.GetGeneration() {
			return false, nil
		}
		if !a.halted(now) {
			return false, a.scaled(kube.WorkloadRollout(now).Desired)
		}
		if r := kube.WorkloadRollout(now); !r.Current || r.Total > 0 || len(a.left(a.basePods.List())) > 0 {
			if r.Current {
				return false, clearAll(bounded)
			}
			return false, nil
		}
		list, err := a.client.List(bounded, "v1", "Pod", a.objects.Workload.Namespace, a.objects.PodSelector(plan.Base))
		pods := make([]*unstructured.Unstructured, len(list))
		for i := range list {
			pods[i] = &list[i]
		}
		return err == nil && len(a.left(pods)) == 0, err
	})
	if !errors.Is(err, errSlow) {
		return err
	}
	return &engine.StepError{
		Reason: fmt.Sprintf("pods of %s were still there %s after they were told to stop: %s", a.objects.Workload, limit,
			strings.Join(a.left(a.basePods.List()), ", ")),
		Hint: "Look for finalizers and for nodes that do not answer: kubectl get pods -n " + a.objects.Workload.Namespace + " -o wide",
	}
}

// left are the names of the workload's own pods.
func (a *Actuator) left(pods []*unstructured.Unstructured) []string {
	var names []string
	for _, o := range pods {
		if a.owned(o) {
			names = append(names, o.GetName())
		}
	}
	slices.Sort(names)
	return names
}
