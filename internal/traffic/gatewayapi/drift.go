package gatewayapi

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// drift is the first difference between the route and what the split makes of it; "" for none.
func drift(seen *unstructured.Unstructured, to plan.Traffic, annotation string, s plan.Split) string {
	should := seen.DeepCopy()
	if _, err := split(should, to, annotation, s); err != nil {
		return "no rule sends to Service " + to.Base + " any more"
	}
	have, err := readRules(seen)
	if err != nil {
		return err.Error()
	}
	want, err := readRules(should)
	if err != nil {
		return err.Error()
	}
	if digestOf(have) == digestOf(want) {
		return ""
	}
	t := within(seen, to)
	m, _ := readMemo(should, annotation)
	ours := func(rule map[string]any) bool { return t.isRing(rule, m, want) }
	for i, rule := range want {
		if ours(rule) || slices.ContainsFunc(have, func(h map[string]any) bool { return digestOf([]map[string]any{h}) == digestOf([]map[string]any{rule}) }) {
			continue
		}
		if present, whole := portions(have, ruleKey(rule), t); whole != "" {
			return fmt.Sprintf("%s sends %s to %s, not %s", nameOrNumber(rule, i), present, to.Candidate, s.Weight)
		}
		return fmt.Sprintf("%s is not divided, of which %s should go to %s", nameOrNumber(rule, i), s.Weight, to.Candidate)
	}
	return fmt.Sprintf("the rules by which requests with %s find %s are not there as they were written", plan.RingText(s.Ring), to.Candidate)
}

// portions is what the rule of this key sends to the candidate.
func portions(rules []map[string]any, key string, t between) (share plan.Share, rule string) {
	for i, r := range rules {
		if ruleKey(r) == key {
			return shareOf(r, t), nameOrNumber(r, i)
		}
	}
	return 0, ""
}

// digestOf compares rules but for the names of ours, which not every cluster keeps.
func digestOf(rules []map[string]any) string {
	plain := make([]map[string]any, len(rules))
	for i, rule := range rules {
		plain[i] = map[string]any{}
		for k, v := range rule {
			if k != "name" {
				plain[i][k] = v
			}
		}
	}
	return plan.Digest(plain)
}
