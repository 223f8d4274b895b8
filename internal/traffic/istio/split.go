package istio

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
)

// memo is what the annotation keeps: of every route that takes part, what we change in it, as the user wrote it.
type memo struct {
	Base   string         `json:"base"`
	Routes map[string]old `json:"routes"` // by key of the route
}

// old is a route before the rollout.
type old struct {
	Entries []map[string]any `json:"entries"` // of its list of destinations
	// Mirror are its fields about the one mirror that a route may name outside of a list.
	Mirror map[string]any `json:"mirror,omitempty"`
}

// remember is what the annotation has to keep of a route that has nothing of ours.
func remember(r map[string]any) old {
	return old{Entries: destinations(r), Mirror: mirrorFields(r)}
}

// entry is the destination of a key as it was.
func (o *old) entry(key string) map[string]any {
	if o == nil {
		return nil
	}
	if i := slices.IndexFunc(o.Entries, func(e map[string]any) bool { return keyOf(e) == key }); i >= 0 {
		return o.Entries[i]
	}
	return nil
}

// split changes the HTTP routes so that the requests are divided as s says, and reports whether anything changed.
func split(vs *unstructured.Unstructured, to plan.Traffic, annotation string, s plan.Split) (bool, error) {
	t := within(vs.Object, to)
	present := httpOf(vs.Object)
	m, known := readMemo(vs, annotation)
	kept := memo{Base: t.Base, Routes: map[string]old{}}
	restored := t.cleaned(present, m)
	var routes []map[string]any
	for i, key := range keysOf(restored) {
		r := restored[i]
		if !t.takesPart(r) {
			routes = append(routes, r)
			continue
		}
		divided, err := t.divide(r, len(kept.Routes)+1, s)
		if err != nil {
			return false, fmt.Errorf("%s: %s: %w", plan.RefOf(vs.Object), nameOrNumber(r, i), err)
		}
		kept.Routes[key] = remember(r)
		routes = append(routes, divided...)
	}
	if len(kept.Routes) == 0 {
		return false, fmt.Errorf("%s has no HTTP route that sends to Service %s any more: somebody changed it during the rollout; "+
			"put the destination back, or run tidegate abort", plan.RefOf(vs.Object), t.Base)
	}
	if known && plan.Digest(routes) == plan.Digest(present) {
		return false, nil
	}
	return true, writeBack(vs, routes, annotation, &kept)
}

// restore takes everything of ours out, and reports whether anything changed.
func restore(vs *unstructured.Unstructured, to plan.Traffic, annotation string, before plan.Object) (bool, error) {
	t := within(vs.Object, to)
	present := httpOf(vs.Object)
	m, known := readMemo(vs, annotation)
	if !known {
		m = t.memoOf(before)
	}
	routes := t.cleaned(present, m)
	if !known && plan.Digest(routes) == plan.Digest(present) {
		return false, nil
	}
	return true, writeBack(vs, routes, annotation, nil)
}

// memoOf makes the memo anew from the object as it was, for when somebody removed the annotation.
func (t between) memoOf(before plan.Object) memo {
	m, routes := memo{Base: t.Base, Routes: map[string]old{}}, httpOf(before)
	for i, key := range keysOf(routes) {
		if t.takesPart(routes[i]) {
			m.Routes[key] = remember(routes[i])
		}
	}
	return m
}

// divide is what becomes of a route, the n-th of those that take part: routes of ours, and then itself.
func (t between) divide(r map[string]any, n int, s plan.Split) (routes []map[string]any, err error) {
	ring, err := t.ringRoute(r, n, s.Ring)
	if err != nil {
		return nil, err
	}
	if ring != nil {
		routes = append(routes, ring)
	}
	with := []map[string]any{r} // what sends to the base, and has its requests copied
	switch {
	case s.Cohorts != nil && s.Weight < plan.All:
		moved, staying, err := t.cohortRoutes(r, n, *s.Cohorts)
		if err != nil {
			return nil, err
		}
		drawn, err := t.draw(r, *s.Cohorts)
		if err != nil {
			return nil, err
		}
		routes, with = append(routes, moved...), append(staying, drawn)
	case s.Weight > 0:
		weighted, err := t.weigh(r, s.Weight)
		if err != nil {
			return nil, err
		}
		with = []map[string]any{weighted}
	}
	if s.Mirror > 0 {
		for i := range with {
			with[i] = t.withMirror(with[i], s.Mirror)
		}
	}
	return append(routes, with...), nil
}

// The names of our routes begin so. After it come the base's Service and a number, so that two rollouts that share a
// VirtualService know their own.
const (
	ringPrefix    = "tidegate-internal-"
	movedPrefix   = "tidegate-moved-"
	stayingPrefix = "tidegate-staying-"
)

// isOurs tells whether a route is one that we added.
func (t between) isOurs(r map[string]any) bool {
	return t.named(r, ringPrefix) || t.named(r, movedPrefix) || t.named(r, stayingPrefix)
}

func (t between) named(r map[string]any, prefix string) bool {
	rest, ok := strings.CutPrefix(textAt(r, "name"), prefix+t.Base+"-")
	return ok && strings.Trim(rest, "0123456789") == ""
}

// keysOf find routes again although others may have been added or moved: by name and matches. Of equal ones the first takes
// every request, but each is restored.
func keysOf(routes []map[string]any) []string {
	keys, count := make([]string, len(routes)), map[string]int{}
	for i, r := range routes {
		key := plan.Digest([]any{r["name"], r["match"]})
		if count[key]++; count[key] > 1 {
			key += "#" + strconv.Itoa(count[key])
		}
		keys[i] = key
	}
	return keys
}

func readMemo(vs *unstructured.Unstructured, annotation string) (memo, bool) {
	text, ok := vs.GetAnnotations()[annotation]
	var m memo
	if !ok || json.Unmarshal([]byte(text), &m) != nil || m.Routes == nil {
		return memo{}, false
	}
	for _, o := range m.Routes {
		for _, entry := range o.Entries {
			plan.Whole(entry)
		}
		plan.Whole(o.Mirror)
	}
	return m, true
}

// writeBack stores the routes; with a memo in the annotation, without one the annotation goes.
func writeBack(vs *unstructured.Unstructured, routes []map[string]any, annotation string, m *memo) error {
	if err := unstructured.SetNestedSlice(vs.Object, anylist(routes), "spec", "http"); err != nil {
		return fmt.Errorf("%s: spec.http: %w", plan.RefOf(vs.Object), err)
	}
	return traffic.Remember(vs, annotation, m)
}
