package gatewayapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
)

// isOurs tells whether a rule is one that we added for a ring or for cohorts: by its name, by what the annotation kept, or,
// where a cluster that does not know names of rules and a person who removed the annotation left neither, by what it is.
func (t between) isOurs(rule map[string]any, m memo, rules []map[string]any) bool {
	name, _ := rule["name"].(string)
	for _, prefix := range []string{ringPrefix, cohortPrefix} {
		if rest, ok := strings.CutPrefix(name, prefix+t.Base+"-"); ok && strings.Trim(rest, "0123456789") == "" {
			return true
		}
	}
	if name != "" {
		return false
	}
	if slices.Contains(m.Ring, plan.Digest(rule["matches"])) {
		return true
	}
	refs := backends(rule)
	base := t.index(refs, t.Base) >= 0
	return (t.index(refs, t.Candidate) >= 0 && !base || base && len(t.cohortsIn(rule)) > 0) &&
		slices.ContainsFunc(rules, func(other map[string]any) bool {
			return plan.Digest(other) != plan.Digest(rule) && t.sendsBase(other) && t.repeats(rule, other)
		})
}

// arranged identifies rules in their order, but for those that other rollouts added: where they stand among ours means
// nothing, and each rollout would have its own at the end.
func (t between) arranged(rules []map[string]any, m, all memo) string {
	var own []map[string]any
	var others []string
	for _, rule := range rules {
		name, _ := rule["name"].(string)
		added := strings.HasPrefix(name, ringPrefix) || strings.HasPrefix(name, cohortPrefix) || name == "" && slices.Contains(all.Ring, plan.Digest(rule["matches"]))
		if added && !t.isOurs(rule, m, nil) {
			others = append(others, plan.Digest(rule))
			continue
		}
		own = append(own, rule)
	}
	slices.Sort(others)
	return plan.Digest([]any{own, others})
}

// sendsBase tells whether a rule sends to the base, by itself or by the Services of the cohorts, who do.
func (t between) sendsBase(rule map[string]any) bool {
	return slices.ContainsFunc(backends(rule), func(ref map[string]any) bool { return t.isService(ref, t.Base) || t.cohortOf(ref) > 0 })
}

// repeats tells whether a rule matches as another one does, but for more headers.
func (t between) repeats(rule, other map[string]any) bool {
	own, theirs := t.matchesOf(rule), t.matchesOf(other)
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

// withoutOurs are the rules but for those that we added.
func (t between) withoutOurs(rules []map[string]any, m memo) []map[string]any {
	return slices.DeleteFunc(slices.Clone(rules), func(rule map[string]any) bool { return t.isOurs(rule, m, rules) })
}

// matchesOf are the matches of a rule; one without any matches every request.
func (t between) matchesOf(rule map[string]any) []map[string]any {
	if list := maplist(rule, "matches"); len(list) > 0 {
		return list
	}
	if t.grpc {
		return []map[string]any{{}}
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
