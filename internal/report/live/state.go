package live

import (
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
)

const (
	keptLines  = 50
	keptValues = 60
)

// State is what a frame shows. It is built from events by Apply, or from a record. The zero State is empty. It is not safe
// for concurrent use; see Screen.
type State struct {
	// Rollout is the last one that an event told of.
	Rollout engine.Rollout
	// Pods are shown as they are; the caller sets them.
	Pods []report.Pods
	// Stopped is why the run that is watched ended before the rollout did; empty otherwise.
	Stopped string

	narrator report.Narrator
	lines    []report.Line
	values   map[string][]point
}

// point is one look of a gate in its sparkline.
type point struct {
	at      time.Time
	value   *float64
	outcome gates.Outcome
}

// FromRecord is the state of a stored rollout: without lines, and with one value a gate and step.
func FromRecord(rec *engine.Record) State {
	var s State
	if rec != nil && rec.Rollout != nil {
		s.Follow(*rec.Rollout)
	}
	return s
}

// Follow takes a newer state of the same rollout in, as a status that is read again and again does. The values of looks
// that were seen are kept.
func (s *State) Follow(ro engine.Rollout) {
	if s.Rollout.ID != ro.ID {
		s.values = nil
	}
	s.Rollout = report.Sound(ro)
	for _, step := range ro.Steps {
		for name, tally := range step.Gates {
			if tally.Looks > 0 {
				s.see(name, tally.Last)
			}
		}
	}
}

// Apply takes one event in.
func (s *State) Apply(e engine.Event) {
	if len(e.Rollout.Plan.Steps) > 0 { // an event from outside the engine may know no rollout
		s.Rollout = report.Sound(e.Rollout)
	} else {
		e.Rollout = s.Rollout
	}
	switch e.Kind {
	case engine.EventVerdict:
		if e.Look != nil {
			s.see(e.Gate, *e.Look)
		}
	case engine.EventStopped:
		s.Stopped = e.Message
	case engine.EventStarted, engine.EventResumed:
		s.Stopped = ""
	}
	if line, ok := s.narrator.Tell(e); ok {
		s.lines = append(s.lines, line)
		s.lines = append([]report.Line(nil), s.lines[max(0, len(s.lines)-keptLines):]...)
	}
}

// see keeps a look's value, once.
func (s *State) see(gate string, look gates.Standing) {
	points := s.values[gate]
	for _, p := range points {
		if !p.at.Before(look.At) {
			return
		}
	}
	if s.values == nil {
		s.values = map[string][]point{}
	}
	points = append(points, point{at: look.At, value: look.Evidence.Value, outcome: look.Outcome})
	s.values[gate] = append([]point(nil), points[max(0, len(points)-keptValues):]...)
}
