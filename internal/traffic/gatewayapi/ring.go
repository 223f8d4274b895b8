package gatewayapi

import (
	"regexp"

	"github.com/tidegate/tidegate/internal/plan"
)

// ringPrefix begins the names of the rules that we add for a ring. After it come the base's Service and a number, so that two
// rollouts that share a route know their own.
const ringPrefix = "tidegate-internal-"

// ringOf is the group of a ring.
func ringOf(ring []plan.Match) group {
	asks := make([]asked, len(ring))
	for i, m := range ring {
		asks[i] = asked{headerOf(m), m.Value, m.Cookie != ""}
	}
	return group{prefix: ringPrefix, asks: asks, sides: []side{{asks, true}}}
}

// headerOf is the header match of one attribute; name and value of a cookie are escaped.
func headerOf(m plan.Match) map[string]any {
	if m.Cookie == "" {
		return map[string]any{"type": "Exact", "name": m.Header, "value": m.Value}
	}
	return cookieHeader(regexp.QuoteMeta(m.Cookie + "=" + m.Value))
}

// What stands before and after a cookie in the header Cookie.
const (
	cookieHead = "^(.*;[ ]*)?"
	cookieTail = "([ ]*;.*)?$"
)

// cookieHeader is the header match of a cookie. The expression is anchored at both ends, for some gateways search where
// others compare the whole value.
func cookieHeader(expression string) map[string]any {
	return map[string]any{"type": "RegularExpression", "name": "Cookie", "value": cookieHead + expression + cookieTail}
}
