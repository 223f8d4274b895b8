package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report/words"
)

// StatusView is all that a status is told from: the record, and what the cluster says now.
type StatusView struct {
	Name      string // of the deploy spec
	Namespace string
	Workload  string         // kind/name
	Record    *engine.Record // nil when there is none
	Facts     Facts
	Now       time.Time
	Zone      *time.Location // of the times in the text; nil is UTC
}

// Facts are what was read from the cluster for a status. What is not known stays nil or empty.
type Facts struct {
	// Alive tells whether somebody holds the lock now.
	Alive *bool
	// Holder is who does, and since when.
	Holder string
	Since  time.Time
	// Split is the candidate's share as the route has it.
	Split *plan.Share
	// Pods are the pods of each side, in the order in which they are told.
	Pods []Pods
	// Problems say what could not be read, and what was found that should not be there.
	Problems []string
}

// Pods counts one side's pods.
type Pods struct {
	Side  plan.Side `json:"side"`
	Ready int       `json:"ready"`
	Want  int       `json:"want"`
}

// String is "candidate 1/2 ready".
func (p Pods) String() string { return fmt.Sprintf("%s %d/%d ready", p.Side, p.Ready, p.Want) }

// Status writes where the rollout of a workload stands: for a person who was woken by it.
func Status(w io.Writer, v StatusView) error {
	if v.Zone == nil {
		v.Zone = time.UTC
	}
	var b strings.Builder
	ro := v.rollout()
	if ro == nil {
		b.WriteString(v.empty())
	} else {
		t := ro.Plan.Target
		b.WriteString(words.Line(fmt.Sprintf("%s: %s (%s of %s in %s)", v.Name, words.Images(t.From, t.Images), ro.Plan.Strategy, t.Workload, t.Namespace)) + "\n\n")
		b.WriteString(v.standing(*ro).text("  "))
		b.WriteString(section("Steps", stepsTable(*ro, v.Now)))
		b.WriteString(section("Gates", gatesTable(*ro, v.Now)))
	}
	if v.Record != nil {
		b.WriteString(section("History", v.history()))
	}
	if next := v.next(); len(next) > 0 {
		var n notes
		for _, s := range next {
			n.add(s.Command, s.Effect)
		}
		b.WriteString("\nNext\n" + n.text("  "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (v StatusView) rollout() *engine.Rollout {
	if v.Record == nil || v.Record.Rollout == nil || len(v.Record.Rollout.Plan.Steps) == 0 {
		return nil
	}
	ro := Sound(*v.Record.Rollout)
	return &ro
}

func (v StatusView) empty() string {
	text := fmt.Sprintf("%s: no rollout yet (%s in %s)\n", words.Line(v.Name), words.Line(v.Workload), words.Line(v.Namespace))
	var n notes
	n.add("pods", podsList(v.Facts.Pods))
	v.attention(&n)
	return text + n.text("  ")
}

// standing is the head of a status: what holds now.
func (v StatusView) standing(ro engine.Rollout) *notes {
	n := &notes{}
	n.add("phase", v.phaseText(ro))
	n.add("approval", v.approvals(ro))
	if ro.Phase != engine.Succeeded {
		n.add("reason", ro.Reason)
	}
	v.attention(n)
	if ro.Phase == engine.UndoFailed {
		n.add("way back", lines(whereItStands(ro)))
	}
	n.add(ro.Plan.Of(), v.splitText(ro))
	n.add("drift", driftText(ro))
	n.add("pods", podsList(v.Facts.Pods))
	n.add("holder", v.holder(ro))
	n.add("time", v.times(ro))
	n.add("rollout", fmt.Sprintf("%s, plan %s, epoch %d", ro.ID, ro.PlanDigest, v.Record.Epoch))
	return n
}

func (v StatusView) attention(n *notes) {
	for _, text := range v.warnings() {
		n.add("ATTENTION", text)
	}
}

// phaseText is the phase with the step and what is left of its hold.
func (v StatusView) phaseText(ro engine.Rollout) string {
	step := Steps(ro)[ro.Step]
	at := fmt.Sprintf("step %d of %d (%s)", ro.Step+1, len(ro.Plan.Steps), step.ID)
	switch ro.Phase {
	case engine.Running:
		if _, _, waits := ro.Waiting(); waits {
			return "waits for an approval, " + at + ": " + step.Approve.Message
		}
		if text, holds := v.holdText(ro); holds {
			return text
		}
		text := "running, " + at + ": " + step.Title
		switch left, holds := step.HoldLeft(v.Now); {
		case holds && left > 0:
			text += fmt.Sprintf("; in force, %s of its hold left", words.Duration(left))
		case holds:
			text += "; its hold is over, a gate has not passed yet"
		case step.State.InForce.IsZero():
			text += "; not in force yet"
		}
		return text
	case engine.Undoing:
		return fmt.Sprintf("going back from %s, %d of %d done", at, ro.Undone, len(wayBack(ro)))
	case engine.UndoFailed:
		return "A PERSON IS NEEDED: the way back from " + at + " failed"
	case engine.RolledBack:
		return "rolled back from " + at
	case engine.Succeeded:
		if ro.Plan.Shadow() {
			return "succeeded: " + Shadowed(ro)
		}
		return "succeeded"
	}
	return string(ro.Phase) + ", " + at
}

// splitText is how the requests, or the users, are divided, by the record and by the route. After the end of a rollout the route says
// nothing about versions: everything goes to the base.
func (v StatusView) splitText(ro engine.Rollout) string {
	old, now := Versions(ro.Plan.Target)
	share := Share(ro)
	text := fmt.Sprintf("%s to %s, %s to %s", plan.All-share, old, share, now)
	if ring := Ring(ro); ring != "" {
		those := "those"
		if ro.Plan.Sticky() {
			those = "requests"
		}
		text += fmt.Sprintf(", and %s with %s to %s", those, ring, now)
	}
	if share := Copies(ro); share > 0 {
		text += fmt.Sprintf(", copies of %s to %s", share, now)
	}
	if v.Facts.Split != nil && ro.Phase.InFlight() {
		if v.disagrees(ro) {
			return text + fmt.Sprintf(" by the record; %s sends %s to the candidate", divider(ro), *v.Facts.Split)
		}
		text += "; " + divider(ro) + " agrees"
	}
	return text
}

// divider is what sends the requests to one side or the other.
func divider(ro engine.Rollout) string {
	if ro.Plan.Objects.Traffic.BySelector() {
		return "the Service"
	}
	return "the route"
}

// disagrees tells whether the route divides the requests in another way than the last step that is in force wrote. While a
// step is on its way, or on the way back, record and route may differ.
func (v StatusView) disagrees(ro engine.Rollout) bool {
	if v.Facts.Split == nil || ro.Phase != engine.Running || ro.Current().InForce.IsZero() {
		return false
	}
	var written plan.Share
	for _, s := range ro.Plan.Steps[:ro.Step+1] {
		for _, op := range s.Do {
			if op.Kind == plan.SetSplit {
				written = op.Weight
			}
		}
	}
	return *v.Facts.Split != written
}

func podsList(pods []Pods) string {
	var parts []string
	for _, p := range pods {
		parts = append(parts, p.String())
	}
	return strings.Join(parts, ", ")
}

func (v StatusView) holder(ro engine.Rollout) string {
	if v.Facts.Holder != "" && v.alive() {
		text := v.Facts.Holder
		if !v.Facts.Since.IsZero() {
			text += fmt.Sprintf(", since %s (%s)", v.Facts.Since.In(v.Zone).Format(clockTime), words.Ago(v.Facts.Since, v.Now))
		}
		return text
	}
	switch {
	case v.Facts.Alive == nil:
		return ro.Holder + " (the lock could not be read)"
	case ro.Phase.InFlight():
		return "nobody; last " + ro.Holder
	}
	return ro.Holder + " (over)"
}

func (v StatusView) alive() bool { return v.Facts.Alive != nil && *v.Facts.Alive }

func (v StatusView) times(ro engine.Rollout) string {
	text := fmt.Sprintf("started %s (%s)", ro.Started.In(v.Zone).Format(clockTime), words.Ago(ro.Started, v.Now))
	if !ro.Ended.IsZero() {
		return text + fmt.Sprintf(", ended %s after %s", ro.Ended.In(v.Zone).Format(clockTime), words.Duration(ro.Ended.Sub(ro.Started)))
	}
	if _, _, waits := ro.Waiting(); waits {
		return text + ", its deadline stands still while it waits"
	}
	if !ro.Deadline.IsZero() && ro.Phase == engine.Running {
		if left := ro.Deadline.Sub(v.Now); left > 0 {
			return text + fmt.Sprintf(", undone if not over in %s", words.Duration(left))
		}
		return text + ", past its deadline"
	}
	return text
}

// warnings are what needs a person's eye.
func (v StatusView) warnings() []string {
	var all []string
	if ro := v.rollout(); ro != nil {
		if ro.Phase == engine.Running && v.Facts.Alive != nil && !*v.Facts.Alive {
			all = append(all, v.alone(*ro)...)
		}
		if ro.Phase == engine.Undoing && v.Facts.Alive != nil && !*v.Facts.Alive {
			all = append(all, "no run carries the way back on")
		}
		if v.disagrees(*ro) {
			all = append(all, divider(*ro)+" was changed by somebody else: record and "+strings.TrimPrefix(divider(*ro), "the ")+" differ")
		}
		if ro.Phase == engine.UndoFailed {
			all = append(all, "the way back failed: a person is needed")
		}
		for _, g := range Gates(*ro) {
			if g.Last.Paused && ro.Phase == engine.Running {
				all = append(all, "paused: gate "+g.Name+": "+g.Last.Reason)
			}
		}
	}
	return append(all, v.Facts.Problems...)
}

// alone says what it means that no run carries the rollout.
func (v StatusView) alone(ro engine.Rollout) []string {
	_, a, waits := ro.Waiting()
	_, until, holds := ro.Holding()
	switch {
	case holds:
		return v.aloneInHold(until)
	case !waits:
		return []string{"no run carries this rollout on, and no gate watches it"}
	case !v.Now.Before(a.Until):
		return []string{"the approval's time is over; the next run acts on it"}
	case Share(ro) > 0:
		return []string{"no gate watches while it waits"}
	}
	return nil
}

// approvals are the present one, and who gave those before.
func (v StatusView) approvals(ro engine.Rollout) string {
	var all []string
	for _, s := range Steps(ro) {
		a := s.State.Approval
		switch {
		case s.Approve == nil || a == nil:
		case a.Answer != nil:
			all = append(all, fmt.Sprintf("%s: %s, %s: %s", s.ID, s.Approve.Message, words.Ago(a.Answer.At, v.Now), a.Answer))
		case s.Mark == Current:
			all = append(all, fmt.Sprintf("%s: asked %s; %s", s.ID, words.Ago(a.Since, v.Now), deadlineOf(s.Step, *a, v.Now, v.Zone)))
		}
	}
	if ro.Full != nil {
		all = append(all, fmt.Sprintf("everything that was left, %s: %s", words.Ago(ro.Full.At, v.Now), ro.Full))
	}
	return strings.Join(all, "\n")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
