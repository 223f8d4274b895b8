package ingressnginx

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
)

const (
	keyAffinity    = prefix + "affinity"
	keyPassthrough = prefix + "ssl-passthrough"
)

// Problems implements traffic.Checker.
func (Kind) Problems(routes, all []plan.Object, t plan.Traffic, b plan.Baseline, most plan.Split) []traffic.Problem {
	var found []traffic.Problem
	for _, route := range routes {
		found = append(found, problemsOf(route)...)
		found = append(found, warningsOf(route, t)...)
		if most.Mirror > 0 {
			found = append(found, mirrorProblems(route, b)...)
		}
		if len(most.Ring) > 0 {
			found = append(found, overtaken(route, all, t, most.Ring)...)
		}
	}
	for _, other := range all {
		if slices.ContainsFunc(routes, func(route plan.Object) bool { return plan.RefOf(route) == plan.RefOf(other) }) || isOurs(other, routes) {
			continue
		}
		found = append(found, problemsWith(other, routes, all, t)...)
	}
	return found
}

// problemsOf are what no split of an Ingress would get past.
func problemsOf(route plan.Object) []traffic.Problem {
	ref, a := plan.RefOf(route), annotationsOf(route)
	var found []traffic.Problem
	if a[keyCanary] == on {
		found = append(found, traffic.Problem{Object: ref, Text: "it is a canary itself (canary: \"true\"), and nothing can stand beside it",
			Remedy: "Name the Ingress that it stands beside in spec.traffic.ingressNginx"})
	}
	if a[keyAffinity] != "" {
		found = append(found, traffic.Problem{Object: ref, Remedy: "Take affinity and the session-cookie annotations out of it for the time of the rollout",
			Text: fmt.Sprintf("it keeps a user by a cookie (affinity: %s) on the version that answered first, even when the weight is 0 or 100 (affinity-canary-behavior: legacy does not change that): "+
				"neither a step nor a rollback would move them", a[keyAffinity])})
	}
	if a[keyPassthrough] == on {
		found = append(found, traffic.Problem{Object: ref, Text: "it passes TLS through (ssl-passthrough), so that the controller sees no requests and cannot divide them",
			Remedy: "Take ssl-passthrough out, or deploy by another strategy"})
	}
	return found
}

func warningsOf(route plan.Object, t plan.Traffic) []traffic.Problem {
	ref := plan.RefOf(route)
	var found []traffic.Problem
	if class := classOf(route); !strings.Contains(strings.ToLower(class), "nginx") {
		what := fmt.Sprintf("its class is %q", class)
		if class == "" {
			what = "it names no class"
		}
		found = append(found, traffic.Problem{Object: ref, Warning: true, Remedy: "Make sure of it (kubectl get ingressclass: k8s.io/ingress-nginx), or name another router in spec.traffic",
			Text: what + ": a controller that does not know canary annotations would take the Ingress that is made beside it for an ordinary one, and send users to the new version from its first moment"})
	}
	if defaultService(route) == t.Base {
		found = append(found, traffic.Problem{Object: ref, Warning: true, Remedy: "Add a rule with the path /, if those requests are to be part of the rollout",
			Text: fmt.Sprintf("its defaultBackend sends to Service/%s, too, and not every controller divides those requests", t.Base)})
	}
	return found
}

// mirrorProblems are what is to be known of copies: they are not everywhere, and not for nothing.
func mirrorProblems(route plan.Object, b plan.Baseline) []traffic.Problem {
	ref := plan.RefOf(route)
	found := []traffic.Problem{{Object: ref, Warning: true, Remedy: "Try it where nobody is hurt, and give the shadow pods enough (spec.strategy.shadow.minPods)",
		Text: "the controller answers a user only when the copy is answered, too (mirror-target), so that a slow new version slows users down; and one that does not know mirror-target, such as Traefik's provider, copies nothing"}}
	if target := annotationsOf(route)[keyTarget]; target != "" {
		found = append(found, traffic.Problem{Object: ref, Warning: true, Remedy: "Nothing has to be done if that is meant",
			Text: "its own mirror-target, " + target + ", gets no copies while the new version does"})
	}
	if text(at(b.Service, "spec"), "clusterIP") == "None" {
		found = append(found, traffic.Problem{Object: plan.RefOf(b.Service), Remedy: "Give the Service an address, or use another strategy",
			Text: "it is headless, and mirror-target names a port of the Service, where no pod may listen"})
	}
	return found
}

