package spec

import "fmt"

// Moments of a rollout that a gate's at can name beside the steps.
const (
	AtCandidateReady = "candidate-ready" // the candidate is ready, before its first request
	AtBeforeSettle   = "before-settle"   // once more, right before the base is touched
	AtBake           = "bake"            // the candidate carries everything, the base still stands
)

// NoData says what a gate without an answer means.
type NoData string

// What a gate without an answer means.
const (
	NoDataWait NoData = "wait" // the step does not end
	NoDataFail NoData = "fail"
	NoDataPass NoData = "pass"
)

// Gate is a judgement asked again and again while a step holds: exactly one
// kind, and when and how often it is asked.
type Gate struct {
	Name      string     `json:"name" spec:"required,format=name" doc:"name of the gate, unique in the spec"`
	Threshold *Threshold `json:"threshold,omitempty" spec:"oneof" doc:"a condition over a query's result"`

	At        []string `json:"at,omitempty" spec:"nonempty" doc:"when it is asked: a step's name or weight, candidate-ready, shadow, before-settle, bake; in every hold when left out"`
	Every     Duration `json:"every" spec:"default=10s,positive" doc:"time between two looks"`
	Delay     Duration `json:"delay" spec:"default=0s" doc:"time after a step's start until the first look"`
	Timeout   Duration `json:"timeout" spec:"default=10s,positive" doc:"longest time of one look"`
	Failures  Failures `json:"failures" spec:"default=1" doc:"failed looks that make the gate fail"`
	NoData    NoData   `json:"noData" spec:"default=wait,enum=wait|fail|pass" doc:"what it means when there is no data"`
	NoDataFor Duration `json:"noDataFor" spec:"default=5m,positive" doc:"time without data until the rollout pauses for a person"`
	DryRun    bool     `json:"dryRun,omitempty" doc:"report the gate, do not obey it"`
}

// Kind is the name of the gate's block, such as threshold.
func (g Gate) Kind() string { return kindOf(g) }

// asker is a kind of gate that asks a provider.
type asker interface {
	// provider is the kind's own field with the provider's name.
	provider() *string
}

// from is the provider that the gate asks, nil if it asks none.
func (g Gate) from() *string {
	if a, ok := blockOf(g).(asker); ok {
		return a.provider()
	}
	return nil
}

// Failures is how many of the last looks must have failed for the gate to
// fail. Its short form N is N in a row, which is N of the last N.
type Failures struct {
	_ struct{} `spec:"short=of"`

	Of int `json:"of" spec:"required,min=1" doc:"how many looks must have failed"`
	In int `json:"in" spec:"required,min=1" doc:"of how many last looks"`
}

// finish makes the short form whole and compares the two numbers.
func (f *Failures) finish(s scope) {
	if !s.written("in") {
		f.In = f.Of
	}
	if s.ok("") && f.Of > f.In {
		s.fail("of", fmt.Sprintf("%d of the last %d looks can never fail", f.Of, f.In), "`of` is at most `in`.")
	}
}

// Threshold judges a query's result by a condition.
type Threshold struct {
	From  string `json:"from" spec:"format=name" doc:"the metrics entry to ask; the only one when left out"`
	Query string `json:"query" spec:"required,format=query" doc:"query in the provider's language, a Go template"`
	Pass  string `json:"pass" spec:"required,format=condition" doc:"condition over result under which the gate passes"`
	Fail  string `json:"fail,omitempty" spec:"format=condition" doc:"condition under which it fails; the opposite of pass when left out"`
}

var _ asker = (*Threshold)(nil)

func (t *Threshold) provider() *string { return &t.From }
