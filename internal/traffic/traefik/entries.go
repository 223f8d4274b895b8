package traefik

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// mirrorName is the TraefikService of ours that copies requests.
func mirrorName(t plan.Traffic) string { return t.Candidate + "-mirror" }

// isService tells whether an entry is this Service of the workload's namespace.
func isService(e map[string]any, t plan.Traffic, name string) bool {
	return (text(e, "kind") == "" || text(e, "kind") == "Service") && text(e, "name") == name && at(e, t.Namespace)
}

// isTraefik tells whether an entry is this TraefikService of the namespace.
func isTraefik(e map[string]any, namespace, name string) bool {
	return text(e, "kind") == kindService && text(e, "name") == name && at(e, namespace)
}

func isMirror(e map[string]any, t plan.Traffic) bool { return isTraefik(e, t.Namespace, mirrorName(t)) }

// at tells whether an entry of an object in the namespace stays in it.
func at(e map[string]any, namespace string) bool {
	n := text(e, "namespace")
	return n == "" || n == namespace
}

// isBase tells whether an entry is the base's, or stands in its place.
func isBase(e map[string]any, t plan.Traffic) bool { return isService(e, t, t.Base) || isMirror(e, t) }

func text(o map[string]any, key string) string {
	s, _ := o[key].(string)
	return s
}

// entriesOf are spec.weighted.services.
func entriesOf(o plan.Object) []map[string]any { return listAt(o, "spec", "weighted", "services") }

// everyEntry is whatever a TraefikService or an IngressRoute sends to.
func everyEntry(o plan.Object) []map[string]any {
	all := slices.Concat(entriesOf(o), listAt(o, "spec", "mirroring", "mirrors"))
	if main := mapAt(o, "spec", "mirroring"); main != nil {
		all = append(all, main)
	}
	for _, route := range listAt(o, "spec", "routes") {
		all = append(all, listAt(route, "services")...)
	}
	return all
}

func mapAt(o map[string]any, path ...string) map[string]any {
	for _, key := range path {
		o, _ = o[key].(map[string]any)
	}
	return o
}

func listAt(o map[string]any, path ...string) []map[string]any {
	items, _ := mapAt(o, path[:len(path)-1]...)[path[len(path)-1]].([]any)
	var all []map[string]any
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

// set writes a list of maps. The path leads through maps, which it makes where they are missing.
func set(o *unstructured.Unstructured, list []map[string]any, path ...string) error {
	items := make([]any, len(list))
	for i, m := range list {
		items[i] = m
	}
	if err := unstructured.SetNestedSlice(o.Object, items, path...); err != nil {
		return fmt.Errorf("%s: %w", plan.RefOf(o.Object), err)
	}
	return nil
}

// with is an entry with another value of a field; nil takes the field away.
func with(e map[string]any, key string, value any) map[string]any {
	e = maps.Clone(e)
	if e[key] = value; value == nil {
		delete(e, key)
	}
	return e
}

func numberAt(e map[string]any, key string) (int64, bool) {
	switch n := e[key].(type) {
	case int64:
		return n, true
	case float64:
		return int64(n), true
	}
	return 0, false
}

// weightOf is an entry's weight: 1 where none is written.
func weightOf(e map[string]any) int64 {
	if n, ok := numberAt(e, "weight"); ok {
		return n
	}
	return 1
}

// shareOf is the part of the base's requests that goes to the candidate.
func shareOf(entries []map[string]any, t plan.Traffic) plan.Share {
	var own, sum int64
	for _, e := range entries {
		switch {
		case isService(e, t, t.Candidate):
			own += weightOf(e)
			sum += weightOf(e)
		case isBase(e, t):
			sum += weightOf(e)
		}
	}
	if sum == 0 {
		return 0
	}
	return plan.Share(own * int64(plan.All) / sum)
}