// problemsWith are what another Ingress does to a split.
func problemsWith(other plan.Object, routes, all []plan.Object, t plan.Traffic) []traffic.Problem {
	ref := plan.RefOf(other)
	switch {
	case annotationsOf(other)[keyCanary] == on:
		if p, ok := besideBase(other, all, t); ok {
			return []traffic.Problem{{Object: ref, Remedy: "Remove it for the time of the rollout",
				Text: fmt.Sprintf("it is a canary of Service/%s at %s%s already, and there may be one only", t.Base, p.host, p.path)}}
		}
	case Together(other, routes, t):
		return []traffic.Problem{{Object: ref, Warning: true, Remedy: "Nothing has to be done if that is meant; otherwise give it a Service of its own",
			Text: fmt.Sprintf("it sends to Service/%s by the same port: the controller divides whatever goes there, so that its users take part in the rollout", t.Base)}}
	}
	return nil
}

// besideBase is the path at which a canary Ingress stands beside the base.
func besideBase(canary plan.Object, all []plan.Object, t plan.Traffic) (path, bool) {
	for _, main := range all {
		if annotationsOf(main)[keyCanary] == on || plan.RefOf(main).Namespace != plan.RefOf(canary).Namespace {
			continue
		}
		for _, p := range pathsOf(main) {
			same := func(c path) bool { return c.place == p.place }
			if p.service == t.Base && slices.ContainsFunc(pathsOf(canary), same) {
				return p, true
			}
		}
	}
	return path{}, false
}

// Together tells whether all that another Ingress sends to the base is divided together with the routes: controllers divide
// by Service and port.
func Together(other plan.Object, routes []plan.Object, t plan.Traffic) bool {
	paths := pathsOf(other)
	return sendsTo(paths, t.Base) && defaultService(other) != t.Base && slices.ContainsFunc(routes, func(route plan.Object) bool {
		if plan.RefOf(route).Namespace != plan.RefOf(other).Namespace || classOf(route) != classOf(other) {
			return false
		}
		own := portsTo(pathsOf(route), t.Base)
		return !slices.ContainsFunc(portsTo(paths, t.Base), func(port string) bool { return !slices.Contains(own, port) })
	})
}

// overtaken warns of longer paths to other Services. ingress-nginx looks for the path first; Traefik's provider tries the
// longest rule first, and a ring makes the rule of a short path longer.
func overtaken(route plan.Object, all []plan.Object, t plan.Traffic, ring []plan.Match) []traffic.Problem {
	var names []string
	for _, other := range all {
		for _, p := range pathsOf(other) {
			under := func(own path) bool {
				return own.service == t.Base && own.host == p.host && own.path != p.path && strings.HasPrefix(p.path, own.path)
			}
			if p.service != t.Base && p.service != t.Candidate && slices.ContainsFunc(pathsOf(route), under) && !slices.Contains(names, p.host+p.path) {
				names = append(names, p.host+p.path)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []traffic.Problem{{Object: plan.RefOf(route), Warning: true, Remedy: "With ingress-nginx itself nothing has to be done; otherwise leave spec.strategy.canary.internal out",
		Text: fmt.Sprintf("where Traefik's provider serves it, requests with %s may come to the new version also at %s, whose Service is another one: it tries the longest rule first",
			plan.RingText(ring), strings.Join(names, ", "))}}
}
