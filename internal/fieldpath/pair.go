package fieldpath

import (
	"errors"
	"fmt"
)

// Sides are two paths that are alike but for one place.
type Sides struct {
	// Within leads to the list whose elements Base and Candidate select, or to the object whose fields they are.
	Within          Path
	Base, Candidate Step
	// Then leads from either to the value; it is empty for fields.
	Then Path
}

// Listed tells that the two sides are elements of a list, not fields.
func (s Sides) Listed() bool { return s.Base.Field == "" }

// Pair finds where the paths of two sides part.
func Pair(base, candidate Path) (Sides, error) {
	at := 0
	for at < len(base) && at < len(candidate) && base[at].Equal(candidate[at]) {
		at++
	}
	if at == len(base) || at == len(candidate) {
		return Sides{}, errors.New("the paths of the two versions are the same, or one of them is a part of the other")
	}
	s := Sides{Within: base[:at], Base: base[at], Candidate: candidate[at], Then: base[at+1:]}
	switch rest := candidate[at+1:]; {
	case len(s.Base.Where) > 0 && len(s.Candidate.Where) > 0 && at > 0:
		if len(s.Then) != 1 || s.Then.String() != rest.String() || !rest.Plain() {
			return s, fmt.Errorf("after %s and %s the same field has to follow, such as .weight", s.Base, s.Candidate)
		}
		return s, sameFields(s.Base, s.Candidate)
	case s.Base.Field != "" && s.Candidate.Field != "":
		if len(s.Then)+len(rest) > 0 {
			return s, fmt.Errorf("%s and %s have to be the last fields of their paths", s.Base, s.Candidate)
		}
		return s, nil
	}
	return s, fmt.Errorf("%s and %s are not of one kind: both are fields, or both select an element of a list", s.Base, s.Candidate)
}

// sameFields: one side is made from the other by setting the fields of its conditions.
func sameFields(a, b Step) error {
	if len(a.Where) != len(b.Where) {
		return fmt.Errorf("%s and %s ask for different fields", a, b)
	}
	for i := range a.Where {
		if a.Where[i].Field != b.Where[i].Field {
			return fmt.Errorf("%s and %s ask for different fields, or in another order", a, b)
		}
	}
	return nil
}

// Beside tells that a path selects an element of the list in which the two sides are.
func (s Sides) Beside(p Path) bool {
	return s.Listed() && len(p[len(p)-1].Where) > 0 && p[:len(p)-1].String() == s.Within.String()
}

// CheckCopy says why a path cannot be where a copy of the requests is asked for.
func (s Sides) CheckCopy(p Path) error {
	last := p[len(p)-1]
	if s.Beside(p) || len(p) > 1 && p[:len(p)-1].Plain() && !last.Every && !last.JSON {
		return nil
	}
	return fmt.Errorf("%s is neither an element of the list of the weights, %s, nor a field or an element below fields only", p, s.Within)
}
