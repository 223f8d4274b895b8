package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// AtInternal is the step in which only the ring meets the new version, and the moment by which a gate's at names it.
const AtInternal = "internal"

// Internal is the ring of people who meet the new version before anyone else does, told apart by what their requests
// carry: a request has all of it.
type Internal struct {
	Header map[string]string `json:"header,omitempty" spec:"oneof,nonempty,format=header" doc:"headers that their requests carry, with the exact values"`
	Cookie map[string]string `json:"cookie,omitempty" spec:"oneof,nonempty,format=cookie" doc:"the cookie that their requests carry, with its exact value"`
	Hold   Duration          `json:"hold,omitempty" doc:"how long only they meet the new version; the canary's hold when left out"`
	Pods   int               `json:"pods,omitempty" spec:"min=1" doc:"pods of the candidate meanwhile; minPods when left out"`
}

var _ finisher = (*Internal)(nil)

// maxRingHeaders is what one match of a route has room for.
const maxRingHeaders = 16

// finish checks what a route could not tell apart.
func (r *Internal) finish(s scope) {
	lower := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		path := "header." + name
		other, twice := lower[strings.ToLower(name)]
		switch {
		case strings.EqualFold(name, "Cookie"):
			s.fail(path, "the whole Cookie header is never the same for two browsers", "Name the cookie: cookie: {NAME: VALUE}.")
		case strings.EqualFold(name, "Host"):
			s.fail(path, "a route tells hosts apart by its hostnames", "Name another header.")
		case twice:
			s.fail(path, fmt.Sprintf("`%s` and `%s` are the same header", other, name), "Keep one of them.")
		}
		lower[strings.ToLower(name)] = name
	}
	if len(r.Header) > maxRingHeaders {
		s.fail("header", fmt.Sprintf("%d headers are more than the %d that a route can ask for", len(r.Header), maxRingHeaders), "One is usually enough.")
	}
	if len(r.Cookie) > 1 {
		s.fail("cookie", "a route can ask for one cookie only", "Keep one of "+list(slices.Sorted(maps.Keys(r.Cookie)), ", ")+".")
	}
	for name, value := range r.Cookie {
		if strings.ContainsAny(value, "\";,\\ \t") {
			s.fail("cookie."+name, "the value of a cookie has no spaces, quotes, commas, semicolons or backslashes", "Write it as the browser sends it.")
		}
	}
}
