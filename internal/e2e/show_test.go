package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/plan"
)

// TestShow looks at a rollout from outside while it is under way, and afterwards.
func TestShow(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: "50%", hold: "12s"})
	t.Run("plan", func(t *testing.T) {
		var printed struct{ Plan plan.Plan }
		p := s.run(0, "plan", "-o", "json", "--image", image("v2"))
		p.read(&printed)
		if printed.Plan.Strategy != "canary" || len(printed.Plan.Steps) != 7 {
			t.Errorf("strategy %q with %d steps, want canary with 7", printed.Plan.Strategy, len(printed.Plan.Steps))
		}
		s.untouched()
	})
	s.run(0, "status").mentions("no rollout")
	s.asked("base", 0)

	p := s.deploy("v2")
	p.hold("shift-50")
	follower := s.start("status", "-w")
	d := s.status()
	if d.Phase != "running" || d.Rollout.Step != "shift-50" || d.Rollout.Split.String() != "50%" || d.Rollout.RouteSplit.String() != "50%" ||
		d.Holder.Alive == nil || !*d.Holder.Alive {
		text, _ := json.MarshalIndent(d, "", "  ") // plain data
		t.Errorf("status in the middle of shift-50: %s", text)
	}
	s.run(0, "status").mentions("shift-50", "50%", "errors")
	s.asked("candidate", 0)
	p.want(0)
	if code := follower.wait(patience); code != 0 {
		t.Errorf("status -w: exit %d, want 0", code)
	}
	follower.mentions("send every request to the new version", "succeeded")
	s.whole("v2")

	s.deploy("v3").want(3)
	s.whole("v2")
	s.run(0, "status").mentions("rolled back", "errors")
	events := s.kubectl("", "get", "events", "-n", s.namespace, "--field-selector", "involvedObject.kind=Deployment,involvedObject.name=checkout")
	for _, reason := range []string{"RolloutStarted", "RolloutStep", "RolloutSucceeded", "RolloutUndoing", "RolledBack"} {
		if !strings.Contains(events, reason) {
			t.Errorf("no event %s on the workload:\n%s", reason, events)
		}
	}
	s.run(0, "plan", "--image", image("v2")).mentions("already runs")
}

// asked wants an answer to the gate's query, about this side, once there are numbers.
func (s *shop) asked(track string, value float64) {
	s.t.Helper()
	eventually(s.t, 15*time.Second, func() string {
		var asked app.Asked
		s.run(0, "query", "errors", "-o", "json").read(&asked)
		if asked.Track != track || len(asked.Pods) == 0 || asked.Verdict.Evidence.Value == nil || *asked.Verdict.Evidence.Value != value {
			return fmt.Sprintf("the gate was asked about the %s (%v) and said %+v, want %v about the %s", asked.Track, asked.Pods, asked.Verdict, value, track)
		}
		return ""
	})
}
