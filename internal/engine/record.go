package engine

import (
	"maps"
	"slices"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/plan"
)

// Record is all that Tidegate remembers of one workload. It is kept in the cluster, and only the holder of the lock
// writes it.
type Record struct {
	// Epoch grows by one with every takeover. A save under an older epoch is refused: it fences a holder that lost
	// its lock without noticing.
	Epoch   int64    `json:"epoch"`
	Rollout *Rollout `json:"rollout,omitempty"` // in flight, or the last one
	History []Past   `json:"history,omitempty"` // newest first, ten at most
}

// Phase is where a rollout stands.
type Phase string

// The phases of a rollout.
const (
	Running    Phase = "running"
	Undoing    Phase = "undoing"
	Succeeded  Phase = "succeeded"
	RolledBack Phase = "rolled-back"
	UndoFailed Phase = "undo-failed"
)

// InFlight tells whether there is still something to carry on or to undo.
func (p Phase) InFlight() bool { return p == Running || p == Undoing || p == UndoFailed }

// Rollout is one execution of a plan.
type Rollout struct {
	ID         string        `json:"id"`
	Plan       plan.Plan     `json:"plan"`
	PlanDigest string        `json:"planDigest"`
	Baseline   plan.Baseline `json:"baseline"`
	Phase      Phase         `json:"phase"`
	Holder     string        `json:"holder"` // who carried it last: run URL or user@host
	Started    time.Time     `json:"started"`
	Ended      time.Time     `json:"ended,omitzero"`
	Deadline   time.Time     `json:"deadline"`
	Step       int           `json:"step"` // index of the step that was started last
	// Undone is the number of undo ops (of Plan.UndoFrom(Step)) that are finished.
	Undone int    `json:"undone,omitempty"`
	Reason string `json:"reason,omitempty"` // why it was undone, in a person's words
	Cause  Cause  `json:"cause,omitempty"`
	By     string `json:"by,omitempty"` // who asked for the abort or the supersede
	// Full is who asked to go on without the holds and approvals that are left; nil when nobody did.
	Full  *Answer     `json:"full,omitempty"`
	Steps []StepState `json:"steps"`
	// Outage is for how long no pod was ready, in a strategy in which that can be; an outage that lasts does not count yet.
	Outage plan.Duration `json:"outage,omitzero"`
	// Drift is what somebody else changed in the cluster and what is so still.
	Drift []Drifted `json:"drift,omitempty"`
	// Left is what somebody else changed and what the way back left as they have it.
	Left []string `json:"left,omitempty"`
	// Notes are what listeners keep with the rollout, by a key of their own: whoever carries it on hands them to its own
	// listeners with every event.
	Notes map[string]string `json:"notes,omitempty"`
}

// Cause classifies why a rollout was undone.
type Cause string

// The causes of an undo.
const (
	CauseGate       Cause = "gate"
	CauseFailure    Cause = "failure" // a step could not be done
	CauseAbort      Cause = "abort"
	CauseSuperseded Cause = "superseded"
	CauseDeadline   Cause = "deadline"
	CauseApproval   Cause = "approval" // nobody approved in time
)

// StepState is what happened in one step.
type StepState struct {
	ID       string           `json:"id"`
	Started  time.Time        `json:"started,omitzero"`
	InForce  time.Time        `json:"inForce,omitzero"` // when its ops were done and the hold began
	Finished time.Time        `json:"finished,omitzero"`
	Gates    map[string]Tally `json:"gates,omitempty"`
	Approval *Approval        `json:"approval,omitempty"`
}

// Tally sums up what one gate said during one step.
type Tally struct {
	Last   gates.Standing  `json:"last"`
	Worst  *gates.Standing `json:"worst,omitempty"` // the first failure, or the last missing data
	Looks  int             `json:"looks"`
	Fails  int             `json:"fails"` // looks that failed, whether that undid the rollout or not
	NoData int             `json:"noData,omitempty"`
}

// Copy is the rollout as it stands, for who keeps it while it goes on. The plan and the baseline never change.
func (r *Rollout) Copy() Rollout {
	kept := *r
	kept.Steps = slices.Clone(r.Steps)
	kept.Drift, kept.Left = slices.Clone(r.Drift), slices.Clone(r.Left)
	for i := range kept.Steps {
		kept.Steps[i].Gates = maps.Clone(kept.Steps[i].Gates)
	}
	return kept
}

// Current is the state of the step that was started last.
func (r *Rollout) Current() *StepState { return &r.Steps[r.Step] }

// Weight is the share of requests that meets the new version, as far as it was saved.
func (r *Rollout) Weight() plan.Share {
	if r.Phase == RolledBack || len(r.Plan.Steps) == 0 {
		return 0
	}
	switch {
	case !r.Steps[r.Step].InForce.IsZero():
		return r.Plan.Steps[r.Step].Weight
	case r.Step == 0:
		return 0
	}
	return r.Plan.Steps[r.Step-1].Weight
}
