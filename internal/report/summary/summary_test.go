package summary_test

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/sheet"
	"github.com/tidegate/tidegate/internal/report/sheet/scene"
	"github.com/tidegate/tidegate/internal/report/story"
	"github.com/tidegate/tidegate/internal/report/summary"
)

// spoiled is the end of a bad rollout with some text wherever text can stand.
func spoiled(t *testing.T, text string) sheet.Input {
	t.Helper()
	s := story.Bad()
	ro := s.Record.Rollout
	ro.ID, ro.Holder, ro.By, ro.PlanDigest, ro.Reason = text, text, text, text, text
	target := &ro.Plan.Target
	target.Name, target.Namespace, target.URL, ro.Plan.Strategy = text, text, text, text
	target.Images, target.From = map[string]string{text: text}, map[string]string{text: text + "x"}
	ro.Plan.Objects.Traffic.Base, ro.Plan.Objects.Traffic.Routes[0].Name, ro.Plan.Objects.Workload.Name = text, text, text
	ro.Plan.Gates = []string{text}
	for i := range ro.Plan.Steps {
		step := &ro.Plan.Steps[i]
		step.ID, step.Title = text+step.ID, text
		if len(step.Gates) > 0 {
			step.Gates = []string{text}
		}
		if tally, ok := ro.Steps[i].Gates["errors"]; ok {
			tally.Last.Reason, tally.Last.Evidence.Query, tally.Last.Evidence.Text, tally.Last.Evidence.Link = text, text, text, text
			if tally.Worst != nil {
				tally.Worst = &tally.Last
			}
			ro.Steps[i].Gates = map[string]engine.Tally{text: tally}
		}
	}
	for i := range s.Events {
		e := &s.Events[i]
		e.Rollout.ID, e.Rollout.Plan, e.Step, e.Message = ro.ID, ro.Plan, text+e.Step, text
		if e.Gate == "errors" {
			e.Gate = text
		}
	}
	in := scene.Of(t.Context(), report.RolledBack, s)
	in.Environment, in.CommitSHA, in.RunURL, in.DeploymentURL = text, text, text, text
	return in
}

var (
	block = regexp.MustCompile("(?m)^(`{3,})text\n[^\x00]*?\n`{3,}\n\n")
	span  = regexp.MustCompile("``+[^\n]*?[^`]``+|`[^`\n]+`|<code>[^<]*</code>")
)

// prose is a summary without its code: isCode and isBlock see to that.
func prose(markdown string) string {
	return span.ReplaceAllString(block.ReplaceAllString(markdown, ""), "")
}

