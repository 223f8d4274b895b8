package istio

import (
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// NotAccepted implements traffic.Acceptance. Istio promises no status: where it writes one, an error that its analysis found
// in the present generation counts. Its silence says nothing, which is why a guard follows.
func (Kind) NotAccepted(route plan.Object) string {
	if plan.RefOf(route).Kind != virtualService {
		return ""
	}
	status := mapAt(route, "status")
	generation := (&unstructured.Unstructured{Object: route}).GetGeneration()
	if seen, ok := number(status["observedGeneration"]); ok && seen < generation {
		return ""
	}
	for _, m := range maplist(status, "validationMessages") {
		if textAt(m, "level") != "ERROR" {
			continue
		}
		kind := mapAt(m, "type")
		return fmt.Sprintf("Istio finds an error in it: %s (%s), see %s", textAt(kind, "name"), textAt(kind, "code"), textAt(m, "documentationUrl"))
	}
	return ""
}

// number reads an integer that may be written as a text.
func number(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64:
		return int64(v), true
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	}
	return 0, false
}

// Differs implements traffic.Explainer.
func (Kind) Differs(route *unstructured.Unstructured, to plan.Traffic, mark string, s plan.Split) string {
	should := route.DeepCopy()
	changed, err := Kind{}.Split(should, to, mark, s)
	if err != nil {
		return err.Error()
	}
	if !changed {
		return ""
	}
	if _, known := readMemo(route, mark); !known {
		return "the annotation " + mark + " is gone, which keeps how its routes were before the rollout"
	}
	t, have, want := within(route.Object, to), httpOf(route.Object), httpOf(should.Object)
	digests := map[string]bool{}
	for _, r := range have {
		digests[plan.Digest(r)] = true
	}
	for i, r := range want {
		switch {
		case digests[plan.Digest(r)]:
		case t.isOurs(r):
			return fmt.Sprintf("the %s is not there as it was written", nameOrNumber(r, i))
		default:
			return fmt.Sprintf("its %s does not %s any more", nameOrNumber(r, i), s)
		}
	}
	return "its HTTP routes do not stand in the order in which they were written"
}
