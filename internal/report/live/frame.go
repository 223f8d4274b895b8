package live

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/words"
)

// detail is how much a frame shows; a low terminal gets less.
type detail struct {
	steps  int // most lines of the list of steps
	reason int // most lines of a reason
	log    int // most lines of the log
	blanks bool
}

// The details from the richest to the poorest: while all is well the steps come first, else the reason does.
var well = []detail{
	{steps: 40, reason: 16, log: 5, blanks: true},
	{steps: 40, reason: 8, log: 3, blanks: true},
	{steps: 5, reason: 8, log: 5, blanks: true},
	{steps: 5, reason: 6, log: 3, blanks: true},
	{steps: 3, reason: 4, log: 2},
	{steps: 3, reason: 3},
	{steps: 1, reason: 2},
}

var turned = []detail{
	{steps: 40, reason: 24, log: 5, blanks: true},
	{steps: 5, reason: 24, log: 5, blanks: true},
	{steps: 5, reason: 24, log: 3, blanks: true},
	{steps: 3, reason: 16, log: 2, blanks: true},
	{steps: 3, reason: 16, blanks: true},
	{steps: 3, reason: 12},
	{steps: 3, reason: 9},
	{steps: 1, reason: 5},
	{steps: 1, reason: 2},
}

// widest is where a frame stops growing: longer lines are hard to read.
const widest = 140

// Frame is the picture of a rollout at now, for a terminal of this size. It has at most height-1 lines, each at most
// width columns wide and ended by a newline, and is coloured; see Plain.
func Frame(view State, width, height int, now time.Time) string {
	width, height = min(max(width, 20), widest), max(height, 3)
	if len(view.Rollout.Plan.Steps) == 0 {
		return text(dim, "no rollout").paint() + "\n"
	}
	p := picture{State: view, ro: view.Rollout, width: width, now: now}
	var rows []row
	details := well
	if len(p.turn(1)) > 0 {
		details = turned
	}
	for _, d := range details {
		if rows = p.rows(d); len(rows) < height {
			break
		}
	}
	var b strings.Builder
	for _, r := range rows[:min(len(rows), height-1)] {
		b.WriteString(r.cut(width).paint() + "\n")
	}
	return b.String()
}

// picture is a frame being drawn.
type picture struct {
	State
	ro    engine.Rollout
	width int
	now   time.Time
}

func (p picture) rows(d detail) []row {
	rows := []row{p.title(), p.bar()}
	for _, part := range [][]row{p.steps(d.steps), append(p.gates(), p.pods()...), p.turn(d.reason), p.log(d.log)} {
		if len(part) == 0 {
			continue
		}
		if d.blanks {
			rows = append(rows, row{})
		}
		rows = append(rows, part...)
	}
	return rows
}

// title says what goes where, and for how long it has.
func (p picture) title() row {
	t := p.ro.Plan.Target
	left := row{{bold, words.Line(t.Name)}, {normal, ": " + words.Images(t.From, t.Images)}, {dim, "  " + words.Line(p.ro.Plan.Strategy+" in "+t.Namespace)}}
	end := p.ro.Ended
	if end.IsZero() {
		end = p.now
	}
	took := words.Duration(end.Sub(p.ro.Started))
	if p.ro.Phase == engine.Running {
		took += " of at least " + words.Duration(p.ro.Plan.Length())
	}
	return left.ends(text(dim, took), p.width)
}

// bar shows how the requests are divided between the versions.
func (p picture) bar() row {
	old, now := report.Versions(p.ro.Plan.Target)
	share := report.Share(p.ro)
	const number = len("12.5%")
	old, now = words.Cut(old, 16), words.Cut(now, 16)
	left := words.PadLeft(old+" "+(plan.All-share).String(), words.Width(old)+1+number) + " "
	right := words.Pad(" "+share.String()+" "+now, number+2+words.Width(now))
	room := p.width - words.Width(left) - words.Width(right)
	if room < 5 {
		return row{{blue, strings.TrimSpace(left)}, {normal, " / "}, {cyan, strings.TrimSpace(right)}}
	}
	cells := int(share) * room / int(plan.All)
	if share > 0 {
		cells = max(cells, 1)
	}
	if share < plan.All {
		cells = min(cells, room-1)
	}
	return row{{blue, left + strings.Repeat("░", room-cells)}, {p.newStyle(), strings.Repeat("█", cells) + right}}
}

// newStyle is the colour of the new version: red when it is being taken back.
func (p picture) newStyle() style {
	switch p.ro.Phase {
	case engine.Undoing, engine.UndoFailed, engine.RolledBack:
		return red
	case engine.Succeeded:
		return green
	}
	return cyan
}