// frame is a summary without its words: what each line begins, and how many cells it has.
func frame(markdown string) (lines []string) {
	for line := range strings.Lines(block.ReplaceAllString(markdown, "")) {
		kind := ""
		for _, begin := range []string{"### ", "**", "- ", "```mermaid", "|", "<details>", "</details>", "<summary>", "    line", "xychart"} {
			if strings.HasPrefix(line, begin) {
				kind = begin
			}
		}
		lines = append(lines, fmt.Sprint(kind, strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")))
	}
	return lines
}

// shape is the frame with each kind of line once in a row: text may have more lines or fewer.
func shape(markdown string) []string {
	return slices.Compact(slices.DeleteFunc(frame(markdown), func(s string) bool { return s == "0" }))
}

func TestHostileTextChangesNothingButWords(t *testing.T) {
	want := shape(summary.Markdown(spoiled(t, "harmless")))
	for _, text := range hostile() {
		got := summary.Markdown(spoiled(t, text))
		if len(got) > summary.MaxBytes {
			t.Errorf("%.40q: %d bytes", text, len(got))
		}
		if strings.TrimSpace(strings.ToValidUTF8(text, "")) == "" { // nothing is left of it, and empty parts are left out
			continue
		}
		if found := shape(got); !slices.Equal(found, want) {
			t.Errorf("%.40q: got %q, want %q", text, found, want)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)]*)\)`).FindAllStringSubmatch(prose(got), -1) {
			if !strings.HasPrefix(m[1], "http") {
				t.Errorf("%.40q: a link to %q", text, m[1])
			}
		}
	}
}

func TestSeveralSummariesStandOneAfterTheOther(t *testing.T) {
	var all string
	want := 0
	for _, s := range scene.All(t.Context()) {
		text := summary.Markdown(s.Input)
		if !strings.HasPrefix(text, "### ") || !strings.HasSuffix(text, "\n\n") {
			t.Errorf("%s: begins %.20q, ends %.20q", s.Name, text, text[len(text)-20:])
		}
		all += text
		want++
	}
	if got := strings.Count("\n"+all, "\n### "); got != want {
		t.Errorf("%d headlines of %d", got, want)
	}
	if open, closed := strings.Count(all, "<details>"), strings.Count(all, "</details>"); open != closed || open == 0 {
		t.Errorf("%d folds open, %d closed", open, closed)
	}
}

// long is a rollout of many steps and gates with much to say, and the names of the gates are padded.
func long(steps, gatesOfStep, padding int) sheet.Input {
	s := story.Bad()
	ro := s.Record.Rollout
	reason := strings.Repeat("because ", 40)
	first := ro.Plan.Steps[1]
	ro.Plan.Steps, ro.Steps, ro.Plan.Gates = ro.Plan.Steps[:1], ro.Steps[:1], nil
	tallies := map[string]engine.Tally{}
	for i := range gatesOfStep {
		look := gates.Standing{Verdict: gates.Verdict{Outcome: gates.Fail, Reason: reason, Evidence: gates.Evidence{Query: reason + "{|}"}}}
		tallies[fmt.Sprint("gate-", i, strings.Repeat("x", padding))] = engine.Tally{Last: look, Worst: &look, Looks: 1, Fails: 1}
	}
	for i := range steps {
		step := first
		step.ID, step.Gates = fmt.Sprint("step-", i), slices.Sorted(maps.Keys(tallies))
		ro.Plan.Steps = append(ro.Plan.Steps, step)
		ro.Steps = append(ro.Steps, engine.StepState{ID: step.ID, Started: ro.Started, InForce: ro.Started.Add(time.Second), Gates: tallies})
	}
	ro.Step = steps
	return sheet.Input{End: report.End{Result: report.RolledBack, Rollout: ro, At: s.Now()}}
}

func TestTooLongIsCutAndSaid(t *testing.T) {
	tests := []struct {
		name               string
		in                 sheet.Input
		limit              int
		said               string
		says, gates, steps bool
	}{
		{"all fits", long(3, 3, 0), summary.MaxBytes, "", true, true, true},
		{"no evidence", long(3, 8, 0), 9_000, "The evidence of the gates is left out", false, true, true},
		{"no gates", long(3, 8, 0), 3_700, "The gates are left out", false, false, true},
		{"only the first lines", long(40, 20, 0), 3_000, "The steps, the gates and the chart are left out", false, false, false},
		{"a mebibyte", long(40, 90, 330), summary.MaxBytes, "left out", false, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := summary.Within(tt.in, tt.limit)
			if len(text) > tt.limit || !strings.HasPrefix(text, "### ❌ checkout was rolled back") || !strings.Contains(text, "**Next:**") {
				t.Fatalf("%d bytes of %d: %.300s", len(text), tt.limit, text)
			}
			if !strings.Contains(text, tt.said) || tt.said == "" && strings.Contains(text, "left out") {
				t.Errorf("%q is not said in\n%.2000s", tt.said, text)
			}
			has := []bool{strings.Contains(text, "| Says |"), strings.Contains(text, "| Gate |"), strings.Contains(text, "| Until in force |")}
			if !slices.Equal(has, []bool{tt.says, tt.gates, tt.steps}) {
				t.Errorf("says, gates, steps: %v (%d bytes)", has, len(text))
			}
		})
	}
	if text := summary.Within(long(1, 1, 0), 100); text != "" {
		t.Errorf("%q", text)
	}
}

func TestChartsAreSmallAndPlain(t *testing.T) {
	line := regexp.MustCompile(`(?m)^    line \[(.*)\]$`)
	for _, s := range scene.All(t.Context()) {
		text := summary.Markdown(s.Input)
		for _, m := range line.FindAllStringSubmatch(text, -1) {
			if n := strings.Count(m[1], ",") + 1; n > 61 || strings.ContainsAny(m[1], "eEN") {
				t.Errorf("%s: %d points: %s", s.Name, n, m[1])
			}
		}
	}
}

// What lies outside of 0 to 1 has a chart of its own, and what measures time never is a percent.
func TestOnlySharesAreDrawnAsPercent(t *testing.T) {
	tests := []struct {
		name, gate string
		values     []float64
		legend     string
		charts     int
	}{
		{"share", "errors", []float64{0, 0.5}, "red: gate errors, in percent", 1},
		{"count", "restarts", []float64{0, 3}, "", 2},
		{"negative", "balance", []float64{-0.5, 0.5}, "", 2},
		{"time", "latency", []float64{0.1, 0.2}, "", 2},
		{"constant", "errors", []float64{0.5, 0.5}, "", 1},
		{"huge", "bytes", []float64{1, math.MaxFloat64}, "", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := story.During(2, story.Every)
			for i, v := range tt.values {
				look := gates.Standing{Verdict: gates.Verdict{Outcome: gates.Pass, Evidence: gates.Evidence{Value: &v}}, At: s.Now().Add(time.Duration(i+1) * time.Second)}
				s.Tell(engine.Event{Kind: engine.EventVerdict, Gate: tt.gate + "-new", Look: &look})
			}
			var events []engine.Event
			for _, e := range s.Events {
				if e.Kind != engine.EventVerdict || e.Gate == tt.gate+"-new" {
					for i := range e.Rollout.Steps {
						e.Rollout.Steps[i].Gates = nil
					}
					events = append(events, e)
				}
			}
			in := sheet.Input{End: report.End{Result: report.Cancelled, Rollout: s.Record.Rollout, At: s.Now()}, Timeline: scene.Timeline(t.Context(), events)}
			text := summary.Markdown(in)
			legend := strings.ReplaceAll(tt.legend, "gate errors", "gate errors-new")
			if got := strings.Count(text, "```mermaid"); got != tt.charts || !strings.Contains(text, legend) || legend == "" && strings.Contains(text, "red:") {
				t.Errorf("%d charts:\n%s", got, text)
			}
		})
	}
}
