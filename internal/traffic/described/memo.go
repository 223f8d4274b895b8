package described

import (
	"encoding/json"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// memo is what the annotation keeps: all that is needed to go back.
type memo struct {
	Base   string   `json:"base"`
	Places []place  `json:"places"`
	Texts  []string `json:"texts,omitempty"` // of JSON, as they were
	Mirror *kept    `json:"mirror,omitempty"`
	Ring   *rules   `json:"ring,omitempty"` // that stand in the object now
}

// place is a list, or an object, of weights as it was.
type place struct {
	ID      string            `json:"id"`
	Weights map[string]*int64 `json:"weights"` // by what tells its elements apart; null for one that was left out
}

// kept is a field as it was; nil for one that was not there.
type kept struct {
	Value any `json:"value,omitempty"`
}

func readMemo(o *unstructured.Unstructured, mark string) (memo, bool) {
	text, ok := o.GetAnnotations()[mark]
	var m memo
	if !ok || json.Unmarshal([]byte(text), &m) != nil || m.Places == nil {
		return memo{}, false
	}
	if m.Mirror != nil { // whole numbers are those of Kubernetes
		if data, err := json.Marshal(m.Mirror.Value); err == nil {
			m.Mirror.Value, _ = decode(string(data))
		}
	}
	return m, true
}

// finder finds places as they were, by their ids. Where what holds one changed, it is another with the same elements that is
// not there any more.
type finder struct {
	memo    *memo
	present map[string]bool // ids of the places that the object has now
	used    map[string]bool
}

func (f finder) find(id string, keys []string) (place, bool) {
	for _, p := range f.memo.Places {
		if p.ID == id {
			return p, true
		}
	}
	for _, p := range f.memo.Places {
		if !f.present[p.ID] && !f.used[p.ID] && slices.Equal(slices.Sorted(maps.Keys(p.Weights)), slices.Sorted(slices.Values(keys))) {
			f.used[p.ID] = true
			return p, true
		}
	}
	return place{}, false
}

// ringed are the rules of the ring that the object has; nil for none, and empty where nobody knows.
func (m memo) ringed(known bool) *rules {
	if !known && m.Ring == nil {
		return &rules{}
	}
	return m.Ring
}

// othersRules are the rules of rings that other rollouts put into the object.
func othersRules(o *unstructured.Unstructured, mark string) []any {
	var all []any
	for annotation := range o.GetAnnotations() {
		if m, ok := readMemo(o, annotation); ok && annotation != mark && m.Ring != nil {
			all = append(all, m.Ring.Elements...)
		}
	}
	return all
}
