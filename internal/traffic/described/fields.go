package described

import (
	"fmt"

	"github.com/tidegate/tidegate/internal/plan"
)

// fields are two weights that are fields of one object.
type fields struct {
	editor
	object map[string]any
}

func (f fields) names() []string { return []string{f.sides.Base.Field, f.sides.Candidate.Field} }

func (f fields) weight(name string) (*int64, error) {
	switch w := f.object[name].(type) {
	case nil:
		return nil, nil
	case int64:
		return &w, nil
	case float64:
		if whole := int64(w); float64(whole) == w {
			return &whole, nil
		}
	}
	return nil, fmt.Errorf("%s: the weight %s %v is no whole number", f.sides.Within, name, f.object[name])
}

func (f fields) remember(id string) (place, error) {
	p := place{ID: id, Weights: map[string]*int64{}}
	for _, name := range f.names() {
		w, err := f.weight(name)
		if err != nil {
			return p, err
		}
		p.Weights[name] = w
	}
	return p, nil
}

// restore gives both fields back. Where nobody knows what they were, the base gets everything.
func (f fields) restore(was place, known bool) {
	if !known {
		f.object[f.sides.Base.Field], f.object[f.sides.Candidate.Field] = int64(f.conf.Total), int64(0)
		return
	}
	for name, w := range was.Weights {
		if delete(f.object, name); w != nil {
			f.object[name] = *w
		}
	}
}

func (f fields) divide(share plan.Share) error {
	total, err := f.total(share)
	if err != nil {
		return err
	}
	moved := total * int64(share) / int64(plan.All)
	f.object[f.sides.Base.Field], f.object[f.sides.Candidate.Field] = total-moved, moved
	return nil
}
