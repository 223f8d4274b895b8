package gatewayapi

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
)

// Name is the router's name in the catalog and in the spec.
const Name = "gatewayAPI"

// Kind splits HTTPRoutes and GRPCRoutes.
type Kind struct{}

var (
	_ traffic.Kind       = Kind{}
	_ traffic.Acceptance = Kind{}
	_ traffic.Maker      = Kind{}
	_ traffic.Explainer  = Kind{}
)

// Name implements traffic.Kind.
func (Kind) Name() string { return Name }

// Can implements traffic.Kind.
func (Kind) Can(spec.Traffic) traffic.Can {
	return traffic.Can{Weights: true, Parts: true, Matches: true, Cohorts: true, Mirror: true, Preview: true} // an installation decides about mirrors
}

// Routes implements traffic.Kind.
func (Kind) Routes(t spec.Traffic, namespace string) []plan.Ref {
	var refs []plan.Ref
	for _, r := range t.GatewayAPI.AllRoutes(namespace) {
		refs = append(refs, plan.Ref{APIVersion: kube.GatewayVersion, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name})
	}
	return refs
}

// Split implements traffic.Editor.
func (Kind) Split(route *unstructured.Unstructured, t plan.Traffic, mark string, s plan.Split) (bool, error) {
	return split(route, t, mark, s)
}

// Restore implements traffic.Editor.
func (Kind) Restore(route *unstructured.Unstructured, t plan.Traffic, mark string, before plan.Object) (bool, error) {
	return restore(route, t, mark, before)
}

// Reaches implements traffic.Editor.
func (Kind) Reaches(route plan.Object, to plan.Traffic) bool {
	u := &unstructured.Unstructured{Object: route}
	rules, err := readRules(u)
	t := within(u, to)
	return err == nil && slices.ContainsFunc(rules, func(r map[string]any) bool { return t.reachedBy(r) || t.mirrors(r) })
}

// Differs implements traffic.Explainer.
func (Kind) Differs(route *unstructured.Unstructured, t plan.Traffic, mark string, s plan.Split) string {
	return drift(route, t, mark, s)
}
