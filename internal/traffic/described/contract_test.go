package described_test

import (
	"testing"

	"github.com/tidegate/tidegate/internal/catalog"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic/contract"
)

// described is a custom router whose weights stand beside the names of the Services.
func described(apiVersion, kind, backends string) spec.Traffic {
	return spec.Traffic{Custom: &spec.Custom{Object: spec.ObjectRef{APIVersion: apiVersion, Kind: kind, Name: "shop"},
		Weights: spec.SidePaths{Base: backends + "[name={{.Base}}].weight", Candidate: backends + "[name={{.Candidate}}].weight", Total: 100}}}
}

// matched is described with the rule of a ring.
func matched(t spec.Traffic) spec.Traffic {
	t.Custom.Matches = &spec.MatchesPath{Path: "spec.rules", Header: `
matches:
- path: {type: PathPrefix, value: /}
  headers: [{{range .Headers}}{name: {{.Header}}, value: {{.Value}}}, {{end}}]
filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-Shop, value: "1"}]}}]
backendRefs: [{name: {{.Candidate}}, port: 80}]`}
	return t
}

// proxy is an HTTPProxy of Contour with the rule of a ring.
func proxy() spec.Traffic {
	t := described("projectcontour.io/v1", "HTTPProxy", "spec.routes[*].services")
	t.Custom.Matches = &spec.MatchesPath{Path: "spec.routes", Header: `
conditions: [{prefix: /}, {{range .Headers}}{header: {name: {{.Header}}, exact: {{.Value}}}}, {{end}}]
services: [{name: {{.Candidate}}, port: 80}]`}
	return t
}

// TestContract: custom drives the Gateway API and Traefik by description alone. Of the others the embedded gateway knows
// nothing, so that only their objects are looked at.
func TestContract(t *testing.T) {
	for _, tc := range []struct {
		name, objects string
		spec          spec.Traffic
		unheard       bool
	}{
		{"HTTPRoute", "gatewayapi", described("gateway.networking.k8s.io/v1", "HTTPRoute", "spec.rules[*].backendRefs"), false},
		{"HTTPRoute with matches", "gatewayapi", matched(described("gateway.networking.k8s.io/v1", "HTTPRoute", "spec.rules[*].backendRefs")), false},
		{"TraefikService", "traefik", described("traefik.io/v1alpha1", "TraefikService", "spec.weighted.services"), false},
		{"kong", "gatewayapi", spec.Traffic{Kong: &spec.Kong{HTTPRoute: "shop"}}, false},
		{"contour", "contour", spec.Traffic{Contour: &spec.Contour{HTTPProxy: "shop"}}, true},
		{"HTTPProxy with matches", "contour", proxy(), true},
		{"apisix", "described", spec.Traffic{APISIX: &spec.APISIX{Route: "shop"}}, true},
		{"linkerd", "described", spec.Traffic{Linkerd: &spec.Linkerd{HTTPRoute: "shop"}}, true},
		{"smi", "described", spec.Traffic{SMI: &spec.SMI{TrafficSplit: "shop"}}, true},
		{"alb", "described", spec.Traffic{ALB: &spec.ALB{Ingress: "shop"}}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			contract.Run(t, contract.Case{Kind: catalog.KindOf(tc.spec), Spec: tc.spec, Objects: contract.Objects(t, tc.objects), Unheard: tc.unheard})
		})
	}
}
