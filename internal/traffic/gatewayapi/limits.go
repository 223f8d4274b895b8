package gatewayapi

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// Limits of the Gateway API for a route.
const (
	maxRules    = 16
	maxMatches  = 127
	maxHeaders  = 16
	maxBackends = 16
	maxFilters  = 16
	maxWeight   = 1_000_000
)

// NoRoom says why the route has no room for the rules by which requests of a split's ring and users of its cohorts find their
// version; "" when it has.
func NoRoom(route plan.Object, to plan.Traffic, s plan.Split) string {
	u := &unstructured.Unstructured{Object: route}
	t := within(u, to)
	rules, err := readRules(u)
	if err != nil {
		return err.Error()
	}
	rules = t.withoutOurs(rules, memo{})
	ring, cohorts, err := ourRules(rules, t, widest(s))
	if err != nil {
		return err.Error()
	}
	if len(s.Ring) > 0 && len(ring) == 0 {
		return "no request of the ring can come to a rule that is divided: each asks for another value of the same header"
	}
	return cmp.Or(overfull(rules, slices.Concat(ring, cohorts), t), undrawableIn(rules, t, s))
}

// widest is the split with the most rules: some users have moved, and others not.
func widest(s plan.Split) plan.Split {
	if c := byCohort(plan.Split{Cohorts: s.Cohorts}); c != nil {
		c = c.Drawn("preflight")
		c.Moved = min(1, len(c.Odds)-1)
		s.Weight, s.Cohorts = 0, c
	}
	return s
}

// overfull says which limit the rules of the user's and ours would break together.
func overfull(rules, added []map[string]any, t between) string {
	matches := 0
	for _, rule := range slices.Concat(added, rules) {
		matches += len(t.matchesOf(rule))
		for _, match := range t.matchesOf(rule) {
			if n := len(maplist(match, "headers")); n > maxHeaders {
				return fmt.Sprintf("a match would ask for %d headers, and may for %d", n, maxHeaders)
			}
		}
	}
	switch {
	case len(rules)+len(added) > maxRules:
		return fmt.Sprintf("it has %d rules and needs %d more, of %d that there may be", len(rules), len(added), maxRules)
	case matches > maxMatches:
		return fmt.Sprintf("its rules would have %d matches together, of %d that there may be", matches, maxMatches)
	}
	return ""
}

// undrawableIn says why a rule cannot draw its users into cohorts.
func undrawableIn(rules []map[string]any, t between, s plan.Split) string {
	cohorts := widest(s).Cohorts
	for i, rule := range rules {
		if cohorts == nil || !takesPart(rule, t) {
			continue
		}
		drawn, err := divided(rule, t, remember(rule, t), plan.Split{Cohorts: cohorts})
		if err != nil {
			return fmt.Sprintf("%s: %v", nameOrNumber(rule, i), err)
		}
		refs := backends(drawn)
		if len(refs) > maxBackends {
			return fmt.Sprintf("%s would have %d backends, one for each cohort, of %d that there may be", nameOrNumber(rule, i), len(refs), maxBackends)
		}
		for _, ref := range refs {
			if weightOf(ref) > maxWeight {
				return fmt.Sprintf("%s has weights that cannot be divided by the odds of the cohorts within the limit of %d", nameOrNumber(rule, i), maxWeight)
			}
			if n := len(maplist(ref, "filters")); n > maxFilters {
				return fmt.Sprintf("%s: its backend %s would have %d filters, and may have %d", nameOrNumber(rule, i), t.Base, n, maxFilters)
			}
		}
	}
	return ""
}

// Overtaken names the rules of another route that win over a rule which takes part today, and would lose requests of the
// split's ring, or of users who have a cohort, to it. Both routes are taken to belong to the same gateway.
func Overtaken(route, other plan.Object, to plan.Traffic, s plan.Split) []string {
	own, theirs := &unstructured.Unstructured{Object: route}, &unstructured.Unstructured{Object: other}
	if own.GetKind() != theirs.GetKind() || !shareHost(own, theirs) {
		return nil
	}
	t, first := within(own, to), before(theirs, own)
	moved, err := readRules(own)
	if err != nil {
		return nil
	}
	rules, err := readRules(theirs)
	if err != nil {
		return nil
	}
	var names []string
	for i, rule := range rules {
		lost := func(match map[string]any) bool {
			return slices.ContainsFunc(moved, func(r map[string]any) bool {
				return takesPart(r, t) && slices.ContainsFunc(t.matchesOf(r), func(m map[string]any) bool {
					won := rankOf(match).compare(rankOf(m))
					return (won > 0 || won == 0 && first) &&
						slices.ContainsFunc(groups(s), func(g group) bool { return g.overtakes(m, match, first) })
				})
			})
		}
		if slices.ContainsFunc(t.matchesOf(rule), lost) {
			names = append(names, nameOrNumber(rule, i))
		}
	}
	return names
}

// groups are who finds a version by rules of their own.
func groups(s plan.Split) []group {
	var all []group
	if len(s.Ring) > 0 {
		all = append(all, ringOf(s.Ring))
	}
	if c := widest(s).Cohorts; c != nil {
		all = append(all, cohortGroup(*c))
	}
	return all
}
