package selector

import (
	"encoding/json"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// kept is what the Service's annotation holds: its selector as the user wrote it.
const kept = "selector"

type managed = metav1.ManagedFieldsEntry

func selectorOf(service plan.Object) map[string]string {
	m, _, _ := unstructured.NestedStringMap(service, "spec", "selector")
	return m
}

// Cleaned is the Service as it was before a rollout of the workload, made from the Service as it is and what its annotation
// kept. touched tells whether a rollout had marked it.
func Cleaned(service plan.Object, workload string) (cleaned plan.Object, touched bool) {
	mark := kube.OriginalMark(workload)
	memo, marked := kube.ReadOriginal(&unstructured.Unstructured{Object: service}, mark)
	if !marked {
		return service, false
	}
	u := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(service)}
	kube.Unmark(u, mark)
	if was, ok := memo[kept].(map[string]any); ok {
		_ = unstructured.SetNestedMap(u.Object, was, "spec", "selector") // spec is a map: the API server says so
	}
	return u.Object, true
}

// Share is the part of the Service's requests that meets the candidate: all or nothing.
func Share(service plan.Object, t plan.Traffic) plan.Share {
	if maps.Equal(selectorOf(service), t.Selectors[plan.Candidate]) {
		return plan.All
	}
	return 0
}

// owns tells whether a managedFields entry has the selector or a part of it.
func owns(e managed) bool {
	if e.FieldsV1 == nil {
		return false
	}
	var fields struct {
		Spec map[string]json.RawMessage `json:"f:spec"`
	}
	if json.Unmarshal(e.FieldsV1.GetRawBytes(), &fields) != nil {
		return false
	}
	_, ok := fields.Spec["f:selector"]
	return ok
}

// follow tells whether EndpointSlices have come to name a side's pods: all that are ready, and none that the side has not.
func follow(slices, pods []*unstructured.Unstructured) bool {
	named := map[string]bool{}
	for _, s := range slices {
		list, _, _ := unstructured.NestedSlice(s.Object, "endpoints")
		for _, item := range list {
			e, _ := item.(map[string]any)
			if ready, found, _ := unstructured.NestedBool(e, "conditions", "ready"); ready || !found {
				name, _, _ := unstructured.NestedString(e, "targetRef", "name")
				named[name] = true
			}
		}
	}
	there := map[string]bool{}
	for _, o := range pods {
		p := kube.ReadPod(o)
		there[p.Name] = true
		if p.Ready && !p.Terminating && !named[p.Name] {
			return false
		}
	}
	for name := range named {
		if !there[name] {
			return false
		}
	}
	return true
}
