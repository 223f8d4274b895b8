package described

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// has is what one place sends to the candidate, and to both.
type has struct{ candidate, both int64 }

// look reads every place that sends something to the candidate.
func (k Kind) look(o plan.Object, t plan.Traffic) []has {
	e, err := k.editor(o, t)
	if err != nil {
		return nil
	}
	var all []has
	u := (&unstructured.Unstructured{Object: o}).DeepCopy()
	e.takeRing(u, &rules{}, nil)
	m := memo{}
	err = e.places(u.Object, &m, func(_ string, _ finder, node any) (any, error) {
		if h := e.read(node); h.candidate > 0 {
			all = append(all, h)
		}
		return node, nil
	})
	if err != nil {
		return nil
	}
	return all
}

// read is what a place has now. A candidate's element without a weight gets something.
func (e editor) read(node any) has {
	if !e.sides.Listed() {
		object, _ := node.(map[string]any)
		f := fields{e, object}
		c, b := number(f.weight(e.sides.Candidate.Field)), number(f.weight(e.sides.Base.Field))
		return has{c, c + b}
	}
	l, err := e.listOf(node)
	if err != nil {
		return has{}
	}
	base, candidate := l.index(e.sides.Base), l.index(e.sides.Candidate)
	if candidate < 0 {
		return has{}
	}
	weights, _, err := l.parts(base, candidate)
	if err != nil {
		return has{}
	}
	h := has{weights[candidate], weights[candidate]}
	if base >= 0 {
		h.both += weights[base]
	}
	return h
}

func number(w *int64, err error) int64 {
	if err != nil || w == nil {
		return 0
	}
	return *w
}

// Share implements traffic.Editor: it is that of the first place that sends something to the candidate.
func (k Kind) Share(o plan.Object, t plan.Traffic) plan.Share {
	for _, h := range k.look(o, t) {
		return plan.Share(h.candidate * int64(plan.All) / h.both)
	}
	return 0
}

// Reaches implements traffic.Editor. A ring and a mirror reach the candidate too.
func (k Kind) Reaches(o plan.Object, t plan.Traffic) bool {
	return len(k.look(o, t)) > 0 || k.rings(o, t) || k.mirrors(o, t)
}

// rings tells that rules of a ring go to the candidate.
func (k Kind) rings(o plan.Object, t plan.Traffic) bool {
	e, err := k.editor(o, t)
	if err != nil {
		return false
	}
	u := (&unstructured.Unstructured{Object: o}).DeepCopy()
	return len(e.takeRing(u, &rules{}, nil).elements) > 0
}

// mirrors tells that copies of requests go to the candidate.
func (k Kind) mirrors(o plan.Object, t plan.Traffic) bool {
	e, err := k.editor(o, t)
	if err != nil || e.mirror == nil {
		return false
	}
	u := (&unstructured.Unstructured{Object: o}).DeepCopy()
	if !e.mirror.beside {
		changed, err := e.restore(u, t, "", nil)
		return err == nil && changed
	}
	found := false
	m := memo{}
	err = e.places(u.Object, &m, func(_ string, _ finder, node any) (any, error) {
		if l, err := e.listOf(node); err == nil {
			for _, element := range l.elements {
				found = found || e.mirror.at().Holds(element)
			}
		}
		return node, nil
	})
	return err == nil && found
}
