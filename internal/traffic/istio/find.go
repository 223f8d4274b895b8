package istio

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// Lists implements traffic.Finder.
func (Kind) Lists(spec.Traffic) []plan.Ref {
	return []plan.Ref{{APIVersion: apiVersion, Kind: virtualService}, {APIVersion: apiVersion, Kind: destinationRule}}
}

// Find implements traffic.Finder: VirtualServices to which the named one delegates, and the DestinationRules of hosts that
// any of them sends to. Which of them matter only Make knows, which knows the base.
func (Kind) Find(_ spec.Traffic, routes, all []plan.Object) ([]plan.Object, error) {
	var further []plan.Object
	for _, root := range routes {
		for _, ref := range delegatesOf(root) {
			found := object(all, ref)
			if found != nil && !slices.ContainsFunc(slices.Concat(routes, further), func(o plan.Object) bool { return plan.RefOf(o) == ref }) {
				further = append(further, found)
			}
		}
	}
	hosts := map[string]bool{}
	for _, o := range slices.Concat(routes, further) {
		for _, r := range httpOf(o) {
			for _, e := range destinations(r) {
				hosts[fullName(textAt(mapAt(e, "destination"), "host"), plan.RefOf(o).Namespace)] = true
			}
		}
	}
	for _, o := range all {
		if ref := plan.RefOf(o); ref.Kind == destinationRule && hosts[fullName(textAt(mapAt(o, "spec"), "host"), ref.Namespace)] {
			further = append(further, o)
		}
	}
	return further, nil
}

// delegatesOf are the VirtualServices to which one delegates. Istio follows them one level deep.
func delegatesOf(vs plan.Object) []plan.Ref {
	var refs []plan.Ref
	own := plan.RefOf(vs)
	for _, r := range httpOf(vs) {
		to := mapAt(r, "delegate")
		if to == nil {
			continue
		}
		ref := plan.Ref{APIVersion: own.APIVersion, Kind: virtualService, Namespace: textAt(to, "namespace"), Name: textAt(to, "name")}
		if ref.Namespace == "" {
			ref.Namespace = own.Namespace
		}
		if !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	return refs
}

func object(all []plan.Object, ref plan.Ref) plan.Object {
	if i := slices.IndexFunc(all, func(o plan.Object) bool { return plan.RefOf(o) == ref }); i >= 0 {
		return all[i]
	}
	return nil
}

// Make implements traffic.Maker. It leaves only those routes to the plan that send to the base, and copies the
// DestinationRules of the base's host for the candidate's: what they say of TLS, connections and outliers holds for it, too.
func (Kind) Make(to *plan.Traffic, b plan.Baseline, _ plan.Split) ([]plan.Object, error) {
	var steered []plan.Ref
	var subsets []string // of the base's destinations; "" for one without
	for _, o := range b.Routes {
		t, takesPart := within(o, *to), false
		for _, r := range httpOf(o) {
			if !t.takesPart(r) {
				continue
			}
			takesPart = true
			for _, e := range destinations(r) {
				if t.isBase(e) {
					subsets = append(subsets, textAt(mapAt(e, "destination"), "subset"))
				}
			}
		}
		if takesPart {
			steered = append(steered, plan.RefOf(o))
		}
	}
	if len(steered) == 0 {
		return nil, noBase(b.Routes, *to)
	}
	to.Routes = steered
	slices.Sort(subsets)
	return copies(b.Routes, *to, slices.Compact(subsets)), nil
}

// noBase says why no route can be steered, and what to do.
func noBase(routes []plan.Object, to plan.Traffic) error {
	names, elsewhere, raw, left := []string{}, []string{}, false, false
	for _, o := range routes {
		t := within(o, to)
		if plan.RefOf(o).Kind != virtualService {
			continue
		}
		names = append(names, plan.RefOf(o).String())
		raw = raw || len(t.rawRoutes(o)) > 0
		for _, ref := range delegatesOf(o) {
			if object(routes, ref) == nil {
				elsewhere = append(elsewhere, ref.Namespace+"/"+ref.Name)
			}
		}
		whole := t
		whole.Rules, whole.Subsets = nil, nil
		left = left || slices.ContainsFunc(httpOf(o), whole.takesPart)
	}
	text := fmt.Sprintf("%s: no HTTP route sends to Service %s of namespace %s", strings.Join(names, ", "), to.Base, to.Namespace)
	switch {
	case left:
		return fmt.Errorf("%s that is named by spec.traffic.istio.routes or has one of spec.traffic.istio.subsets; correct those", text)
	case raw:
		return errors.New(text + ", only tls or tcp routes do: connections cannot be divided by requests; give it an HTTP route, or use a strategy without a route")
	case len(elsewhere) > 0:
		return fmt.Errorf("%s, as far as it can be read: it delegates to %s, which is not in the namespace of the workload; name that one in "+
			"spec.traffic.istio.virtualService, from a Deploy of its namespace, or move the route here", text, strings.Join(elsewhere, ", "))
	}
	return errors.New(text + "; name the Service in spec.service, or another VirtualService in spec.traffic.istio.virtualService")
}

// rawRoutes are the tls and tcp routes that send to the base.
func (t between) rawRoutes(o plan.Object) []map[string]any {
	var all []map[string]any
	for _, kind := range []string{"tls", "tcp"} {
		for _, r := range maplist(mapAt(o, "spec"), kind) {
			if slices.ContainsFunc(destinations(r), t.isBase) {
				all = append(all, r)
			}
		}
	}
	return all
}

// copies are the DestinationRules of the base's host, for the candidate's.
func copies(routes []plan.Object, to plan.Traffic, subsets []string) []plan.Object {
	var all []plan.Object
	for _, o := range routes {
		t, rule := within(o, to), mapAt(o, "spec")
		if plan.RefOf(o).Kind != destinationRule || !t.isHost(textAt(rule, "host"), t.Base) {
			continue
		}
		made := runtime.DeepCopyJSON(rule)
		made["host"] = t.candidateHost(textAt(rule, "host"))
		if policy := policyOf(made, subsets); policy != nil {
			made["trafficPolicy"] = policy
		}
		delete(made, "subsets")
		name := t.Candidate
		if len(all) > 0 {
			name = fmt.Sprintf("%s-%d", t.Candidate, len(all)+1)
		}
		all = append(all, plan.Object{"apiVersion": apiVersion, "kind": destinationRule,
			"metadata": map[string]any{"name": name, "namespace": t.home}, "spec": made})
	}
	return all
}

// policyOf is the traffic policy of a DestinationRule. Where every destination of the base names the same subset, the policy
// of that one is laid over it, as Istio does.
func policyOf(rule map[string]any, subsets []string) map[string]any {
	policy := maps.Clone(mapAt(rule, "trafficPolicy"))
	if len(subsets) != 1 {
		return policy
	}
	for _, s := range maplist(rule, "subsets") {
		own := mapAt(s, "trafficPolicy")
		if textAt(s, "name") != subsets[0] || own == nil {
			continue
		}
		if policy == nil {
			policy = map[string]any{}
		}
		maps.Copy(policy, own)
	}
	return policy
}
