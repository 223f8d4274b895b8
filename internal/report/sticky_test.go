package report_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
)

// atStep is a rollout of a plan whose step is in force.
func atStep(t *testing.T, name, id string, phase engine.Phase) *engine.Rollout {
	t.Helper()
	start := time.Date(2026, 3, 14, 3, 9, 26, 0, time.UTC)
	p := planned(t, name)
	ro := &engine.Rollout{Plan: p, Phase: phase, Step: p.Index(id), Started: start, Steps: make([]engine.StepState, len(p.Steps))}
	for i := range ro.Step + 1 {
		ro.Steps[i] = engine.StepState{ID: p.Steps[i].ID, Started: start, InForce: start.Add(time.Second)}
	}
	return ro
}

// TestSharesOfUsers: where users are divided nothing speaks of shares of the requests, and the other way round.
func TestSharesOfUsers(t *testing.T) {
	for name, of := range map[string]string{"canary-sticky": "users", "canary": "requests"} {
		t.Run(name, func(t *testing.T) {
			ro := atStep(t, name, "shift-25", engine.Running)
			quarter := 25 * plan.OnePercent
			var status, document bytes.Buffer
			v := report.StatusView{Name: "checkout", Record: &engine.Record{Rollout: ro}, Now: ro.Started.Add(time.Minute), Facts: report.Facts{Split: &quarter}}
			if err := report.Status(&status, v); err != nil {
				t.Fatal(err)
			}
			if err := report.StatusJSON(&document, v); err != nil {
				t.Fatal(err)
			}
			if sticky := strings.Contains(document.String(), `"sticky": true`); sticky != (of == "users") {
				t.Errorf("sticky is %v in %s", sticky, document.String())
			}
			undoing := *ro
			undoing.Phase, undoing.Cause, undoing.Reason = engine.Undoing, engine.CauseFailure, "errors failed"
			told, _ := new(report.Narrator).Tell(engine.Event{Kind: engine.EventUndoing, At: v.Now, Step: "shift-25", Message: "errors failed", Rollout: undoing})
			texts := map[string]string{"the status": status.String(), "the way back": told.Text}
			for _, result := range []report.Result{report.Pending, report.Promoted, report.Failed, report.RolledBack} {
				closing := report.End{Result: result, Rollout: ro, At: v.Now}.Closing()
				texts[string(result)] = closing.Users
			}
			for what, text := range texts {
				want, other := "25% of the "+of, map[string]string{"users": "% of the requests", "requests": "% of the users"}[of]
				if what == "the status" {
					want = of
				}
				if !strings.Contains(text, want) || strings.Contains(text, other) {
					t.Errorf("%s does not speak of %s:\n%s", what, of, text)
				}
			}
		})
	}
}
