package described

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/plan"
)

// divide gives the candidate its share of what the base has in a restored list.
func (l list) divide(share plan.Share) (list, error) {
	base := l.index(l.sides.Base)
	if l.index(l.sides.Candidate) < 0 {
		m := runtime.DeepCopyJSON(l.elements[base])
		set(m, l.sides.Candidate)
		l.elements = slices.Insert(l.elements, base+1, m)
	}
	candidate := l.index(l.sides.Candidate)
	weights, others, err := l.parts(base, candidate)
	if err != nil {
		return l, err
	}
	if others && weights[base] == 0 {
		return l, fmt.Errorf("%s%s has the weight 0, so that the candidate would get nothing there: give it a weight, or take it out", l.sides.Within, l.sides.Base)
	}
	total, err := l.total(share)
	if err != nil {
		return l, err
	}
	moved := total * int64(share) / int64(plan.All)
	if others {
		spread(weights, base, candidate, total, moved)
	} else {
		weights[base], weights[candidate] = total-moved, moved
	}
	for i, m := range l.elements {
		if l.setAside(m) {
			continue
		}
		if greatest := int64(l.conf.Max); greatest > 0 && weights[i] > greatest {
			return l, fmt.Errorf("a weight would have to be %d, and may be %d at most: use smaller weights in the same proportion, or whole percents",
				weights[i], greatest)
		}
		l.setWeight(m, &weights[i])
	}
	return l, nil
}

// parts are the weights of the elements as they count, and whether others than the two have some.
func (l list) parts(base, candidate int) (weights []int64, others bool, err error) {
	weights = make([]int64, len(l.elements))
	written := false
	for i, m := range l.elements {
		w, err := l.weight(m)
		if err != nil {
			return nil, false, err
		}
		written = written || w != nil && i != candidate && !l.setAside(m)
		if weights[i] = int64(l.conf.Absent); w != nil {
			weights[i] = *w
		}
		others = others || i != base && i != candidate && !l.setAside(m)
	}
	if !written { // all alike
		for i := range weights {
			weights[i] = 1
		}
	}
	return weights, others, nil
}

// spread multiplies the weights so that the base's can be divided and the others keep their shares, as small as they can be.
func spread(weights []int64, base, candidate int, total, moved int64) {
	whole := weights[base]
	for i := range weights {
		weights[i] *= total
	}
	weights[base], weights[candidate] = whole*(total-moved), whole*moved
	var unit int64
	for _, w := range weights {
		unit = gcd(unit, w)
	}
	for i := range weights {
		weights[i] /= max(unit, 1)
	}
}

// total is the sum of the two weights by which the share is a whole number.
func (e editor) total(share plan.Share) (int64, error) {
	total := int64(e.conf.Total)
	if total*int64(share)%int64(plan.All) == 0 {
		return total, nil
	}
	if !e.conf.Parts {
		return 0, fmt.Errorf("weights with the sum %d cannot express %s", total, share)
	}
	return total * (int64(plan.All) / gcd(int64(plan.All), total*int64(share))), nil
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
