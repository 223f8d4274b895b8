package preflight

import (
	"slices"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic/gatewayapi"
)

// checkRing looks at who meets the new version first: whether the routes have room for their rules, and whose requests
// those rules would take.
func checkRing(o Observed, p plan.Plan) Findings {
	ring, t := ringIn(p), p.Objects.Traffic
	if len(ring) == 0 || t == nil || t.Router != gatewayapi.Name {
		return nil
	}
	var all Findings
	for _, route := range o.routes {
		if problem := gatewayapi.RingProblem(route, *t, ring); problem != "" {
			all = append(all, finding("ring-limit", about(route), "Name fewer rules in spec.traffic.gatewayAPI.rules, merge rules, or choose another header in spec.strategy.canary.internal",
				"it has no room for the rules by which requests with %s find the new version: %s", plan.RingText(ring), problem))
			continue
		}
		for _, other := range o.allRoutes {
			if plan.RefOf(other) == plan.RefOf(route) || !sameGateway(route, other) {
				continue
			}
			for _, rule := range gatewayapi.Overtaken(route, other, *t, ring) {
				all = append(all, finding("ring-overtakes", about(other), "Move the rule into "+about(route)+", where it is repeated for such requests and keeps them, or choose another header",
					"requests with %s that its %s gets today would go by the rules of %s instead, which ask for more headers", plan.RingText(ring), rule, about(route)))
			}
		}
	}
	if slices.ContainsFunc(ring, func(m plan.Match) bool { return m.Cookie != "" }) {
		all = append(all, finding("router-regex", about(o.routes[0]), "Use spec.strategy.canary.internal.header if it does not",
			"a cookie is found by a regular expression, and no gateway says whether it knows those for headers (most do)"))
	}
	return all
}

// ringIn is the ring of a plan.
func ringIn(p plan.Plan) []plan.Match {
	for _, step := range p.Steps {
		for _, op := range step.Do {
			if len(op.Ring) > 0 {
				return op.Ring
			}
		}
	}
	return nil
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
