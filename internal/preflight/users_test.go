package preflight

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
	"github.com/tidegate/tidegate/internal/traffic/gatewayapi"
)

// splitting is the plan with every split of a weight replaced.
func splitting(t *testing.T, o Observed, p plan.Plan, s plan.Split) plan.Plan {
	t.Helper()
	for i := range p.Steps {
		for j, op := range p.Steps[i].Do {
			if op.Kind == plan.SetSplit && op.Weight > 0 {
				p.Steps[i].Do[j].Weight, p.Steps[i].Do[j].Cohorts, p.Steps[i].Do[j].Mirror = s.Weight, s.Cohorts, s.Mirror
			}
		}
	}
	made, err := gatewayapi.Kind{}.Make(p.Objects.Traffic, o.Baseline, traffic.Most(p))
	if err != nil {
		t.Fatal(err)
	}
	p.Objects.Create = append(p.Objects.Create, made...)
	return p
}

// expectFinding wants a finding, or no errors at all, of which name is "".
func expectFinding(t *testing.T, found Findings, name, says string) {
	t.Helper()
	i := slices.IndexFunc(found, func(f Finding) bool { return f.Name == name })
	switch {
	case name == "":
		for _, f := range found {
			if f.Level == Error {
				t.Errorf("found %v", f)
			}
		}
	case i < 0:
		t.Errorf("%s is not found; found %v", name, []Finding(found))
	case !strings.Contains(found[i].Message+" "+found[i].Object+" "+found[i].Remedy, says):
		t.Errorf("the finding does not say %q: %v", says, found[i])
	}
}

func TestFindingsOfUsers(t *testing.T) {
	cohorts := &plan.Cohorts{Odds: []plan.Share{10 * plan.OnePercent, 90 * plan.OnePercent}, Moved: 1,
		Cookie: plan.Cookie{Name: "tidegate-checkout", Path: "/", MaxAge: plan.Duration(time.Hour)}}
	split := plan.Split{Weight: 10 * plan.OnePercent, Cohorts: cohorts}
	var many []string
	for i := range 6 {
		many = append(many, fmt.Sprintf("{matches: [{path: {type: PathPrefix, value: /%d}}], backendRefs: [{name: checkout, port: 80}]}", i))
	}
	other := func(match string) func(*world) {
		return adding(`{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: before, namespace: shop},
  spec: {parentRefs: [{name: web, namespace: gateways}], rules: [{name: beta, matches: [{path: {type: PathPrefix, value: /}, ` + match + `}], backendRefs: [{name: beta, port: 80}]}]}}`)
	}
	for _, tc := range []struct {
		name       string
		change     func(*world)
		want, says string
	}{
		{"fits", func(*world) {}, "", ""},
		{"what no gateway says", func(*world) {}, "router-regex", "given by a filter of a backend"},
		{"no room", patching("route", rules("["+strings.Join(many, ", ")+"]")), "cohort-limit", "6 rules and needs 12 more"},
		{"the user's cookie", patching("route", rules("[{matches: [{headers: [{name: Cookie, value: a=b}]}], backendRefs: [{name: checkout, port: 80}]}]")), "cohort-limit", "header Cookie already"},
		{"another route's query", other("queryParams: [{name: v, value: a}]"), "cohort-overtakes", "its rule beta gets today"},
		{"another route's header, older", other("headers: [{name: X-Beta, value: a}]"), "", ""},
		{"the name of a cohort's Service", adding(`{apiVersion: v1, kind: Service, metadata: {name: checkout-candidate-cohort-2, namespace: shop}, spec: {ports: [{port: 80}]}}`),
			"name-taken", "Service/checkout-candidate-cohort-2"},
		{"a grant by name", func(w *world) {
			merge(w.objects["route"], parse(t, `{metadata: {namespace: front}}`))
			patching("route", rules("[{backendRefs: [{name: checkout, namespace: shop, port: 80}]}]"))(w)
			adding(`{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, metadata: {name: g, namespace: shop},
  spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: front}], to: [{group: '', kind: Service, name: checkout}, {group: '', kind: Service, name: checkout-candidate}]}}`)(w)
			w.deploy.Spec.Traffic.GatewayAPI = &spec.GatewayAPI{Routes: []spec.RouteRef{{Kind: spec.KindHTTPRoute, Name: "checkout", Namespace: "front"}}}
		}, "reference-grant", "checkout-candidate-cohort-1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			tc.change(w)
			o, _, p := w.compiled()
			expectFinding(t, Judge(o, splitting(t, o, p, split)), tc.want, tc.says)
		})
	}
}

