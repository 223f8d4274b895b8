package controllers

import (
	"slices"

	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

// GatewayController is the controllerName of the GatewayClass that is obeyed here.
const GatewayController = "tidegate.dev/sandbox"

// endpoints keeps the EndpointSlice of a Service with a selector.
func (c *Controllers) endpoints(r ref) {
	svc := c.get(r)
	slice := ref{"endpointslices", apiserver.Key{Namespace: r.Namespace, Name: r.Name + "-sandbox"}}
	if svc == nil {
		return // the slice goes with its owner
	}
	selector := at(svc, "spec", "selector")
	if len(selector) == 0 {
		return
	}
	always := isTrue(svc, "spec", "publishNotReadyAddresses")
	var endpoints []any
	var first object
	for _, p := range c.view("pods", r.Namespace) {
		if !selects(selector, p) || str(p, "status", "podIP") == "" {
			continue
		}
		first = p
		endpoints = append(endpoints, endpoint(p, always))
	}
	ports := portsOf(svc, first)
	write := func(o object) {
		o["endpoints"], o["ports"] = endpoints, ports
		if endpoints == nil {
			o["endpoints"] = []any{}
		}
	}
	if found, err := c.api.Mutate(gvr("endpointslices"), slice.Key, write); found || err != nil {
		return
	}
	fresh := object{
		"addressType": "IPv4",
		"metadata": object{
			"name": slice.Name, "namespace": r.Namespace, "ownerReferences": controllerRef(svc, "v1", "Service"),
			"labels": object{"kubernetes.io/service-name": r.Name, "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"},
		},
	}
	write(fresh)
	_, _ = c.api.Create(gvr("endpointslices"), fresh)
}

func endpoint(p object, always bool) object {
	serving, going := isReady(p), deleted(p)
	return object{
		"addresses":  []any{str(p, "status", "podIP")},
		"conditions": object{"ready": always || serving && !going, "serving": serving, "terminating": going},
		"nodeName":   str(p, "spec", "nodeName"),
		"targetRef": object{
			"kind": "Pod", "name": str(p, "metadata", "name"), "namespace": str(p, "metadata", "namespace"), "uid": str(p, "metadata", "uid"),
		},
	}
}

// portsOf resolves a Service's target ports by a pod that it selects.
func portsOf(svc, pod object) []any {
	var ports []any
	for _, sp := range entries(svc, "spec", "ports") {
		number := sp["targetPort"]
		if name, ok := number.(string); ok {
			number = sp["port"]
			for _, k := range entries(pod, "spec", "containers") {
				if found := named(entries(k, "ports"), "name", name); found != nil {
					number = found["containerPort"]
				}
			}
		}
		ports = append(ports, object{"name": str(sp, "name"), "port": number, "protocol": sp["protocol"]})
	}
	if ports == nil {
		return []any{}
	}
	return ports
}

// route says of each parent that is a Gateway here whether the route is accepted and its backends are found.
func (c *Controllers) route(r ref) {
	route := c.get(r)
	if route == nil {
		return
	}
	ok, reason, message := c.resolved(r, route)
	now := c.o.Clock.Now()
	generation := num(route, "metadata", "generation")
	before := entries(route, "status", "parents")
	parents := slices.DeleteFunc(slices.Clone(before), func(p object) bool { return p["controllerName"] == GatewayController })
	for i, parent := range entries(route, "spec", "parentRefs") {
		ns := str(parent, "namespace")
		if ns == "" {
			ns = r.Namespace
		}
		if parent["kind"] != "Gateway" || c.get(ref{"gateways", apiserver.Key{Namespace: ns, Name: str(parent, "name")}}) == nil {
			continue
		}
		var old []object
		if i < len(before) {
			old = entries(before[i], "conditions")
		}
		accepted := condition(old, now, "Accepted", "True", "Accepted", "Route is accepted")
		found := condition(old, now, "ResolvedRefs", ok, reason, message)
		accepted["observedGeneration"], found["observedGeneration"] = generation, generation
		parents = append(parents, object{
			"controllerName": GatewayController, "parentRef": parent, "conditions": []any{accepted, found},
		})
	}
	if len(parents) > 0 || len(before) > 0 {
		c.setStatus(r, object{"parents": anys(parents)})
	}
}

func (c *Controllers) resolved(r ref, route object) (status, reason, message string) {
	for _, rule := range entries(route, "spec", "rules") {
		for _, b := range entries(rule, "backendRefs") {
			ns := str(b, "namespace")
			if ns == "" {
				ns = r.Namespace
			}
			if kind := str(b, "kind"); kind != "Service" {
				return "False", "InvalidKind", "Cannot load backend of kind " + kind
			}
			if c.get(ref{"services", apiserver.Key{Namespace: ns, Name: str(b, "name")}}) == nil {
				return "False", "BackendNotFound", "Cannot load HTTPBackendRef " + ns + "/" + str(b, "name") + ": service not found"
			}
		}
	}
	return "True", "ResolvedRefs", "All references resolved"
}

func (c *Controllers) gateway(r ref) {
	g := c.get(r)
	if g == nil {
		return
	}
	now, generation := c.o.Clock.Now(), num(g, "metadata", "generation")
	conditions := func(old []object, kinds ...string) []any {
		var list []any
		for _, kind := range kinds {
			k := condition(old, now, kind, "True", kind, "")
			k["observedGeneration"] = generation
			list = append(list, k)
		}
		return list
	}
	var listeners []any
	for _, l := range entries(g, "spec", "listeners") {
		old := named(entries(g, "status", "listeners"), "name", str(l, "name"))
		listeners = append(listeners, object{
			"name": l["name"], "attachedRoutes": int64(0), "conditions": conditions(entries(old, "conditions"), "Accepted", "Programmed", "ResolvedRefs"),
			"supportedKinds": []any{object{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}, object{"group": "gateway.networking.k8s.io", "kind": "GRPCRoute"}},
		})
	}
	c.setStatus(r, object{
		"addresses":  []any{object{"type": "IPAddress", "value": "127.0.0.1"}},
		"conditions": conditions(entries(g, "status", "conditions"), "Accepted", "Programmed"), "listeners": listeners,
	})
}

func (c *Controllers) gatewayClass(r ref) {
	class := c.get(r)
	if class == nil {
		return
	}
	accepted := condition(entries(class, "status", "conditions"), c.o.Clock.Now(), "Accepted", "True", "Accepted", "")
	accepted["observedGeneration"] = num(class, "metadata", "generation")
	var features []any
	for _, f := range c.o.Features {
		features = append(features, object{"name": f})
	}
	status := object{"conditions": []any{accepted}}
	if given, ok := at(class, "status")["supportedFeatures"]; ok {
		status["supportedFeatures"] = given // a test may say something else
	} else if features != nil {
		status["supportedFeatures"] = features
	}
	c.setStatus(r, status)
}

// autoscaler fills in what a client reads of an HPA; nothing here scales.
func (c *Controllers) autoscaler(r ref) {
	hpa := c.get(r)
	if hpa == nil {
		return
	}
	plural := pluralOf(str(hpa, "spec", "scaleTargetRef", "kind"))
	if plural != "deployments" && plural != "statefulsets" {
		return
	}
	d := c.get(ref{plural, apiserver.Key{Namespace: r.Namespace, Name: str(hpa, "spec", "scaleTargetRef", "name")}})
	if d == nil {
		return
	}
	wanted := max(num(hpa, "spec", "minReplicas"), min(num(d, "spec", "replicas"), num(hpa, "spec", "maxReplicas")))
	c.mutate(r, func(o object) {
		status := cloned(at(o, "status"))
		status["currentReplicas"], status["desiredReplicas"] = num(d, "status", "replicas"), wanted
		o["status"] = status
	})
}
