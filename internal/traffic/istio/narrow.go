package istio

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
)

// condition is what a header of a request has to be, beside what a route asks for already.
type condition struct {
	header string
	exact  string // where regex is empty
	regex  string
}

const cookieHeader = "cookie"

// cookieIs is the condition that a cookie has one of some values. Istio compares an expression with the whole header; it is
// anchored all the same, to be read by itself.
func cookieIs(name string, values ...string) condition {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = regexp.QuoteMeta(v)
	}
	value := strings.Join(quoted, "|")
	if len(values) > 1 {
		value = "(" + value + ")"
	}
	return condition{header: cookieHeader, regex: "^(.*;[ ]*)?" + regexp.QuoteMeta(name) + "=" + value + "([ ]*;.*)?$"}
}

func ringConditions(ring []plan.Match) []condition {
	all := make([]condition, len(ring))
	for i, m := range ring {
		if all[i] = (condition{header: strings.ToLower(m.Header), exact: m.Value}); m.Cookie != "" {
			all[i] = cookieIs(m.Cookie, m.Value)
		}
	}
	return all
}

// match is the condition as Istio writes it.
func (c condition) match() map[string]any {
	if c.regex != "" {
		return map[string]any{"regex": c.regex}
	}
	return map[string]any{"exact": c.exact}
}

// narrowed is a route for those of its requests that meet the conditions; nil when there are none.
func narrowed(r map[string]any, conditions []condition) (map[string]any, error) {
	matches := maplist(r, "match")
	if len(matches) == 0 {
		matches = []map[string]any{{}} // every request
	}
	var list []map[string]any
	for _, m := range matches {
		with, possible, err := narrowMatch(m, conditions)
		if err != nil {
			return nil, err
		}
		if possible {
			list = append(list, with)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	r = maps.Clone(r)
	r["match"] = anylist(list)
	return r, nil
}

// errCookieAsked: Istio has one condition per header.
var errCookieAsked = errors.New("it matches by the header cookie already, and a match can ask for each header once; " +
	"leave the route out by spec.traffic.istio.routes, or match by another header")

// narrowMatch is a match for those of its requests that meet the conditions. possible is false when there are none.
func narrowMatch(m map[string]any, conditions []condition) (with map[string]any, possible bool, err error) {
	headers := maps.Clone(mapAt(m, "headers"))
	if headers == nil {
		headers = map[string]any{}
	}
	for _, c := range conditions {
		asked := ""
		for name := range headers {
			if strings.EqualFold(name, c.header) {
				asked = name
			}
		}
		switch {
		case asked == "":
			headers[c.header] = c.match()
		case c.regex != "":
			return nil, false, errCookieAsked
		case !takes(mapAt(headers, asked), c.exact):
			return nil, false, nil
		default:
			headers[asked] = c.match() // what it asked for is true of this value
		}
	}
	with = maps.Clone(m)
	with["headers"] = headers
	return with, true, nil
}

// takes tells whether what a match asks of a text takes a value. What is unknown here is taken to do so, as is an empty one,
// which asks only that the header is there.
func takes(match map[string]any, value string) bool {
	if exact, ok := match["exact"].(string); ok {
		return exact == value
	}
	if prefix, ok := match["prefix"].(string); ok {
		return strings.HasPrefix(value, prefix)
	}
	if regex, ok := match["regex"].(string); ok {
		expression, err := regexp.Compile("^(?:" + regex + ")$")
		return err != nil || expression.MatchString(value)
	}
	return true
}

// ringRoute is the route by which the ring's requests find the candidate; nil when none can come to r.
func (t between) ringRoute(r map[string]any, n int, ring []plan.Match) (map[string]any, error) {
	if len(ring) == 0 {
		return nil, nil
	}
	narrow, err := narrowed(r, ringConditions(ring))
	if narrow == nil || err != nil {
		return nil, err
	}
	return t.ours(t.moved(narrow), ringPrefix, n), nil
}

// cohortRoutes are those by which users who have a cohort find their version: who has been moved, and who stays.
func (t between) cohortRoutes(r map[string]any, n int, c plan.Cohorts) (moved, staying []map[string]any, err error) {
	values := make([]string, len(c.Odds))
	for i := range values {
		values[i] = c.Value(i + 1)
	}
	at := min(c.Moved, len(values))
	if at > 0 {
		route, err := narrowed(r, []condition{cookieIs(c.Cookie.Name, values[:at]...)})
		if err != nil {
			return nil, nil, err
		}
		moved = append(moved, t.ours(t.moved(route), movedPrefix, n))
	}
	if at < len(values) {
		route, err := narrowed(r, []condition{cookieIs(c.Cookie.Name, values[at:]...)})
		if err != nil {
			return nil, nil, err
		}
		staying = append(staying, t.ours(route, stayingPrefix, n))
	}
	return moved, staying, nil
}

// moved sends what a route gives the base to the candidate.
func (t between) moved(r map[string]any) map[string]any {
	entries := destinations(r)
	for i, e := range entries {
		if t.isBase(e) {
			entries[i] = t.toCandidate(e)
		}
	}
	return withDestinations(r, entries)
}

func (t between) ours(r map[string]any, prefix string, n int) map[string]any {
	r = maps.Clone(r)
	r["name"] = fmt.Sprintf("%s%s-%d", prefix, t.Base, n)
	return r
}

// share is the part of the base's requests, or users, that a route of the user's sends to the candidate; before are the routes
// that stand before it.
func (t between) share(before []map[string]any, r map[string]any) plan.Share {
	var own, sum int64
	moved := t.movedCookies(before)
	for _, e := range destinations(r) {
		cookie, _, _ := strings.Cut(cookieOf(e), ";")
		switch {
		case t.isCandidate(e), t.isBase(e) && cookie != "" && moved != nil && moved.MatchString(cookie):
			own, sum = own+weightOf(e), sum+weightOf(e)
		case t.isBase(e):
			sum += weightOf(e)
		}
	}
	if sum == 0 {
		return 0
	}
	return plan.Share(own * int64(plan.All) / sum)
}

// movedCookies is the expression for the cookies of the users who have been moved, in the route of ours that stands last
// among some; nil for none.
func (t between) movedCookies(routes []map[string]any) *regexp.Regexp {
	for _, r := range slices.Backward(routes) {
		if !t.isOurs(r) {
			return nil
		}
		if !t.named(r, movedPrefix) {
			continue
		}
		for _, m := range maplist(r, "match") {
			if regex := textAt(mapAt(m, "headers", cookieHeader), "regex"); regex != "" {
				expression, err := regexp.Compile(regex)
				if err != nil {
					return nil
				}
				return expression
			}
		}
	}
	return nil
}
