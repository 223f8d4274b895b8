package istio

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
)

// weigh divides what a route gives the base between it and the candidate.
func (t between) weigh(r map[string]any, weight plan.Share) (map[string]any, error) {
	scale, share := int64(100), int64(weight/plan.OnePercent)
	if weight%plan.OnePercent != 0 {
		unit := gcd(int64(plan.All), int64(weight))
		scale, share = int64(plan.All)/unit, int64(weight)/unit
	}
	return t.each(r, scale, func(e map[string]any, own int64) ([]map[string]any, error) {
		return []map[string]any{withWeight(e, own*(scale-share)), withWeight(t.toCandidate(e), own*share)}, nil
	})
}

// draw gives every user without a cohort one: the base answers, and one of its destinations per cohort sets the cookie.
func (t between) draw(r map[string]any, c plan.Cohorts) (map[string]any, error) {
	if response := mapAt(r, "headers", "response"); touches(response, setCookie) {
		return nil, fmt.Errorf("its headers.response takes cookies out of the answer or sets them anew, and no user would keep a cohort; " +
			"do that in the destinations, or leave the route out by spec.traffic.istio.routes")
	}
	unit := int64(plan.All)
	for _, odds := range c.Odds {
		unit = gcd(unit, int64(odds))
	}
	return t.each(r, int64(plan.All)/unit, func(e map[string]any, own int64) ([]map[string]any, error) {
		var all []map[string]any
		for i, odds := range c.Odds {
			one, err := withCookie(e, c.SetCookie(i+1))
			if err != nil {
				return nil, err
			}
			all = append(all, withWeight(one, own*(int64(odds)/unit)))
		}
		return all, nil
	})
}

// each replaces the base's destinations of a route, each of which has a weight, and multiplies the weights of the others, so
// that they keep their shares.
func (t between) each(r map[string]any, scale int64, replace func(e map[string]any, own int64) ([]map[string]any, error)) (map[string]any, error) {
	entries := destinations(r)
	var all []map[string]any
	seen := map[string]bool{}
	for _, e := range entries {
		if seen[keyOf(e)] {
			return nil, fmt.Errorf("it names the destination %s twice, and they could not be told apart on the way back; make one of the two, "+
				"or leave the route out by spec.traffic.istio.routes", keyOf(e))
		}
		seen[keyOf(e)] = true
		own := weightOf(e)
		if len(entries) == 1 {
			own = 1 // whatever it says: alone it has everything
		}
		if !t.isBase(e) {
			all = append(all, withWeight(e, own*scale))
			continue
		}
		replaced, err := replace(e, own)
		if err != nil {
			return nil, err
		}
		all = append(all, replaced...)
	}
	if err := fit(all); err != nil {
		return nil, err
	}
	return withDestinations(r, all), nil
}

