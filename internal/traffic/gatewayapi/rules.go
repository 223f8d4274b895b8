package gatewayapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// memo is what the annotation keeps: the weights of every rule that takes part, as the user wrote them.
type memo struct {
	Base  string         `json:"base"`
	Rules map[string]old `json:"rules"` // by rule key
	// Ring are the keys of the rules that we added for a ring: of their matches, for not every cluster keeps their names.
	Ring []string `json:"ring,omitempty"`
}

// old is a rule before the rollout: the weight of each backend by its key.
type old struct {
	Weights map[string]int64 `json:"weights"`
}

// between is the traffic as one route sees it: a reference without a namespace means the route's own.
type between struct {
	plan.Traffic
	home string // namespace of the route
}

func within(route *unstructured.Unstructured, t plan.Traffic) between {
	return between{t, route.GetNamespace()}
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
	rules, parts := t.withoutRing(present, m), 0
	restored := slices.Clone(rules)
	for i, rule := range rules {
		if !takesPart(rule, t) {
			continue
		}
		parts++
		key := ruleKey(rule)
		if _, ok := m.Rules[key]; !ok {
			m.Rules[key] = remember(rule, t)
		}
		restored[i] = restoreRule(rule, t, m.Rules[key])
		if rules[i] = restored[i]; s.Weight > 0 {
			rules[i] = splitRule(rule, t, m.Rules[key], s.Weight)
		}
	}
	if parts == 0 {
		return false, fmt.Errorf("%s has no rule that sends to Service %s any more: somebody changed it during the rollout",
			plan.RefOf(route.Object), t.Base)
	}
	if rules, m.Ring, err = withRing(rules, restored, t, s.Ring); err != nil {
		return false, fmt.Errorf("%s has no room for the ring: %w", plan.RefOf(route.Object), err)
	}
	if plan.Digest(rules) == plan.Digest(present) && known {
		return false, nil
	}
	return true, writeBack(route, rules, annotation, &m)
}

// withRing puts the rules of the ring before the others, and gives the keys by which they are found again.
func withRing(rules, restored []map[string]any, t between, ring []plan.Match) ([]map[string]any, []string, error) {
	if len(ring) == 0 {
		return rules, nil, nil
	}
	added, err := ringRules(restored, t, ring)
	if err != nil {
		return nil, nil, err
	}
	var keys []string
	for _, rule := range added {
		keys = append(keys, plan.Digest(rule["matches"]))
	}
	return append(added, rules...), keys, nil
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
	rules := t.withoutRing(present, m)
	changed := known || len(rules) != len(present)
	for i, rule := range rules {
		if t.index(backends(rule), t.Candidate) < 0 {
			continue
		}
		rules[i] = restoreRule(rule, t, m.Rules[ruleKey(rule)])
		changed = true
	}
	if !changed {
		return false, nil
	}
	return true, writeBack(route, rules, annotation, nil)
}

// memoOf makes the memo anew from the route as it was, for when somebody removed the annotation.
func memoOf(before plan.Object, t between) memo {
	m := memo{Base: t.Base, Rules: map[string]old{}}
	rules, err := readRules(&unstructured.Unstructured{Object: before})
	if err != nil {
		return m
	}
	for _, rule := range rules {
		if takesPart(rule, t) {
			m.Rules[ruleKey(rule)] = remember(rule, t)
		}
	}
	return m
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

func remember(rule map[string]any, t between) old {
	o := old{Weights: map[string]int64{}}
	for _, ref := range withoutCandidate(backends(rule), t) {
		o.Weights[backendKey(ref)] = weightOf(ref)
	}
	return o
}

// weight is the backend's weight before the rollout. A backend that was added since keeps what it has.
func (o old) weight(ref map[string]any) int64 {
	if w, ok := o.Weights[backendKey(ref)]; ok {
		return w
	}
	if len(o.Weights) == 0 {
		return 1 // nothing is known of this rule: the default of the Gateway API
	}
	return weightOf(ref)
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

func readMemo(route *unstructured.Unstructured, annotation string) (memo, bool) {
	text, ok := route.GetAnnotations()[annotation]
	var m memo
	if !ok || json.Unmarshal([]byte(text), &m) != nil || m.Rules == nil {
		return memo{}, false
	}
	return m, true
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
	annotations := maps.Clone(route.GetAnnotations())
	delete(annotations, annotation)
	if m != nil {
		data, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("%s: keep the original weights: %w", plan.RefOf(route.Object), err)
		}
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[annotation] = string(data)
	}
	if len(annotations) == 0 {
		annotations = nil
	}
	route.SetAnnotations(annotations)
	return nil
}

// anyMemo is what the annotations of all rollouts keep of rings.
func anyMemo(route *unstructured.Unstructured) memo {
	var all memo
	for annotation := range route.GetAnnotations() {
		if m, ok := readMemo(route, annotation); ok {
			all.Ring = append(all.Ring, m.Ring...)
		}
	}
	return all
}

// Share implements traffic.Editor: it is that of the first rule that sends to the candidate and is not one for a ring.
func (Kind) Share(route plan.Object, to plan.Traffic) plan.Share {
	u := &unstructured.Unstructured{Object: route}
	t := within(u, to)
	rules, err := readRules(u)
	if err != nil {
		return 0
	}
	for _, rule := range t.withoutRing(rules, anyMemo(u)) {
		if t.index(backends(rule), t.Candidate) >= 0 && shareOf(rule, t) > 0 {
			return shareOf(rule, t)
		}
	}
	return 0
}

// shareOf is the part of the base's requests that a rule sends to the candidate.
func shareOf(rule map[string]any, t between) plan.Share {
	refs := backends(rule)
	c, b := t.index(refs, t.Candidate), t.index(refs, t.Base)
	if c < 0 {
		return 0
	}
	own := weightOf(refs[c])
	sum := own
	if b >= 0 {
		sum += weightOf(refs[b])
	}
	if sum == 0 {
		return 0
	}
	return plan.Share(own * int64(plan.All) / sum)
}
