package traefik

import (
	"slices"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// rulesMark is the annotation of an IngressRoute of ours with what its rules are made of. It tells ours from the user's.
const rulesMark = "tidegate.dev/traefik"

// Lists implements traffic.Finder.
func (Kind) Lists(spec.Traffic) []plan.Ref {
	return []plan.Ref{{APIVersion: Version, Kind: kindRoute}}
}

// Find implements traffic.Finder: the IngressRoutes that send to the TraefikService, and those with a rule which ours would overtake.
func (Kind) Find(_ spec.Traffic, routes, all []plan.Object) ([]plan.Object, error) {
	if len(routes) == 0 {
		return nil, nil
	}
	service := plan.RefOf(routes[0])
	var theirs []plan.Object
	for _, o := range all {
		if ref := plan.RefOf(o); ref.Kind == kindRoute && ref.Namespace == service.Namespace && !isOurs(o) {
			theirs = append(theirs, o)
		}
	}
	repeated := repeats(theirs, service)
	return slices.DeleteFunc(theirs, func(o plan.Object) bool { return len(repeated[plan.RefOf(o)]) == 0 }), nil
}

func isOurs(o plan.Object) bool { return mapAt(o, "metadata", "annotations")[rulesMark] != nil }

// rule is one of the user's rules that ours repeat.
type rule struct {
	Route    map[string]any `json:"route"`
	Priority int64          `json:"priority"` // by which Traefik orders it
	// Steered tells that it sends to the TraefikService. Another one is repeated as it is, since ours would overtake it.
	Steered bool `json:"steered,omitempty"`
}

// repeats are the rules to repeat, by IngressRoute. Each of ours has the priority of what it repeats and one more, so that a rule of
// exactly that priority would tie with it, and Traefik does not say who wins a tie.
func repeats(routes []plan.Object, service plan.Ref) map[plan.Ref][]rule {
	lifted := map[int64]bool{}
	var others []rule
	for _, o := range routes {
		for _, r := range rulesOf(o, service) {
			if r.Steered {
				lifted[r.Priority+1] = true
			} else {
				others = append(others, r)
			}
		}
	}
	slices.SortFunc(others, func(a, b rule) int { return int(a.Priority - b.Priority) })
	for _, r := range others {
		if lifted[r.Priority] {
			lifted[r.Priority+1] = true
		}
	}
	all := map[plan.Ref][]rule{}
	for _, o := range routes {
		for _, r := range rulesOf(o, service) {
			if r.Steered || lifted[r.Priority] {
				all[plan.RefOf(o)] = append(all[plan.RefOf(o)], r)
			}
		}
	}
	return all
}

// rulesOf are the rules of an IngressRoute. The priority of one that names none is the length of its expression.
func rulesOf(o plan.Object, service plan.Ref) []rule {
	var all []rule
	for _, route := range listAt(o, "spec", "routes") {
		priority, _ := numberAt(route, "priority")
		if priority == 0 {
			priority = int64(len(text(route, "match")))
		}
		steered := slices.ContainsFunc(listAt(route, "services"), func(e map[string]any) bool {
			return isTraefik(e, service.Namespace, service.Name)
		})
		all = append(all, rule{Route: route, Priority: priority, Steered: steered})
	}
	return all
}
