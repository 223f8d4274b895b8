package gatewayapi

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// rank is a match's precedence in the Gateway API, most important first. Of an HTTPRoute: an exact path, the length of the
// path, a method, the number of headers, the number of query parameters; of a GRPCRoute: the length of the service, that of
// the method, the number of headers. More wins. On a tie the older route wins, then the one that is first by namespace and
// name, then the rule that is first in the route.
type rank [5]int

func rankOf(match map[string]any) rank {
	r := rank{0, 1, 0, len(maplist(match, "headers")), len(maplist(match, "queryParams"))}
	if call, ok := match["method"].(map[string]any); ok {
		r[1], r[2] = 1+len(text(call, "service")), len(text(call, "method"))
		return r
	}
	if path, ok := match["path"].(map[string]any); ok {
		value, given := path["value"].(string)
		if given {
			r[1] = len(value)
		}
		if path["type"] == "Exact" {
			r[0] = 1
		}
	}
	if method, _ := match["method"].(string); method != "" {
		r[2] = 1
	}
	return r
}

func (r rank) compare(other rank) int { return slices.Compare(r[:], other[:]) }

func (r rank) higher(other rank) rank {
	if r.compare(other) >= 0 {
		return r
	}
	return other
}

// together tells whether a request may match both, of which neither has a longer path: the paths and methods are then the
// same, and no header or query parameter has two values at once.
func together(a, b map[string]any) bool {
	return pathOf(a) == pathOf(b) && compatible(a["method"], b["method"]) && sameCall(a["method"], b["method"]) &&
		agree(maplist(a, "headers"), maplist(b, "headers"), true) && agree(maplist(a, "queryParams"), maplist(b, "queryParams"), false)
}

func pathOf(match map[string]any) string {
	path, _ := match["path"].(map[string]any)
	kind, value := cmp.Or(text(path, "type"), "PathPrefix"), cmp.Or(text(path, "value"), "/")
	return kind + " " + value
}

func text(o map[string]any, key string) string {
	s, _ := o[key].(string)
	return s
}

// compatible compares the methods of HTTP.
func compatible(a, b any) bool {
	own, one := a.(string)
	theirs, other := b.(string)
	return !one || !other || own == theirs
}

// sameCall compares the services and methods of gRPC; what an expression takes is not known.
func sameCall(a, b any) bool {
	own, one := a.(map[string]any)
	theirs, other := b.(map[string]any)
	if !one || !other || own["type"] == "RegularExpression" || theirs["type"] == "RegularExpression" {
		return true
	}
	return text(own, "service") == text(theirs, "service") && text(own, "method") == text(theirs, "method")
}

func agree(a, b []map[string]any, fold bool) bool {
	for _, x := range a {
		for _, y := range b {
			same := text(x, "name") == text(y, "name") || fold && strings.EqualFold(text(x, "name"), text(y, "name"))
			if same && x["type"] != "RegularExpression" && y["type"] != "RegularExpression" && x["value"] != y["value"] {
				return false
			}
		}
	}
	return true
}

// before tells whether route a wins a tie over b.
func before(a, b *unstructured.Unstructured) bool {
	ta, tb := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if !ta.Time.Equal(tb.Time) {
		return ta.Time.Before(tb.Time)
	}
	return a.GetNamespace()+"/"+a.GetName() < b.GetNamespace()+"/"+b.GetName()
}

// shareHost tells whether some hostname is the same in both: a more specific one wins whatever the rules say.
func shareHost(a, b *unstructured.Unstructured) bool {
	hosts := func(o *unstructured.Unstructured) []string {
		list, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "hostnames")
		if len(list) == 0 {
			return []string{""}
		}
		return list
	}
	return slices.ContainsFunc(hosts(a), func(h string) bool { return slices.Contains(hosts(b), h) })
}
