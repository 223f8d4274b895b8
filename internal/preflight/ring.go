package preflight

import (
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
	"github.com/tidegate/tidegate/internal/traffic/gatewayapi"
)

// finders are requests that find the new version by rules of their own: those of a ring, or of users who have a cohort.
type finders struct {
	split  plan.Split
	name   string // beginning of the findings' names
	who    string
	remedy string // what else could be done
}

// findersIn are those of the plan's splits, each judged for itself; those of a ring with cohorts beside it, if there are.
func findersIn(most plan.Split) []finders {
	var all []finders
	if len(most.Ring) > 0 {
		all = append(all, finders{plan.Split{Ring: most.Ring}, "ring", "requests with " + plan.RingText(most.Ring), "choose another header in spec.strategy.canary.internal"})
	}
	if most.Cohorts != nil {
		all = append(all, finders{plan.Split{Ring: most.Ring, Cohorts: most.Cohorts}, "cohort", "users with the cookie " + most.Cohorts.Cookie.Name,
			"leave spec.strategy.canary.sticky out"})
	}
	return all
}

// checkRing looks at who finds the new version by rules of their own: whether the routes have room for these, and whose
// requests they would take.
func checkRing(o Observed, p plan.Plan) Findings {
	t := p.Objects.Traffic
	if t == nil || t.Router != gatewayapi.Name {
		return nil
	}
	var all Findings
	most := traffic.Most(p)
	for _, who := range findersIn(most) {
		all = append(all, o.checkFinders(who, *t)...)
	}
	switch {
	case most.Cohorts != nil:
		all = append(all, finding("router-regex", about(o.routes[0]), "Try it before, and leave spec.strategy.canary.sticky out if it does not",
			"users are known by a cookie, which is found by a regular expression and given by a filter of a backend, and no gateway says whether it knows both (most do)"))
	case slices.ContainsFunc(most.Ring, func(m plan.Match) bool { return m.Cookie != "" }):
		all = append(all, finding("router-regex", about(o.routes[0]), "Use spec.strategy.canary.internal.header if it does not",
			"a cookie is found by a regular expression, and no gateway says whether it knows those for headers (most do)"))
	}
	return all
}

func (o Observed) checkFinders(who finders, t plan.Traffic) Findings {
	var all Findings
	for _, route := range o.routes {
		if problem := gatewayapi.NoRoom(route, t, who.split); problem != "" {
			all = append(all, finding(who.name+"-limit", about(route), "Name fewer rules in spec.traffic.gatewayAPI.rules, merge rules, or "+who.remedy,
				"it has no room for the rules by which %s find the new version: %s", who.who, problem))
			continue
		}
		for _, other := range o.allRoutes {
			if plan.RefOf(other) == plan.RefOf(route) || !sameGateway(route, other) {
				continue
			}
			for _, rule := range gatewayapi.Overtaken(route, other, t, who.split) {
				all = append(all, finding(who.name+"-overtakes", about(other), fmt.Sprintf("Move the rule into %s, where it is repeated for them and keeps them, or %s", about(route), who.remedy),
					"%s that its %s gets today would go by the rules of %s instead, which ask for more headers", who.who, rule, about(route)))
			}
		}
	}
	return all
}

// sameGateway tells whether two routes name the same Gateway, whichever of its listeners.
func sameGateway(a, b plan.Object) bool {
	parents := func(route plan.Object) []string {
		var list []string
		for _, parent := range listAt(route, "spec", "parentRefs") {
			namespace := textAt(parent, "namespace")
			if namespace == "" {
				namespace = namespaceOf(route)
			}
			list = append(list, namespace+"/"+nameIn(parent))
		}
		return list
	}
	theirs := parents(b)
	return slices.ContainsFunc(parents(a), func(parent string) bool { return slices.Contains(theirs, parent) })
}
