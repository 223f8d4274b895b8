package preflight

import (
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
	"github.com/tidegate/tidegate/internal/traffic/gatewayapi"
)

// checkMirror looks at whether the gateways copy requests. Some accept a route that asks for it, report that all is well, and
// answer every request with 500, so that what none of them says is not tried.
func checkMirror(o Observed, p plan.Plan) Findings {
	t, share := p.Objects.Traffic, traffic.Most(p).Mirror
	if t == nil || t.Router != gatewayapi.Name || share == 0 {
		return nil
	}
	var all Findings
	for _, route := range o.routes {
		for _, feature := range mirrorFeatures(route, share) {
			if slices.Contains(o.Baseline.Features, feature) {
				continue
			}
			all = append(all, finding("router-cannot-mirror", about(route),
				fmt.Sprintf("If you have seen it copy requests, say so: spec.traffic.assume: [%s]. Otherwise name another router in spec.traffic that mirrors: traefik, istio, ingressNginx", feature),
				"its gateway does not announce %s, and some that do not (the Gateway API provider of Traefik) accept the filter and answer every request with 500", feature))
			break
		}
		for i, rule := range listAt(route, "spec", "rules") {
			if n := len(listAt(rule, "filters")); o.steers(route, rule) && n >= maxFilters {
				all = append(all, finding("router-cannot-mirror", about(route), "Take a filter out of the rule, or leave the rule out by spec.traffic.gatewayAPI.rules",
					"%s has %d filters, the most there may be: there is no room for one that copies requests", ruleName(rule, i), n))
			}
		}
		if share%plan.OnePercent != 0 {
			all = append(all, finding("router-cannot-mirror", about(route), "Choose whole percents in spec.strategy.shadow.weight",
				"requests are copied by whole percents, and %s is none", share))
		}
	}
	return all
}

// mirrorFeatures are what a gateway has to be able to do to copy a share of a route's requests.
func mirrorFeatures(route plan.Object, share plan.Share) []string {
	switch {
	case textAt(route, "kind") == spec.KindGRPCRoute:
		return []string{gatewayapi.FeatureMirrorGRPC}
	case share < plan.All:
		return []string{gatewayapi.FeatureMirror, gatewayapi.FeatureMirrorShare}
	}
	return []string{gatewayapi.FeatureMirror}
}
