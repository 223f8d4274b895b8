package spec

// Strategy is how the new version is carried to users: exactly one block.
type Strategy struct {
	Recreate  *Recreate  `json:"recreate,omitempty" spec:"oneof" doc:"all old pods stop, then the new ones start: an outage, and never two versions"`
	Rolling   *Rolling   `json:"rolling,omitempty" spec:"oneof" doc:"pod by pod, with pauses at exact numbers of new pods"`
	BlueGreen *BlueGreen `json:"blueGreen,omitempty" spec:"oneof" doc:"every request at once, with the old version standing by"`
	Canary    *Canary    `json:"canary,omitempty" spec:"oneof" doc:"a growing share of the requests, step by step"`
	Shadow    *Shadow    `json:"shadow,omitempty" spec:"oneof" doc:"a copy of live requests, whose answers no user sees"`
}

// Kind is the name of the strategy's block, such as canary.
func (s Strategy) Kind() string { return kindOf(s) }

// InPlace tells that the workload itself goes from the old version to the new one, without a candidate beside it.
func (s Strategy) InPlace() bool { return s.Recreate != nil || s.Rolling != nil }

// phased is a strategy with moments that a gate's at can name.
type phased interface {
	// StepAt is the step that at names by its name or weight, in the text by which the plan knows it.
	StepAt(at string) (text string, ok bool)
	// moments are all that at can name, as a person would.
	moments() []string
}
