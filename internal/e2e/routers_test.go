package e2e

import (
	"fmt"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// router is what divides the requests of a shop.
type router struct {
	name      string
	traffic   string                        // the spec's block
	objects   string                        // what the user has beside workload and Service
	resources []schema.GroupVersionResource // of these objects, each of which there is once
	made      []schema.GroupVersionResource // further ones, which a rollout may make
}

const httpRoute = `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: checkout, namespace: @NAMESPACE@, labels: {app: checkout}, annotations: {example.com/owner: red}}
spec:
  parentRefs: [{name: @GATEWAY@, namespace: @GATEWAYNAMESPACE@}]
  hostnames: ["@HOST@"]
  rules:
@RULES@
`

const ingressRoute = `---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: checkout, namespace: @NAMESPACE@, labels: {app: checkout}, annotations: {example.com/owner: red}}
spec:
  entryPoints: [web]
  routes:
    - {kind: Rule, match: 'Host("@HOST@")', services: [{kind: TraefikService, name: checkout}]}
---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: checkout, namespace: @NAMESPACE@, labels: {app: checkout}, annotations: {example.com/owner: red}}
spec:
  weighted:
    services: [{name: checkout, port: 80%s}]
`

const ingress = `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: checkout, namespace: @NAMESPACE@, labels: {app: checkout}, annotations: {example.com/owner: red}}
spec:
  ingressClassName: nginx
  rules:
    - host: "@HOST@"
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: checkout, port: {number: 80}}}}]}
`

// describe is the spec's block for an object without code of its own; its weights stand beside the names of the Services.
func describe(apiVersion, kind, backends string) string {
	return fmt.Sprintf("custom: {object: {apiVersion: %s, kind: %s, name: checkout}, weights: {base: '%s[name={{.Base}}].weight', candidate: '%s[name={{.Candidate}}].weight'}}",
		apiVersion, kind, backends, backends)
}

// routers are those that the cluster obeys; the first is the usual one.
func routers() []router {
	gatewayAPI := []schema.GroupVersionResource{routes}
	traefik := []schema.GroupVersionResource{ingressRoutes, traefikServices}
	return []router{
		{name: "gatewayAPI", traffic: "gatewayAPI: {httpRoute: checkout}", objects: httpRoute, resources: gatewayAPI},
		{name: "traefik", traffic: "traefik: {service: checkout}", objects: fmt.Sprintf(ingressRoute, ""), resources: traefik,
			made: []schema.GroupVersionResource{middlewares}},
		{name: "ingressNginx", traffic: "ingressNginx: {ingress: checkout}", objects: ingress, resources: []schema.GroupVersionResource{ingresses}},
		{name: "custom over a TraefikService", traffic: describe("traefik.io/v1alpha1", "TraefikService", "spec.weighted.services"),
			objects: fmt.Sprintf(ingressRoute, ", weight: 1"), resources: traefik},
		{name: "custom over an HTTPRoute", traffic: describe("gateway.networking.k8s.io/v1", "HTTPRoute", "spec.rules[*].backendRefs"),
			objects: httpRoute, resources: gatewayAPI},
	}
}

// routing is the shop's router.
func (s *shop) routing() router {
	for _, r := range routers() {
		if r.name == or(s.router, "gatewayAPI") {
			return r
		}
	}
	s.t.Fatalf("there is no router %q", s.router)
	return router{}
}

// eachRouter runs a test with every router. The usual one is what all other tests run with: samples leave it out, and those that
// are said to be alike.
func eachRouter(t *testing.T, alike []string, test func(t *testing.T, name string)) {
	for i, r := range routers() {
		if (i == 0 || slices.Contains(alike, r.name)) && !everything() {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			test(t, r.name)
		})
	}
}

// byDescription are the routers without code of their own: one editor is behind all of them.
func byDescription() []string {
	return []string{"custom over a TraefikService", "custom over an HTTPRoute"}
}

// TestRouters carries a good version to all users: each step's share is what was asked for, and no request is lost.
func TestRouters(t *testing.T) {
	eachRouter(t, nil, func(t *testing.T, name string) {
		s := open(t, layout{router: name, version: "v9", strategy: "{canary: {steps: [10%, 25%, 50%], hold: 6s, bake: 6s, drain: 1s}}"})
		s.deploy("v10").want(0)
		s.whole("v10")
		s.shares("v10")
		s.noErrors()
	})
}

// TestRoutersBad takes a bad version back: nothing is lost but its own errors, of which there are few.
func TestRoutersBad(t *testing.T) {
	eachRouter(t, byDescription(), func(t *testing.T, name string) {
		s := open(t, layout{router: name, hold: "10s"})
		p := s.deploy("v3")
		p.want(3)
		p.mentions("rolled back", "errors", "shift-10")
		s.whole("v1")
		sum := s.users.Counts()
		if sum.Failed == 0 || sum.Failed != sum.FailedByVersion["v3"] {
			t.Errorf("%d requests failed, by version %v, want some of v3 only", sum.Failed, sum.FailedByVersion)
		}
	})
}

// TestRoutersWaysBack aborts in a step, and kills the runner in one: another carries on, or takes it back.
func TestRoutersWaysBack(t *testing.T) {
	eachRouter(t, append(byDescription(), "ingressNginx"), func(t *testing.T, name string) {
		s := open(t, layout{router: name, steps: "10%, 50%"})
		p := s.deploy("v2")
		p.hold("shift-50")
		s.run(0, "abort")
		p.want(3)
		s.whole("v1")

		p = s.deploy("v2")
		p.reach("shift-50")
		p.kill()
		s.run(0, "abort")
		s.whole("v1")

		p = s.deploy("v2")
		p.reach("shift-50")
		p.kill()
		last := s.deploy("v2")
		last.want(0)
		last.mentions("carried on by")
		s.whole("v2")
		s.noErrors()
	})
}
