package gatewayapi

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
)

// cohortPrefix begins the names of the rules by which users of a cohort find their version.
const cohortPrefix = "tidegate-cohort-"

// byCohort are the groups of users that a split moves one after the other; nil when there are none, or all users have moved:
// then requests without a cookie have, too, and a share is enough.
func byCohort(s plan.Split) *plan.Cohorts {
	if s.Weight >= plan.All {
		return nil
	}
	return s.Cohorts
}

// cohortGroup are the users who have been drawn: those of cohorts that moved find the candidate, the others the base. The
// rules for those who moved come first: who carries two cookies stays moved.
func cohortGroup(c plan.Cohorts) group {
	g := group{prefix: cohortPrefix, asks: cohortAsks(c, 1, len(c.Odds)), last: true}
	if c.Moved > 0 {
		g.sides = append(g.sides, side{cohortAsks(c, 1, c.Moved), true})
	}
	if c.Moved < len(c.Odds) {
		g.sides = append(g.sides, side{asks: cohortAsks(c, c.Moved+1, len(c.Odds))})
	}
	return g
}

// cohortAsks is what users of the cohorts first to last have: a cookie of this draw, and of no other.
func cohortAsks(c plan.Cohorts, first, last int) []asked {
	var numbers []string
	for i := first; i <= last; i++ {
		numbers = append(numbers, strconv.Itoa(i))
	}
	return []asked{{cookieHeader(regexp.QuoteMeta(c.Cookie.Name+"="+c.Draw+".") + "(" + strings.Join(numbers, "|") + ")"), "", true}}
}

// cohortsIn are the cohorts whose users a rule takes, as its matches say; none of a rule that is not for cohorts.
func (t between) cohortsIn(rule map[string]any) []int {
	var all []int
	for i, match := range t.matchesOf(rule) {
		var list []int
		for _, h := range maplist(match, "headers") {
			if text(h, "name") == "Cookie" && h["type"] == "RegularExpression" {
				list = numbersIn(text(h, "value"))
			}
		}
		if len(list) == 0 {
			return nil
		}
		if i == 0 {
			all = list
		}
	}
	return all
}

// numbersIn reads the cohorts out of the expression of [cohortAsks].
func numbersIn(expression string) []int {
	inner, found := strings.CutPrefix(expression, cookieHead)
	inner, ends := strings.CutSuffix(inner, ")"+cookieTail)
	at := strings.LastIndex(inner, `\.(`)
	if !found || !ends || at < 0 {
		return nil
	}
	var list []int
	for _, word := range strings.Split(inner[at+len(`\.(`):], "|") {
		n, err := strconv.Atoi(word)
		if err != nil {
			return nil
		}
		list = append(list, n)
	}
	return list
}

// cohortService is the Service by which the draw tells a cohort: it selects the base's pods.
func (t between) cohortService(i int) string { return cohortServiceName(t.Candidate, i) }

func cohortServiceName(candidate string, i int) string {
	return fmt.Sprintf("%s-cohort-%d", candidate, i)
}

// cohortOf is the cohort for which a reference stands; 0 for none.
func (t between) cohortOf(ref map[string]any) int {
	number, ok := strings.CutPrefix(text(ref, "name"), t.Candidate+"-cohort-")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || !t.isService(ref, text(ref, "name")) {
		return 0
	}
	return n
}

// cohortShare is the share of the users who have moved, as a rule that draws and the one of those who moved say; ok is false
// where none draws.
func (t between) cohortShare(rules []map[string]any) (share plan.Share, ok bool) {
	var moved []int
	for _, rule := range rules {
		if t.index(backends(rule), t.Candidate) >= 0 && len(moved) == 0 {
			moved = t.cohortsIn(rule)
		}
	}
	for _, rule := range rules {
		var part, all int64
		for _, ref := range backends(rule) {
			n := t.cohortOf(ref)
			if n == 0 {
				continue
			}
			all += weightOf(ref)
			if slices.Contains(moved, n) {
				part += weightOf(ref)
			}
		}
		if all > 0 {
			return plan.Share(part * int64(plan.All) / all), true
		}
	}
	return 0, false
}
