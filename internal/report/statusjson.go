package report

import (
	"io"
	"strings"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
)

// StatusDocument is the JSON form of a status. Its field names are stable: new ones may come, none changes or goes.
type StatusDocument struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Workload  string `json:"workload"`
	// Phase is none, running, undoing, succeeded, rolled-back or undo-failed.
	Phase   string          `json:"phase"`
	Rollout *StatusRollout  `json:"rollout,omitempty"` // in flight, or the last one
	Holder  *StatusHolder   `json:"holder,omitempty"`
	Pods    []Pods          `json:"pods"`
	History []StatusHistory `json:"history"`
	// Attention lists what needs a person's eye; Next what can be done.
	Attention []string     `json:"attention"`
	Next      []Suggestion `json:"next"`
}

// StatusRollout is a rollout in a StatusDocument.
type StatusRollout struct {
	ID         string            `json:"id"`
	Strategy   string            `json:"strategy"`
	PlanDigest string            `json:"planDigest"`
	From       map[string]string `json:"from,omitempty"` // images by container
	To         map[string]string `json:"to"`
	Step       string            `json:"step"`
	StepIndex  int               `json:"stepIndex"` // from 0
	// Split is the share that meets the new version by the record, such as "25%"; RouteSplit what the route sends to the
	// candidate now, and is left out when that is not known.
	Split      plan.Share  `json:"split"`
	RouteSplit *plan.Share `json:"routeSplit,omitempty"`
	// Sticky says that Split is a share of users, each of whom stays with one version, not of requests.
	Sticky bool `json:"sticky,omitempty"`
	// Ring is what requests have that meet the new version whatever the split says, such as "X-Staff: 1".
	Ring string `json:"ring,omitempty"`
	// Copies is the share that is copied to the new version, in a shadow.
	Copies   plan.Share `json:"copies,omitempty"`
	HoldEnds time.Time  `json:"holdEnds,omitzero"`
	Detached bool       `json:"detached,omitempty"` // no run has to stay for this hold
	// Drift is what somebody else changed in the cluster and what is so still; Left what the way back left as they have it.
	Drift    []engine.Drifted `json:"drift,omitempty"`
	Left     []string         `json:"left,omitempty"`
	Started  time.Time        `json:"started"`
	Ended    time.Time        `json:"ended,omitzero"`
	Deadline time.Time        `json:"deadline,omitzero"`
	Cause    string           `json:"cause,omitempty"` // gate, failure, abort, superseded, deadline or approval
	Reason   string           `json:"reason,omitempty"`
	By       string           `json:"by,omitempty"`
	// Waiting says that it waits for a person: the last of Approvals has no answer.
	Waiting   bool             `json:"waiting,omitempty"`
	Approvals []StatusApproval `json:"approvals,omitempty"` // that were asked for, in order
	Full      *StatusAnswer    `json:"full,omitempty"`      // who asked to skip the holds and approvals that are left
	// Outage is for how many seconds no pod was ready, in a rollout in place.
	Outage float64      `json:"outageSeconds,omitempty"`
	Steps  []StatusStep `json:"steps"`
	Gates  []StatusGate `json:"gates"`
}

// StatusApproval is an approval that the rollout waits for, or waited for.
type StatusApproval struct {
	Step      string        `json:"step"`
	Message   string        `json:"message"`
	Since     time.Time     `json:"since"`
	Until     time.Time     `json:"until"`
	OnTimeout string        `json:"onTimeout"` // undo or promote
	Answer    *StatusAnswer `json:"answer,omitempty"`
}

