package gates

import (
	"context"
	"math"
	"time"
)

// Gate is one judgement about a running version. Check takes one look and returns at once (within ctx). An error
// means that nothing could be learned (the provider is down, the query is refused): the [Judge] treats it as missing
// data, never as a pass and never as a failure of the release.
type Gate interface {
	Name() string
	Check(ctx context.Context, in Input) (Verdict, error)
}

// Sighted is a gate that can tell whether there is any data about the candidate yet, be it of no requests. Asked before
// the first user meets the candidate, it keeps users away from a version that nobody could judge.
type Sighted interface {
	Sees(ctx context.Context, in Input) (bool, error)
}

// Input is what a gate may know of the rollout when it looks.
type Input struct {
	Namespace string
	Name      string // of the workload
	Revision  string // short name of the version that is judged
	Step      string // ID of the step that holds
	// Now is when the look is taken, by the engine's clock: a gate that must know how long something has lasted
	// compares the Now of its looks.
	Now       time.Time
	Base      Subject
	Candidate Subject
}

// Subject is one side: the pods that run it now and the Service in front of them.
type Subject struct {
	Track   string // base or candidate
	Called  string // how people call its pods, where Track is not the word
	Pods    []string
	Service string
}

// Outcome is what a gate says.
type Outcome string

// The three answers.
const (
	Pass    Outcome = "pass"
	Fail    Outcome = "fail"
	Pending Outcome = "pending"
)

// Verdict is one answer of a gate.
type Verdict struct {
	Outcome  Outcome  `json:"outcome"`
	Reason   string   `json:"reason"`
	Evidence Evidence `json:"evidence,omitzero"`
	// NoData marks a pending answer that is pending because there was nothing to judge.
	NoData bool `json:"noData,omitempty"`
}

// Evidence is what the answer rests on.
type Evidence struct {
	Query string `json:"query,omitempty"`
	// Value is the number that was judged, if there was one.
	Value *float64 `json:"value,omitempty"`
	Text  string   `json:"text,omitempty"`
	Link  string   `json:"link,omitempty"`
}

// Number is a Value for Evidence; none for NaN and the infinities, which JSON, and so the record, cannot hold.
func Number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// NoDataPolicy says what missing data means.
type NoDataPolicy string

// The policies for missing data.
const (
	NoDataWait NoDataPolicy = "wait" // the step does not end; see Rule.NoDataFor
	NoDataFail NoDataPolicy = "fail"
	NoDataPass NoDataPolicy = "pass"
	// NoDataScant is for moments in which few requests come, or none: data that is missing is not waited for, but a
	// provider that does not answer is. No spec writes it.
	NoDataScant NoDataPolicy = "scant"
)

// DefaultNoDataFor is how long data may be missing when a rule does not say.
const DefaultNoDataFor = 5 * time.Minute

// Rule is what stands beside a gate's kind in the spec.
type Rule struct {
	At      []string // moments at which the gate is asked; none means every hold
	Every   time.Duration
	Delay   time.Duration // after the start of the step
	Timeout time.Duration // of one look
	// Failures: the gate fails when Of of its last In looks failed. Of consecutive ones for Of == In.
	Of, In int
	NoData NoDataPolicy
	// NoDataFor is how long data may be missing until the rollout pauses; after twice that it is undone. Zero is
	// DefaultNoDataFor.
	NoDataFor time.Duration
	DryRun    bool // reported, not obeyed
}
