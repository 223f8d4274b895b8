package preflight

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/plan"
)

// at is the value at a path of fields, nil when there is none.
func at(o plan.Object, path ...string) any {
	v, _, _ := unstructured.NestedFieldNoCopy(o, path...)
	return v
}

func mapAt(o plan.Object, path ...string) plan.Object {
	m, _ := at(o, path...).(map[string]any)
	return m
}

func textAt(o plan.Object, path ...string) string {
	s, _ := at(o, path...).(string)
	return s
}

func flagAt(o plan.Object, path ...string) bool {
	b, _ := at(o, path...).(bool)
	return b
}

// numberAt is the whole number at a path, and whether there is one.
func numberAt(o plan.Object, path ...string) (int64, bool) {
	switch n := at(o, path...).(type) {
	case int64:
		return n, true
	case int:
		return int64(n), true
	case float64:
		return int64(n), true
	}
	return 0, false
}

// listAt are the objects of a list.
func listAt(o plan.Object, path ...string) []plan.Object {
	list, _ := at(o, path...).([]any)
	var all []plan.Object
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

// textsAt are the texts of a list.
func textsAt(o plan.Object, path ...string) []string {
	list, _ := at(o, path...).([]any)
	var all []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// labelsAt is a map of texts.
func labelsAt(o plan.Object, path ...string) labels.Set {
	m, _, _ := unstructured.NestedStringMap(o, path...)
	return m
}

func nameOf(o plan.Object) string { return textAt(o, "metadata", "name") }

func namespaceOf(o plan.Object) string { return textAt(o, "metadata", "namespace") }

func wrap(o plan.Object) *unstructured.Unstructured { return &unstructured.Unstructured{Object: o} }

// named is the object of this name, or nil.
func named(all []plan.Object, name string) plan.Object {
	for _, o := range all {
		if nameOf(o) == name {
			return o
		}
	}
	return nil
}

func names(all []plan.Object) []string {
	list := make([]string, 0, len(all))
	for _, o := range all {
		list = append(list, nameOf(o))
	}
	return list
}

// selects tells whether a label selector (matchLabels and matchExpressions) matches the labels. An empty one matches
// everything, a missing one nothing.
func selects(selector any, set labels.Set) bool {
	m, ok := selector.(map[string]any)
	if !ok {
		return false
	}
	var typed metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(m, &typed); err != nil {
		return false
	}
	s, err := metav1.LabelSelectorAsSelector(&typed)
	return err == nil && s.Matches(set)
}

// serves tells whether a Service selects pods with these labels.
func serves(service plan.Object, pod labels.Set) bool {
	selector := labelsAt(service, "spec", "selector")
	return len(selector) > 0 && labels.SelectorFromSet(selector).Matches(pod)
}

// podLabels are the labels of the pods that a workload makes.
func podLabels(workload plan.Object) labels.Set {
	return labelsAt(workload, "spec", "template", "metadata", "labels")
}
