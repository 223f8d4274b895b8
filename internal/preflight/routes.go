package preflight

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// readRoutes reads all routes of the namespaces that the spec names and of the workload's, so that others which send to
// the same Service are known too.
func (o *Observed) readRoutes(ctx context.Context, r *reader, d spec.Deploy) error {
	if d.Spec.MovesService() { // none is steered, but an earlier rollout may have
		list, err := r.may(ctx, question{apiVersion: kube.GatewayVersion, kind: spec.KindHTTPRoute, unknown: "whether a route sends to what an earlier rollout left"}, o.namespace)
		o.allRoutes = list
		return err
	}
	if d.Spec.Traffic == nil || d.Spec.Traffic.GatewayAPI == nil {
		return nil
	}
	wanted := d.Spec.Traffic.GatewayAPI.AllRoutes(o.namespace)
	o.rules = d.Spec.Traffic.GatewayAPI.Rules
	for _, namespace := range routeNamespaces(d, o.namespace) {
		list, err := r.must(ctx, question{apiVersion: kube.GatewayVersion, kind: spec.KindHTTPRoute}, namespace)
		if apierrors.IsNotFound(err) {
			return invalid("Install the Gateway API (v1.0 or newer) and a gateway",
				"the cluster does not know HTTPRoutes of %s", kube.GatewayVersion)
		}
		if err != nil {
			return fmt.Errorf("read the HTTPRoutes of namespace %s: %w", namespace, err)
		}
		o.allRoutes = append(o.allRoutes, list...)
	}
	for _, w := range wanted {
		route := o.route(w.Namespace, w.Name)
		if route == nil {
			return invalid(fmt.Sprintf("Its HTTPRoutes: %s. Check spec.traffic.gatewayAPI",
				several(nearest(w.Name, o.routeNames(w.Namespace)))), "namespace %s has no HTTPRoute %s", w.Namespace, w.Name)
		}
		o.routes = append(o.routes, route)
		o.Baseline.Routes = append(o.Baseline.Routes, slim(route))
	}
	return o.matchRules()
}

// routeNamespaces are the workload's namespace and those of the spec's routes.
func routeNamespaces(d spec.Deploy, namespace string) []string {
	list := []string{namespace}
	if d.Spec.Traffic == nil || d.Spec.Traffic.GatewayAPI == nil {
		return list
	}
	for _, w := range d.Spec.Traffic.GatewayAPI.AllRoutes(namespace) {
		if !slices.Contains(list, w.Namespace) {
			list = append(list, w.Namespace)
		}
	}
	return list
}

func (o *Observed) route(namespace, name string) plan.Object {
	for _, r := range o.allRoutes {
		if namespaceOf(r) == namespace && nameOf(r) == name {
			return r
		}
	}
	return nil
}

func (o *Observed) routeNames(namespace string) []string {
	var list []string
	for _, r := range o.allRoutes {
		if namespaceOf(r) == namespace {
			list = append(list, nameOf(r))
		}
	}
	return list
}

// matchRules checks that each route has a rule to steer, and that each named rule exists and can be steered.
func (o *Observed) matchRules() error {
	service := nameOf(o.service)
	for _, route := range o.routes {
		all := listAt(route, "spec", "rules")
		if slices.ContainsFunc(all, func(rule plan.Object) bool { return o.steers(route, rule) }) {
			continue
		}
		if len(o.rules) == 0 || !slices.ContainsFunc(all, func(rule plan.Object) bool { return slices.Contains(o.rules, textAt(rule, "name")) }) {
			return invalid("Name the Service in spec.service, another route in spec.traffic.gatewayAPI, or other rules there",
				"%s has no rule%s that sends to Service/%s; its rules send to %s", about(route), among(o.rules), service, several(targets(all)))
		}
	}
	for _, name := range o.rules {
		if err := o.matchRule(name); err != nil {
			return err
		}
	}
	return nil
}

func among(rules []string) string {
	if len(rules) == 0 {
		return ""
	}
	return fmt.Sprintf(" among %s", several(rules))
}

// matchRule checks one name of spec.traffic.gatewayAPI.rules.
func (o *Observed) matchRule(name string) error {
	var there, sendTo []string
	for _, route := range o.routes {
		for _, rule := range listAt(route, "spec", "rules") {
			there = append(there, textAt(rule, "name"))
			if textAt(rule, "name") != name {
				continue
			}
			if o.sends(route, rule, nameOf(o.service)) {
				return nil
			}
			sendTo = append(sendTo, targets([]plan.Object{rule})...)
		}
	}
	there = slices.DeleteFunc(there, func(s string) bool { return s == "" })
	if !slices.Contains(there, name) {
		return invalid("Correct spec.traffic.gatewayAPI.rules; a rule gets its name in the route, by spec.rules[].name",
			"no route of the spec has a rule named %s; the names there: %s", name, several(there))
	}
	return invalid("Correct spec.traffic.gatewayAPI.rules or spec.service",
		"the rule %s does not send to Service/%s but to %s", name, nameOf(o.service), several(sendTo))
}

// steers tells whether a rule of a route of the spec takes part in the split.
func (o *Observed) steers(route, rule plan.Object) bool {
	return (len(o.rules) == 0 || slices.Contains(o.rules, textAt(rule, "name"))) && o.sends(route, rule, nameOf(o.service))
}

// sends tells whether a rule names this Service of the workload's namespace among its backends.
func (o *Observed) sends(route, rule plan.Object, service string) bool {
	return slices.ContainsFunc(listAt(rule, "backendRefs"), func(ref plan.Object) bool { return o.refers(route, ref, service) })
}

func (o *Observed) refers(route, ref plan.Object, service string) bool {
	namespace := textAt(ref, "namespace")
	if namespace == "" {
		namespace = namespaceOf(route)
	}
	kind := textAt(ref, "kind")
	return (kind == "" || kind == "Service") && namespace == o.namespace && nameIn(ref) == service && service != ""
}

// sendsAnywhere tells whether any rule of a route names the Service.
func (o *Observed) sendsAnywhere(route plan.Object, service string) bool {
	return slices.ContainsFunc(listAt(route, "spec", "rules"), func(rule plan.Object) bool { return o.sends(route, rule, service) })
}

func nameIn(ref plan.Object) string { return textAt(ref, "name") }

// targets are the backends of rules, in words.
func targets(rules []plan.Object) []string {
	var list []string
	for _, rule := range rules {
		for _, ref := range listAt(rule, "backendRefs") {
			name := nameIn(ref)
			if kind := textAt(ref, "kind"); kind != "" && kind != "Service" {
				name = kind + "/" + name
			}
			if namespace := textAt(ref, "namespace"); namespace != "" {
				name = namespace + "/" + name
			}
			if !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}
