package strategies

import (
	"fmt"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/plan"
)

// InPlace describes a rollout within the workload: its own Deployment goes from the old pod template to the new one.
func InPlace(in Input) (plan.Objects, error) {
	b := in.Baseline
	template, err := in.NewTemplate()
	if err != nil {
		return plan.Objects{}, err
	}
	old, _, _ := unstructured.NestedMap(b.Workload, "spec", "template")
	selector := stringMap(wrap(b.Workload), "spec", "selector", "matchLabels")
	return plan.Objects{
		Workload:  plan.RefOf(b.Workload),
		Templates: map[plan.Side]plan.Object{plan.Base: old, plan.Candidate: template},
		Selectors: map[plan.Side]map[string]string{plan.Base: selector},
		Originals: []plan.Object{b.Workload},
		Size:      b.Size,
	}, nil
}

// InPlaceTarget is Target with the workload's Service, if there is one: nothing is done to it, but gates may ask for it.
func (in Input) InPlaceTarget(objects plan.Objects) plan.Target {
	t := in.Target(objects)
	if in.Baseline.Service != nil {
		t.Service = plan.RefOf(in.Baseline.Service).Name
	}
	return t
}

// GracePeriod is how long the workload's pods get to stop.
func GracePeriod(workload plan.Object) time.Duration {
	seconds, found, _ := unstructured.NestedInt64(workload, "spec", "template", "spec", "terminationGracePeriodSeconds")
	if !found {
		seconds = 30 // the default of Kubernetes
	}
	return time.Duration(seconds) * time.Second
}

// Graceful gives the containers of a pod template that have no preStop hook one that sleeps, so that whoever still knows
// the pod as ready is answered while the news of its end travels. It says whether any had none.
func Graceful(template plan.Object, sleep time.Duration) (plan.Object, bool, error) {
	if grace := GracePeriod(plan.Object{"spec": map[string]any{"template": template}}); sleep >= grace {
		return nil, false, fmt.Errorf("graceful is %s and terminationGracePeriodSeconds %s: nothing would be left for the process "+
			"itself to end; raise the grace period above %s", sleep, grace, sleep)
	}
	template = runtime.DeepCopyJSON(template)
	containers, _, _ := unstructured.NestedSlice(template, "spec", "containers")
	changed := false
	for _, item := range containers {
		c, _ := item.(map[string]any)
		if _, found, _ := unstructured.NestedFieldNoCopy(c, "lifecycle", "preStop"); found {
			continue
		}
		changed = true
		seconds := int64(math.Ceil(sleep.Seconds()))
		if err := unstructured.SetNestedField(c, seconds, "lifecycle", "preStop", "sleep", "seconds"); err != nil {
			return nil, false, fmt.Errorf("spec.template.spec.containers: %w", err)
		}
	}
	return template, changed, unstructured.SetNestedSlice(template, containers, "spec", "containers")
}
