package istio

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
)

// between is the traffic as one VirtualService sees it: a host without a dot means the VirtualService's own namespace.
type between struct {
	plan.Traffic
	home string // namespace of the VirtualService
}

func within(o plan.Object, t plan.Traffic) between { return between{t, plan.RefOf(o).Namespace} }

// fullName is NAME.NAMESPACE of the Service that a host names in an object of the namespace home: it may be written as NAME,
// NAME.NAMESPACE, NAME.NAMESPACE.svc or with the cluster's domain. Other hosts come back as they are.
func fullName(host, home string) string {
	if !strings.Contains(host, ".") {
		return host + "." + home
	}
	parts := strings.SplitN(host, ".", 4)
	if len(parts) > 2 && parts[2] == "svc" {
		return parts[0] + "." + parts[1]
	}
	return host
}

func (t between) isHost(host, service string) bool {
	return fullName(host, t.home) == service+"."+t.Namespace
}

// candidateHost is the candidate's in the form in which the user wrote the base's.
func (t between) candidateHost(host string) string {
	return t.Candidate + strings.TrimPrefix(host, t.Base)
}

// isBase tells whether an entry of a route sends to the base: to its host and, where subsets are given, to one of those.
func (t between) isBase(entry map[string]any) bool {
	to := mapAt(entry, "destination")
	return t.isHost(textAt(to, "host"), t.Base) && (len(t.Subsets) == 0 || slices.Contains(t.Subsets, textAt(to, "subset")))
}

func (t between) isCandidate(entry map[string]any) bool {
	return t.isHost(textAt(mapAt(entry, "destination"), "host"), t.Candidate)
}

// takesPart tells whether a route sends to the base and is among those that were asked for.
func (t between) takesPart(r map[string]any) bool {
	return !t.isOurs(r) && t.asked(r) && slices.ContainsFunc(destinations(r), t.isBase)
}

func (t between) asked(r map[string]any) bool {
	return len(t.Rules) == 0 || slices.Contains(t.Rules, textAt(r, "name"))
}

// toCandidate is an entry with the candidate in the place of the base. A subset is one of the base's.
func (t between) toCandidate(entry map[string]any) map[string]any {
	entry = maps.Clone(entry)
	entry["destination"] = t.candidateDestination(mapAt(entry, "destination"))
	return entry
}

func (t between) candidateDestination(base map[string]any) map[string]any {
	to := maps.Clone(base)
	to["host"] = t.candidateHost(textAt(base, "host"))
	delete(to, "subset")
	return to
}

// keyOf finds a destination again whatever its weight and headers are.
func keyOf(entry map[string]any) string {
	to := mapAt(entry, "destination")
	return fmt.Sprintf("%s/%s/%v", textAt(to, "host"), textAt(to, "subset"), mapAt(to, "port")["number"])
}

func destinations(r map[string]any) []map[string]any { return maplist(r, "route") }

func withDestinations(r map[string]any, entries []map[string]any) map[string]any {
	r = maps.Clone(r)
	r["route"] = anylist(entries)
	return r
}

func weightOf(entry map[string]any) int64 {
	switch w := entry["weight"].(type) {
	case int64:
		return w
	case float64:
		return int64(w)
	}
	return 0
}

func withWeight(entry map[string]any, weight int64) map[string]any {
	entry = maps.Clone(entry)
	entry["weight"] = weight
	return entry
}

func httpOf(o plan.Object) []map[string]any { return maplist(mapAt(o, "spec"), "http") }

func mapAt(o map[string]any, path ...string) map[string]any {
	for _, key := range path {
		o, _ = o[key].(map[string]any)
	}
	return o
}

func textAt(o map[string]any, key string) string {
	s, _ := o[key].(string)
	return s
}

func maplist(o map[string]any, key string) []map[string]any {
	list, _ := o[key].([]any)
	var all []map[string]any
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

func anylist(all []map[string]any) []any {
	list := make([]any, len(all))
	for i, m := range all {
		list[i] = m
	}
	return list
}

func nameOrNumber(r map[string]any, i int) string {
	if name := textAt(r, "name"); name != "" {
		return "HTTP route " + name
	}
	return fmt.Sprintf("HTTP route %d", i+1)
}
