package spec

// Strategy is how the new version is carried to users: exactly one block.
type Strategy struct {
	Canary *Canary `json:"canary,omitempty" spec:"oneof" doc:"a growing share of the requests, step by step"`
}

// Kind is the name of the strategy's block, such as canary.
func (s Strategy) Kind() string { return kindOf(s) }

// phased is a strategy with steps that a gate's at can name.
type phased interface {
	// StepAt is the step that at names by its name or weight, in the text by which the plan knows it.
	StepAt(at string) (text string, ok bool)
	// stepNames is the steps as a person would name them.
	stepNames() []string
}
