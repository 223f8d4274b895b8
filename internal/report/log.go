package report

import (
	"context"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report/words"
)

// Log writes one plain line per event: the time, the step, the share of requests that meets the new version, and what
// happened. It ends with what came of the rollout and what to do next. It is safe for concurrent use. What cannot be
// written is lost: a log never stops a rollout.
type Log struct {
	w      io.Writer
	groups bool
	zone   *time.Location

	mu       sync.Mutex
	narrator Narrator
	open     bool      // a group is open
	column   int       // width of the step column
	back     time.Time // when the way back had brought the requests to the base
	ended    bool
}

var _ engine.Listener = (*Log)(nil)

// LogOptions change how a Log writes.
type LogOptions struct {
	// Groups folds each step, as the log of GitHub Actions can (::group::).
	Groups bool
	// Zone is the zone of the times; nil is UTC.
	Zone *time.Location
	// NoEnding leaves the closing words to the caller: one call may carry two rollouts, undoing the first.
	NoEnding bool
}

// NewLog returns a log that writes to w.
func NewLog(w io.Writer, o LogOptions) *Log {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	return &Log{w: w, groups: o.Groups, zone: o.Zone, ended: o.NoEnding}
}

// Handle implements engine.Listener.
func (l *Log) Handle(_ context.Context, e engine.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, s := range e.Rollout.Plan.Steps {
		l.column = max(l.column, min(words.Width(s.ID), widestStep))
	}
	line, ok := l.narrator.Tell(e)
	if closesGroup(e.Kind) {
		l.endGroup(&b)
	}
	if ok && e.Kind == engine.EventStepStarted && l.groups {
		l.open = true
		b.WriteString("::group::" + escapeData(l.format(line)))
	} else if ok {
		b.WriteString(l.format(line))
	}
	l.remember(e)
	if result, end := resultOfEvent(e); end && !l.ended {
		l.ended = true
		b.WriteString("\n" + endingText(End{Result: result, Rollout: &e.Rollout, Reason: stopReason(e), At: e.At, Restored: l.back, Zone: l.zone}))
	}
	_, _ = io.WriteString(l.w, b.String())
}

// remember notes when the users were safe again.
func (l *Log) remember(e engine.Event) {
	if e.Kind == engine.EventUndoOp && l.back.IsZero() && Share(e.Rollout) == 0 {
		l.back = e.At
	}
}

// closesGroup tells whether what this event says must be seen without unfolding a step.
func closesGroup(k engine.EventKind) bool {
	switch k {
	case engine.EventStepStarted, engine.EventInForce, engine.EventVerdict, engine.EventInfo:
		return false
	}
	return true
}

func (l *Log) endGroup(b *strings.Builder) {
	if l.open {
		b.WriteString("::endgroup::\n")
		l.open = false
	}
}

// widestStep is where the step column stops growing.
const widestStep = 18

// format is a line with its columns. Further lines of the text stand under the first, behind a bar: no line of foreign
// text stands at the beginning of a line of the log.
func (l *Log) format(line Line) string {
	head := line.At.In(l.zone).Format(time.TimeOnly) + "  "
	if line.Step != "" {
		share := words.PadLeft(line.Share.String(), len("100%"))
		head += words.Pad(words.Cut(line.Step, widestStep), l.column) + "  " + share + "  "
	}
	first, rest, more := strings.Cut(line.Text, "\n")
	text := head + first + "\n"
	if !more {
		return text
	}
	indent := strings.Repeat(" ", words.Width(head))
	for _, next := range strings.Split(rest, "\n") {
		text += strings.TrimRight(indent+"│ "+next, " ") + "\n"
	}
	return text
}

// escapeData writes the text of a workflow command: only its first line belongs to the command.
func escapeData(text string) string {
	first, rest, _ := strings.Cut(text, "\n")
	return strings.ReplaceAll(first, "%", "%25") + "\n" + rest
}

// resultOfEvent is the result that an event ends the run with.
func resultOfEvent(e engine.Event) (Result, bool) {
	switch e.Kind {
	case engine.EventSucceeded, engine.EventRolledBack, engine.EventUndoFailed:
		return ResultOf(engine.Outcome{Phase: e.Rollout.Phase, Cause: e.Rollout.Cause}, nil), true
	case engine.EventStopped:
		return ResultOf(engine.Outcome{}, e.Err), true
	}
	return "", false
}

func stopReason(e engine.Event) string {
	if e.Kind == engine.EventStopped {
		return e.Message
	}
	return ""
}