// StatusAnswer is who let a rollout go on.
type StatusAnswer struct {
	By     string    `json:"by"`
	Run    string    `json:"run,omitempty"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// StatusStep is a step in a StatusDocument.
type StatusStep struct {
	ID       string        `json:"id"`
	Title    string        `json:"title"`
	Mark     Mark          `json:"mark"` // done, current, coming, turning or undone
	Weight   plan.Share    `json:"weight"`
	Hold     plan.Duration `json:"hold,omitempty"`
	Started  time.Time     `json:"started,omitzero"`
	InForce  time.Time     `json:"inForce,omitzero"`
	Finished time.Time     `json:"finished,omitzero"`
}

// StatusGate is what a gate said in the last step in which it was asked.
type StatusGate struct {
	Name   string          `json:"name"`
	Step   string          `json:"step"`
	Looks  int             `json:"looks"`
	Fails  int             `json:"fails"`
	NoData int             `json:"noData"`
	Last   *gates.Standing `json:"last,omitempty"`
	Worst  *gates.Standing `json:"worst,omitempty"` // the first failure, or the last missing data
}

// StatusHolder is who carries the rollout.
type StatusHolder struct {
	Name  string    `json:"name"`
	Alive *bool     `json:"alive,omitempty"` // left out when the lock could not be read
	Since time.Time `json:"since,omitzero"`
}

// StatusHistory is an ended rollout.
type StatusHistory struct {
	Revision   int               `json:"revision"` // for rollback --to
	ID         string            `json:"id"`
	Images     map[string]string `json:"images"`
	Phase      string            `json:"phase"`
	Reason     string            `json:"reason,omitempty"`
	Started    time.Time         `json:"started"`
	Ended      time.Time         `json:"ended"`
	Holder     string            `json:"holder"`
	PlanDigest string            `json:"planDigest"`
	Restores   string            `json:"restores,omitempty"` // ID of what a rollback brought back
	Shadow     bool              `json:"shadow,omitempty"`   // it got copies of requests, and served nobody
	// Before is what ran before, where no rollout of the history brought it.
	Before *StatusBefore `json:"before,omitempty"`
}

// StatusBefore is a version that no rollout of the history brought.
type StatusBefore struct {
	Revision int               `json:"revision"`
	ID       string            `json:"id"`
	Images   map[string]string `json:"images"`
}

// StatusJSON writes a status as a StatusDocument.
func StatusJSON(w io.Writer, v StatusView) error {
	d := StatusDocument{
		Name: v.Name, Namespace: v.Namespace, Workload: v.Workload, Phase: "none",
		Pods: append([]Pods{}, v.Facts.Pods...), History: []StatusHistory{}, Attention: append([]string{}, v.warnings()...),
		Next: append([]Suggestion{}, v.next()...),
	}
	if ro := v.rollout(); ro != nil {
		d.Phase, d.Rollout = string(ro.Phase), v.document(*ro)
		d.Holder = &StatusHolder{Name: ro.Holder, Alive: v.Facts.Alive, Since: v.Facts.Since}
		if v.alive() && v.Facts.Holder != "" {
			d.Holder.Name = v.Facts.Holder
		}
	}
	d.History = v.historyDocument()
	return writeJSON(w, d)
}

func (v StatusView) historyDocument() []StatusHistory {
	all := []StatusHistory{}
	if v.Record == nil {
		return all
	}
	revisions := v.Record.Revisions()
	for _, p := range v.Record.History {
		h := StatusHistory{Revision: revisions[0].Number, ID: p.ID, Images: p.Images, Phase: string(p.Phase), Reason: p.Reason,
			Started: p.Started, Ended: p.Ended, Holder: p.Holder, PlanDigest: p.PlanDigest, Restores: p.Restores, Shadow: p.Shadow}
		revisions = revisions[1:]
		if p.Before != nil {
			h.Before = &StatusBefore{Revision: revisions[0].Number, ID: revisions[0].ID, Images: revisions[0].Images}
			revisions = revisions[1:]
		}
		all = append(all, h)
	}
	return all
}

// answerDocument is nil for nil.
func answerDocument(a *engine.Answer) *StatusAnswer {
	if a == nil {
		return nil
	}
	return &StatusAnswer{By: a.By, Run: a.Run, Reason: a.Reason, At: a.At}
}

// approvalDocument is one approval that was asked for.
func approvalDocument(s Step) StatusApproval {
	a := StatusApproval{Step: s.ID, Message: s.Approve.Message, Since: s.State.Approval.Since, Until: s.State.Approval.Until,
		OnTimeout: "undo", Answer: answerDocument(s.State.Approval.Answer)}
	if s.Approve.Promotes {
		a.OnTimeout = "promote"
	}
	return a
}

func (v StatusView) document(ro engine.Rollout) *StatusRollout {
	r := &StatusRollout{
		ID: ro.ID, Strategy: ro.Plan.Strategy, PlanDigest: ro.PlanDigest, From: ro.Plan.Target.From, To: ro.Plan.Target.Images,
		StepIndex: ro.Step, Split: Share(ro), RouteSplit: v.Facts.Split, Sticky: ro.Plan.Sticky(), Ring: Ring(ro), Copies: Copies(ro), Drift: ro.Drift, Left: ro.Left, Started: ro.Started, Ended: ro.Ended, Deadline: ro.Deadline,
		Cause: string(ro.Cause), Reason: strings.TrimSpace(ro.Reason), By: ro.By, Outage: time.Duration(ro.Outage).Seconds(), Steps: []StatusStep{}, Gates: []StatusGate{},
	}
	_, _, r.Waiting = ro.Waiting()
	_, _, r.Detached = ro.Holding()
	r.Full = answerDocument(ro.Full)
	for i, s := range Steps(ro) {
		if s.Approve != nil && s.State.Approval != nil {
			r.Approvals = append(r.Approvals, approvalDocument(s))
		}
		if i == ro.Step {
			r.Step = s.ID
			if s.Hold > 0 && !s.State.InForce.IsZero() && ro.Phase == engine.Running {
				r.HoldEnds = s.State.InForce.Add(time.Duration(s.Hold))
			}
		}
		r.Steps = append(r.Steps, StatusStep{ID: s.ID, Title: s.Title, Mark: s.Mark, Weight: s.Weight, Hold: s.Hold,
			Started: s.State.Started, InForce: s.State.InForce, Finished: s.State.Finished})
	}
	for _, g := range Gates(ro) {
		gate := StatusGate{Name: g.Name, Step: g.Step, Looks: g.Looks, Fails: g.Fails, NoData: g.NoData, Worst: g.Worst}
		if g.Looks > 0 {
			gate.Last = &g.Last
		}
		r.Gates = append(r.Gates, gate)
	}
	return r
}
