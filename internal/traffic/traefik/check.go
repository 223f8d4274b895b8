package traefik

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
)

// Problems implements traffic.Checker. What no split could be made of is an error of Split or Make.
func (Kind) Problems(routes, all []plan.Object, t plan.Traffic, _ plan.Baseline, most plan.Split) []traffic.Problem {
	var found []traffic.Problem
	for _, o := range routes {
		if o["kind"] == kindService {
			found = append(found, ofService(o, t, most)...)
		}
	}
	for _, o := range all {
		if problem := past(o, routes, t); problem != nil {
			found = append(found, *problem)
		}
	}
	return found
}

// ofService is what its users may lose by a split.
func ofService(o plan.Object, t plan.Traffic, most plan.Split) []traffic.Problem {
	ref := plan.RefOf(o)
	var found []traffic.Problem
	if mapAt(o, "spec", "weighted", "sticky", "cookie") != nil && most.Mirror == 0 {
		found = append(found, traffic.Problem{Object: ref, Warning: true, Text: "it keeps a user on the version that answered first (spec.weighted.sticky): " +
			"the weight of a step is the share of new users only, until the full share moves everybody",
			Remedy: "Take sticky out of it for the time of the rollout, or let users move in cohorts (strategy.canary.sticky)"})
	}
	if len(entriesOf(o)) > 1 && most.Mirror == 0 {
		found = append(found, traffic.Problem{Object: ref, Warning: true, Remedy: "Nothing has to be done if that is meant",
			Text: fmt.Sprintf("it sends to others beside Service %s: the shares of the steps are shares of what Service %s gets", t.Base, t.Base)})
	}
	entries := entriesOf(o)
	i := slices.IndexFunc(entries, func(e map[string]any) bool { return isService(e, t, t.Base) })
	if i >= 0 && entries[i]["nativeLB"] != true && divides(most) {
		found = append(found, traffic.Problem{Object: ref, Warning: true, Text: "while no pod of the new version is ready, Traefik knows nothing of a TraefikService " +
			"that sends to it, and answers 404 to everybody, whatever the weight; this is so unless it runs with allowEmptyServices",
			Remedy: "Start Traefik with --providers.kubernetescrd.allowemptyservices=true, which makes it 503 for the new version's share; nothing has to be done if it does"})
	}
	return found
}

// divides tells whether base and candidate stand in one TraefikService in some step.
func divides(most plan.Split) bool { return most.Mirror == 0 && most.Cohorts == nil && most.Weight > 0 }

// past is an object that sends to the base's Service beside the TraefikService.
func past(o plan.Object, routes []plan.Object, t plan.Traffic) *traffic.Problem {
	ref := plan.RefOf(o)
	steered := slices.ContainsFunc(routes, func(r plan.Object) bool { return r["kind"] == kindService && plan.RefOf(r) == ref })
	ours := isOurs(o) || strings.HasPrefix(ref.Name, t.Candidate+"-")
	if steered || ours || !slices.ContainsFunc(everyEntry(o), func(e map[string]any) bool { return isService(e, t, t.Base) }) {
		return nil
	}
	return &traffic.Problem{Object: ref, Warning: true, Remedy: "Let it send to the TraefikService of the spec, if its users are to be part of the rollout",
		Text: fmt.Sprintf("it sends to Service %s too: its users never see the split, and meet the new version when the base takes it over", t.Base)}
}
