package gatewayapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// drift is the first difference between the route and what the split makes of it; "" for none.
func drift(seen *unstructured.Unstructured, to plan.Traffic, annotation string, s plan.Split) string {
	should := seen.DeepCopy()
	switch _, err := split(should, to, annotation, s); {
	case errors.Is(err, errNoPart):
		return "no rule sends to Service " + to.Base + " any more"
	case err != nil:
		return err.Error()
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
	for i, rule := range want {
		if t.isOurs(rule, m, want) || slices.ContainsFunc(have, func(h map[string]any) bool { return digestOf([]map[string]any{h}) == digestOf([]map[string]any{rule}) }) {
			continue
		}
		return t.differs(have, rule, i, s)
	}
	return fmt.Sprintf("the rules by which %s are not there as they were written", t.finders(s))
}

// finders are those who find their version by rules of ours.
func (t between) finders(s plan.Split) string {
	var who []string
	if len(s.Ring) > 0 {
		who = append(who, fmt.Sprintf("requests with %s find %s", plan.RingText(s.Ring), t.Candidate))
	}
	if c := byCohort(s); c != nil {
		who = append(who, fmt.Sprintf("users with the cookie %s find their version", c.Cookie.Name))
	}
	return strings.Join(who, ", and ")
}

// differs says what is wrong with the rule that should be as the given one is.
func (t between) differs(have []map[string]any, should map[string]any, i int, s plan.Split) string {
	name := nameOrNumber(should, i)
	at := slices.IndexFunc(have, func(r map[string]any) bool { return ruleKey(r) == ruleKey(should) })
	if at < 0 {
		return fmt.Sprintf("%s is not divided, of which %s should go to %s", name, s.Weight, t.Candidate)
	}
	is := have[at]
	switch {
	case s.Mirror > 0 && mirrorShare(is, t) != s.Mirror:
		return fmt.Sprintf("%s copies %s to %s, not %s", nameOrNumber(is, at), mirrorShare(is, t), t.Candidate, s.Mirror)
	case byCohort(s) != nil:
		return fmt.Sprintf("%s does not draw users into cohorts of %s as it was written", nameOrNumber(is, at), oddsText(byCohort(s).Odds))
	}
	return fmt.Sprintf("%s sends %s to %s, not %s", nameOrNumber(is, at), shareOf(is, t), t.Candidate, s.Weight)
}

func oddsText(odds []plan.Share) string {
	all := make([]string, len(odds))
	for i, o := range odds {
		all[i] = o.String()
	}
	return strings.Join(all, ", ")
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
