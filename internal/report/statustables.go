package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report/words"
)

// section is a table under a title; nothing for an empty one.
func section(title string, t *table) string {
	if len(t.rows) == 0 {
		return ""
	}
	return "\n" + title + "\n" + t.text("  ")
}

// Symbol is the sign of a mark.
func (m Mark) Symbol() string {
	switch m {
	case Done:
		return "✓"
	case Current:
		return "▸"
	case Turning:
		return "◂"
	case Undone:
		return "↶"
	}
	return "·"
}

func stepsTable(ro engine.Rollout, now time.Time) *table {
	t := &table{
		headers: []string{"", "STEP", "NEW", "TIME", "WHAT"},
		limits:  []int{0, 18, 0, 0, 72}, right: []bool{false, false, true, true, false},
	}
	for _, s := range Steps(ro) {
		took := ""
		if !s.State.Started.IsZero() && (s.Mark == Current || !s.State.Finished.IsZero()) {
			took = words.Duration(s.Took(now))
		}
		t.add(s.Mark.Symbol(), s.ID, s.Weight.String(), took, strings.TrimPrefix(s.Title, s.ID+": "))
	}
	return t
}

func gatesTable(ro engine.Rollout, now time.Time) *table {
	t := &table{
		headers: []string{"", "GATE", "STEP", "VALUE", "FAILED", "LAST", "SAYS"},
		limits:  []int{0, 18, 18, 0, 0, 0, 60}, right: []bool{false, false, false, true, true, true, false},
	}
	for _, g := range Gates(ro) {
		if g.Looks == 0 {
			t.add("·", g.Name, g.Step, "", "", "", "not asked yet in this step")
			continue
		}
		t.add(OutcomeSymbol(g.Last), g.Name, g.Step, orDash(words.Number(g.Last.Evidence.Value)), fmt.Sprintf("%d of %d", g.Fails, g.Looks),
			words.Ago(g.Last.At, now), g.Last.Reason)
		if w := g.Worst; w != nil && w.Reason != g.Last.Reason {
			t.add("", "", "", orDash(words.Number(w.Evidence.Value)), "", words.Ago(w.At, now), "worst: "+w.Reason)
		}
		if g.NoData > 0 {
			t.add("", "", "", "", "", "", fmt.Sprintf("no data in %d of %s", g.NoData, words.Count(g.Looks, "look")))
		}
	}
	return t
}

// OutcomeSymbol is the sign of a gate's standing.
func OutcomeSymbol(s gates.Standing) string {
	switch {
	case s.Outcome == gates.Pass:
		return "✓"
	case s.Outcome == gates.Fail:
		return "✗"
	case s.NoData:
		return "?"
	}
	return "…"
}

// history is the table of ended rollouts, newest first.
func (v StatusView) history() *table {
	t := &table{
		headers: []string{"#", "STARTED", "IMAGES", "RESULT", "TOOK", "REASON"},
		limits:  []int{0, 0, 30, 0, 0, 60}, right: []bool{true, false, false, false, true, false},
	}
	past := map[string]engine.Past{}
	for _, p := range v.Record.History {
		past[p.ID] = p
	}
	for _, r := range v.Record.Revisions() {
		p, ok := past[r.ID]
		if !ok {
			t.add(strconv.Itoa(r.Number), "", imageVersions(r.Images), "ran before", "", "")
			continue
		}
		first, _, _ := strings.Cut(p.Reason, "\n")
		if p.Restores != "" && first == "" {
			first = "rollback to " + p.Restores
		}
		t.add(strconv.Itoa(r.Number), p.Started.In(v.Zone).Format("2 Jan 15:04"), imageVersions(p.Images), outcome(p),
			words.Duration(p.Ended.Sub(p.Started)), words.Cut(words.Line(first), 120))
	}
	return t
}

// outcome is how a rollout ended; of a shadow the phase alone would say that users have it.
func outcome(p engine.Past) string {
	if p.Shadow {
		return "shadow " + string(p.Phase)
	}
	return string(p.Phase)
}

func imageVersions(images map[string]string) string {
	var versions []string
	for _, container := range sortedKeys(images) {
		versions = append(versions, words.Version(images[container]))
	}
	return strings.Join(versions, ", ")
}

// Suggestion is a command and what it does.
type Suggestion struct {
	Command string `json:"command"`
	Effect  string `json:"effect"`
}

// next are the commands that make sense where the rollout stands.
func (v StatusView) next() []Suggestion {
	cmd := func(verb, effect string) Suggestion { return Suggestion{command(v.Name, verb), effect} }
	ro := v.rollout()
	if ro == nil {
		return []Suggestion{cmd("plan", "what a rollout would do"), cmd("deploy", "start the first one")}
	}
	old, now := Versions(ro.Plan.Target)
	switch ro.Phase {
	case engine.Running:
		if _, _, waits := ro.Waiting(); waits {
			return append(previewed(*ro), v.answers(cmd, old)...)
		}
		if _, _, holds := ro.Holding(); holds && !v.alive() {
			return v.fromHold(cmd, old)
		}
		if v.Facts.Alive == nil || *v.Facts.Alive {
			return running(*ro, cmd, old)
		}
		return []Suggestion{cmd("deploy --resume", "carry it on where it stands"), cmd("abort", "go back to "+old)}
	case engine.Undoing:
		if v.Facts.Alive == nil || *v.Facts.Alive {
			return []Suggestion{cmd("status -w", "follow the way back")}
		}
		return []Suggestion{cmd("abort", "carry the way back on")}
	case engine.UndoFailed:
		return []Suggestion{cmd("abort", "carry the way back on, when its cause is gone")}
	case engine.RolledBack:
		return []Suggestion{{command(v.Name, "retry"), "start " + now + " once more, from the first step"}}
	case engine.Succeeded:
		if ro.Plan.Shadow() {
			return []Suggestion{{deployCommand(v.Name, ro.Plan.Target.Images), "go on as the spec says: what follows the shadow, or another shadow"}}
		}
		return []Suggestion{{wayBackTo(v.Name, ro.Plan.Target), "go back to " + old}}
	}
	return nil
}

// answers are what a person can do with a rollout that waits for them.
func (v StatusView) answers(cmd func(verb, effect string) Suggestion, old string) []Suggestion {
	all := []Suggestion{cmd("promote", "let it go on"), cmd("promote --full", "let it go on without the holds and approvals that are left"),
		cmd("abort", "go back to "+old)}
	if v.Facts.Alive != nil && !*v.Facts.Alive {
		all = append(all, cmd("deploy --resume", "have the gates asked, and the time looked at"))
	}
	return all
}
