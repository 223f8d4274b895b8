package traefik

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
)

// Name is the router's name in the catalog and in the spec.
const Name = "traefik"

// The kinds of objects, of one version.
const (
	Version = "traefik.io/v1alpha1"

	kindService = "TraefikService"
	kindRoute   = "IngressRoute"
)

// Kind divides requests by a TraefikService.
type Kind struct{}

var (
	_ traffic.Kind    = Kind{}
	_ traffic.Finder  = Kind{}
	_ traffic.Maker   = Kind{}
	_ traffic.Checker = Kind{}
)

// Name implements traffic.Kind.
func (Kind) Name() string { return Name }

// Can implements traffic.Kind.
func (Kind) Can(spec.Traffic) traffic.Can {
	return traffic.Can{Weights: true, Parts: true, Matches: true, Cohorts: true, Mirror: true}
}

// Routes implements traffic.Kind.
func (Kind) Routes(t spec.Traffic, namespace string) []plan.Ref {
	return []plan.Ref{{APIVersion: Version, Kind: kindService, Namespace: namespace, Name: t.Traefik.Service}}
}

// Split implements traffic.Editor. The user's IngressRoutes are only read.
func (Kind) Split(o *unstructured.Unstructured, t plan.Traffic, mark string, s plan.Split) (bool, error) {
	own := slices.Contains(t.Own, plan.RefOf(o.Object))
	switch {
	case o.GetKind() == kindRoute && own:
		return splitRules(o, s)
	case o.GetKind() == kindRoute:
		return false, nil
	case own && o.GetName() == drawName(t):
		return splitDraw(o, s)
	case own:
		return splitMirror(o, t, mark, s)
	}
	return splitService(o, t, mark, s)
}

// Restore implements traffic.Editor. A draw that no rule sends to may stay as it is.
func (Kind) Restore(o *unstructured.Unstructured, t plan.Traffic, mark string, before plan.Object) (bool, error) {
	own := slices.Contains(t.Own, plan.RefOf(o.Object))
	switch {
	case o.GetKind() == kindRoute && own:
		return withoutRules(o)
	case o.GetKind() == kindRoute, own && o.GetName() == drawName(t):
		return false, nil
	}
	return restore(o, t, mark, before)
}

// Reaches implements traffic.Editor.
func (Kind) Reaches(o plan.Object, t plan.Traffic) bool {
	candidate := func(e map[string]any) bool { return isService(e, t, t.Candidate) || isMirror(e, t) }
	return slices.ContainsFunc(everyEntry(o), candidate)
}

// Share implements traffic.Editor.
func (Kind) Share(o plan.Object, t plan.Traffic) plan.Share {
	if o["kind"] == kindRoute {
		return usersMoved(o)
	}
	return shareOf(entriesOf(o), t)
}
