package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
)

// planned is a plan as its strategy's test keeps it.
func planned(t *testing.T, name string) plan.Plan {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "plans", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var p plan.Plan
	if err := json.Unmarshal(data, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPlans: the plans of the strategies beside the canary, as a person reads them.
func TestPlans(t *testing.T) {
	for _, name := range []string{"rolling-paused", "recreate", "blue-green-preview", "blue-green-service", "canary-replicas-scaled", "canary-in-place",
		"rolling-statefulset", "rolling-daemonset", "recreate-statefulset", "canary-sticky", "shadow-then"} {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			if err := report.Plan(&text, planned(t, name)); err != nil {
				t.Fatal(err)
			}
			golden(t, "plan-"+name+".txt", text.String())
		})
	}
}

// inPlace is a rolling update at a step, which is in force or not.
func inPlace(t *testing.T, step int, inForce bool, phase engine.Phase) *engine.Rollout {
	t.Helper()
	start := time.Date(2026, 3, 14, 3, 9, 26, 0, time.UTC)
	ro := &engine.Rollout{Plan: planned(t, "rolling-paused"), Phase: phase, Step: step, Started: start, Ended: start.Add(time.Minute)}
	for i, s := range ro.Plan.Steps {
		state := engine.StepState{ID: s.ID}
		if i <= step {
			state.Started = start.Add(time.Duration(i) * time.Second)
		}
		if i < step || i == step && inForce {
			state.InForce = state.Started.Add(time.Second)
		}
		ro.Steps = append(ro.Steps, state)
	}
	return ro
}

// TestClosingInPlace: what is said of users does not speak of a route, nor of shares that nobody knows.
func TestClosingInPlace(t *testing.T) {
	for _, tt := range []struct {
		name    string
		rollout *engine.Rollout
		result  report.Result
		outage  time.Duration
		users   string
	}{
		{"good", inPlace(t, 3, true, engine.Succeeded), report.Succeeded, 0, ""},
		{"at a pause", inPlace(t, 1, true, engine.RolledBack), report.RolledBack, 0, "at most 50% of the requests met v2"},
		{"on the way to one", inPlace(t, 1, false, engine.RolledBack), report.RolledBack, 0,
			"up to 50% of the requests may have met v2: pods serve as soon as they are ready"},
		{"cancelled", inPlace(t, 0, true, engine.Running), report.Cancelled, 0, "25% of the requests meet v2 NOW, as far as this run knows"},
		{"outage", inPlace(t, 3, true, engine.Succeeded), report.Succeeded, 2345 * time.Millisecond, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.rollout.Outage = plan.Duration(tt.outage)
			c := report.End{Result: tt.result, Rollout: tt.rollout}.Closing()
			outage := map[bool]string{true: "no pod was ready for 2.3s"}[tt.outage > 0]
			if c.Users != tt.users || c.Outage != outage {
				t.Errorf("users %q, outage %q", c.Users, c.Outage)
			}
			var text bytes.Buffer
			if err := report.Ending(&text, report.End{Result: tt.result, Rollout: tt.rollout}); err != nil || strings.Contains(text.String(), "outage") != (tt.outage > 0) {
				t.Errorf("%v:\n%s", err, text.String())
			}
		})
	}
}

// TestShareOnTheWayBack: when the old version is rolled back nobody meets the new one, before the marks are gone.
func TestShareOnTheWayBack(t *testing.T) {
	ro := inPlace(t, 1, true, engine.Undoing)
	for undone, want := range []plan.Share{50 * plan.OnePercent, 0, 0} {
		ro.Undone = undone
		if got := report.Share(*ro); got != want {
			t.Errorf("after %d ops of the way back: %s", undone, got)
		}
	}
}
