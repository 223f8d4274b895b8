package timeline

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/words"
)

const (
	// Limit is how many points a row keeps at most.
	Limit = 400
	// mostMarks and mostGates bound what a plan of any length could bring.
	mostMarks = 200
	mostGates = 50
)

// Timeline is a listener that collects Data. The zero Timeline is ready. It is safe for concurrent use. It shows one
// rollout: an event of another one begins it anew.
type Timeline struct {
	mu         sync.Mutex
	id         string // of the rollout
	start, end time.Time
	sticky     bool
	shares     *thinned[Share]
	gates      map[string]*thinned[Look]
	order      []string // of gates
	marks      []Mark
}

var _ engine.Listener = (*Timeline)(nil)

// Handle implements engine.Listener.
func (t *Timeline) Handle(_ context.Context, e engine.Event) {
	if len(e.Rollout.Plan.Steps) == 0 { // of before a rollout, or from outside the engine
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	ro := report.Sound(e.Rollout)
	if t.shares == nil || t.id != ro.ID {
		t.begin(ro, e.At)
	}
	if e.At.After(t.end) {
		t.end = e.At
	}
	switch e.Kind {
	case engine.EventVerdict:
		if e.Look != nil {
			t.see(e.Gate, *e.Look)
		}
	case engine.EventInForce:
		t.mark(e.At, InForce, e.Step)
	case engine.EventUndoing:
		t.mark(e.At, Undoing, ro.Reason)
	}
	t.share(e.At, report.Share(ro))
	switch e.Kind {
	case engine.EventUndoOp, engine.EventRolledBack:
		t.restored(ro, e.At)
	}
	switch e.Kind {
	case engine.EventSucceeded, engine.EventRolledBack, engine.EventUndoFailed, engine.EventStopped:
		t.mark(e.At, Ended, string(e.Kind))
	}
}

// begin starts with what the record knows of the time before: a rollout may be one that another run began.
func (t *Timeline) begin(ro engine.Rollout, now time.Time) {
	t.id, t.start, t.end, t.marks, t.sticky = ro.ID, now, now, nil, ro.Plan.Sticky()
	t.gates, t.order = map[string]*thinned[Look]{}, slices.Clone(ro.Plan.Gates[:min(len(ro.Plan.Gates), mostGates)])
	t.shares = newThinned(Limit, func(_, b Share) Share { return b }) // a share holds until the next
	if !ro.Started.IsZero() && ro.Started.Before(now) {
		t.start = ro.Started
	}
	t.shares.add(Share{t.start, 0})
	for _, s := range report.Steps(ro) {
		if s.State.InForce.IsZero() || !s.State.InForce.Before(now) {
			continue
		}
		t.mark(s.State.InForce, InForce, s.ID)
		t.share(s.State.InForce, s.Weight)
		for _, name := range s.Gates {
			if tally := s.State.Gates[name]; tally.Looks > 0 {
				if tally.Worst != nil && tally.Worst.At.Before(tally.Last.At) {
					t.see(name, *tally.Worst)
				}
				t.see(name, tally.Last)
			}
		}
	}
}

// share notes a change.
func (t *Timeline) share(at time.Time, s plan.Share) {
	if t.shares.last.Share != s {
		t.shares.add(Share{at, s})
	}
}

// restored notes the first moment at which nobody meets the new version any more, if somebody did.
func (t *Timeline) restored(ro engine.Rollout, at time.Time) {
	known := slices.ContainsFunc(t.marks, func(m Mark) bool { return m.Kind == Restored })
	if !known && report.Share(ro) == 0 && report.Peak(ro) > 0 {
		t.mark(at, Restored, "")
	}
}

// mark notes a moment. What is not a step's is noted even when there is no room for steps any more; that happens a few
// times in a rollout at most, but for runs that stop and resume again and again.
func (t *Timeline) mark(at time.Time, kind Kind, text string) {
	if len(t.marks) >= mostMarks {
		if kind == InForce {
			return
		}
		t.marks = slices.Delete(t.marks, mostMarks-1, mostMarks)
	}
	t.marks = append(t.marks, Mark{At: at, Kind: kind, Text: words.Cut(words.Line(text), 200)})
}

// see notes a look, once: what the record told may come again.
func (t *Timeline) see(gate string, look gates.Standing) {
	row := t.gates[gate]
	if row == nil {
		if len(t.gates) >= mostGates {
			return
		}
		row = newThinned(Limit, worse)
		t.gates[gate] = row
		if !slices.Contains(t.order, gate) {
			t.order = append(t.order, gate)
		}
	}
	if len(row.kept) > 0 && !look.At.After(row.last.At) {
		return
	}
	outcome := look.Looked
	if outcome == "" { // the record does not keep it
		outcome = look.Outcome
	}
	row.add(Look{At: look.At, Value: look.Evidence.Value, Outcome: outcome, NoData: look.NoData})
}

// Data is what was collected so far. The caller may keep it.
func (t *Timeline) Data() Data {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shares == nil {
		return Data{}
	}
	d := Data{Start: t.start, End: t.end, Sticky: t.sticky, Marks: slices.Clone(t.marks),
		Shares: t.shares.points(func(a, b Share) bool { return a == b })}
	for _, name := range t.order {
		if row := t.gates[name]; row != nil {
			d.Gates = append(d.Gates, Series{Gate: name, Looks: row.points(func(a, b Look) bool { return a.At.Equal(b.At) })})
		}
	}
	return d
}

// Of is the timeline of a rollout of which only the record is known: without the looks in between.
func Of(ro engine.Rollout, now time.Time) Data {
	var t Timeline
	if len(ro.Plan.Steps) == 0 {
		return Data{}
	}
	ro = report.Sound(ro)
	if !ro.Ended.IsZero() {
		now = ro.Ended
	}
	t.begin(ro, now)
	t.share(now, report.Share(ro))
	if !ro.Phase.InFlight() {
		t.mark(now, Ended, string(ro.Phase))
	}
	return t.Data()
}