func TestFindingsOfMirrors(t *testing.T) {
	announcing := func(features string) func(*world) {
		return patching("class", "{status: {supportedFeatures: ["+features+"]}}")
	}
	for _, tc := range []struct {
		name       string
		share      plan.Share
		change     func(*world)
		want, says string
	}{
		{"nothing is announced", plan.All, func(*world) {}, "router-cannot-mirror", "HTTPRouteRequestMirror, and some"},
		{"other routers", plan.All, func(*world) {}, "router-cannot-mirror", "traefik, istio, ingressNginx"},
		{"announced", plan.All, announcing("{name: HTTPRouteRequestMirror}"), "", ""},
		{"a share is not", plan.OnePercent, announcing("{name: HTTPRouteRequestMirror}"), "router-cannot-mirror", "spec.traffic.assume: [HTTPRouteRequestPercentageMirror]"},
		{"a share is", plan.OnePercent, announcing("{name: HTTPRouteRequestMirror}, {name: HTTPRouteRequestPercentageMirror}"), "", ""},
		{"assumed", plan.OnePercent, func(w *world) {
			w.deploy.Spec.Traffic.Assume = []string{"HTTPRouteRequestPercentageMirror", "HTTPRouteRequestMirror"}
		}, "", ""},
		{"too many filters", plan.All, func(w *world) {
			w.deploy.Spec.Traffic.Assume = []string{"HTTPRouteRequestMirror"}
			filters := strings.Repeat("{type: ExtensionRef, extensionRef: {group: g, kind: k, name: n}}, ", 16)
			patching("route", rules("[{filters: ["+filters+"], backendRefs: [{name: checkout, port: 80}]}]"))(w)
		}, "router-cannot-mirror", "rule 1 has 16 filters"},
		{"half a percent", 500, announcing("{name: HTTPRouteRequestMirror}, {name: HTTPRouteRequestPercentageMirror}"), "router-cannot-mirror", "whole percents"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			tc.change(w)
			o, _, p := w.compiled()
			expectFinding(t, Judge(o, splitting(t, o, p, plan.Split{Mirror: tc.share})), tc.want, tc.says)
		})
	}
}

// TestGRPCRoute: a GRPCRoute is found, judged and named as what it is.
func TestGRPCRoute(t *testing.T) {
	for _, tc := range []struct {
		name, accepted string
		mirror         plan.Share
		want, says     string
	}{
		{"accepted", "True", 0, "", ""},
		{"refused", "False", 0, "route-not-accepted", "kubectl describe grpcroute checkout"},
		{"mirrored", "True", plan.All, "router-cannot-mirror", "GRPCRouteRequestMirror"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.deploy.Spec.Traffic.GatewayAPI = &spec.GatewayAPI{GRPCRoute: "checkout"}
			w.objects["route"]["kind"] = spec.KindGRPCRoute
			patching("route", `{spec: {rules: [{name: api, matches: [{method: {service: shop.Cart}}], backendRefs: [{name: checkout, port: 80}]}]}}`)(w)
			conditions := listAt(w.objects["route"], "status", "parents")[0]
			listAt(conditions, "conditions")[0]["status"] = tc.accepted
			o, _, p := w.compiled()
			if p.Objects.Traffic.Routes[0].Kind != spec.KindGRPCRoute {
				t.Errorf("routes %v", p.Objects.Traffic.Routes)
			}
			if tc.mirror > 0 {
				p = splitting(t, o, p, plan.Split{Mirror: tc.mirror})
			}
			expectFinding(t, Judge(o, p), tc.want, tc.says)
			if needed := fmt.Sprint(Needed(o.use(p))); !strings.Contains(needed, "grpcroutes") || strings.Contains(needed, "httproutes") {
				t.Errorf("permissions %s", needed)
			}
		})
	}
}
