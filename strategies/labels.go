package strategies

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// Suffix marks the candidate: its objects' names and the value of the label that tells it from the base end with it.
const Suffix = "-candidate"

// relabel is the change of labels that keeps the candidate's pods out of the base's Deployment, Service and autoscaler:
// old and new value by label.
type relabel map[string][2]string

// chooseLabels picks the labels that get another value on the candidate: one that is in the selectors of both the
// Deployment and the Service if there is one, otherwise one of each; of several the one that the fewest other objects
// of the namespace select by.
func chooseLabels(deployment, service map[string]string, others []plan.Object) (relabel, error) {
	if len(deployment) == 0 {
		return nil, errors.New("spec.selector.matchLabels of the Deployment is empty: " +
			"the candidate's pods could not be told from the base's; select by at least one label there")
	}
	if len(service) == 0 {
		return nil, errors.New("the Service has no selector: its endpoints are made by something else, which Tidegate cannot steer; " +
			"give it a selector, or name another one in spec.service")
	}
	var both []string
	for key := range deployment {
		if _, ok := service[key]; ok {
			both = append(both, key)
		}
	}
	keys := []string{fewest(both, deployment, others)}
	if len(both) == 0 {
		keys = []string{fewest(slices.Collect(maps.Keys(deployment)), deployment, others),
			fewest(slices.Collect(maps.Keys(service)), service, others)}
	}
	change := relabel{}
	for _, key := range keys {
		value, ok := deployment[key]
		if !ok {
			value = service[key]
		}
		change[key] = [2]string{value, suffixed(value, 63)}
	}
	return change, nil
}

// fewest is the key by which the fewest objects select; of equals the first by name.
func fewest(keys []string, values map[string]string, others []plan.Object) string {
	slices.Sort(keys)
	best, least := "", -1
	for _, key := range keys {
		count := 0
		for _, o := range others {
			if mentions(o["spec"], key, values[key]) {
				count++
			}
		}
		if least < 0 || count < least {
			best, least = key, count
		}
	}
	return best
}

// CandidateName is the name of the candidate's object for one of the base's.
func CandidateName(name string) string { return suffixed(name, 63) }

// suffixed appends the candidate's suffix; what would be longer than limit is cut and told apart by a digest.
func suffixed(name string, limit int) string {
	if len(name)+len(Suffix) <= limit {
		return name + Suffix
	}
	return fmt.Sprintf("%s-%s%s", strings.TrimRight(name[:limit-len(Suffix)-7], "-._"), plan.Digest(name)[:6], Suffix)
}

// apply returns the labels with the changed values; a label that is not there is not added.
func (r relabel) apply(labels map[string]string) map[string]string {
	changed := maps.Clone(labels)
	for key, values := range r {
		if changed[key] == values[0] {
			changed[key] = values[1]
		}
	}
	return changed
}

// rewrite changes every label selector inside v that selects the old value, in place, and reports whether it did.
func (r relabel) rewrite(v any) bool {
	changed := false
	switch v := v.(type) {
	case map[string]any:
		for _, field := range []string{"matchLabels", "selector"} {
			if labels, ok := v[field].(map[string]any); ok {
				changed = r.rewriteLabels(labels) || changed
			}
		}
		changed = r.rewriteExpression(v) || changed
		for _, child := range v {
			changed = r.rewrite(child) || changed
		}
	case []any:
		for _, child := range v {
			changed = r.rewrite(child) || changed
		}
	}
	return changed
}

func (r relabel) rewriteLabels(labels map[string]any) bool {
	changed := false
	for key, values := range r {
		if labels[key] == values[0] {
			labels[key] = values[1]
			changed = true
		}
	}
	return changed
}

// rewriteExpression handles {key, operator: In, values}.
func (r relabel) rewriteExpression(e map[string]any) bool {
	key, _ := e["key"].(string)
	values, ok := r[key]
	list, isList := e["values"].([]any)
	if !ok || !isList || e["operator"] != "In" {
		return false
	}
	changed := false
	for i, value := range list {
		if value == values[0] {
			list[i] = values[1]
			changed = true
		}
	}
	return changed
}

// mentions tells whether v holds a selector of this label and value.
func mentions(v any, key, value string) bool {
	u := unstructured.Unstructured{Object: map[string]any{"v": v}}
	return relabel{key: {value, value}}.rewrite(u.DeepCopy().Object)
}
