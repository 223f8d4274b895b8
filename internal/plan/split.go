package plan

import (
	"fmt"
	"strings"
)

// Split is how requests are divided between the base and the candidate.
type Split struct {
	Weight Share   // of the requests that no other part speaks of goes to the candidate
	Ring   []Match // who has all of these goes to the candidate; nobody when empty
}

// Nothing tells that every request goes to the base.
func (s Split) Nothing() bool { return s.Weight == 0 && len(s.Ring) == 0 }

// String is the split as something to do, in a person's words.
func (s Split) String() string {
	switch {
	case s.Nothing():
		return "send every request to the base, the route as the user wrote it"
	case len(s.Ring) == 0:
		return fmt.Sprintf("send %s of the requests to the candidate", s.Weight)
	case s.Weight == 0:
		return fmt.Sprintf("send requests with %s to the candidate, and no other", RingText(s.Ring))
	}
	return fmt.Sprintf("send %s of the requests to the candidate, and those with %s", s.Weight, RingText(s.Ring))
}

// Match is an attribute of a request: exactly one of Header and Cookie is set, and its value is Value.
type Match struct {
	Header string `json:"header,omitempty"`
	Cookie string `json:"cookie,omitempty"`
	Value  string `json:"value"`
}

// String is the attribute as people write it: X-Staff: 1, or the cookie staff=1.
func (m Match) String() string {
	if m.Cookie != "" {
		return "the cookie " + m.Cookie + "=" + m.Value
	}
	return m.Header + ": " + m.Value
}

// RingText names what requests of a ring have.
func RingText(ring []Match) string {
	all := make([]string, len(ring))
	for i, m := range ring {
		all[i] = m.String()
	}
	return strings.Join(all, " and ")
}

// Ring is who meets the new version once step i is in force, beside its weight; empty for nobody in particular.
func (p Plan) Ring(i int) []Match {
	var ring []Match
	for _, step := range p.Steps[:min(i+1, len(p.Steps))] {
		for _, op := range step.Do {
			if op.Kind == SetSplit {
				ring = op.Ring
			}
		}
	}
	return ring
}
