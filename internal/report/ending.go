package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report/words"
)

// End is how a run ended, with all that its closing words need. Only Result is required.
type End struct {
	Result  Result
	Name    string          // of the deploy spec; taken from Rollout when that is known
	Rollout *engine.Rollout // nil when there is none of ours
	// Reason is why the run ended, where the rollout does not say it: the error of a failed or invalid run.
	Reason string
	At     time.Time // when the run ended
	// Restored is when the way back had brought every request to the base; zero when that is not known.
	Restored time.Time
	Holder   string    // who holds the lock, for Locked
	Since    time.Time // since when
	Zone     *time.Location
}

// Ending writes the closing words of a run: what happened, how long it took, what it rests on and what to do next.
func Ending(w io.Writer, e End) error {
	_, err := io.WriteString(w, endingText(e))
	return err
}

func endingText(e End) string {
	e = e.sound()
	mark, headline := e.headline()
	var n notes
	n.add("why", e.why())
	if e.Rollout != nil {
		n.add("evidence", e.evidence().String())
		n.add("users", e.users())
		n.add("outage", e.outage())
		n.add("took", e.took())
	}
	n.add("next", lines(e.next()))
	return mark + " " + words.Line(headline) + "\n" + n.text("  ")
}

// lines is advice, one a line.
func lines(all []Advice) string {
	text := make([]string, len(all))
	for i, a := range all {
		text[i] = a.String()
	}
	return strings.Join(text, "\n")
}

// headline is what happened, in one sentence.
func (e End) headline() (mark, text string) {
	name := e.Name
	if name == "" {
		name = "the rollout"
	}
	old, now := e.versions()
	switch e.Result {
	case Succeeded:
		if e.isShadow() {
			return "✓", name + ": " + Shadowed(*e.Rollout)
		}
		return "✓", fmt.Sprintf("%s runs %s: every request meets it", name, now)
	case Unchanged:
		return "✓", fmt.Sprintf("nothing to do: %s stays as it is", name)
	case Pending:
		if step, until, holds := e.Rollout.Holding(); holds {
			return "▸", name + " " + Alone(step, until, e.Zone)
		}
		return "▸", fmt.Sprintf("%s waits for an approval: %s", name, e.question())
	case Promoted:
		return "✓", name + " was approved: the run that carries the rollout goes on"
	case RolledBack:
		return "✗", fmt.Sprintf("%s was rolled back: %s", name, e.restored(old))
	case Aborted:
		return "↶", fmt.Sprintf("%s was aborted: %s", name, e.restored(old))
	case Superseded:
		return "↶", fmt.Sprintf("%s: %s made way for a newer rollout; %s was restored first", name, now, old)
	case Locked:
		if e.Holder == "" && e.Rollout == nil {
			return "✗", name + ": another rollout is in flight; this run changes nothing"
		}
		return "✗", name + ": another run holds the lock; this one changes nothing more"
	case Cancelled:
		return "✗", name + ": this run was cancelled before the rollout was over"
	case Invalid:
		return "✗", name + ": the spec or the call is wrong; nothing was touched"
	case UndoFailed:
		return "✗", name + ": A PERSON IS NEEDED: the way back failed"
	}
	return "✗", name + ": this run failed"
}

// restored says what there is after a way back: what was before, but for what somebody else changed and nobody wrote over.
func (e End) restored(old string) string {
	others := e.othersChange()
	if others == "" && e.isShadow() {
		return old + " served every request all along, and everything is as it was before"
	}
	if others == "" {
		return old + " serves every request again, and everything is as it was before"
	}
	if strings.Contains(others, "spec.template") || len(e.Rollout.Left) > 0 {
		old = "the workload as somebody else changed it"
	}
	return old + " serves every request again; left as it is: " + others
}

// othersChange is what somebody else changed of the workload or its autoscaler during the rollout, and what still is so.
func (e End) othersChange() string {
	if e.Rollout == nil {
		return ""
	}
	if len(e.Rollout.Left) > 0 {
		return strings.Join(e.Rollout.Left, "; ")
	}
	refs := []string{e.Rollout.Plan.Objects.Workload.String()}
	if scaler := e.Rollout.Plan.Objects.Scaler; scaler != nil {
		refs = append(refs, scaler.String())
	}
	for _, d := range e.Rollout.Drift {
		for _, ref := range refs {
			if strings.Contains(d.Text, ref+" ") || strings.Contains(d.Text, ref+":") {
				return d.Text
			}
		}
	}
	return ""
}

// question is what a person is asked.
func (e End) question() string {
	if step, _, ok := e.Rollout.Waiting(); ok {
		return step.Approve.Message
	}
	return "of a person"
}

func (e End) versions() (old, now string) {
	if e.Rollout == nil {
		return "the old version", "the new version"
	}
	return Versions(e.Rollout.Plan.Target)
}

// Versions are the short names of the old and the new version.
func Versions(t plan.Target) (old, now string) {
	if len(t.Images) == 1 {
		for container, to := range t.Images {
			if old, now = words.Versions(t.From[container], to); old != "" {
				return old, now
			}
			return "the old version", now
		}
	}
	return "the old version", "the new version"
}

func (e End) why() string {
	if e.Result == Pending {
		return e.wait()
	}
	if e.Result == Locked && e.Holder != "" {
		text := "the lock is held by " + words.Line(e.Holder)
		if !e.Since.IsZero() {
			text += fmt.Sprintf(", since %s (%s)", e.Since.In(e.Zone).Format(clockTime), words.Ago(e.Since, e.At))
		}
		return text
	}
	if e.Result == Succeeded && e.isShadow() { // that is the headline
		return ""
	}
	if e.Reason != "" && e.Reason != engine.ErrCancelled.Error() { // that is the headline
		return e.Reason
	}
	if e.Rollout != nil && e.Result != Succeeded && e.Result != Unchanged {
		return e.Rollout.Reason
	}
	return ""
}

