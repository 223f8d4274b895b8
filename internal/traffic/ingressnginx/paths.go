package ingressnginx

import (
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/internal/plan"
)

const (
	version     = "networking.k8s.io/v1"
	kindIngress = "Ingress"
	classKey    = "kubernetes.io/ingress.class" // before there was spec.ingressClassName
)

// path is one path of one host, and the Service that it leads to.
type path struct {
	place
	service, port string
}

// place is what a canary Ingress must have in common with a main one.
type place struct{ host, path, kind string }

// pathsOf are the paths of an Ingress with a Service behind them.
func pathsOf(ingress plan.Object) []path {
	var all []path
	for _, rule := range list(at(ingress, "spec"), "rules") {
		for _, p := range list(at(rule, "http"), "paths") {
			service := at(p, "backend", "service")
			if service == nil {
				continue
			}
			all = append(all, path{place{text(rule, "host"), text(p, "path"), text(p, "pathType")}, text(service, "name"), portOf(service)})
		}
	}
	return all
}

func defaultService(ingress plan.Object) string {
	return text(at(ingress, "spec", "defaultBackend", "service"), "name")
}

// portOf is the port of a Service as the Ingress names it, by number or by name.
func portOf(service plan.Object) string {
	port := at(service, "port")
	if name := text(port, "name"); name != "" {
		return name
	}
	switch n := port["number"].(type) {
	case int64, float64:
		return fmt.Sprint(n)
	}
	return ""
}

func sendsTo(paths []path, service string) bool {
	return slices.ContainsFunc(paths, func(p path) bool { return p.service == service })
}

// portsTo are the ports by which paths lead to a Service.
func portsTo(paths []path, service string) []string {
	var ports []string
	for _, p := range paths {
		if p.service == service && !slices.Contains(ports, p.port) {
			ports = append(ports, p.port)
		}
	}
	return ports
}

// classOf is the class of an Ingress, whichever way it is written; "" for the cluster's own choice.
func classOf(ingress plan.Object) string {
	if class := text(at(ingress, "spec"), "ingressClassName"); class != "" {
		return class
	}
	return annotationsOf(ingress)[classKey]
}

func annotationsOf(o plan.Object) map[string]string {
	all := map[string]string{}
	for key, value := range at(o, "metadata", "annotations") {
		all[key], _ = value.(string)
	}
	return all
}

func at(o plan.Object, keys ...string) plan.Object {
	for _, key := range keys {
		o, _ = o[key].(plan.Object)
	}
	return o
}

func text(o plan.Object, key string) string {
	s, _ := o[key].(string)
	return s
}

func list(o plan.Object, key string) []plan.Object {
	entries, _ := o[key].([]any)
	var all []plan.Object
	for _, entry := range entries {
		if m, ok := entry.(plan.Object); ok {
			all = append(all, m)
		}
	}
	return all
}
