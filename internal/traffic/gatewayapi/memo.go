package gatewayapi

import (
	"encoding/json"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/tidegate/tidegate/internal/plan"
)

// memo is what the annotation keeps: the weights of every rule that takes part, as the user wrote them.
type memo struct {
	Base  string         `json:"base"`
	Rules map[string]old `json:"rules"` // by rule key
	// Ring are the keys of the rules that we added: of their matches, for not every cluster keeps their names.
	Ring []string `json:"ring,omitempty"`
}

// old is a rule before the rollout: the weight of each backend by its key.
type old struct {
	Weights map[string]int64 `json:"weights"`
	// Filters are those of the base's backends, by key, where they have any.
	Filters map[string]json.RawMessage `json:"filters,omitempty"`
	Empty   bool                       `json:"empty,omitempty"` // the rule had an empty list of filters
}

// memoOf makes the memo anew from the route as it was, for when somebody removed the annotation.
func memoOf(before plan.Object, t between) memo {
	m := memo{Base: t.Base, Rules: map[string]old{}}
	rules, err := readRules(&unstructured.Unstructured{Object: before})
	if err != nil {
		return m
	}
	for _, rule := range rules {
		if takesPart(rule, t) {
			m.Rules[ruleKey(rule)] = remember(rule, t)
		}
	}
	return m
}

func remember(rule map[string]any, t between) old {
	filters, listed := rule["filters"].([]any)
	o := old{Weights: map[string]int64{}, Empty: listed && len(filters) == 0}
	for _, ref := range withoutCandidate(backends(rule), t) {
		o.Weights[backendKey(ref)] = weightOf(ref)
		if own, ok := ref["filters"]; ok && t.isService(ref, t.Base) {
			if o.Filters == nil {
				o.Filters = map[string]json.RawMessage{}
			}
			o.Filters[backendKey(ref)], _ = json.Marshal(own) // it came as JSON
		}
	}
	return o
}

// filtered is a backend of the base with the filters that it had.
func (o old) filtered(ref map[string]any) map[string]any {
	ref = maps.Clone(ref)
	var filters []any
	kept, had := o.Filters[backendKey(ref)]
	switch {
	case had && utiljson.Unmarshal(kept, &filters) == nil:
		ref["filters"] = filters
	case len(o.Weights) > 0:
		delete(ref, "filters")
	default: // nothing is known of this rule
		if filters = withoutDraw(maplist(ref, "filters")); len(filters) == 0 {
			delete(ref, "filters")
		} else {
			ref["filters"] = filters
		}
	}
	return ref
}

// weight is the backend's weight before the rollout. A backend that was added since keeps what it has.
func (o old) weight(ref map[string]any) int64 {
	if w, ok := o.Weights[backendKey(ref)]; ok {
		return w
	}
	if len(o.Weights) == 0 {
		return 1 // nothing is known of this rule: the default of the Gateway API
	}
	return weightOf(ref)
}

func readMemo(route *unstructured.Unstructured, annotation string) (memo, bool) {
	text, ok := route.GetAnnotations()[annotation]
	var m memo
	if !ok || json.Unmarshal([]byte(text), &m) != nil || m.Rules == nil {
		return memo{}, false
	}
	return m, true
}

// anyMemo is what the annotations of all rollouts keep of our rules.
func anyMemo(route *unstructured.Unstructured) memo {
	var all memo
	for annotation := range route.GetAnnotations() {
		if m, ok := readMemo(route, annotation); ok {
			all.Ring = append(all.Ring, m.Ring...)
		}
	}
	return all
}
