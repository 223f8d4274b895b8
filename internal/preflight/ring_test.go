package preflight

import (
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/internal/spec"
)

// ringed changes the world after its spec has a ring.
func ringed(internal spec.Internal, change func(w *world)) func(w *world) {
	return func(w *world) {
		w.deploy.Spec.Strategy.Canary.Internal = &internal
		change(w)
	}
}

func ringCases() []judged {
	staff := spec.Internal{Header: map[string]string{"X-Staff": "1"}}
	var many []string
	for i := range 9 {
		many = append(many, fmt.Sprintf("{matches: [{path: {type: PathPrefix, value: /%d}}], backendRefs: [{name: checkout, port: 80}]}", i))
	}
	// Routes of one age go by their names.
	other := func(name, parent, match string) func(w *world) {
		return adding(`{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: ` + name + `, namespace: shop},
  spec: {parentRefs: [{name: ` + parent + `, namespace: gateways}], rules: [{name: beta, matches: [{path: {type: PathPrefix, value: /}, ` + match + `}], backendRefs: [{name: beta, port: 80}]}]}}`)
	}
	const query, header = "queryParams: [{name: v, value: a}]", "headers: [{name: X-Beta, value: a}]"
	return []judged{
		{"fits", ringed(staff, func(*world) {}), "", ""},
		{"no room", ringed(staff, patching("route", rules("["+strings.Join(many, ", ")+"]"))), "ring-limit", "9 rules and needs 9 more"},
		{"another route's query", ringed(staff, other("before", "web", query)), "ring-overtakes", "its rule beta gets today"},
		{"another route's header, older", ringed(staff, other("before", "web", header)), "", ""},
		{"another route's header, newer", ringed(staff, other("other", "web", header)), "ring-overtakes", "HTTPRoute/other"},
		{"another gateway's route", ringed(staff, other("other", "elsewhere", query)), "", ""},
		{"cookie", ringed(spec.Internal{Cookie: map[string]string{"staff": "1"}}, func(*world) {}), "router-regex", "regular expression"},
	}
}
