package gatewayapi

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tidegate/tidegate/internal/plan"
)

// Features by which a gateway says that it mirrors, all requests or a share of them.
const (
	FeatureMirror      = "HTTPRouteRequestMirror"
	FeatureMirrorShare = "HTTPRouteRequestPercentageMirror"
	// FeatureMirrorGRPC is not one of the Gateway API's, which knows the filter for GRPCRoutes but no name for it.
	FeatureMirrorGRPC = "GRPCRouteRequestMirror"
)

// mirrorRule copies a share of a rule's requests to the candidate.
func mirrorRule(rule map[string]any, t between, share plan.Share) (map[string]any, error) {
	if share%plan.OnePercent != 0 {
		return nil, fmt.Errorf("requests are copied by whole percents, and %s is none", share)
	}
	refs := backends(rule)
	to := maps.Clone(refs[t.index(refs, t.Base)])
	delete(to, "weight")
	delete(to, "filters")
	to["name"] = t.Candidate
	mirror := map[string]any{"backendRef": to}
	if share < plan.All { // all is what it is without
		mirror["percent"] = int64(share / plan.OnePercent)
	}
	rule = maps.Clone(rule)
	rule["filters"] = append(anys(maplist(rule, "filters")), map[string]any{"type": "RequestMirror", "requestMirror": mirror})
	return rule, nil
}

// mirrorShare is the share of a rule's requests that are copied to the candidate.
func mirrorShare(rule map[string]any, t between) plan.Share {
	filters := maplist(rule, "filters")
	i := slices.IndexFunc(filters, t.isMirror)
	if i < 0 {
		return 0
	}
	mirror, _ := filters[i]["requestMirror"].(map[string]any)
	if percent, ok := mirror["percent"].(int64); ok {
		return plan.Share(percent) * plan.OnePercent
	}
	return plan.All
}

// mirrors tells whether a rule copies requests to the candidate.
func (t between) mirrors(rule map[string]any) bool {
	return slices.ContainsFunc(maplist(rule, "filters"), t.isMirror)
}

// isMirror tells whether a filter copies requests to the candidate.
func (t between) isMirror(filter map[string]any) bool {
	mirror, _ := filter["requestMirror"].(map[string]any)
	to, _ := mirror["backendRef"].(map[string]any)
	return t.isService(to, t.Candidate)
}

// unmirrored takes our filter out of a rule.
func unmirrored(rule map[string]any, t between, was old) map[string]any {
	filters := maplist(rule, "filters")
	left := slices.DeleteFunc(slices.Clone(filters), t.isMirror)
	if len(left) == len(filters) {
		return rule
	}
	rule = maps.Clone(rule)
	rule["filters"] = anys(left)
	if len(left) == 0 && !was.Empty {
		delete(rule, "filters")
	}
	return rule
}
