package gatewayapi

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
)

// between is the traffic as one route sees it: a reference without a namespace means the route's own.
type between struct {
	plan.Traffic
	home string // namespace of the route
	grpc bool   // it is a GRPCRoute, whose matches have no path
}

func within(route *unstructured.Unstructured, t plan.Traffic) between {
	return between{t, route.GetNamespace(), route.GetKind() == spec.KindGRPCRoute}
}

// isService tells whether the reference names this Service of the workload's namespace.
func (t between) isService(ref map[string]any, name string) bool {
	kind, _ := ref["kind"].(string)
	namespace, _ := ref["namespace"].(string)
	if namespace == "" {
		namespace = t.home
	}
	return (kind == "" || kind == "Service") && namespace == t.Namespace && ref["name"] == name
}

func (t between) index(refs []map[string]any, service string) int {
	return slices.IndexFunc(refs, func(ref map[string]any) bool { return t.isService(ref, service) })
}

// errNoPart is the cause of a split of a route no rule of which takes part any more.
var errNoPart = errors.New("somebody changed it during the rollout")

// split changes the rules of a route so that the requests are divided as s says. It reports whether anything changed.
func split(route *unstructured.Unstructured, to plan.Traffic, annotation string, s plan.Split) (bool, error) {
	t := within(route, to)
	present, err := readRules(route)
	if err != nil {
		return false, err
	}
	m, known := readMemo(route, annotation)
	if !known {
		m = memo{Base: t.Base, Rules: map[string]old{}}
	}
	rules, parts := t.withoutOurs(present, m), 0
	restored := slices.Clone(rules)
	for i, rule := range rules {
		key := ruleKey(rule)
		rule = undrawn(unmirrored(rule, t, m.Rules[key]), t, m.Rules[key])
		if rules[i], restored[i] = rule, rule; !takesPart(rule, t) {
			continue
		}
		parts++
		if _, ok := m.Rules[key]; !ok {
			m.Rules[key] = remember(rule, t)
		}
		restored[i] = restoreRule(rule, t, m.Rules[key])
		if rules[i], err = divided(restored[i], t, m.Rules[key], s); err != nil {
			return false, fmt.Errorf("%s cannot %s: %s: %w", plan.RefOf(route.Object), s, nameOrNumber(rule, i), err)
		}
	}
	if parts == 0 {
		return false, fmt.Errorf("%s has no rule that sends to Service %s any more: %w", plan.RefOf(route.Object), t.Base, errNoPart)
	}
	if rules, m.Ring, err = withOurs(rules, restored, t, s); err != nil {
		return false, fmt.Errorf("%s has no room for the rules by which users find their version: %w", plan.RefOf(route.Object), err)
	}
	if known && t.arranged(rules, m, anyMemo(route)) == t.arranged(present, m, anyMemo(route)) {
		return false, nil
	}
	return true, writeBack(route, rules, annotation, &m)
}

// divided is a rule that takes part, with what a split makes of it.
func divided(rule map[string]any, t between, was old, s plan.Split) (map[string]any, error) {
	var err error
	switch cohorts := byCohort(s); {
	case cohorts != nil && t.grpc:
		return nil, errors.New("gRPC clients keep no cookies, by which users would be known")
	case cohorts != nil:
		rule, err = drawRule(rule, t, was, *cohorts)
	case s.Weight > 0:
		rule = splitRule(rule, t, was, s.Weight)
	}
	if err == nil && s.Mirror > 0 {
		rule, err = mirrorRule(rule, t, s.Mirror)
	}
	return rule, err
}

// withOurs puts the rules of the ring before the others, and those of cohorts behind them, and gives the keys by which they
// are found again.
func withOurs(rules, restored []map[string]any, t between, s plan.Split) ([]map[string]any, []string, error) {
	ring, cohorts, err := ourRules(restored, t, s)
	if err != nil {
		return nil, nil, err
	}
	var keys []string
	for _, rule := range slices.Concat(ring, cohorts) {
		keys = append(keys, plan.Digest(rule["matches"]))
	}
	return slices.Concat(ring, rules, cohorts), keys, nil
}

// ourRules are those of the ring and of cohorts.
func ourRules(restored []map[string]any, t between, s plan.Split) (ring, cohorts []map[string]any, err error) {
	c := byCohort(s)
	if len(s.Ring) > 0 {
		g := ringOf(s.Ring)
		if c != nil {
			g.also = cohortGroup(*c).asks
		}
		if ring, err = g.rules(restored, t); err != nil {
			return nil, nil, err
		}
	}
	if c != nil {
		cohorts, err = cohortGroup(*c).rules(restored, t)
	}
	return ring, cohorts, err
}

