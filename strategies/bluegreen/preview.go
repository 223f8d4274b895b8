package bluegreen

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
)

// preview is what lets people meet the candidate: nothing, a Service, or a copy of each route at a hostname of its own.
func preview(conf *spec.BlueGreenPreview, b plan.Baseline, objects plan.Objects) ([]plan.Object, error) {
	switch {
	case conf == nil:
		return nil, nil
	case conf.Service != "":
		return previewService(conf.Service, objects)
	}
	var routes []plan.Object
	for _, route := range b.Routes {
		if ref := plan.RefOf(route); ref.Kind != spec.KindHTTPRoute {
			return nil, fmt.Errorf("spec.strategy.blueGreen.preview.host: a copy of %s for another host cannot be made, only of an HTTPRoute: "+
				"write preview: {service: NAME}", ref)
		}
		routes = append(routes, previewRoute(route, conf.Host, objects))
	}
	if len(routes) == 0 {
		return nil, fmt.Errorf("spec.strategy.blueGreen.preview.host: there is no route that could answer at %s: "+
			"set spec.traffic.gatewayAPI, or write preview: {service: NAME}", conf.Host)
	}
	return routes, nil
}

// previewService is the candidate's Service under another name.
func previewService(name string, objects plan.Objects) ([]plan.Object, error) {
	for _, taken := range []string{objects.Traffic.Base, objects.Traffic.Candidate} {
		if name == taken {
			return nil, fmt.Errorf("spec.strategy.blueGreen.preview.service: %s is the name of a Service of the rollout: give the preview a name of its own", name)
		}
	}
	o := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(objects.Create[1])}
	o.SetName(name)
	return []plan.Object{strategies.Previewing(o.Object, objects.Workload.Name)}, nil
}

// previewRoute is the user's route at another hostname, with the candidate's Service in the place of the base's. Weights
// and other backends stay: what is tried is what users will get.
func previewRoute(route plan.Object, host string, objects plan.Objects) plan.Object {
	o := strategies.CopyOf(route, strategies.PreviewName(plan.RefOf(route).Name))
	_ = unstructured.SetNestedStringSlice(o, []string{host}, "spec", "hostnames") // spec is a map: the API server says so
	rules, _, _ := unstructured.NestedSlice(o, "spec", "rules")
	for _, item := range rules {
		rule, _ := item.(map[string]any)
		refs, _ := rule["backendRefs"].([]any)
		for _, ref := range refs {
			retarget(ref, plan.RefOf(route).Namespace, *objects.Traffic)
		}
	}
	_ = unstructured.SetNestedSlice(o, rules, "spec", "rules")
	return strategies.Previewing(o, objects.Workload.Name)
}

// retarget makes a reference to the base's Service one to the candidate's. home is the route's namespace.
func retarget(ref any, home string, t plan.Traffic) {
	m, _ := ref.(map[string]any)
	namespace, given := m["namespace"].(string)
	if !given {
		namespace = home
	}
	kind, given := m["kind"].(string)
	if m["name"] == t.Base && namespace == t.Namespace && (kind == "Service" || !given) {
		m["name"] = t.Candidate
	}
}
