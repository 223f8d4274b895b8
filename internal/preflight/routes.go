package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tidegate/tidegate/internal/catalog"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
	"github.com/tidegate/tidegate/internal/traffic/gatewayapi"
)

// readRoutes reads all routes of the namespaces that the spec names and of the workload's, so that others which send to
// the same Service are known too.
func (o *Observed) readRoutes(ctx context.Context, r *reader, d spec.Deploy) error {
	if d.Spec.MovesService() { // none is steered, but an earlier rollout may have
		list, err := r.may(ctx, question{apiVersion: kube.GatewayVersion, kind: spec.KindHTTPRoute, unknown: "whether a route sends to what an earlier rollout left"}, o.namespace)
		o.allRoutes = list
		return err
	}
	if o.router = routerOf(d); o.router == nil {
		return nil
	}
	t := *d.Spec.Traffic
	o.rules = t.RuleNames()
	o.lists = routeLists(d, o.namespace)
	for _, list := range o.lists {
		read, err := r.must(ctx, question{apiVersion: list.APIVersion, kind: list.Kind}, list.Namespace)
		if apierrors.IsNotFound(err) {
			return o.unknownKind(list)
		}
		if err != nil {
			return fmt.Errorf("read the %s of namespace %s: %w", plural(list.Kind), list.Namespace, err)
		}
		o.allRoutes = append(o.allRoutes, read...)
	}
	for _, wanted := range o.router.Routes(t, o.namespace) {
		route := o.route(wanted)
		if route == nil {
			return invalid(fmt.Sprintf("Its %s: %s. Check spec.traffic.%s", plural(wanted.Kind),
				several(nearest(wanted.Name, o.routeNames(wanted))), o.router.Name()), "namespace %s has no %s %s", wanted.Namespace, wanted.Kind, wanted.Name)
		}
		o.routes = append(o.routes, route)
	}
	if finder, ok := o.router.(traffic.Finder); ok {
		further, err := finder.Find(t, o.routes, o.allRoutes)
		if err != nil {
			return invalid("Check spec.traffic."+o.router.Name(), "%s", err.Error())
		}
		o.routes = append(o.routes, further...)
	}
	for _, route := range o.routes {
		o.Baseline.Routes = append(o.Baseline.Routes, slim(route))
	}
	if t.GatewayAPI == nil {
		return nil
	}
	return o.matchRules()
}

// unknownKind is a kind of routes that the cluster does not have.
func (o *Observed) unknownKind(list plan.Ref) error {
	remedy := fmt.Sprintf("Install what spec.traffic.%s speaks of, or name another router", o.router.Name())
	if o.router.Name() == gatewayapi.Name {
		remedy = "Install the Gateway API (v1.0 or newer) and a gateway"
	}
	return invalid(remedy, "the cluster does not know %s of %s", plural(list.Kind), list.APIVersion)
}

func plural(kind string) string {
	if strings.HasSuffix(kind, "s") || strings.HasSuffix(kind, "y") && !strings.HasSuffix(kind, "Proxy") {
		return kind + " objects"
	}
	return kind + "s"
}

// routerOf is the kind of router of the spec; nil without one.
func routerOf(d spec.Deploy) traffic.Kind {
	if d.Spec.Traffic == nil {
		return nil
	}
	return catalog.KindOf(*d.Spec.Traffic)
}

// routeLists are the kinds of routes to read, by namespace: the workload's and those of the spec's routes.
func routeLists(d spec.Deploy, namespace string) []plan.Ref {
	router := routerOf(d)
	if router == nil {
		return nil
	}
	var lists []plan.Ref
	add := func(ref plan.Ref, namespace string) {
		ref.Name, ref.Namespace = "", namespace
		if !slices.Contains(lists, ref) {
			lists = append(lists, ref)
		}
	}
	for _, wanted := range router.Routes(*d.Spec.Traffic, namespace) {
		add(wanted, namespace)
		add(wanted, wanted.Namespace)
	}
	if finder, ok := router.(traffic.Finder); ok {
		for _, list := range finder.Lists(*d.Spec.Traffic) {
			add(list, namespace)
		}
	}
	return lists
}

func (o *Observed) route(ref plan.Ref) plan.Object {
	for _, r := range o.allRoutes {
		if plan.RefOf(r) == ref {
			return r
		}
	}
	return nil
}

func (o *Observed) routeNames(like plan.Ref) []string {
	var list []string
	for _, r := range o.allRoutes {
		if textAt(r, "kind") == like.Kind && namespaceOf(r) == like.Namespace {
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
