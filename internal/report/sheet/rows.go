package sheet

import (
	"fmt"
	"slices"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/timeline"
	"github.com/tidegate/tidegate/internal/report/words"
)

// Step is a row of the steps.
type Step struct {
	Sign  Sign
	ID    string
	Title string
	Share string
	// Took is how long it took to be in force; Held how long it held then. Empty while there is nothing to say.
	Took, Held string
	Verdicts   []Verdict
	Worst      string // the worst that a gate saw, as "gate: reason"
}

// Verdict is a gate's standing at the end of a step.
type Verdict struct {
	Gate string
	Sign Sign
}

// Gate is a row of the gates, of the last step in which it was asked.
type Gate struct {
	Sign                Sign
	Name, Step          string
	Value, Worst        string
	Looks, Fails, Empty int
	Query, Reason, Link string
}

// Sign says how something stands.
type Sign string

// The signs.
const (
	Passed  Sign = "passed"
	Failed  Sign = "failed"
	Missing Sign = "no data"
	Open    Sign = "pending"
	Current Sign = "in progress"
	Undone  Sign = "undone"
	Coming  Sign = "not reached"
)

// steps are the rows of the steps, up to where there is nothing to say of any more.
func steps(ro engine.Rollout, end time.Time) []Step {
	var rows []Step
	for i, s := range report.Steps(ro) {
		row := Step{Sign: stepSign(ro, s, i), ID: words.Line(s.ID), Title: words.Line(s.Title), Share: s.Weight.String()}
		row.Took, row.Held = times(s, end)
		worst := 0
		for _, name := range s.Gates {
			tally, asked := s.State.Gates[name]
			if !asked || tally.Looks == 0 {
				continue
			}
			row.Verdicts = append(row.Verdicts, Verdict{words.Line(name), verdictSign(tally)})
			if n := tally.Fails*1_000_000 + tally.NoData; n > worst && tally.Worst != nil {
				worst, row.Worst = n, fmt.Sprintf("%s: %s", words.Line(name), words.Line(decisive(tally).Reason))
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// decisive is the look that a person should read: the one that undid the rollout, else the first that failed.
func decisive(t engine.Tally) gates.Standing {
	if t.Last.Outcome == gates.Fail {
		return t.Last
	}
	return *t.Worst
}

func stepSign(ro engine.Rollout, s report.Step, i int) Sign {
	switch s.Mark {
	case report.Done:
		return Passed
	case report.Current:
		return Current
	case report.Turning, report.Undone:
		if i == ro.Step && ro.Cause != engine.CauseAbort && ro.Cause != engine.CauseSuperseded {
			return Failed
		}
		return Undone
	}
	return Coming
}

// times are how long a step took to be in force, and how long it held.
func times(s report.Step, end time.Time) (took, held string) {
	if s.State.Started.IsZero() {
		return "", ""
	}
	over := s.State.Finished
	if over.IsZero() {
		over = end
	}
	if s.State.InForce.IsZero() {
		return words.Duration(over.Sub(s.State.Started)), ""
	}
	if s.Hold > 0 || len(s.Gates) > 0 {
		held = words.Duration(over.Sub(s.State.InForce))
	}
	return words.Duration(s.State.InForce.Sub(s.State.Started)), held
}

// verdictSign is a gate's standing; a gate that passes after looks that failed passes.
func verdictSign(t engine.Tally) Sign {
	switch {
	case t.Looks == 0:
		return Open
	case t.Last.Outcome == gates.Pass:
		return Passed
	case t.Last.Outcome == gates.Fail:
		return Failed
	case t.Last.NoData:
		return Missing
	}
	return Open
}

func gateRows(ro engine.Rollout, d timeline.Data) []Gate {
	var rows []Gate
	for _, g := range report.Gates(ro) {
		row := Gate{Sign: verdictSign(g.Tally), Name: words.Line(g.Name), Step: words.Line(g.Step), Looks: g.Looks, Fails: g.Fails, Empty: g.NoData}
		if g.Looks > 0 {
			seen := g.Last.Evidence
			row.Value, row.Query, row.Reason = words.Number(seen.Value), words.Line(seen.Query), words.Line(g.Last.Reason)
			row.Link = words.Line(seen.Link)
		}
		if g.Worst != nil {
			row.Worst = worst(g, d)
		}
		rows = append(rows, row)
	}
	return rows
}

// worst is the value of a failed look that lies furthest from what passed; without values, what the gate said of it.
func worst(g report.Gate, d timeline.Data) string {
	extreme := g.Worst.Evidence.Value
	for _, s := range d.Gates {
		if s.Gate == g.Name {
			extreme = furthest(extreme, s.Looks)
		}
	}
	if text := words.Number(extreme); text != "" && g.Fails > 0 {
		return text
	}
	return words.Line(g.Worst.Reason)
}

func furthest(known *float64, looks []timeline.Look) *float64 {
	var good, bad []float64
	for _, l := range looks {
		switch {
		case l.Value == nil:
		case l.Outcome == gates.Pass:
			good = append(good, *l.Value)
		case l.Outcome == gates.Fail:
			bad = append(bad, *l.Value)
		}
	}
	if len(bad) == 0 {
		return known
	}
	extreme := slices.Max(bad)
	if len(good) > 0 && slices.Max(good) > extreme { // a gate that wants at least something
		extreme = slices.Min(bad)
	}
	return &extreme
}
