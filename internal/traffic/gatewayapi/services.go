package gatewayapi

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/plan"
)

// Make implements traffic.Maker: the draw needs a Service for each cohort, for several references to one Service in a rule
// collapse into the last in some gateways. All of them select the base's pods.
func (Kind) Make(t *plan.Traffic, b plan.Baseline, most plan.Split) ([]plan.Object, error) {
	if most.Cohorts == nil {
		return nil, nil
	}
	var all []plan.Object
	for i := range most.Cohorts.Odds {
		all = append(all, cohortServiceOf(b.Service, cohortServiceName(t.Candidate, i+1)))
	}
	return all, nil
}

// cohortServiceOf is the base's Service by another name, without what makes it reachable from outside.
func cohortServiceOf(base plan.Object, name string) plan.Object {
	spec, _, _ := unstructured.NestedMap(base, "spec")
	own := map[string]any{"type": "ClusterIP"}
	for _, field := range []string{"selector", "ports", "publishNotReadyAddresses", "internalTrafficPolicy", "trafficDistribution"} {
		if v, ok := spec[field]; ok {
			own[field] = runtime.DeepCopyJSONValue(v)
		}
	}
	for _, port := range maplist(own, "ports") {
		delete(port, "nodePort")
	}
	o := unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Service", "spec": own}}
	o.SetName(name)
	user := &unstructured.Unstructured{Object: base}
	o.SetNamespace(user.GetNamespace())
	if labels := plan.Untracked(user.GetLabels()); len(labels) > 0 {
		o.SetLabels(labels)
	}
	if annotations := plan.Untracked(user.GetAnnotations()); len(annotations) > 0 {
		o.SetAnnotations(annotations) // some gateways read a backend's protocol there
	}
	return o.Object
}

// Services are those to which a split may send beside the base's.
func Services(to plan.Traffic, s plan.Split) []string {
	names := []string{to.Candidate}
	if s.Cohorts != nil {
		for i := range s.Cohorts.Odds {
			names = append(names, cohortServiceName(to.Candidate, i+1))
		}
	}
	return names
}