// restore takes the candidate out and gives the base its weight back. It reports whether anything changed.
func restore(route *unstructured.Unstructured, to plan.Traffic, annotation string, before plan.Object) (bool, error) {
	t := within(route, to)
	present, err := readRules(route)
	if err != nil {
		return false, err
	}
	m, known := readMemo(route, annotation)
	if !known {
		m = memoOf(before, t)
	}
	rules := t.withoutOurs(present, m)
	changed := known || len(rules) != len(present)
	for i, rule := range rules {
		was := m.Rules[ruleKey(rule)]
		plain := unmirrored(rule, t, was)
		if weighed := t.reachedBy(plain); weighed {
			plain = restoreRule(undrawn(plain, t, was), t, was)
		} else if !t.mirrors(rule) {
			continue
		}
		rules[i], changed = plain, true
	}
	if !changed {
		return false, nil
	}
	return true, writeBack(route, rules, annotation, nil)
}

// reachedBy tells whether a rule sends to the candidate, or draws.
func (t between) reachedBy(rule map[string]any) bool {
	return slices.ContainsFunc(backends(rule), func(ref map[string]any) bool { return t.isService(ref, t.Candidate) || t.cohortOf(ref) > 0 })
}

func splitRule(rule map[string]any, t between, was old, weight plan.Share) map[string]any {
	refs := withoutCandidate(backends(rule), t)
	scale, share := int64(100), int64(weight/plan.OnePercent)
	if weight%plan.OnePercent != 0 {
		unit := gcd(int64(plan.All), int64(weight))
		scale, share = int64(plan.All)/unit, int64(weight)/unit
	}
	at := t.index(refs, t.Base)
	total := was.weight(refs[at])
	if len(refs) == 1 {
		total = 1
	}
	for i, ref := range refs {
		refs[i] = withWeight(ref, was.weight(ref)*scale)
	}
	candidate := withWeight(refs[at], total*share)
	candidate["name"] = t.Candidate
	refs[at] = withWeight(refs[at], total*(scale-share))
	return withBackends(rule, slices.Insert(refs, at+1, candidate))
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func restoreRule(rule map[string]any, t between, was old) map[string]any {
	all := backends(rule)
	refs := withoutCandidate(all, t)
	if at := t.index(all, t.Candidate); len(refs) == 0 && at >= 0 { // somebody took the base out: a rule must send somewhere
		base := maps.Clone(all[at])
		base["name"] = t.Base
		refs = append(refs, base)
	}
	for i, ref := range refs {
		refs[i] = withWeight(ref, was.weight(ref))
	}
	return withBackends(rule, refs)
}

// takesPart tells whether the rule sends to the base and is among those that were asked for.
func takesPart(rule map[string]any, t between) bool {
	name, _ := rule["name"].(string)
	if len(t.Rules) > 0 && !slices.Contains(t.Rules, name) {
		return false
	}
	return t.index(backends(rule), t.Base) >= 0
}

func withoutCandidate(refs []map[string]any, t between) []map[string]any {
	return slices.DeleteFunc(slices.Clone(refs), func(ref map[string]any) bool { return t.isService(ref, t.Candidate) })
}

func backends(rule map[string]any) []map[string]any {
	list, _ := rule["backendRefs"].([]any)
	refs := make([]map[string]any, 0, len(list))
	for _, item := range list {
		if ref, ok := item.(map[string]any); ok {
			refs = append(refs, ref)
		}
	}
	return refs
}

func withBackends(rule map[string]any, refs []map[string]any) map[string]any {
	list := make([]any, len(refs))
	for i, ref := range refs {
		list[i] = ref
	}
	rule = maps.Clone(rule)
	rule["backendRefs"] = list
	return rule
}

func withWeight(ref map[string]any, weight int64) map[string]any {
	ref = maps.Clone(ref)
	ref["weight"] = weight
	return ref
}

func weightOf(ref map[string]any) int64 {
	switch w := ref["weight"].(type) {
	case int64:
		return w
	case float64:
		return int64(w)
	}
	return 1
}

func backendKey(ref map[string]any) string {
	return fmt.Sprintf("%v/%v/%v/%v", ref["kind"], ref["namespace"], ref["name"], ref["port"])
}

// ruleKey finds a rule again although others may have been added or moved: by what it matches.
func ruleKey(rule map[string]any) string { return plan.Digest([]any{rule["name"], rule["matches"]}) }

func readRules(route *unstructured.Unstructured) ([]map[string]any, error) {
	list, _, err := unstructured.NestedSlice(route.Object, "spec", "rules")
	if err != nil {
		return nil, fmt.Errorf("%s: spec.rules: %w", plan.RefOf(route.Object), err)
	}
	rules := make([]map[string]any, 0, len(list))
	for _, item := range list {
		rule, _ := item.(map[string]any)
		rules = append(rules, rule)
	}
	return rules, nil
}

// writeBack stores the rules; with a memo in the annotation, without one the annotation goes.
func writeBack(route *unstructured.Unstructured, rules []map[string]any, annotation string, m *memo) error {
	list := make([]any, len(rules))
	for i, rule := range rules {
		list[i] = rule
	}
	if err := unstructured.SetNestedSlice(route.Object, list, "spec", "rules"); err != nil {
		return fmt.Errorf("%s: spec.rules: %w", plan.RefOf(route.Object), err)
	}
	return traffic.Remember(route, annotation, m)
}
