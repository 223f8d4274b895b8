package report_test

import (
	"bytes"
	"testing"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/story"
)

// TestShareFollowsTheWayBack: traffic counts as back as soon as the op that moved it is done, not when everything is.
func TestShareFollowsTheWayBack(t *testing.T) {
	s := story.During(7, 0) // in step return, after the base was rolled
	s.Turn(engine.CauseAbort, "aborted", "x")
	var got []plan.Share
	ro := *s.Record.Rollout
	for ro.Undone = 0; ro.Undone <= len(ro.Plan.UndoFrom(ro.Step)); ro.Undone++ {
		got = append(got, report.Share(ro))
	}
	// candidate again, all requests to it, a wait, base rolled back, released, requests to the base, a wait, candidate removed
	all := plan.All
	want := []plan.Share{all, all, all, all, all, all, 0, 0, 0}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("after %d ops: got %s, want %s", i, got[i], want[i])
		}
	}
}

func TestMarks(t *testing.T) {
	marks := func(ro engine.Rollout) (text string) {
		for _, s := range report.Steps(ro) {
			text += s.Mark.Symbol()
		}
		return text
	}
	tests := []struct {
		name  string
		story *story.Story
		want  string
	}{
		{"beginning", story.Beginning(), "▸········"},
		{"at 25 %", story.During(2, story.Every), "✓✓▸······"},
		{"turned", story.Turned(), "◂◂◂······"},
		{"requests are back", story.Turned().Back(2, 0), "◂↶↶······"},
		{"rolled back", story.Bad(), "↶↶↶······"},
		{"succeeded", story.Good(), "✓✓✓✓✓✓✓✓✓"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := marks(*tt.story.Record.Rollout); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestDamagedRecords: a record that was cut short or edited is shown, not a panic.
func TestDamagedRecords(t *testing.T) {
	for _, phase := range []engine.Phase{engine.Running, engine.Undoing, engine.UndoFailed, engine.RolledBack, engine.Succeeded, "odd", ""} {
		for _, step := range []int{-1, 0, 3, 99} {
			for _, states := range []int{0, 2, 20} {
				p := story.Canary()
				ro := engine.Rollout{Plan: p, Phase: phase, Step: step, Undone: step, Steps: make([]engine.StepState, states), Cause: engine.CauseGate}
				var b bytes.Buffer
				v := report.StatusView{Record: &engine.Record{Rollout: &ro}}
				for _, write := range []error{report.Status(&b, v), report.StatusJSON(&b, v), report.Ending(&b, report.End{Result: report.Failed, Rollout: &ro}),
					report.Ending(&b, report.End{Result: report.UndoFailed, Rollout: &ro}), report.Ending(&b, report.End{Result: report.RolledBack, Rollout: &ro})} {
					if write != nil {
						t.Error(write)
					}
				}
				logged([]engine.Event{{Kind: engine.EventResumed, Rollout: ro}, {Kind: engine.EventUndoOp, Rollout: ro}, {Kind: engine.EventInForce, Rollout: ro}}, report.LogOptions{})
			}
		}
	}
}
