package gatewayapi

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// Share implements traffic.Editor: it is that of the users who
// have moved or, without cohorts, of the first rule that sends to the candidate and is not one of ours.
func (Kind) Share(route plan.Object, to plan.Traffic) plan.Share {
	u := &unstructured.Unstructured{Object: route}
	t := within(u, to)
	rules, err := readRules(u)
	if err != nil {
		return 0
	}
	if share, ok := t.cohortShare(rules); ok {
		return share
	}
	for _, rule := range t.withoutOurs(rules, anyMemo(u)) {
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
