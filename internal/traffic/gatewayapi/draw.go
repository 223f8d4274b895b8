package gatewayapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
)

// drawRule makes a rule draw those of its users whom no cohort's rule took: each Service of a cohort is the base's by
// another name, has its odds, and gives its cookie. The answer is the base's, whatever the draw.
func drawRule(rule map[string]any, t between, was old, c plan.Cohorts) (map[string]any, error) {
	if problem := undrawable(maplist(rule, "filters"), true); problem != "" {
		return nil, fmt.Errorf("its filters %s", problem)
	}
	var total int64
	for _, odds := range c.Odds {
		total += int64(odds)
	}
	refs := backends(rule)
	var drawn []map[string]any
	for _, ref := range refs {
		weight := was.weight(ref)
		if len(refs) == 1 {
			weight = 1
		}
		if !t.isService(ref, t.Base) {
			drawn = append(drawn, withWeight(ref, weight*total))
			continue
		}
		if problem := undrawable(maplist(ref, "filters"), false); problem != "" {
			return nil, fmt.Errorf("the filters of its backend %s %s", t.Base, problem)
		}
		for i, odds := range c.Odds {
			one := withWeight(ref, weight*int64(odds))
			one["name"] = t.cohortService(i + 1)
			one["filters"] = giving(maplist(ref, "filters"), c.SetCookie(i+1))
			drawn = append(drawn, one)
		}
	}
	return withBackends(rule, reduced(drawn)), nil
}

// reduced divides the weights by what they have in common: there is a limit to them.
func reduced(refs []map[string]any) []map[string]any {
	var unit int64
	for _, ref := range refs {
		unit = gcd(unit, weightOf(ref))
	}
	for i, ref := range refs {
		if unit > 1 {
			refs[i] = withWeight(ref, weightOf(ref)/unit)
		}
	}
	return refs
}

// giving are the filters of a backend, which also gives its answers a cookie, and keeps caches from giving that to others.
// What the service itself says of caches stays beside it, for the stricter of the two counts (RFC 9111, 4.2.1). There may be
// one modifier of answers only.
func giving(filters []map[string]any, cookie string) []any {
	modifier := map[string]any{"type": responseModifier}
	var list []any
	for _, f := range filters {
		if f["type"] == responseModifier {
			modifier = maps.Clone(f)
			continue
		}
		list = append(list, f)
	}
	own, _ := modifier[responseField].(map[string]any)
	own = withoutHeader(own, "Cache-Control")
	own["add"] = append(anys(maplist(own, "add")), map[string]any{"name": "Set-Cookie", "value": cookie},
		map[string]any{"name": "Cache-Control", "value": "private"})
	modifier[responseField] = own
	return append(list, modifier)
}

// withoutDraw are filters without what [giving] added.
func withoutDraw(filters []map[string]any) []any {
	var list []any
	for _, f := range filters {
		modifier, ok := f[responseField].(map[string]any)
		if !ok {
			list = append(list, f)
			continue
		}
		if left := withoutHeader(withoutHeader(modifier, "Cache-Control"), "Set-Cookie"); len(left) > 0 {
			f = maps.Clone(f)
			f[responseField] = left
			list = append(list, f)
		}
	}
	return list
}

// The filter that changes the headers of answers, and the field that says how.
const (
	responseModifier = "ResponseHeaderModifier"
	responseField    = "responseHeaderModifier"
)

// withoutHeader is a copy of a modifier that leaves a header alone.
func withoutHeader(modifier map[string]any, name string) map[string]any {
	left := maps.Clone(modifier)
	if left == nil {
		left = map[string]any{}
	}
	for _, verb := range []string{"add", "set"} {
		if list := maplist(left, verb); len(list) > 0 {
			left[verb] = anys(slices.DeleteFunc(list, func(h map[string]any) bool { return strings.EqualFold(text(h, "name"), name) }))
		}
	}
	if names, ok := left["remove"].([]any); ok {
		left["remove"] = slices.DeleteFunc(slices.Clone(names), func(n any) bool { s, _ := n.(string); return strings.EqualFold(s, name) })
	}
	for _, verb := range []string{"add", "set", "remove"} {
		if list, ok := left[verb].([]any); ok && len(list) == 0 {
			delete(left, verb)
		}
	}
	return left
}

// undrawable says what of the user's own changes of answers would undo ours; "" for nothing. Those of a rule and those of its
// backends are made in an order that nobody knows.
func undrawable(filters []map[string]any, ofRule bool) string {
	for _, f := range filters {
		modifier, _ := f[responseField].(map[string]any)
		removed, _ := modifier["remove"].([]any)
		for _, c := range []struct {
			verb    string
			headers []map[string]any
		}{{"add", maplist(modifier, "add")}, {"set", maplist(modifier, "set")}, {"remove", named(removed)}} {
			for _, h := range c.headers {
				private := strings.Contains(text(h, "value"), "private") || strings.Contains(text(h, "value"), "no-store")
				switch name := strings.ToLower(text(h, "name")); {
				case name == "set-cookie" && (c.verb != "add" || !ofRule):
					return c.verb + " the header Set-Cookie of answers, by which users get their cohort; take that out for the time of the rollout"
				case name == "cache-control" && ofRule && !private:
					return c.verb + " the header Cache-Control of answers, which has to be private where a cookie is given; take that out for the time of the rollout"
				}
			}
		}
	}
	return ""
}

func named(names []any) []map[string]any {
	list := make([]map[string]any, len(names))
	for i, name := range names {
		list[i] = map[string]any{"name": name}
	}
	return list
}

func anys(list []map[string]any) []any {
	all := make([]any, len(list))
	for i, item := range list {
		all[i] = item
	}
	return all
}

// undrawn gives a rule that draws its base back, with the filters that it had.
func undrawn(rule map[string]any, t between, was old) map[string]any {
	all := backends(rule)
	var refs []map[string]any
	at := map[string]int{} // where a base stands, by its key
	for _, ref := range all {
		if t.cohortOf(ref) == 0 {
			refs = append(refs, ref)
			continue
		}
		base := withWeight(ref, weightOf(ref))
		base["name"] = t.Base
		key := backendKey(base)
		if i, ok := at[key]; ok {
			refs[i] = withWeight(refs[i], weightOf(refs[i])+weightOf(ref))
			continue
		}
		at[key] = len(refs)
		refs = append(refs, was.filtered(base))
	}
	if len(at) == 0 {
		return rule
	}
	return withBackends(rule, refs)
}
