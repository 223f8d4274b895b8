package sheet_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/sheet"
	"github.com/tidegate/tidegate/internal/report/sheet/scene"
	"github.com/tidegate/tidegate/internal/report/story"
	"github.com/tidegate/tidegate/internal/report/timeline"
)

func TestWeb(t *testing.T) {
	tests := []struct{ name, address, want string }{
		{"https", "https://github.com/acme/shop/actions/runs/1?a=b#c", "https://github.com/acme/shop/actions/runs/1?a=b#c"},
		{"http with a port", "http://localhost:8080/x", "http://localhost:8080/x"},
		{"parentheses end a link", "https://example.com/a)b(c", "https://example.com/a%29b%28c"},
		{"space and quotes", `https://example.com/a "b" <c>`, "https://example.com/a%20%22b%22%20%3Cc%3E"},
		{"query", "https://example.com/?q=[x](y)|`", "https://example.com/?q=%5Bx%5D%28y%29%7C%60"},
		{"script", "javascript:alert(1)", ""},
		{"data", "data:text/html,x", ""},
		{"no scheme", "//evil.example", ""},
		{"no host", "https:///x", ""},
		{"password", "https://me:secret@example.com", ""},
		{"odd host", "https://exa(mple.com", ""},
		{"letters that look alike", "https://gіthub.com", ""},
		{"odd port", "https://example.com:99999", ""},
		{"none", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := sheet.Web(tt.address); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRows(t *testing.T) {
	tests := []struct {
		name   string
		story  *story.Story
		result report.Result
		steps  string // sign, time until in force and held, of the first three
		gate   string // errors: sign, value, worst, looks, fails
		tone   sheet.Tone
	}{
		{"good", story.Good(), report.Succeeded, "[passed 7s ] [passed 7s 2m] [passed 7s 5m]", "passed 0.00113  1 0", sheet.Good},
		{"bad", story.Bad(), report.RolledBack, "[undone 7s ] [undone 7s 2m] [failed 7s 2m]", "failed 0.32 0.32 13 3", sheet.Bad},
		{"aborted", story.Aborted(), report.Aborted, "[undone 7s ] [undone 7s 2m] [undone 7s 44s]", "passed 0.0008  5 0", sheet.Doubt},
		{"cancelled", story.Cancelled(), report.Cancelled, "[passed 7s ] [passed 7s 2m] [in progress 7s 43s]", "passed 0.0008  5 0", sheet.Waiting},
		{"crashed", story.Crashed(), report.RolledBack, "[failed 12s ] [not reached  ] [not reached  ]", "", sheet.Bad},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := sheet.New(scene.Of(t.Context(), tt.result, tt.story))
			steps := ""
			for _, row := range s.Steps[:3] {
				steps += fmt.Sprintf(" [%s %s %s]", row.Sign, row.Took, row.Held)
			}
			gate := ""
			for _, g := range s.Gates {
				if g.Name == "errors" {
					gate = fmt.Sprintf("%s %s %s %d %d", g.Sign, g.Value, g.Worst, g.Looks, g.Fails)
				}
			}
			if steps[1:] != tt.steps || gate != tt.gate || s.Tone != tt.tone {
				t.Errorf("steps %s, gate %q, tone %s", steps, gate, s.Tone)
			}
		})
	}
}

// The worst value is the one furthest from what passed, on whichever side that is.
func TestWorst(t *testing.T) {
	look := func(v float64, o gates.Outcome) timeline.Look { return timeline.Look{Value: &v, Outcome: o} }
	tests := []struct {
		name  string
		looks []timeline.Look
		want  string
	}{
		{"too much", []timeline.Look{look(1, gates.Pass), look(5, gates.Fail), look(9, gates.Fail), look(7, gates.Fail)}, "9"},
		{"too little", []timeline.Look{look(10, gates.Pass), look(5, gates.Fail), look(3, gates.Fail), look(4, gates.Fail)}, "3"},
		{"never passed", []timeline.Look{look(5, gates.Fail), look(3, gates.Fail)}, "5"},
		{"nothing drawn", nil, "6"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := story.Bad()
			six := 6.0
			failed := gates.Standing{Verdict: gates.Verdict{Outcome: gates.Fail, Evidence: gates.Evidence{Value: &six}}}
			s.Record.Rollout.Steps[2].Gates = map[string]engine.Tally{"errors": {Last: failed, Worst: &failed, Looks: 3, Fails: 1}}
			in := sheet.Input{End: report.End{Result: report.RolledBack, Rollout: s.Record.Rollout}}
			in.Timeline = timeline.Data{Start: s.Now(), End: s.Now().Add(time.Second), Gates: []timeline.Series{{Gate: "errors", Looks: tt.looks}}}
			for _, g := range sheet.New(in).Gates {
				if g.Name == "errors" && g.Worst != tt.want {
					t.Errorf("got %s", g.Worst)
				}
			}
		})
	}
}

// A record that was cut short or edited is shown, not a panic.
func TestDamagedRecords(t *testing.T) {
	for _, phase := range []engine.Phase{engine.Running, engine.Undoing, engine.UndoFailed, engine.RolledBack, engine.Succeeded, ""} {
		for _, step := range []int{-1, 0, 99} {
			for _, states := range []int{0, 2, 20} {
				ro := engine.Rollout{Plan: story.Canary(), Phase: phase, Step: step, Undone: step, Steps: make([]engine.StepState, states), Cause: engine.CauseGate}
				s := sheet.New(sheet.Input{End: report.End{Result: report.UndoFailed, Rollout: &ro}})
				if len(s.Steps) != len(ro.Plan.Steps) || s.Closing.Headline == "" {
					t.Errorf("%s at %d: %d steps", phase, step, len(s.Steps))
				}
			}
		}
	}
	if s := sheet.New(sheet.Input{}); s.Tone != sheet.Bad || len(s.Steps) != 0 {
		t.Errorf("of nothing: %v", s)
	}
}
