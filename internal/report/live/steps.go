package live

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/words"
)

// widestID is where the column of step names stops growing.
const widestID = 18

func (p picture) idWidth() int {
	n := 0
	for _, s := range p.ro.Plan.Steps {
		n = max(n, words.Width(s.ID))
	}
	return min(n, widestID)
}

// steps lists the steps; where there is no room for all, those around the present one.
func (p picture) steps(most int) []row {
	steps := report.Steps(p.ro)
	first, last := window(p.ro.Step, len(steps), most)
	var rows []row
	if first > 0 {
		rows = append(rows, text(dim, fmt.Sprintf("%s %s before", steps[first-1].Mark.Symbol(), words.Count(first, "step"))))
	}
	for _, s := range steps[first:last] {
		rows = append(rows, p.step(s))
	}
	if more := len(steps) - last; more > 0 {
		rows = append(rows, text(dim, fmt.Sprintf("%s %s %s", report.Coming.Symbol(), words.Count(more, "step"), p.future())))
	}
	return rows
}

// future is what becomes of the steps that were not reached.
func (p picture) future() string {
	if p.ro.Phase == engine.Running {
		return "to come"
	}
	return "not reached"
}

// window chooses the steps that are shown: of n steps those around at, in at most so many lines together with the lines
// that stand for the others.
func window(at, n, lines int) (first, last int) {
	if n <= lines {
		return 0, n
	}
	shown := max(lines-2, 1)
	first = min(max(at-shown/2, 0), n-shown)
	last = first + shown
	if first == 1 { // one step takes no more room than the line that would stand for it
		first = 0
	}
	if last == n-1 {
		last = n
	}
	return first, last
}

func (p picture) step(s report.Step) row {
	id := words.Pad(words.Cut(words.Line(s.ID), widestID), p.idWidth())
	title := strings.TrimPrefix(words.Line(s.Title), s.ID+": ")
	share := words.PadLeft(s.Weight.String(), len(" 12.5%"))
	mark := s.Mark.Symbol() + " "
	switch s.Mark {
	case report.Done:
		return row{{green, mark}, {normal, id + share + "  "}, {dim, title}}.ends(text(dim, words.Duration(s.Took(p.now))), p.width)
	case report.Current:
		return row{{cyan, mark}, {bold, id + share + "  " + title}}.ends(p.progress(s), p.width)
	case report.Turning:
		return row{{yellow, mark + id + share + "  "}, {dim, title}}.ends(text(yellow, "to undo"), p.width)
	case report.Undone:
		return row{{yellow, mark}, {dim, id + share + "  " + title}}.ends(text(dim, "undone"), p.width)
	}
	hold := ""
	if s.Hold > 0 && p.ro.Phase == engine.Running {
		hold = words.Duration(time.Duration(s.Hold))
	}
	return row{{dim, mark + id + share + "  " + title}}.ends(text(dim, hold), p.width)
}

// progress says how far the present step is: what is left of its hold, or what it waits for.
func (p picture) progress(s report.Step) row {
	left, holds := s.HoldLeft(p.now)
	switch {
	case p.Stopped != "":
		return text(yellow, "stopped")
	case holds && left > 0:
		r := text(bold, words.Duration(left)+" left")
		if p.width >= 100 {
			r = append(meter(1-float64(left)/float64(s.Hold), 10), append(row{{normal, " "}}, r...)...)
		}
		return r
	case s.Approve != nil && s.State.Approval != nil && s.State.Approval.Answer == nil:
		return text(yellow, "waits for a person, "+words.Duration(max(s.State.Approval.Until.Sub(p.now), 0))+" left")
	case !s.State.InForce.IsZero():
		return text(yellow, "waits for "+strings.Join(p.notPassed(s), ", "))
	}
	return text(normal, "under way for "+words.Duration(s.Took(p.now)))
}

// notPassed names the gates that keep a step from ending.
func (p picture) notPassed(s report.Step) []string {
	var names []string
	for _, name := range s.Gates {
		if tally, ok := s.State.Gates[name]; !ok || tally.Last.Outcome != gates.Pass {
			names = append(names, words.Line(name))
		}
	}
	if len(names) == 0 {
		return []string{"its gates"}
	}
	return names
}

// meter is a bar of so many cells, filled to a part.
func meter(part float64, cells int) row {
	full := min(max(int(part*float64(cells)+0.5), 0), cells)
	return row{{cyan, strings.Repeat("━", full)}, {dim, strings.Repeat("╌", cells-full)}}
}

// gates lists the gates with their last answer, its value and the values before it.
func (p picture) gates() []row {
	all := report.Gates(p.ro)
	name, value := 0, 0
	for _, g := range all {
		name = max(name, min(words.Width(words.Line(g.Name)), widestID))
		value = max(value, words.Width(words.Number(g.Last.Evidence.Value)))
	}
	sparks := min(max(p.width/6, 8), 20)
	var rows []row
	for _, g := range all {
		label := words.Pad(words.Cut(words.Line(g.Name), widestID), name)
		if g.Looks == 0 {
			line := row{{dim, "· " + label + "  " + strings.Repeat(" ", value) + "  "}}
			rows = append(rows, append(append(line, p.spark(g.Name, sparks)...), cell{dim, "not asked yet in this step"}))
			continue
		}
		colour := outcomeStyle(g.Last)
		line := row{{colour, report.OutcomeSymbol(g.Last) + " "}, {bold, label + "  "},
			{colour, words.PadLeft(words.Number(g.Last.Evidence.Value), value) + "  "}}
		line = append(line, p.spark(g.Name, sparks)...)
		rows = append(rows, append(line, cell{normal, says(g)}))
	}
	return rows
}

// spark is a gate's sparkline, padded.
func (p picture) spark(gate string, cells int) row {
	r := spark(p.values[gate], cells)
	return append(r, cell{text: strings.Repeat(" ", cells-r.width()+2)})
}

// says is a gate's reason, with how often it failed.
func says(g report.Gate) string {
	reason := words.Line(g.Last.Reason)
	if g.Fails > 0 {
		return fmt.Sprintf("%d of %d failed: %s", g.Fails, g.Looks, reason)
	}
	return reason
}

func outcomeStyle(s gates.Standing) style {
	switch s.Outcome {
	case gates.Pass:
		return green
	case gates.Fail:
		return red
	}
	return yellow
}
