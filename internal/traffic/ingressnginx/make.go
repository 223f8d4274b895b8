package ingressnginx

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/plan"
)

// Make implements traffic.Maker: a canary Ingress beside each of the user's. It is created with canary: "true" and no weight,
// which is none; the weight is not among the fields that creating it again would set back.
func (Kind) Make(t *plan.Traffic, b plan.Baseline, most plan.Split) ([]plan.Object, error) {
	if most.Weight == 0 && len(most.Ring) == 0 {
		return nil, nil
	}
	var made []plan.Object
	for _, route := range b.Routes {
		if err := unsplittable(route, *t); err != nil {
			return nil, err
		}
		beside := canaryOf(route, *t)
		t.Own = append(t.Own, plan.RefOf(beside))
		made = append(made, beside)
	}
	return made, nil
}

// canaryOf is the Ingress that stands beside the user's. What the controller reads of a canary, and what tells it apart from
// another controller's, is copied; what other tools know the user's Ingress by is not: certificates, names and owners stay
// with that one.
func canaryOf(route plan.Object, t plan.Traffic) plan.Object {
	original := runtime.DeepCopyJSON(route)
	annotations := map[string]any{keyCanary: on}
	for key, value := range annotationsOf(original) {
		if key == classKey || strings.HasPrefix(key, prefix) && !strings.HasPrefix(key, keyCanary) {
			annotations[key] = value
		}
	}
	ref := plan.RefOf(route)
	spec := plan.Object{"rules": rulesTo(original, t)}
	for _, field := range []string{"ingressClassName", "tls"} {
		if value, ok := at(original, "spec")[field]; ok {
			spec[field] = value
		}
	}
	return plan.Object{
		"apiVersion": ref.APIVersion, "kind": ref.Kind, "spec": spec,
		"metadata": plan.Object{"name": candidateName(ref.Name), "namespace": ref.Namespace, "annotations": annotations},
	}
}

// rulesTo are the rules with their paths to the base only, which lead to the candidate.
func rulesTo(ingress plan.Object, t plan.Traffic) []any {
	var rules []any
	for _, rule := range list(at(ingress, "spec"), "rules") {
		var paths []any
		for _, p := range list(at(rule, "http"), "paths") {
			if service := at(p, "backend", "service"); text(service, "name") == t.Base {
				service["name"] = t.Candidate
				paths = append(paths, p)
			}
		}
		if len(paths) > 0 {
			at(rule, "http")["paths"] = paths
			rules = append(rules, rule)
		}
	}
	return rules
}

// candidateName is the name of what stands beside an object. It is the one by which what a lost rollout left is found.
func candidateName(name string) string {
	const suffix, limit = "-candidate", 63
	if len(name)+len(suffix) <= limit {
		return name + suffix
	}
	return fmt.Sprintf("%s-%s%s", strings.TrimRight(name[:limit-len(suffix)-7], "-._"), plan.Digest(name)[:6], suffix)
}

// isOurs tells whether an Ingress is the one beside one of the routes.
func isOurs(ingress plan.Object, routes []plan.Object) bool {
	return slices.ContainsFunc(routes, func(route plan.Object) bool {
		ref := plan.RefOf(route)
		ref.Name = candidateName(ref.Name)
		return plan.RefOf(ingress) == ref
	})
}
