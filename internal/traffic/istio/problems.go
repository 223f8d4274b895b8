package istio

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
)

// Problems implements traffic.Checker. That every split of the plan can be made is tried elsewhere; here is who misses it.
func (Kind) Problems(routes, all []plan.Object, to plan.Traffic, _ plan.Baseline, most plan.Split) []traffic.Problem {
	var list []traffic.Problem
	for _, o := range routes {
		if slices.Contains(to.Routes, plan.RefOf(o)) {
			list = append(list, within(o, to).missed(o, most)...)
		}
		list = append(list, unread(o, all)...)
	}
	list = append(list, unknownNames(routes, to)...)
	for _, o := range all {
		if plan.RefOf(o).Kind == virtualService && !slices.Contains(to.Routes, plan.RefOf(o)) {
			list = append(list, within(o, to).besides(o, routes)...)
		}
	}
	return list
}

// missed are requests of a VirtualService of the plan that do not take part.
func (t between) missed(o plan.Object, most plan.Split) []traffic.Problem {
	var list []traffic.Problem
	warn := func(remedy, text string, args ...any) {
		list = append(list, traffic.Problem{Object: plan.RefOf(o), Text: fmt.Sprintf(text, args...), Remedy: remedy, Warning: true})
	}
	for i, r := range httpOf(o) {
		if !t.isOurs(r) && !t.asked(r) && slices.ContainsFunc(destinations(r), t.isBase) {
			warn("Name it in spec.traffic.istio.routes, if its users are to be part of the rollout",
				"its %s sends to Service/%s too: its users never see the split, and meet the new version when the base takes it over", nameOrNumber(r, i), t.Base)
		}
	}
	if len(t.rawRoutes(o)) > 0 {
		warn("Nothing has to be done if that is meant",
			"it has tls or tcp routes to Service/%s too: their connections are not divided, and meet the new version when the base takes it over", t.Base)
	}
	byCookie := most.Cohorts != nil || slices.ContainsFunc(most.Ring, func(m plan.Match) bool { return m.Cookie != "" })
	if hosts, _ := mapAt(o, "spec")["hosts"].([]any); len(hosts) == 0 && byCookie {
		warn("Look that your Istio takes one: older ones refuse the change, and the rollout goes back", "it is a delegate, and gets a match by an expression for the cookie")
	}
	return list
}

// unread are delegates that nobody has read: they are not in a namespace that was.
func unread(o plan.Object, all []plan.Object) []traffic.Problem {
	var list []traffic.Problem
	for _, ref := range delegatesOf(o) {
		if object(all, ref) == nil {
			list = append(list, traffic.Problem{Object: plan.RefOf(o), Warning: true,
				Text: fmt.Sprintf("it delegates to %s of namespace %s, which is not there or in a namespace that is not read: if that sends to the "+
					"workload's Service, its users never see the split", ref, ref.Namespace),
				Remedy: "Move the delegate into the workload's namespace, if its users are to be part of the rollout"})
		}
	}
	return list
}

// unknownNames are routes and subsets of the spec that no VirtualService has, or not with the base.
func unknownNames(routes []plan.Object, to plan.Traffic) []traffic.Problem {
	if len(to.Routes) == 0 {
		return nil // Make has said why
	}
	var list []traffic.Problem
	check := func(field string, names []string, has func(t between, r map[string]any, name string) bool) {
		for _, name := range names {
			known := func(o plan.Object) bool {
				return slices.ContainsFunc(httpOf(o), func(r map[string]any) bool { return has(within(o, to), r, name) })
			}
			if !slices.ContainsFunc(routes, known) {
				list = append(list, traffic.Problem{Object: to.Routes[0], Remedy: "Correct spec.traffic.istio." + field,
					Text: fmt.Sprintf("no HTTP route sends to Service/%s by the name %s of spec.traffic.istio.%s", to.Base, name, field)})
			}
		}
	}
	check("routes", to.Rules, func(t between, r map[string]any, name string) bool {
		return textAt(r, "name") == name && t.takesPart(r)
	})
	check("subsets", to.Subsets, func(t between, r map[string]any, name string) bool {
		return t.takesPart(r) && slices.ContainsFunc(destinations(r), func(e map[string]any) bool {
			return t.isBase(e) && textAt(mapAt(e, "destination"), "subset") == name
		})
	})
	return list
}

// besides warns of a VirtualService which sends to the base and is not in the plan.
func (t between) besides(o plan.Object, routes []plan.Object) []traffic.Problem {
	sends := slices.ContainsFunc(httpOf(o), func(r map[string]any) bool { return slices.ContainsFunc(destinations(r), t.isBase) })
	if !sends && len(t.rawRoutes(o)) == 0 {
		return nil
	}
	p := traffic.Problem{Object: plan.RefOf(o), Warning: true, Remedy: "Nothing has to be done if that is meant; else join the two VirtualServices",
		Text: fmt.Sprintf("it sends to Service/%s too: its users never see the split, and meet the new version when the base takes it over", t.Base)}
	for _, other := range routes {
		if shared := sharedHosts(o, other); len(shared) > 0 {
			p.Text += fmt.Sprintf("; it has the host %s in common with %s, and at one gateway either may win", strings.Join(shared, ", "), plan.RefOf(other))
		}
	}
	return []traffic.Problem{p}
}

func sharedHosts(a, b plan.Object) []string {
	var shared []string
	others, _ := mapAt(b, "spec")["hosts"].([]any)
	for _, host := range others {
		mine, _ := mapAt(a, "spec")["hosts"].([]any)
		if name, ok := host.(string); ok && slices.Contains(mine, host) {
			shared = append(shared, name)
		}
	}
	return shared
}
