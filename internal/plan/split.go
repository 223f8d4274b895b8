package plan

// Split is how requests are divided between the base and the candidate.
type Split struct {
	Weight Share   // of the requests that no other part speaks of goes to the candidate
	Ring   []Match // who has all of these goes to the candidate; nobody when empty
}

// Nothing tells that every request goes to the base.
func (s Split) Nothing() bool { return s.Weight == 0 && len(s.Ring) == 0 }

// Match is an attribute of a request: exactly one of Header and Cookie is set, and its value is Value.
type Match struct {
	Header string `json:"header,omitempty"`
	Cookie string `json:"cookie,omitempty"`
	Value  string `json:"value"`
}