// pods is the line of the pods that the caller set.
func (p picture) pods() []row {
	if len(p.Pods) == 0 {
		return nil
	}
	r := row{{dim, "  pods  "}}
	for i, side := range p.Pods {
		if i > 0 {
			r = append(r, cell{dim, " · "})
		}
		s := normal
		if side.Ready < side.Want {
			s = yellow
		}
		r = append(r, cell{s, side.String()})
	}
	return []row{r}
}

// turn says why the rollout goes back, how it ended, or that nobody carries it on.
func (p picture) turn(most int) []row {
	old, now := report.Versions(p.ro.Plan.Target)
	took := words.Duration(p.ro.Ended.Sub(p.ro.Started))
	switch {
	case p.ro.Phase == engine.Succeeded && p.ro.Plan.Shadow():
		return []row{text("1;32", "✓ "+report.Shadowed(p.ro))}
	case p.ro.Phase == engine.Succeeded:
		return []row{text("1;32", fmt.Sprintf("✓ %s serves everyone, after %s", now, took))}
	case p.ro.Phase == engine.RolledBack && p.ro.Plan.Shadow():
		return p.reason(fmt.Sprintf("↶ taken back after %s: %s served everyone all along", took, old), p.ro.Reason, most)
	case p.ro.Phase == engine.RolledBack:
		return p.reason(fmt.Sprintf("↶ rolled back after %s: %s serves everyone again", took, old), p.ro.Reason, most)
	case p.ro.Phase == engine.UndoFailed:
		return p.reason("✗ A PERSON IS NEEDED: the way back failed", p.ro.Reason, most)
	case p.Stopped != "" && p.ro.Phase == engine.Undoing:
		return p.reason("✗ this run has stopped on its way back; nobody carries it on", p.Stopped+"\n"+p.ro.Reason, most)
	case p.Stopped != "":
		return p.reason("✗ this run has stopped; no gate watches now", p.Stopped, most)
	case p.ro.Phase == engine.Undoing:
		return p.reason("↶ going back to "+old, p.ro.Reason, most)
	}
	if step, _, waits := p.ro.Waiting(); waits {
		return p.doubt(p.reason("? waits for an approval: "+words.Line(step.Approve.Message), "tidegate promote lets it go on, tidegate abort goes back", most))
	}
	if step, until, holds := p.ro.Holding(); holds {
		return p.doubt(p.reason(fmt.Sprintf("? holds at step %s until %s; no run has to stay meanwhile", words.Line(step.ID), until.UTC().Format("2 Jan 15:04 MST")),
			"tidegate deploy --resume goes on then, tidegate abort goes back", most))
	}
	return p.paused(most)
}

// doubt is rows that somebody should look at, and that nothing is wrong with.
func (p picture) doubt(rows []row) []row {
	for i := range rows {
		rows[i] = row{{yellow, rows[i][0].text}}
	}
	return rows
}

// paused says which gate has been without data for too long.
func (p picture) paused(most int) []row {
	for _, g := range report.Gates(p.ro) {
		if g.Last.Paused {
			return p.doubt(p.reason(fmt.Sprintf("? paused: gate %s has no data; somebody should look", words.Line(g.Name)), g.Last.Reason, most))
		}
	}
	return nil
}

// reason is a headline with a reason under it, at most so many lines. Of a long one the end is kept: last words are there.
func (p picture) reason(headline, reason string, most int) []row {
	rows := []row{text(alarm, headline)}
	lines := words.Wrap(words.Clean(reason), p.width-2)
	if over := len(lines) - (most - 1); over > 0 && most > 3 {
		head := min(3, (most-1)/3)
		lines = append(append(lines[:head:head], "…"), lines[over+head+1:]...)
	}
	for _, line := range lines[:min(len(lines), max(most-1, 0))] {
		rows = append(rows, text(red, "  "+line))
	}
	return rows
}

// log is the end of what was told, the first line of each.
func (p picture) log(most int) []row {
	var rows []row
	for _, line := range p.lines[max(0, len(p.lines)-most):] {
		first, _, _ := strings.Cut(line.Text, "\n")
		r := row{{dim, line.At.Format(time.TimeOnly) + "  "}}
		if line.Step != "" {
			r = append(r, cell{dim, words.Pad(words.Cut(line.Step, widestID), p.idWidth()) + "  "})
		}
		rows = append(rows, append(r, cell{styleOf(line.Tone), first}))
	}
	return rows
}