// fit makes the weights small enough for Istio, which adds them up in 32 bits; their proportions stay.
func fit(all []map[string]any) error {
	sum, unit := int64(0), int64(0)
	for _, e := range all {
		sum, unit = sum+weightOf(e), gcd(unit, weightOf(e))
	}
	if sum <= math.MaxInt32 {
		return nil
	}
	if sum/unit > math.MaxInt32 {
		return fmt.Errorf("its weights would add up to %d, and may to %d; use smaller weights in the same proportion", sum/unit, math.MaxInt32)
	}
	for _, e := range all {
		e["weight"] = weightOf(e) / unit
	}
	return nil
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Headers of a draw's answers. An answer with somebody's cohort is for nobody else.
const (
	setCookie    = "set-cookie"
	cacheControl = "cache-control"
	private      = "private"
)

// withCookie is a destination whose answers set a cookie, beside what the user has them set. Envoy reads a percent sign in a
// header's value as the begin of a variable, unless there are two.
func withCookie(e map[string]any, cookie string) (map[string]any, error) {
	response := mapAt(e, "headers", "response")
	if _, taken := find(mapAt(response, "add"), setCookie); taken || touches(response, setCookie) {
		return nil, fmt.Errorf("its destination %s changes cookies of the answer itself (headers.response), and has no room for the cohort's; "+
			"move that to the headers of the route, by add, or leave the route out by spec.traffic.istio.routes", keyOf(e))
	}
	set := without(mapAt(response, "set"), cacheControl)
	set[cacheControl] = private
	add := without(mapAt(response, "add"), setCookie)
	add[setCookie] = strings.ReplaceAll(cookie, "%", "%%")
	return withResponse(e, set, add), nil
}

// touches tells whether header operations set a header anew or take it out.
func touches(operations map[string]any, header string) bool {
	_, set := find(mapAt(operations, "set"), header)
	removed, _ := operations["remove"].([]any)
	return set || slices.ContainsFunc(removed, func(v any) bool {
		name, _ := v.(string)
		return strings.EqualFold(name, header)
	})
}

// find is the name under which a map has a header.
func find(headers map[string]any, header string) (name string, ok bool) {
	for name := range headers {
		if strings.EqualFold(name, header) {
			return name, true
		}
	}
	return "", false
}

// without is a copy of a map of headers, which is never nil.
func without(headers map[string]any, header string) map[string]any {
	all := map[string]any{}
	for name, value := range headers {
		if !strings.EqualFold(name, header) {
			all[name] = value
		}
	}
	return all
}

// withResponse is a destination with other headers of the response; an empty map takes them out.
func withResponse(e map[string]any, set, add map[string]any) map[string]any {
	e = maps.Clone(e)
	headers, response := cloned(mapAt(e, "headers")), cloned(mapAt(e, "headers", "response"))
	put(response, "set", set)
	put(response, "add", add)
	put(headers, "response", response)
	put(e, "headers", headers)
	return e
}

func cloned(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return maps.Clone(m)
}

func put(m map[string]any, key string, value map[string]any) {
	if m[key] = value; len(value) == 0 {
		delete(m, key)
	}
}

func cookieOf(e map[string]any) string {
	return textAt(mapAt(e, "headers", "response", "add"), setCookie)
}

// aDraw is a cookie as plan.Cohorts writes it.
var aDraw = regexp.MustCompile(`^[^=;]+=[^=;]*\.[0-9]+; Path=[^;]*;.* Max-Age=[0-9]+; HttpOnly`)

// isDrawn tells whether a destination is one of a draw: it sets a cohort's cookie, which the user's own does not. Where
// nobody knows what was there, it is one if it stands there more than once.
func (t between) isDrawn(e, original map[string]any, all []map[string]any) bool {
	if !t.isHost(textAt(mapAt(e, "destination"), "host"), t.Base) || !aDraw.MatchString(cookieOf(e)) {
		return false
	}
	if original != nil {
		return cookieOf(original) == ""
	}
	count := 0
	for _, other := range all {
		if keyOf(other) == keyOf(e) && aDraw.MatchString(cookieOf(other)) {
			count++
		}
	}
	return count > 1
}

// undrawn is a destination of a draw without its cookie. What else its headers have become stays.
func undrawn(e, original map[string]any) map[string]any {
	response := mapAt(e, "headers", "response")
	set, add := cloned(mapAt(response, "set")), without(mapAt(response, "add"), setCookie)
	if set[cacheControl] == private {
		delete(set, cacheControl)
		before := mapAt(original, "headers", "response", "set")
		if name, ok := find(before, cacheControl); ok {
			set[name] = before[name]
		}
	}
	plain := withResponse(e, set, add)
	if plan.Digest(pruned(mapAt(plain, "headers"))) != plan.Digest(pruned(mapAt(original, "headers"))) {
		return plain // somebody changed them meanwhile
	}
	if delete(plain, "headers"); original["headers"] != nil {
		plain["headers"] = original["headers"] // with what it has of empty maps
	}
	return plain
}

// pruned are headers without empty maps.
func pruned(headers map[string]any) map[string]any {
	kept := map[string]any{}
	for key, value := range headers {
		if m, ok := value.(map[string]any); ok {
			put(kept, key, pruned(m))
			continue
		}
		kept[key] = value
	}
	return kept
}
