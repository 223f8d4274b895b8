package traefik

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// memo is what the annotation keeps of a TraefikService: what the split writes over.
type memo struct {
	Base string `json:"base"`
	// Kind is what the base's entry says of its kind; empty for nothing.
	Kind string `json:"kind,omitempty"`
	// Weights are those of the entries by their key; null where none is written.
	Weights map[string]*int64 `json:"weights,omitempty"`
	// Mirrors tells that a mirroring had a list of mirrors, an empty one perhaps.
	Mirrors bool `json:"mirrors,omitempty"`
}

// remember makes the memo of a TraefikService that holds nothing of ours.
func remember(o plan.Object, t plan.Traffic) memo {
	m := memo{Base: t.Base}
	m.learn(o)
	for _, e := range entriesOf(o) {
		if isService(e, t, t.Base) && m.Kind == "" {
			m.Kind = text(e, "kind")
		}
	}
	_, m.Mirrors = mapAt(o, "spec", "mirroring")["mirrors"]
	return m
}

// learn takes the weights of entries as the user wrote them: somebody may add one in the middle of a rollout.
func (m *memo) learn(o plan.Object) {
	if m.Weights == nil {
		m.Weights = map[string]*int64{}
	}
	for _, e := range entriesOf(o) {
		m.Weights[keyOf(e)] = written(e)
	}
}

func written(e map[string]any) *int64 {
	if n, ok := numberAt(e, "weight"); ok {
		return &n
	}
	return nil
}

// keyOf finds an entry again although others were added or moved.
func keyOf(e map[string]any) string {
	kind := text(e, "kind")
	if kind == "Service" {
		kind = ""
	}
	return fmt.Sprintf("%s/%s/%s/%v", kind, text(e, "namespace"), text(e, "name"), e["port"])
}

// weighed is an entry with the weight that it had. One that was added since keeps what it has.
func (m memo) weighed(e map[string]any) map[string]any {
	n, known := m.Weights[keyOf(e)]
	switch {
	case !known:
		return e
	case n == nil:
		return with(e, "weight", nil)
	}
	return with(e, "weight", *n)
}

func readMemo(o *unstructured.Unstructured, mark string) (memo, bool) {
	var m memo
	value, ok := o.GetAnnotations()[mark]
	return m, ok && json.Unmarshal([]byte(value), &m) == nil
}
