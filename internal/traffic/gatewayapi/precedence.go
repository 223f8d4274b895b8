package gatewayapi

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// rank is a match's precedence in the Gateway API, most important first: an exact path, the length of the path, a method,
// the number of headers, the number of query parameters. More wins. On a tie the older route wins, then the one that is
// first by namespace and name, then the rule that is first in the route.
type rank [5]int

func rankOf(match map[string]any) rank {
	r := rank{0, 1, 0, len(maplist(match, "headers")), len(maplist(match, "queryParams"))}
	if path, ok := match["path"].(map[string]any); ok {
		value, given := path["value"].(string)
		if given {
			r[1] = len(value)
		}
		if path["type"] == "Exact" {
			r[0] = 1
		}
	}
	if method, _ := match["method"].(string); method != "" {
		r[2] = 1
	}
	return r
}

func (r rank) compare(other rank) int { return slices.Compare(r[:], other[:]) }

func (r rank) higher(other rank) rank {
	if r.compare(other) >= 0 {
		return r
	}
	return other
}

// together tells whether a request may match both, of which neither has a longer path: the paths and methods are then the
// same, and no header or query parameter has two values at once.
func together(a, b map[string]any) bool {
	return pathOf(a) == pathOf(b) && compatible(a["method"], b["method"]) &&
		agree(maplist(a, "headers"), maplist(b, "headers"), true) && agree(maplist(a, "queryParams"), maplist(b, "queryParams"), false)
}

func pathOf(match map[string]any) string {
	path, _ := match["path"].(map[string]any)
	kind, value := cmp.Or(text(path, "type"), "PathPrefix"), cmp.Or(text(path, "value"), "/")
	return kind + " " + value
}

func text(o map[string]any, key string) string {
	s, _ := o[key].(string)
	return s
}

func compatible(a, b any) bool { return a == nil || b == nil || a == b }

func agree(a, b []map[string]any, fold bool) bool {
	for _, x := range a {
		for _, y := range b {
			same := text(x, "name") == text(y, "name") || fold && strings.EqualFold(text(x, "name"), text(y, "name"))
			if same && x["type"] != "RegularExpression" && y["type"] != "RegularExpression" && x["value"] != y["value"] {
				return false
			}
		}
	}
	return true
}

// Limits of the Gateway API for a route.
const (
	maxRules   = 16
	maxMatches = 127
	maxHeaders = 16
)

// RingProblem says why the route has no room for a ring; "" when it has.
func RingProblem(route plan.Object, to plan.Traffic, ring []plan.Match) string {
	u := &unstructured.Unstructured{Object: route}
	t := within(u, to)
	rules, err := readRules(u)
	if err != nil {
		return err.Error()
	}
	rules = t.withoutRing(rules, memo{})
	added, err := ringRules(rules, t, ring)
	if err != nil {
		return err.Error()
	}
	all := append(added, rules...)
	matches := 0
	for _, rule := range all {
		matches += len(matchesOf(rule))
		for _, match := range matchesOf(rule) {
			if n := len(maplist(match, "headers")); n > maxHeaders {
				return fmt.Sprintf("a match would ask for %d headers, and may for %d", n, maxHeaders)
			}
		}
	}
	switch {
	case len(added) == 0:
		return "no request of the ring can come to a rule that is divided: each asks for another value of the same header"
	case len(all) > maxRules:
		return fmt.Sprintf("it has %d rules and needs %d more, of %d that there may be", len(rules), len(added), maxRules)
	case matches > maxMatches:
		return fmt.Sprintf("its rules would have %d matches together, of %d that there may be", matches, maxMatches)
	}
	return ""
}

// Overtaken names the rules of another route that win over a rule which takes part today, and would lose requests of the
// ring to it. Both routes are taken to belong to the same gateway.
func Overtaken(route, other plan.Object, to plan.Traffic, ring []plan.Match) []string {
	own, theirs := &unstructured.Unstructured{Object: route}, &unstructured.Unstructured{Object: other}
	if !shareHost(own, theirs) {
		return nil
	}
	t := within(own, to)
	moved, err := readRules(own)
	if err != nil {
		return nil
	}
	rules, err := readRules(theirs)
	if err != nil {
		return nil
	}
	first := before(theirs, own)
	var names []string
	for i, rule := range rules {
		lost := func(match map[string]any) bool {
			return slices.ContainsFunc(moved, func(r map[string]any) bool {
				return takesPart(r, t) && slices.ContainsFunc(matchesOf(r), func(m map[string]any) bool {
					won := rankOf(match).compare(rankOf(m))
					return (won > 0 || won == 0 && first) && overtakes(m, match, ring) && !(first && ties(m, match, ring))
				})
			})
		}
		if slices.ContainsFunc(matchesOf(rule), lost) {
			names = append(names, nameOrNumber(rule, i))
		}
	}
	return names
}

func ties(moved, other map[string]any, ring []plan.Match) bool {
	with, _, err := narrow(moved, ring)
	return err == nil && rankOf(with).compare(rankOf(other)) == 0
}

// before tells whether route a wins a tie over b.
func before(a, b *unstructured.Unstructured) bool {
	ta, tb := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if !ta.Time.Equal(tb.Time) {
		return ta.Time.Before(tb.Time)
	}
	return a.GetNamespace()+"/"+a.GetName() < b.GetNamespace()+"/"+b.GetName()
}

// shareHost tells whether some hostname is the same in both: a more specific one wins whatever the rules say.
func shareHost(a, b *unstructured.Unstructured) bool {
	hosts := func(o *unstructured.Unstructured) []string {
		list, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "hostnames")
		if len(list) == 0 {
			return []string{""}
		}
		return list
	}
	return slices.ContainsFunc(hosts(a), func(h string) bool { return slices.Contains(hosts(b), h) })
}
