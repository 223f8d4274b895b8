package gatewayapi

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
)

// ringPrefix begins the names of the rules that we add for a ring. After it come the base's Service and a number, so that two
// rollouts that share a route know their own.
const ringPrefix = "tidegate-internal-"

// ringed is a rule that is repeated for the ring, before it has a name.
type ringed struct {
	rule map[string]any
	rank rank // of what it repeats
}

// ringRules are the rules by which the ring's requests find the candidate: every rule that takes part again, for requests of
// the ring only, and every rule that those would otherwise overtake, as it is. Each gains the same, so that among the
// ring's requests each rule has the precedence that it has today. restored are the user's rules, without anything of ours.
func ringRules(restored []map[string]any, t between, ring []plan.Match) ([]map[string]any, error) {
	var all []ringed
	for i, rule := range restored {
		matches, moved := matchesOf(rule), takesPart(rule, t)
		if !moved {
			matches = overtaken(restored, i, t, ring)
		}
		var narrowed []any
		best := rank{}
		for _, match := range matches {
			with, possible, err := narrow(match, ring)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", nameOrNumber(rule, i), err)
			}
			if possible {
				narrowed, best = append(narrowed, with), best.higher(rankOf(match))
			}
		}
		if len(narrowed) == 0 {
			continue // no request of the ring comes here
		}
		again := maps.Clone(rule)
		again["matches"] = narrowed
		if moved {
			again = toCandidate(again, t)
		}
		all = append(all, ringed{again, best})
	}
	// A rule of the user's that matches what the ring has already gains nothing: its place decides then.
	slices.SortStableFunc(all, func(a, b ringed) int { return b.rank.compare(a.rank) })
	rules := make([]map[string]any, len(all))
	for i, r := range all {
		r.rule["name"] = fmt.Sprintf("%s%s-%d", ringPrefix, t.Base, i+1)
		rules[i] = r.rule
	}
	return rules, nil
}

// toCandidate sends what the rule gives the base to the candidate.
func toCandidate(rule map[string]any, t between) map[string]any {
	refs := backends(rule)
	for i, ref := range refs {
		if t.isService(ref, t.Base) {
			refs[i] = maps.Clone(ref)
			refs[i]["name"] = t.Candidate
		}
	}
	return withBackends(rule, refs)
}

// overtaken are the matches of rule i that win over a rule which takes part, and would not any more once that one asks for
// the ring's headers too.
func overtaken(rules []map[string]any, i int, t between, ring []plan.Match) []map[string]any {
	var list []map[string]any
	for _, match := range matchesOf(rules[i]) {
		if slices.ContainsFunc(seq(len(rules)), func(j int) bool {
			return takesPart(rules[j], t) && slices.ContainsFunc(matchesOf(rules[j]), func(moved map[string]any) bool {
				won := rankOf(match).compare(rankOf(moved))
				return (won > 0 || won == 0 && i < j) && overtakes(moved, match, ring)
			})
		}) {
			list = append(list, match)
		}
	}
	return list
}

func seq(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// overtakes tells whether a match, once it asks for the ring's headers, would get requests of the other one.
func overtakes(moved, other map[string]any, ring []plan.Match) bool {
	with, possible, err := narrow(moved, ring)
	if err != nil || !possible {
		return false
	}
	_, shared, err := narrow(other, ring)
	return (shared || err != nil) && rankOf(with).compare(rankOf(other)) >= 0 && together(moved, other)
}

// narrow is a match for those of its requests that are the ring's. possible is false when there are none.
func narrow(match map[string]any, ring []plan.Match) (with map[string]any, possible bool, err error) {
	headers := maplist(match, "headers")
	for _, m := range ring {
		added := headerOf(m)
		i := slices.IndexFunc(headers, func(h map[string]any) bool {
			name, _ := h["name"].(string)
			return strings.EqualFold(name, fmt.Sprint(added["name"]))
		})
		switch {
		case i < 0:
			headers = append(headers, added)
		case m.Cookie != "":
			return nil, false, fmt.Errorf("it matches by the header Cookie already, and a route can ask for each header once")
		case !takes(headers[i], m.Value):
			return nil, false, nil
		default:
			headers[i] = added // what it asked for is true of this value
		}
	}
	with = maps.Clone(match)
	list := make([]any, len(headers))
	for i, h := range headers {
		list[i] = h
	}
	with["headers"] = list
	return with, true, nil
}

// takes tells whether a header match takes a value. An expression that is unknown here is taken to do so.
func takes(header map[string]any, value string) bool {
	wanted, _ := header["value"].(string)
	if header["type"] != "RegularExpression" {
		return wanted == value
	}
	expression, err := regexp.Compile("^(?:" + wanted + ")$")
	return err != nil || expression.MatchString(value)
}

// headerOf is the header match of one attribute. The expression for a cookie is anchored at both ends, for some gateways
// search where others compare the whole value; name and value are escaped.
func headerOf(m plan.Match) map[string]any {
	if m.Cookie == "" {
		return map[string]any{"type": "Exact", "name": m.Header, "value": m.Value}
	}
	return map[string]any{"type": "RegularExpression", "name": "Cookie",
		"value": "^(.*;[ ]*)?" + regexp.QuoteMeta(m.Cookie+"="+m.Value) + "([ ]*;.*)?$"}
}

// isRing tells whether a rule is one that we added for a ring: by its name, by what the annotation kept, or, where a cluster
// that does not know names of rules and a person who removed the annotation left neither, by what it is.
func (t between) isRing(rule map[string]any, m memo, rules []map[string]any) bool {
	name, _ := rule["name"].(string)
	if rest, ok := strings.CutPrefix(name, ringPrefix+t.Base+"-"); ok && strings.Trim(rest, "0123456789") == "" {
		return true
	}
	if name != "" {
		return false
	}
	if slices.Contains(m.Ring, plan.Digest(rule["matches"])) {
		return true
	}
	refs := backends(rule)
	return t.index(refs, t.Candidate) >= 0 && t.index(refs, t.Base) < 0 &&
		slices.ContainsFunc(rules, func(other map[string]any) bool { return t.index(backends(other), t.Base) >= 0 && repeats(rule, other) })
}

// repeats tells whether a rule matches as another one does, but for more headers.
func repeats(rule, other map[string]any) bool {
	own, theirs := matchesOf(rule), matchesOf(other)
	plain := func(match map[string]any) string {
		match = maps.Clone(match)
		delete(match, "headers")
		return plan.Digest(match)
	}
	return !slices.ContainsFunc(own, func(match map[string]any) bool {
		return !slices.ContainsFunc(theirs, func(m map[string]any) bool {
			return plain(m) == plain(match) && len(maplist(m, "headers")) <= len(maplist(match, "headers"))
		})
	})
}

// withoutRing are the rules but for those that we added for a ring.
func (t between) withoutRing(rules []map[string]any, m memo) []map[string]any {
	return slices.DeleteFunc(slices.Clone(rules), func(rule map[string]any) bool { return t.isRing(rule, m, rules) })
}

// matchesOf are the matches of a rule; one without any matches every path.
func matchesOf(rule map[string]any) []map[string]any {
	if list := maplist(rule, "matches"); len(list) > 0 {
		return list
	}
	return []map[string]any{{"path": map[string]any{"type": "PathPrefix", "value": "/"}}}
}

func maplist(o map[string]any, key string) []map[string]any {
	list, _ := o[key].([]any)
	var all []map[string]any
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

func nameOrNumber(rule map[string]any, i int) string {
	if name, _ := rule["name"].(string); name != "" {
		return "rule " + name
	}
	return fmt.Sprintf("rule %d", i+1)
}
