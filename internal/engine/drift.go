package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
)

// Drift is one thing that is not as the rollout left it.
type Drift struct {
	Text   string // the object, what it should be and what it is, and who changed it
	Remedy string
	// Judged: gates would judge something else than the plan says.
	Judged bool
	// Split: the split may be put back by the op that set it.
	Split bool
}

// Drifted is drift that was seen.
type Drifted struct {
	Text   string    `json:"text"`
	Remedy string    `json:"remedy,omitempty"`
	Since  time.Time `json:"since"`
}

const (
	// driftEvery is the time between two looks for drift.
	driftEvery = time.Second
	// driftAtLeast is how long drift may stand before the rollout goes back, whatever the periods of the gates.
	driftAtLeast = 10 * time.Second
)

// watch is what a step knows of drift.
type watch struct {
	looked     time.Time
	since      time.Time  // when drift that is judged began to stand; zero while there is none
	corrected  time.Time  // when the split was put back last
	correcting chan error // the result of putting it back; nil while that does not run
}

// stands tells whether gates judge something else than the plan says: the step must not end now.
func (w *watch) stands() bool { return !w.since.IsZero() || w.correcting != nil }

// watchesDrift tells whether the step is to look for drift: its ops are in force and no other is on its way.
func (s *stepRun) watchesDrift() bool {
	return s.Drift != nil && s.applied == nil && s.ahead == nil && s.drift.correcting == nil && !s.holdEnd.IsZero()
}

// lookForDrift tells what is new, and what is over. While gates judge something else than the plan says the hold stands
// still; after too long the rollout goes back.
func (s *stepRun) lookForDrift(ctx, work context.Context) error {
	now := s.Clock.Now()
	if !s.watchesDrift() {
		return nil
	}
	s.drift.looked = now
	found := s.Drift(s.doneOps())
	if s.note(ctx, found, now) {
		if err := s.Store.Save(ctx, s.rec); err != nil {
			return fmt.Errorf("save that something was changed by somebody else: %w", err)
		}
	}
	var judged []Drift
	for _, d := range found {
		if d.Judged && len(s.step.Gates) > 0 {
			judged = append(judged, d)
		}
	}
	switch {
	case len(judged) == 0 && s.drift.since.IsZero():
		return nil
	case len(judged) == 0:
		s.holdEnd = s.holdEnd.Add(now.Sub(s.drift.since)) // what was seen meanwhile says nothing
		s.drift.since = time.Time{}
		s.panel.inForce(now)
		return nil
	case s.drift.since.IsZero():
		s.drift.since = now
	}
	if s.correct(work, judged, now) {
		return nil
	}
	if stood := now.Sub(s.drift.since); stood >= s.patience() {
		d := judged[0]
		return &undo{cause: CauseFailure, reason: fmt.Sprintf("%s, and it stayed so for %s. %s", d.Text, stood.Round(time.Second), d.Remedy)}
	}
	return nil
}

// note brings the record up to date with what was found, and tells of each change once.
func (s *stepRun) note(ctx context.Context, found []Drift, now time.Time) (changed bool) {
	for _, old := range slices.Clone(s.ro.Drift) {
		if !slices.ContainsFunc(found, func(d Drift) bool { return d.Text == old.Text }) {
			s.ro.Drift = slices.DeleteFunc(slices.Clone(s.ro.Drift), func(d Drifted) bool { return d.Text == old.Text })
			s.tell(ctx, Event{Kind: EventDrift, Message: "no longer so: " + old.Text})
			changed = true
		}
	}
	for _, d := range found {
		if slices.ContainsFunc(s.ro.Drift, func(old Drifted) bool { return old.Text == d.Text }) {
			continue
		}
		s.ro.Drift = append(s.ro.Drift, Drifted{Text: d.Text, Remedy: d.Remedy, Since: now})
		message := d.Text
		if d.Remedy != "" {
			message += ". " + d.Remedy
		}
		s.tell(ctx, Event{Kind: EventDrift, Message: message})
		changed = true
	}
	return changed
}

// correct puts the split back where that is asked for, at most once in its period, when nothing else stands in the way.
func (s *stepRun) correct(work context.Context, judged []Drift, now time.Time) bool {
	other := slices.ContainsFunc(judged, func(d Drift) bool { return !d.Split })
	if s.Correct <= 0 || other || now.Sub(s.drift.corrected) < s.Correct {
		return s.Correct > 0 && !other
	}
	ops := s.doneOps()
	for _, op := range slices.Backward(ops) {
		if op.Kind == plan.SetSplit {
			s.drift.corrected, s.drift.correcting = now, make(chan error, 1)
			s.tell(work, Event{Kind: EventDrift, Message: "putting the split back (spec.traffic.drift: correct): " + op.String()})
			s.start(work, []plan.Op{op}, s.drift.correcting)
			return true
		}
	}
	return false
}

// doneOps are the ops that are in force, the last of them last.
func (s *stepRun) doneOps() []plan.Op {
	var ops []plan.Op
	for _, step := range s.ro.Plan.Steps[:s.ro.Step+1] {
		ops = append(ops, step.Do...)
	}
	return ops
}

// patience is how long drift may stand: two looks of every gate, and long enough for a tool that is at it to finish.
func (s *stepRun) patience() time.Duration {
	longest := driftAtLeast
	for _, seat := range s.panel.seats {
		longest = max(longest, 2*seat.Rule.Every)
	}
	return longest
}
