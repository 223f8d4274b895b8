package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report/words"
)

// Tone says how a line is meant, for colours and marks.
type Tone int

// The tones of a line.
const (
	Plain Tone = iota
	Good
	Doubt
	Bad
)

// Line is one thing said about a rollout. Text is clean; it may have several lines.
type Line struct {
	At    time.Time
	Step  string // empty for what concerns the whole rollout
	Share plan.Share
	Tone  Tone
	Text  string
}

// Narrator turns events into lines. It remembers what the gates said, so that only news is told. It is not safe for
// concurrent use.
type Narrator struct {
	said map[string]saying // by gate
}

// Tell is the line for an event; false when it is not worth one.
func (n *Narrator) Tell(e engine.Event) (Line, bool) {
	e.Rollout = Sound(e.Rollout)
	line := Line{At: e.At, Step: words.Line(e.Step), Share: Share(e.Rollout)}
	switch e.Kind {
	case engine.EventStarted, engine.EventResumed:
		line.Step, line.Text = "", opening(e)
	case engine.EventStepStarted:
		n.said = nil
		line.Text = e.Message
	case engine.EventInForce:
		line.Text = inForce(e)
	case engine.EventWaiting:
		line.Tone, line.Text = Doubt, asking(e)
	case engine.EventDetached:
		line.Tone, line.Text = Doubt, leaving(e)
	case engine.EventApproved:
		line.Tone, line.Text = Good, e.Message
	case engine.EventVerdict:
		line.Tone, line.Text = n.verdict(e)
	case engine.EventPaused:
		line.Tone, line.Text = Doubt, fmt.Sprintf("paused, somebody should look: gate %s: %s\nsee what its query answers now: %s", e.Gate,
			e.Message, command(e.Rollout.Plan.Target.Name, "query", e.Gate))
	case engine.EventStepFinished:
		line.Tone, line.Text = Good, finished(e)
	case engine.EventUndoing:
		line.Tone, line.Text = Bad, undoing(e)
	case engine.EventUndoOp:
		line.Tone, line.Text = Doubt, fmt.Sprintf("back %d of %d: %s", e.Rollout.Undone, len(wayBack(e.Rollout)), e.Message)
	case engine.EventSucceeded:
		line.Tone, line.Text = Good, e.Message
	case engine.EventRolledBack:
		line.Tone, line.Text = Bad, "rolled back"
	case engine.EventUndoFailed:
		line.Tone, line.Text = Bad, "the way back FAILED, a person is needed"
	case engine.EventStopped:
		line.Tone, line.Text = Doubt, "stopped: "+e.Message
	case engine.EventDrift:
		line.Tone, line.Text = Doubt, "drift: "+e.Message
	case engine.EventWarning:
		line.Tone, line.Text = Doubt, "warning: "+e.Message
	default:
		line.Text = e.Message
	}
	line.Text = words.Clean(line.Text)
	return line, strings.TrimSpace(line.Text) != ""
}

// opening says what is carried where, and by whom.
func opening(e engine.Event) string {
	ro := e.Rollout
	if len(ro.Plan.Steps) == 0 {
		return e.Message
	}
	var b strings.Builder
	t := ro.Plan.Target
	fmt.Fprintf(&b, "%s: %s (%s in %s, %s, at least %s)\n", words.Line(t.Name), words.Images(t.From, t.Images), ro.Plan.Strategy,
		t.Namespace, words.Count(len(ro.Plan.Steps), "step"), words.Duration(ro.Plan.Length()))
	by := words.Line(ro.Holder)
	if by == "" {
		by = "an unnamed run"
	}
	if e.Kind == engine.EventStarted {
		fmt.Fprintf(&b, "started by %s", by)
	} else {
		fmt.Fprintf(&b, "carried on by %s, at step %d of %d (%s)", by, ro.Step+1, len(ro.Plan.Steps), ro.Plan.Steps[ro.Step].ID)
		if ro.Phase == engine.Undoing || ro.Phase == engine.UndoFailed {
			fmt.Fprintf(&b, ", on its way back: %s", ro.Reason)
		}
	}
	fmt.Fprintf(&b, "\nrollout %s, plan %s, %s", words.Line(ro.ID), ro.PlanDigest, e.At.UTC().Format("2 Jan 2006"))
	if e.Message != "" {
		b.WriteString("\n" + e.Message)
	}
	return b.String()
}

