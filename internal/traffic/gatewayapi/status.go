package gatewayapi

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// NotAccepted implements traffic.Acceptance.
func (Kind) NotAccepted(route plan.Object) string {
	return notAccepted(&unstructured.Unstructured{Object: route})
}

// notAccepted says which parent has not accepted the route at its present generation, and why; "" when all have.
func notAccepted(route *unstructured.Unstructured) string {
	parents, _, _ := unstructured.NestedSlice(route.Object, "spec", "parentRefs")
	statuses, _, _ := unstructured.NestedSlice(route.Object, "status", "parents")
	for _, parent := range parents {
		want, _ := parent.(map[string]any)
		answered := false
		for _, status := range statuses {
			s, _ := status.(map[string]any)
			got, _ := s["parentRef"].(map[string]any)
			if !sameParent(want, got, route.GetNamespace()) {
				continue
			}
			answered = true
			if problem := unmet(s, route.GetGeneration()); problem != "" {
				return fmt.Sprintf("gateway %v has not put it in force: %s", want["name"], problem)
			}
		}
		if !answered {
			return fmt.Sprintf("no controller has answered for gateway %v", want["name"])
		}
	}
	return ""
}

func sameParent(a, b map[string]any, namespace string) bool {
	field := func(m map[string]any, key, missing string) string {
		if s, ok := m[key].(string); ok && s != "" {
			return s
		}
		return missing
	}
	return a["name"] == b["name"] &&
		field(a, "namespace", namespace) == field(b, "namespace", namespace) &&
		field(a, "sectionName", "") == field(b, "sectionName", "") &&
		fmt.Sprint(a["port"]) == fmt.Sprint(b["port"])
}

func unmet(status map[string]any, generation int64) string {
	conditions, _ := status["conditions"].([]any)
	for _, want := range []string{"Accepted", "ResolvedRefs"} {
		i := slices.IndexFunc(conditions, func(c any) bool { m, _ := c.(map[string]any); return m["type"] == want })
		if i < 0 {
			return want + " is not reported"
		}
		c, _ := conditions[i].(map[string]any)
		observed, _ := c["observedGeneration"].(int64)
		switch {
		case observed < generation:
			return want + " is reported for an older generation only"
		case c["status"] != "True":
			return fmt.Sprintf("%s is %v: %v: %v", want, c["status"], c["reason"], c["message"])
		}
	}
	return ""
}
