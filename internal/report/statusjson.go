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
	HoldEnds   time.Time   `json:"holdEnds,omitzero"`
	Started    time.Time   `json:"started"`
	Ended      time.Time   `json:"ended,omitzero"`
	Deadline   time.Time   `json:"deadline,omitzero"`
	Cause      string      `json:"cause,omitempty"` // gate, failure, abort, superseded or deadline
	Reason     string      `json:"reason,omitempty"`
	By         string      `json:"by,omitempty"`
	// Outage is for how many seconds no pod was ready, in a rollout in place.
	Outage float64      `json:"outageSeconds,omitempty"`
	Steps  []StatusStep `json:"steps"`
	Gates  []StatusGate `json:"gates"`
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
	ID         string            `json:"id"`
	Images     map[string]string `json:"images"`
	Phase      string            `json:"phase"`
	Reason     string            `json:"reason,omitempty"`
	Started    time.Time         `json:"started"`
	Ended      time.Time         `json:"ended"`
	Holder     string            `json:"holder"`
	PlanDigest string            `json:"planDigest"`
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
	if v.Record != nil {
		for _, p := range v.Record.History {
			d.History = append(d.History, StatusHistory{ID: p.ID, Images: p.Images, Phase: string(p.Phase), Reason: p.Reason,
				Started: p.Started, Ended: p.Ended, Holder: p.Holder, PlanDigest: p.PlanDigest})
		}
	}
	return writeJSON(w, d)
}

func (v StatusView) document(ro engine.Rollout) *StatusRollout {
	r := &StatusRollout{
		ID: ro.ID, Strategy: ro.Plan.Strategy, PlanDigest: ro.PlanDigest, From: ro.Plan.Target.From, To: ro.Plan.Target.Images,
		StepIndex: ro.Step, Split: Share(ro), RouteSplit: v.Facts.Split, Started: ro.Started, Ended: ro.Ended, Deadline: ro.Deadline,
		Cause: string(ro.Cause), Reason: strings.TrimSpace(ro.Reason), By: ro.By, Outage: time.Duration(ro.Outage).Seconds(), Steps: []StatusStep{}, Gates: []StatusGate{},
	}
	for i, s := range Steps(ro) {
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
