package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Side is one of the two versions that may serve during a rollout.
type Side string

// The sides of a rollout.
const (
	Base      Side = "base"      // the workload as the user knows it
	Candidate Side = "candidate" // the new version beside it
)

// Plan is the ordered list of steps that carries one version to users.
type Plan struct {
	Strategy string   `json:"strategy"`
	Target   Target   `json:"target"`
	Steps    []Step   `json:"steps"`
	Gates    []string `json:"gates,omitempty"` // names, in the order of the spec
	Objects  Objects  `json:"objects"`
	// Notes say in words what the plan costs or cannot do (double capacity, who never sees the split, ...).
	Notes []string `json:"notes,omitempty"`
}

// Target names what is deployed where.
type Target struct {
	Name     string            `json:"name"` // of the deploy spec
	Workload Ref               `json:"workload"`
	Service  string            `json:"service,omitempty"`
	Images   map[string]string `json:"images"`         // by container
	From     map[string]string `json:"from,omitempty"` // the images that run now
	SpecHash string            `json:"specHash"`       // digest of the deploy spec, ${NAMES} unexpanded
	// Restores is the revision of the history that a rollback brings back; empty for any other rollout.
	Restores  string `json:"restores,omitempty"`
	URL       string `json:"url,omitempty"`
	Namespace string `json:"namespace"`
}

// Approval is what a person is asked.
type Approval struct {
	Message string   `json:"message"`
	Timeout Duration `json:"timeout"`
	// Promotes says that the rollout goes on when nobody answered in time; otherwise it is undone then.
	Promotes bool `json:"promotes,omitempty"`
	// Attended says that users are on the new version and may not be left alone: a run stays, and its gates watch.
	Attended bool `json:"attended,omitempty"`
}

// Step is one stage of the plan: its ops are applied in order, then it holds while its gates watch.
type Step struct {
	ID    string `json:"id"`    // unique in the plan: candidate, shift-10, full, roll-base, ...
	Title string `json:"title"` // in a person's words
	Do    []Op   `json:"do,omitempty"`
	// Ahead is applied during the last part of the hold, so that the next step need not wait for it.
	Ahead *Op `json:"ahead,omitempty"`
	// Undo brings the cluster from this step (finished or half done) to the state before it.
	Undo []Op     `json:"undo,omitempty"`
	Hold Duration `json:"hold,omitempty"`
	// Skip is how much of the hold a person may skip; the rest is time that gateways and connections need.
	Skip Duration `json:"skip,omitempty"`
	// Detach lets the run end once the step is in force and its gates have been asked: nobody watches the rest of the hold,
	// and a later run goes on from its end.
	Detach bool `json:"detach,omitempty"`
	// Approve makes the step wait for a person.
	Approve *Approval `json:"approve,omitempty"`
	// Sight is how long the step waits, at most, until the gates' data knows of the candidate: a provider that scrapes
	// finds new pods only after a while, and until then nobody could judge what users meet.
	Sight Duration `json:"sight,omitempty"`
	Gates []string `json:"gates,omitempty"` // that judge this step; kubernetes is among them where pods are watched
	// Scant are those of Gates that may well have no data in this step, for few requests meet the new version: that is said,
	// and not waited for. What they have is judged as ever.
	Scant []string `json:"scant,omitempty"`
	// Whole is the side that can carry everything while this step runs.
	Whole Side `json:"whole"`
	// Weight is the share of requests that meets the new version at the end of the step.
	Weight Share `json:"weight"`
}

// Duration is a time.Duration that reads and writes as "10s".
type Duration time.Duration

// MarshalJSON writes the duration as Go writes it.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	parsed, err := time.ParseDuration(text)
	*d = Duration(parsed)
	return err
}

// Share is a share of the requests, exact, in thousandths of a percent: 12500 is 12.5 %. As text it is "12.5%".
type Share int

// OnePercent and All are shares to compute with.
const (
	OnePercent Share = 1000
	All              = 100 * OnePercent
)

// String writes the share as a person would: "12.5%".
func (s Share) String() string {
	return strconv.FormatFloat(float64(s)/float64(OnePercent), 'f', -1, 64) + "%"
}

// MarshalText writes the share as String does.
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Share) UnmarshalText(text []byte) error {
	percent, err := strconv.ParseFloat(strings.TrimSuffix(string(text), "%"), 64)
	*s = Share(math.Round(percent * float64(OnePercent)))
	return err
}

// Of is the share of n things, rounded up.
func (s Share) Of(n int) int { return (n*int(s) + int(All) - 1) / int(All) }

// Digest identifies the plan: two plans with the same digest do the same to the same baseline.
func (p Plan) Digest() string { return Digest(p) }

// Digest is the short SHA-256 of v's JSON.
func Digest(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("plan: %T cannot be written as JSON: %v", v, err)) // plain data always can
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// Index is the position of the step with this ID, or -1.
func (p Plan) Index(id string) int {
	for i, s := range p.Steps {
		if s.ID == id {
			return i
		}
	}
	return -1
}

// UndoFrom lists the ops that lead from step i (started or finished) back to the baseline, in order. What would change
// nothing is left out: ops are absolute, so a split that stands already, and the wait after it, need not be repeated.
func (p Plan) UndoFrom(i int) []Op {
	var ops []Op
	var split *Op // the last one
	for ; i >= 0; i-- {
		for _, op := range p.Steps[i].Undo {
			switch n := len(ops); {
			case n > 0 && reflect.DeepEqual(ops[n-1], op), op.Kind == SetSplit && split != nil && reflect.DeepEqual(*split, op), op.Kind == Wait && n > 0 && ops[n-1].Kind == Wait:
				continue
			case op.Kind == SetSplit:
				split = &op
			}
			ops = append(ops, op)
		}
	}
	return ops
}

// Length is how long the plan's holds and guards take at least.
func (p Plan) Length() time.Duration {
	var sum time.Duration
	for _, s := range p.Steps {
		sum += time.Duration(s.Hold)
		for _, op := range s.Do {
			sum += time.Duration(op.For)
		}
	}
	return sum
}
