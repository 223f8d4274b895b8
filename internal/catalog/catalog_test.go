package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/catalog"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

func deploy(t *testing.T) spec.Deploy {
	t.Helper()
	f, err := spec.Load([]byte(`
apiVersion: tidegate.dev/v1
kind: Deploy
metadata: {name: checkout}
spec:
  workload: deployment/checkout
  traffic: {gatewayAPI: {httpRoute: checkout}}
  strategy: {canary: {steps: [10%], hold: 1m}}
  metrics: {prom: {prometheus: {url: "https://${HOST}/", bearerToken: "${TOKEN}", headers: {X-Scope: "${TENANT}"}}}}
  gates:
    - {name: errors, threshold: {query: "vector(0)", pass: result < 1}}
`), spec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f.Deploys[0]
}

// TestUnknown: what this version does not have is an error that says so, never something else in its place.
func TestUnknown(t *testing.T) {
	if _, err := catalog.Strategy(spec.Strategy{}); err == nil {
		t.Error("strategy: no error")
	}
	if _, err := catalog.Router(nil, nil, "checkout", plan.Traffic{Router: "smoke-signals"}); err == nil || !strings.Contains(err.Error(), "smoke-signals") {
		t.Errorf("router: %v", err)
	}
	if _, err := catalog.Provider(spec.Provider{}, clock.Real{}, &catalog.Expander{}); err == nil {
		t.Error("provider: no error")
	}
	if _, err := catalog.Gate(spec.Gate{}, 0, nil); err == nil {
		t.Error("gate: no error")
	}
}

// TestProvider: ${NAMES} are expanded, and every value is told so that it can be masked.
func TestProvider(t *testing.T) {
	d := deploy(t)
	values := map[string]string{"HOST": "prometheus.example.com", "TOKEN": "hunter22", "TENANT": "team-red"}
	getenv := func(name string) (string, bool) { v, ok := values[name]; return v, ok }
	e := &catalog.Expander{Getenv: getenv}
	if _, err := catalog.Provider(d.Spec.Metrics["prom"], clock.Real{}, e); err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		if !slices.Contains(e.Secrets, v) {
			t.Errorf("%q is not masked: %v", v, e.Secrets)
		}
	}
	for name, field := range map[string]string{"HOST": "url", "TOKEN": "bearerToken", "TENANT": "headers.X-Scope"} {
		kept := values[name]
		delete(values, name)
		_, err := catalog.Provider(d.Spec.Metrics["prom"], clock.Real{}, &catalog.Expander{Getenv: getenv})
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), field) {
			t.Errorf("without %s: %v", name, err)
		}
		values[name] = kept
	}
}

func TestKnown(t *testing.T) {
	d := deploy(t)
	if s, err := catalog.Strategy(d.Spec.Strategy); err != nil || s.Name() != "canary" {
		t.Errorf("%v, %v", s, err)
	}
	if g, err := catalog.Gate(d.Spec.Gates[0], 0, nil); err == nil && g.Name() != "errors" {
		t.Errorf("gate %s", g.Name())
	}
}

// TestWithoutARoute: a canary divides the requests by pods then, and what only a route can do is an error.
func TestWithoutARoute(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*spec.Canary)
		want   string
	}{
		{"by replicas", func(*spec.Canary) {}, ""},
		{"in place", func(c *spec.Canary) { c.Settle = spec.SettleInPlace }, "spec.strategy.canary.settle"},
		{"sticky", func(c *spec.Canary) { c.Sticky = &spec.Sticky{Cookie: &spec.StickyCookie{}} }, "spec.strategy.canary.sticky"},
		{"a drain", func(c *spec.Canary) { c.Drain = new(spec.Duration) }, "spec.strategy.canary.drain"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := deploy(t)
			tc.change(d.Spec.Strategy.Canary)
			if err := catalog.Validate(d); err != nil {
				t.Errorf("with a route: %v", err)
			}
			d.Spec.Traffic = nil
			if err := catalog.Validate(d); (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

// TestOverGRPC: who calls over gRPC keeps no cookies.
func TestOverGRPC(t *testing.T) {
	routes := spec.GatewayAPI{Routes: []spec.RouteRef{{Kind: spec.KindHTTPRoute, Name: "web"}, {Kind: spec.KindGRPCRoute, Name: "api"}}}
	for _, tc := range []struct {
		name   string
		change func(*spec.Spec)
		want   string
	}{
		{"weights", func(*spec.Spec) {}, ""},
		{"a header", func(s *spec.Spec) {
			s.Strategy.Canary.Internal = &spec.Internal{Header: map[string]string{"X-Staff": "1"}}
		}, ""},
		{"a cookie", func(s *spec.Spec) {
			s.Strategy.Canary.Internal = &spec.Internal{Cookie: map[string]string{"staff": "1"}}
		}, "spec.strategy.canary.internal.cookie: gRPC clients"},
		{"sticky", func(s *spec.Spec) { s.Strategy.Canary.Sticky = &spec.Sticky{On: true} }, "spec.strategy.canary.sticky: users are known by a cookie, and gRPC"},
		{"sticky after a shadow", func(s *spec.Spec) {
			c := s.Strategy.Canary
			c.Sticky = &spec.Sticky{On: true}
			s.Strategy = spec.Strategy{Shadow: &spec.Shadow{Then: &spec.ThenStrategy{Canary: c}}}
		}, "spec.strategy.shadow.then.canary.sticky: users"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := deploy(t)
			tc.change(&d.Spec)
			if err := catalog.Validate(d); err != nil {
				t.Errorf("of an HTTPRoute: %v", err)
			}
			for _, grpc := range []spec.GatewayAPI{{GRPCRoute: "api"}, routes} {
				d.Spec.Traffic.GatewayAPI = &grpc
				if err := catalog.Validate(d); (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
					t.Errorf("error %v, want %q", err, tc.want)
				}
			}
		})
	}
}