// wait says where the rollout waits, and how long it will.
func (e End) wait() string {
	step, a, ok := e.Rollout.Waiting()
	if text, held := e.held(); held {
		return text
	}
	if !ok {
		return e.Reason
	}
	return fmt.Sprintf("step %d of %d (%s), since %s; %s", e.Rollout.Step+1, len(e.Rollout.Plan.Steps), step.ID, a.Since.In(e.Zone).Format(clockTime),
		deadlineOf(step, a, e.At, e.Zone))
}

// deadlineOf says what happens when nobody answers.
func deadlineOf(step plan.Step, a engine.Approval, now time.Time, zone *time.Location) string {
	what := "undone"
	if step.Approve.Promotes {
		what = "carried on"
	}
	if left := a.Until.Sub(now); left > 0 {
		return fmt.Sprintf("%s when nobody has answered by %s, in %s", what, a.Until.In(zone).Format(clockTime), words.Duration(left))
	}
	return "its time is over: the next run has it " + what
}

// clockTime is how moments are written that are not of today, perhaps.
const clockTime = "2 Jan 15:04:05 MST"

// evidence is what the gate that failed saw.
func (e End) evidence() Proof {
	g, ok := FailedGate(*e.Rollout)
	if !ok {
		return Proof{}
	}
	return gateEvidence(g, e.Zone)
}

// gateEvidence says how often a gate failed, when first, and where to look.
func gateEvidence(g Gate, zone *time.Location) Proof {
	text := fmt.Sprintf("gate %s failed in %d of %s of step %s", g.Name, g.Fails, words.Count(g.Looks, "look"), g.Step)
	if g.Last.NoData {
		text = fmt.Sprintf("gate %s had no data in %d of %s of step %s", g.Name, g.NoData+g.Fails, words.Count(g.Looks, "look"), g.Step)
	} else if g.NoData > 0 {
		text += fmt.Sprintf(" and had no data in %d", g.NoData)
	}
	if g.Worst != nil && !g.Worst.At.IsZero() && !g.Last.NoData {
		text += ", first at " + g.Worst.At.In(zone).Format(time.TimeOnly)
	}
	seen := g.Last.Evidence
	proof := Proof{Text: text, Query: words.Line(seen.Query), Link: words.Line(seen.Link)}
	if v := words.Number(seen.Value); !strings.Contains(g.Last.Reason, v) {
		proof.Value = v
	}
	if !strings.Contains(g.Last.Reason, seen.Text) {
		proof.Note = words.Line(seen.Text)
	}
	return proof
}

// users says how many requests met the new version, and for how long.
func (e End) users() string {
	ro := *e.Rollout
	_, now := e.versions()
	peak, share, first := Peak(ro), Share(ro), FirstShift(ro)
	requests, of := "request of the route", ro.Plan.Of()
	behindOne := ro.Plan.Objects.InPlace() || ro.Plan.Objects.ByReplicas() // Service
	if behindOne {
		requests = "request"
	}
	switch {
	case ro.Plan.Shadow():
		return e.noUser(now)
	case e.Result == Succeeded:
		return ""
	case behindOne && perhaps(ro, peak) != "":
		return fmt.Sprintf("up to %s of the requests may have met %s: pods serve as soon as they are ready", Steps(ro)[ro.Step].Weight, now)
	case peak == 0 && share == 0 && ringSeen(ro) != "":
		return fmt.Sprintf("only requests with %s met %s%s", ringSeen(ro), now, perhaps(ro, peak))
	case peak == 0 && share == 0:
		return fmt.Sprintf("no %s met %s%s", requests, now, perhaps(ro, peak))
	case e.Result == Pending:
		return fmt.Sprintf("%s of the %s meet %s now, and no gate watches until the next run", share, of, now)
	case e.Result == Promoted:
		return fmt.Sprintf("%s of the %s meet %s now", share, of, now)
	case e.Result == Cancelled || e.Result == Failed || e.Result == UndoFailed || e.Result == Locked:
		if share == 0 {
			return fmt.Sprintf("no %s meets %s now, as far as this run knows; at most %s did", requests, now, peak)
		}
		return fmt.Sprintf("%s of the %s meet %s NOW, as far as this run knows", share, of, now)
	}
	text := fmt.Sprintf("at most %s of the %s met %s", peak, of, now)
	if !e.Restored.IsZero() && !first.IsZero() {
		text += ", for " + words.Duration(e.Restored.Sub(first))
	}
	return text + perhaps(ro, peak)
}

// outage says for how long nobody could be served, where that was measured; nothing where no moment of it was.
func (e End) outage() string {
	if e.Rollout.Outage <= 0 {
		return ""
	}
	return fmt.Sprintf("no pod was ready for %s", words.Seconds(time.Duration(e.Rollout.Outage)))
}

// perhaps is what cannot be ruled out: a step that was not in force yet may have moved traffic already.
func perhaps(ro engine.Rollout, peak plan.Share) string {
	if s := Steps(ro)[ro.Step]; s.Weight > peak && !s.State.Started.IsZero() && s.State.InForce.IsZero() {
		return fmt.Sprintf(" (perhaps %s, for a moment at the end)", s.Weight)
	}
	return ""
}

func (e End) took() string {
	start, end := e.Rollout.Started, e.Rollout.Ended
	if end.IsZero() {
		end = e.At
	}
	if start.IsZero() || end.Before(start) {
		return ""
	}
	return fmt.Sprintf("%s, from %s to %s", words.Duration(end.Sub(start)), start.In(e.Zone).Format(time.TimeOnly), end.In(e.Zone).Format(time.TimeOnly+" MST"))
}
