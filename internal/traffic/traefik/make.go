package traefik

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/plan"
)

// Make implements traffic.Maker.
func (Kind) Make(t *plan.Traffic, b plan.Baseline, most plan.Split) ([]plan.Object, error) {
	var service plan.Object
	var routes []plan.Object
	for _, o := range b.Routes {
		if o["kind"] == kindService {
			service = o
		} else {
			routes = append(routes, o)
		}
	}
	var all []plan.Object
	t.Routes = []plan.Ref{plan.RefOf(service)} // the user's IngressRoutes are only read
	add := func(o plan.Object) {
		all, t.Own = append(all, o), append(t.Own, plan.RefOf(o))
	}
	if most.Mirror > 0 {
		if o := mirrorFor(service, *t, mapAt(b.Service, "spec")["clusterIP"] == "None"); o != nil {
			add(o)
		}
	}
	if len(most.Ring) == 0 && most.Cohorts == nil {
		return all, nil
	}
	if err := fits(service, *t, plan.Split{Weight: plan.All}); err != nil {
		return nil, err
	}
	m := template{Service: plan.RefOf(service).Name, Draw: drawName(*t), Candidate: besides(service, *t)}
	if most.Cohorts != nil {
		draw, cohorts := drawFor(service, *t, *most.Cohorts)
		all = append(all, cohorts...)
		add(draw)
		for _, c := range cohorts {
			m.Values = append(m.Values, cookieValue(t.Namespace, plan.RefOf(c).Name))
		}
	}
	rules, err := ingressRoutes(service, routes, *t, m)
	for _, o := range rules {
		add(o)
	}
	return all, err
}

// besides is what the TraefikService sends to, with the candidate in the base's place.
func besides(service plan.Object, t plan.Traffic) []map[string]any {
	entries := entriesOf(service)
	for i, e := range entries {
		if isService(e, t, t.Base) {
			entries[i] = with(e, "name", t.Candidate)
		}
	}
	return entries
}

// ingressRoutes are ours beside those of the user, without rules yet.
func ingressRoutes(service plan.Object, routes []plan.Object, t plan.Traffic, m template) ([]plan.Object, error) {
	repeated := repeats(routes, plan.RefOf(service))
	steered := false
	var all []plan.Object
	for _, o := range routes {
		m.Rules = repeated[plan.RefOf(o)]
		for _, r := range m.Rules {
			steered = steered || r.Steered
			if err := r.repeatable(o, m); err != nil {
				return nil, err
			}
		}
		spec := runtime.DeepCopyJSON(mapAt(o, "spec"))
		spec["routes"] = []any{}
		own := made(o, kindRoute, t.Candidate+"-"+plan.RefOf(o).Name, spec)
		if err := m.write(&unstructured.Unstructured{Object: own}); err != nil {
			return nil, err
		}
		all = append(all, own)
	}
	if !steered {
		return nil, fmt.Errorf("no IngressRoute of namespace %s sends to %s, so that no rule can tell requests apart; "+
			"make one that names it under spec.routes[].services with kind: %s", t.Namespace, plan.RefOf(service), kindService)
	}
	return all, nil
}

// repeatable says why a rule cannot be repeated.
func (r rule) repeatable(o plan.Object, m template) error {
	ref, match := plan.RefOf(o), text(r.Route, "match")
	switch {
	case text(r.Route, "syntax") == "v2":
		return fmt.Errorf("%s: the rule %s has the syntax of Traefik 2 (syntax: v2), which has other matchers; write it in that of version 3", ref, match)
	case r.Priority == -1:
		return fmt.Errorf("%s: the rule %s has priority -1, and one more is 0, which Traefik takes for none; give it another", ref, match)
	case !r.Steered && len(listAt(r.Route, "services")) == 0:
		return fmt.Errorf("%s: the rule %s has other IngressRoutes below it, and a priority that ties with the rules to be made; give it another priority", ref, match)
	case r.Steered && len(listAt(r.Route, "services")) > 1 && len(m.Candidate) > 1:
		return fmt.Errorf("%s: the rule %s divides its requests, and so does TraefikService %s; let one of them do all", ref, match, m.Service)
	}
	return nil
}

// made is an object of ours beside one of the user's, of the same class. Its labels are the same, for a Traefik with a labelselector.
func made(beside plan.Object, kind, name string, spec map[string]any) plan.Object {
	o := &unstructured.Unstructured{Object: map[string]any{"spec": runtime.DeepCopyJSON(spec)}}
	theirs := &unstructured.Unstructured{Object: beside}
	o.SetAPIVersion(Version)
	o.SetKind(kind)
	o.SetNamespace(theirs.GetNamespace())
	o.SetName(name)
	o.SetLabels(plan.Untracked(theirs.GetLabels()))
	const class = "kubernetes.io/ingress.class"
	if value, ok := theirs.GetAnnotations()[class]; ok {
		o.SetAnnotations(map[string]string{class: value})
	}
	return o.Object
}