// inForce says how long the step holds and who watches; nothing for a step that neither holds nor is watched.
func inForce(e engine.Event) string {
	s, ok := present(e)
	switch {
	case !ok:
		return "in force"
	case s.Approve != nil && s.State.Approval != nil && s.State.Approval.Answer == nil:
		return "" // what it waits for is told by itself
	case s.Hold > 0 && standsBy(e.Rollout.Plan, s.Step):
		return standby(e.Rollout, s, e.At)
	case s.Detach:
		return fmt.Sprintf("in force; holds %s, and the run ends once %s been asked", words.Duration(time.Duration(s.Hold)), have(s.Gates))
	case s.Hold > 0 && len(s.Gates) > 0:
		return fmt.Sprintf("in force; holds %s while %s watch%s", words.Duration(time.Duration(s.Hold)), list(s.Gates), plural(s.Gates))
	case s.Hold > 0:
		return fmt.Sprintf("in force; holds %s", words.Duration(time.Duration(s.Hold)))
	case len(s.Gates) > 0:
		return fmt.Sprintf("waits until %s passed", have(s.Gates))
	}
	return ""
}

// asking says what a person is asked, how long, and how they answer.
func asking(e engine.Event) string {
	text, name := "waits for an approval: "+e.Message, e.Rollout.Plan.Target.Name
	if step, a, ok := e.Rollout.Waiting(); ok {
		text += "\n" + deadlineOf(step, a, e.At, time.UTC)
	}
	return text + "\nlet it go on: " + command(name, "promote") + "\ngo back: " + command(name, "abort")
}

// leaving says that the run ends in a hold, until when, and who goes on.
func leaving(e engine.Event) string {
	text, name := e.Message, e.Rollout.Plan.Target.Name
	if step, until, ok := e.Rollout.Holding(); ok {
		text = Alone(step, until, time.UTC)
	}
	return text + "\ngo on then: " + command(name, "deploy --resume") + "\ngo back: " + command(name, "abort")
}

func have(names []string) string {
	if len(names) == 1 {
		return list(names) + " has"
	}
	return list(names) + " have"
}

// plural is the ending of the verb behind a list: "errors watches", "errors and latency watch".
func plural(names []string) string {
	if len(names) == 1 {
		return "es"
	}
	return ""
}

// list is "a, b and c".
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// present is the step that an event is about.
func present(e engine.Event) (Step, bool) {
	for _, s := range Steps(e.Rollout) {
		if s.ID == e.Step {
			return s, true
		}
	}
	return Step{}, false
}

// finished says how long the step took and what its gates saw.
func finished(e engine.Event) string {
	s, ok := present(e)
	if !ok {
		return "done"
	}
	text := "done in " + words.Duration(s.Took(e.At))
	looks, fails, missing := 0, 0, 0
	for _, t := range s.State.Gates {
		looks, fails, missing = looks+t.Looks, fails+t.Fails, missing+t.NoData
	}
	if looks > 0 {
		text += fmt.Sprintf("; %s of %s, %s failed", words.Count(looks, "look"), words.Count(len(s.State.Gates), "gate"), no(fails))
	}
	if missing > 0 {
		text += fmt.Sprintf(", %d without data", missing)
	}
	return text
}

func no(n int) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprint(n)
}

func undoing(e engine.Event) string {
	if share := Copies(e.Rollout); share > 0 {
		return fmt.Sprintf("going back (copies of %s of the requests go to the new version): %s", share, e.Message)
	}
	if share := Share(e.Rollout); share > 0 {
		return fmt.Sprintf("going back (%s of the %s meet the new version): %s", share, e.Rollout.Plan.Of(), e.Message)
	}
	return "going back: " + e.Message
}
