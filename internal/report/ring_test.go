package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
)

// TestRing: who meets the new version, forward and on the way back.
func TestRing(t *testing.T) {
	staff := []plan.Match{{Header: "X-Staff", Value: "1"}}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := plan.Plan{Steps: []plan.Step{
		{ID: "candidate", Undo: []plan.Op{{Kind: plan.RemoveCandidate}}},
		{ID: "internal", Do: []plan.Op{{Kind: plan.SetSplit, Ring: staff}}, Undo: []plan.Op{{Kind: plan.SetSplit}}},
		{ID: "full", Weight: plan.All, Do: []plan.Op{{Kind: plan.SetSplit, Weight: plan.All}}, Undo: []plan.Op{{Kind: plan.SetSplit}}},
	}}
	for _, tc := range []struct {
		name    string
		phase   engine.Phase
		step    int
		inForce bool
		undone  int
		want    string
	}{
		{"before", engine.Running, 1, false, 0, ""},
		{"in its step", engine.Running, 1, true, 0, "X-Staff: 1"},
		{"on the way to everybody", engine.Running, 2, false, 0, "X-Staff: 1"},
		{"everybody", engine.Running, 2, true, 0, ""},
		{"going back", engine.Undoing, 1, true, 0, "X-Staff: 1"},
		{"back", engine.Undoing, 1, true, 1, ""},
		{"over", engine.RolledBack, 1, true, 2, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ro := engine.Rollout{Plan: p, Phase: tc.phase, Step: tc.step, Undone: tc.undone, Steps: make([]engine.StepState, 3),
				Drift: []engine.Drifted{{Text: "somebody changed spec.rules", Since: now}}}
			ro.Steps[tc.step].Started = now
			if tc.inForce {
				ro.Steps[tc.step].InForce = now
			}
			if got := report.Ring(ro); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
			var b strings.Builder
			if err := report.Status(&b, report.StatusView{Name: "checkout", Record: &engine.Record{Rollout: &ro}, Now: now}); err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(b.String(), "and those with X-Staff: 1"); got != (tc.want != "") || !strings.Contains(b.String(), "somebody changed spec.rules (since 03:04:05 UTC)") {
				t.Errorf("the status is\n%s", b.String())
			}
		})
	}
}
