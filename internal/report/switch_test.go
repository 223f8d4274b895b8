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

// switching is a switch at a step that is in force.
func switching(t *testing.T, name, step string) engine.Rollout {
	t.Helper()
	start := time.Date(2026, 3, 14, 3, 9, 26, 0, time.UTC)
	ro := engine.Rollout{Plan: planned(t, name), Phase: engine.Running, Started: start, Deadline: start.Add(2 * time.Hour)}
	if ro.Step = ro.Plan.Index(step); ro.Step < 0 {
		t.Fatalf("%s has no step %s", name, step)
	}
	for i, s := range ro.Plan.Steps {
		state := engine.StepState{ID: s.ID}
		if i <= ro.Step {
			state.Started, state.InForce = start, start.Add(time.Second)
		}
		if s.Approve != nil && i == ro.Step {
			state.Approval = &engine.Approval{Since: start, Until: start.Add(time.Hour)}
		}
		ro.Steps = append(ro.Steps, state)
	}
	return ro
}

// TestStandby: while the old version stands by, the log says until when, and how it is switched back to.
func TestStandby(t *testing.T) {
	ro := switching(t, "blue-green-preview", "full")
	line, ok := new(report.Narrator).Tell(engine.Event{At: ro.Started, Kind: engine.EventInForce, Step: "full", Rollout: ro})
	if !ok || !strings.HasPrefix(line.Text, "in force; v1 stands by until 14 Mar 03:39:26 UTC (30m); back with one write: tidegate abort --name checkout\n") {
		t.Errorf("told is %q", line.Text)
	}
	other := switching(t, "blue-green-preview", "preview")
	if line, _ := new(report.Narrator).Tell(engine.Event{At: ro.Started, Kind: engine.EventInForce, Step: "preview", Rollout: other}); strings.Contains(line.Text, "stands by") {
		t.Errorf("before the switch it tells %q", line.Text)
	}
}

// TestSwitchStatus: what a person can look at and do, at each step that lasts.
func TestSwitchStatus(t *testing.T) {
	for _, tc := range []struct {
		name, plan, step string
		split            plan.Share
		has, hasNot      []string
	}{
		{"the preview of a route", "blue-green-preview", "preview", 0,
			[]string{"kubectl -n shop get httproute checkout-preview", "v2 answers at host next.shop.example.com", "the route agrees", "go back to v1"}, []string{"with one write"}},
		{"the preview of a Service, for a person", "blue-green-service-preview", "approve", 0,
			[]string{"kubectl -n shop get service checkout-next", "the preview of v2", "the Service agrees", "let it go on"}, []string{"the route"}},
		{"standing by", "blue-green-service", "full", plan.All,
			[]string{"switch back to v1 with one write", "tidegate promote --full --name checkout", "do not keep v1 any longer", "the Service agrees"}, []string{"kubectl"}},
		{"changed by hand", "blue-green-service", "full", 0, []string{"the Service was changed by somebody else: record and Service differ"}, []string{"the route"}},
		{"after the switch", "blue-green-preview", "roll-base", plan.All, []string{"go back to v1"}, []string{"checkout-preview", "with one write"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ro, alive := switching(t, tc.plan, tc.step), true
			var text bytes.Buffer
			err := report.Status(&text, report.StatusView{Name: "checkout", Namespace: "shop", Workload: "deployment/checkout", Now: ro.Started.Add(2 * time.Second),
				Record: &engine.Record{Rollout: &ro}, Facts: report.Facts{Alive: &alive, Holder: "run", Split: &tc.split}})
			if err != nil {
				t.Fatal(err)
			}
			flat := strings.Join(strings.Fields(text.String()), " ")
			for _, want := range tc.has {
				if !strings.Contains(flat, want) {
					t.Errorf("it does not say %q:\n%s", want, text.String())
				}
			}
			for _, not := range tc.hasNot {
				if strings.Contains(flat, not) {
					t.Errorf("it says %q:\n%s", not, text.String())
				}
			}
		})
	}
}

// TestPreviewInClosing: who is asked is told where to look first.
func TestPreviewInClosing(t *testing.T) {
	ro := switching(t, "blue-green-service-preview", "approve")
	c := report.End{Result: report.Pending, Rollout: &ro}.Closing()
	if len(c.Next) == 0 || c.Next[0].Command != "kubectl -n shop get service checkout-next" {
		t.Errorf("next is %v", c.Next)
	}
}
