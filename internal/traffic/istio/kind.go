package istio

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
)

// Name is the router's name in the catalog and in the spec.
const Name = "istio"

// The kinds of objects that are read. A DestinationRule is copied, never edited.
const (
	apiVersion      = "networking.istio.io/v1"
	virtualService  = "VirtualService"
	destinationRule = "DestinationRule"
)

// Kind splits VirtualServices.
type Kind struct{}

var (
	_ traffic.Kind       = Kind{}
	_ traffic.Finder     = Kind{}
	_ traffic.Maker      = Kind{}
	_ traffic.Checker    = Kind{}
	_ traffic.Acceptance = Kind{}
	_ traffic.Explainer  = Kind{}
)

// Name implements traffic.Kind.
func (Kind) Name() string { return Name }

// Can implements traffic.Kind. A DestinationRule can hash a header, but only among the endpoints of one Service.
func (Kind) Can(spec.Traffic) traffic.Can {
	return traffic.Can{Weights: true, Parts: true, Matches: true, Cohorts: true, Mirror: true}
}

// Routes implements traffic.Kind.
func (Kind) Routes(t spec.Traffic, namespace string) []plan.Ref {
	return []plan.Ref{{APIVersion: apiVersion, Kind: virtualService, Namespace: namespace, Name: t.Istio.VirtualService}}
}

// Split implements traffic.Editor. What the plan does not name among its routes is left alone: a VirtualService that only
// delegates, a DestinationRule.
func (Kind) Split(route *unstructured.Unstructured, t plan.Traffic, mark string, s plan.Split) (bool, error) {
	if !slices.Contains(t.Routes, plan.RefOf(route.Object)) {
		return false, nil
	}
	return split(route, t, mark, s)
}

// Restore implements traffic.Editor.
func (Kind) Restore(route *unstructured.Unstructured, t plan.Traffic, mark string, before plan.Object) (bool, error) {
	if route.GetKind() != virtualService {
		return false, nil
	}
	return restore(route, t, mark, before)
}

// Reaches implements traffic.Editor.
func (Kind) Reaches(route plan.Object, to plan.Traffic) bool {
	t := within(route, to)
	return slices.ContainsFunc(httpOf(route), func(r map[string]any) bool {
		return slices.ContainsFunc(destinations(r), t.isCandidate) || t.mirrorsToCandidate(r)
	})
}

// Share implements traffic.Editor: it is that of the first route of the user's that sends to the candidate. Where users are
// drawn it is the share of those whose cookies lead there.
func (Kind) Share(route plan.Object, to plan.Traffic) plan.Share {
	t, routes := within(route, to), httpOf(route)
	for i, r := range routes {
		if t.isOurs(r) {
			continue
		}
		if share := t.share(routes[:i], r); share > 0 {
			return share
		}
	}
	return 0
}
