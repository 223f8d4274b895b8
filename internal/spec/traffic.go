package spec

import "time"

// Traffic says what divides the requests between base and candidate: exactly
// one router, and how to treat it.
type Traffic struct {
	GatewayAPI *GatewayAPI `json:"gatewayAPI,omitempty" spec:"oneof" doc:"routes of the Gateway API"`

	Traefik      *Traefik      `json:"traefik,omitempty" spec:"oneof" doc:"a TraefikService"`
	IngressNginx *IngressNginx `json:"ingressNginx,omitempty" spec:"oneof" doc:"an Ingress of ingress-nginx"`
	Istio        *Istio        `json:"istio,omitempty" spec:"oneof" doc:"a VirtualService"`
	ALB          *ALB          `json:"alb,omitempty" spec:"oneof" doc:"an Ingress of the AWS Load Balancer Controller"`
	Contour      *Contour      `json:"contour,omitempty" spec:"oneof" doc:"an HTTPProxy"`
	APISIX       *APISIX       `json:"apisix,omitempty" spec:"oneof" doc:"an ApisixRoute"`
	Kong         *Kong         `json:"kong,omitempty" spec:"oneof" doc:"an HTTPRoute of Kong's gateway"`
	Linkerd      *Linkerd      `json:"linkerd,omitempty" spec:"oneof" doc:"an HTTPRoute of Linkerd"`
	SMI          *SMI          `json:"smi,omitempty" spec:"oneof" doc:"a TrafficSplit"`
	Custom       *Custom       `json:"custom,omitempty" spec:"oneof" doc:"any object with weights, described by paths of its fields"`

	Guard  Duration `json:"guard" spec:"default=2s" doc:"time after the router's status until a split counts as in force; 5s with traefik and ingressNginx when left out"`
	Assume []string `json:"assume,omitempty" spec:"nonempty" doc:"features that the installation has although it does not announce them, by the Gateway API's names, such as HTTPRouteRequestMirror"`
	Drift  Drift    `json:"drift,omitempty" spec:"enum=stop|correct" doc:"when somebody else changes the split: stop, as when left out, waits and goes back if it stays so; correct puts it back"`
}

// Drift says what happens when somebody else changes the split of a route in the middle of a rollout.
type Drift string

// The answers to drift of the split.
const (
	DriftStop    Drift = "stop"
	DriftCorrect Drift = "correct"
)

// Kind is the name of the router's block, such as gatewayAPI.
func (t Traffic) Kind() string { return kindOf(t) }

var _ finisher = (*Traffic)(nil)

// throttled is the guard where the gateway takes changes over every two or three seconds at most: Traefik by its
// providersThrottleDuration, which is 2 s, and ingress-nginx by its limit of syncs, one in 3.3 s.
const throttled = 5 * time.Second

func (t *Traffic) finish(s scope) {
	if (t.Traefik != nil || t.IngressNginx != nil) && !s.written("guard") {
		t.Guard = Duration(throttled)
	}
	if len(t.Assume) > 0 && t.GatewayAPI == nil {
		s.fail("assume", "only installations of the Gateway API announce features, and may have more", "Remove it, or name the router gatewayAPI.")
	}
}

// RuleNames are the names of the rules to steer; none means every rule with the workload's Service.
func (t Traffic) RuleNames() []string {
	switch {
	case t.GatewayAPI != nil:
		return t.GatewayAPI.Rules
	case t.Istio != nil:
		return t.Istio.Routes
	}
	return nil
}

// SubsetNames are the subsets of the workload's Service that are the base; none means all.
func (t Traffic) SubsetNames() []string {
	if t.Istio == nil {
		return nil
	}
	return t.Istio.Subsets
}

// GatewayAPI names the routes whose rules carry the workload's requests.
type GatewayAPI struct {
	HTTPRoute string     `json:"httpRoute,omitempty" spec:"oneof,format=subdomain" doc:"the HTTPRoute, in the workload's namespace"`
	GRPCRoute string     `json:"grpcRoute,omitempty" spec:"oneof,format=subdomain" doc:"the GRPCRoute, in the workload's namespace"`
	Routes    []RouteRef `json:"routes,omitempty" spec:"oneof,nonempty" doc:"several routes, or routes of other namespaces"`
	Rules     []string   `json:"rules,omitempty" spec:"nonempty,format=subdomain" doc:"names of the rules to steer; every rule with the workload's Service when left out"`
}

// RouteRef names one route.
type RouteRef struct {
	Kind      string `json:"kind" spec:"default=HTTPRoute,enum=HTTPRoute|GRPCRoute" doc:"kind of the route"`
	Name      string `json:"name" spec:"required,format=subdomain" doc:"name of the route"`
	Namespace string `json:"namespace,omitempty" spec:"format=name" doc:"namespace of the route; the workload's when left out"`
}

// The kinds of a RouteRef.
const (
	KindHTTPRoute = "HTTPRoute"
	KindGRPCRoute = "GRPCRoute"
)

// AllRoutes is the routes in one form, whichever of the fields named them, with
// the given namespace where none is written.
func (g GatewayAPI) AllRoutes(namespace string) []RouteRef {
	routes := append([]RouteRef(nil), g.Routes...)
	if g.HTTPRoute != "" {
		routes = append(routes, RouteRef{Kind: KindHTTPRoute, Name: g.HTTPRoute})
	}
	if g.GRPCRoute != "" {
		routes = append(routes, RouteRef{Kind: KindGRPCRoute, Name: g.GRPCRoute})
	}
	for i := range routes {
		if routes[i].Namespace == "" {
			routes[i].Namespace = namespace
		}
	}
	return routes
}
