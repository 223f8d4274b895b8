package engine

import (
	"encoding/json"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
)

// Past is a rollout that ended, as the history keeps it.
type Past struct {
	ID      string            `json:"id"`
	Images  map[string]string `json:"images"`
	Phase   Phase             `json:"phase"`
	Reason  string            `json:"reason,omitempty"`
	Started time.Time         `json:"started"`
	Ended   time.Time         `json:"ended"`
	Holder  string            `json:"holder"`
	// Template is the pod template that the rollout brought, whole: a rollback restores what ran.
	Template   plan.Object `json:"template,omitempty"`
	PlanDigest string      `json:"planDigest"`
	// Restores is the revision that a rollback brought back.
	Restores string `json:"restores,omitempty"`
	// Shadow: the images got copies of requests only, and never served anybody.
	Shadow bool `json:"shadow,omitempty"`
	// Before is what ran before the rollout, where that is not what the history has from an earlier one.
	Before *Before `json:"before,omitempty"`
}

// Before is a version that no rollout of the history brought.
type Before struct {
	Images   map[string]string `json:"images"`
	Template plan.Object       `json:"template,omitempty"`
}

// UnmarshalJSON reads a stored rollout, with the whole numbers of its templates as int64.
func (p *Past) UnmarshalJSON(data []byte) error {
	type plain Past
	if err := json.Unmarshal(data, (*plain)(p)); err != nil {
		return err
	}
	plan.Whole(p.Template)
	if p.Before != nil {
		plan.Whole(p.Before.Template)
	}
	return nil
}

// HistoryLimit is how many ended rollouts the record keeps.
const HistoryLimit = 10

// remember moves an ended rollout to the front of the history.
func (r *Record) remember() {
	ro := r.Rollout
	past := Past{
		ID: ro.ID, Images: ro.Plan.Target.Images, Phase: ro.Phase, Reason: ro.Reason, Started: ro.Started,
		Ended: ro.Ended, Holder: ro.Holder, Template: ro.Plan.Objects.Templates[plan.Candidate], PlanDigest: ro.PlanDigest,
		Restores: ro.Plan.Target.Restores, Shadow: ro.Plan.Shadow(),
	}
	if ro.Phase == Succeeded && !past.Shadow {
		past.Before = r.before(ro)
	}
	r.History = append([]Past{past}, r.History...)
	if len(r.History) > HistoryLimit {
		r.History = r.History[:HistoryLimit]
	}
}

// before is what ran before a rollout, unless it is what the last good one of the history brought.
func (r *Record) before(ro *Rollout) *Before {
	template := ro.Plan.Objects.Templates[plan.Base]
	if template == nil {
		return nil
	}
	for _, past := range r.History {
		if past.Phase != Succeeded || past.Shadow {
			continue
		}
		if past.Template != nil && plan.Digest(past.Template) == plan.Digest(template) {
			return nil
		}
		break
	}
	return &Before{Images: ro.Plan.Target.From, Template: template}
}

// HasEnded tells whether the rollout of this ID is one of those that have ended. IDs begin with the time: one that is older
// than all that a full history keeps has ended, too.
func (r *Record) HasEnded(id string) bool {
	if r == nil || r.Rollout != nil && r.Rollout.ID == id && r.Rollout.Phase.InFlight() {
		return false
	}
	for _, p := range r.History {
		if p.ID == id {
			return true
		}
	}
	return len(r.History) >= HistoryLimit && id < r.History[len(r.History)-1].ID
}

// Revision is a version that ran, or that somebody tried, as the history has it.
type Revision struct {
	Number   int    // in the order of the history, from 1, the newest
	ID       string // of the rollout that brought it, or before-ID for what ran before that one
	Images   map[string]string
	Phase    Phase
	Template plan.Object // nil when the record had no room for it
	Restores string      // for a rollback, the ID of the revision that it brought back
	Shadow   bool        // it got copies of requests only
}

// Good tells whether the revision served everyone.
func (r Revision) Good() bool { return r.Phase == Succeeded && !r.Shadow }

// beforePrefix marks the ID of what ran before a rollout.
const beforePrefix = "before-"

// Revisions are the versions that the history knows, the newest first.
func (r *Record) Revisions() []Revision {
	if r == nil {
		return nil
	}
	var all []Revision
	for _, p := range r.History {
		all = append(all, Revision{Number: len(all) + 1, ID: p.ID, Images: p.Images, Phase: p.Phase, Template: p.Template, Restores: p.Restores, Shadow: p.Shadow})
		if p.Before != nil {
			all = append(all, Revision{Number: len(all) + 1, ID: beforePrefix + p.ID, Images: p.Before.Images, Phase: Succeeded, Template: p.Before.Template})
		}
	}
	return all
}
