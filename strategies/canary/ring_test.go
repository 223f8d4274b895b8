package canary_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/strategies/canary"
)

// TestRing: the ring has the new version from its own step on until everybody has it, and the way back of every step takes
// it away.
func TestRing(t *testing.T) {
	for _, tc := range []struct{ name, strategy, want, ahead string }{
		{"header", `{internal: {header: {X-Staff: "1"}}, steps: [10%, 60%], hold: 1m}`,
			"internal 0% X-Staff: 1, shift-10 10% X-Staff: 1, shift-60 60% X-Staff: 1, full 100% , return 0% ", ""},
		{"cookie", `{internal: {cookie: {staff: "1"}}, steps: [60%]}`,
			"internal 0% the cookie staff=1, shift-60 60% the cookie staff=1, full 100% , return 0% ", "size the candidate for 60% of the traffic"},
		{"an approval in between", `{internal: {header: {X-Staff: "1"}}, steps: [{approve: {message: Go}}, 60%]}`,
			"internal 0% X-Staff: 1, shift-60 60% X-Staff: 1, full 100% , return 0% ", ""},
		{"nothing but an approval", `{internal: {header: {X-Staff: "1"}}, steps: [{approve: {message: Go}}]}`,
			"internal 0% X-Staff: 1, full 100% , return 0% ", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := canary.Strategy{}.Compile(input(t, tc.strategy))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range p.Steps {
				for _, op := range s.Do {
					if op.Kind == plan.SetSplit {
						got = append(got, fmt.Sprintf("%s %s %s", s.ID, op.Weight, plan.RingText(op.Ring)))
					}
				}
			}
			if strings.Join(got, ", ") != tc.want {
				t.Errorf("splits are\n%s, want\n%s", strings.Join(got, ", "), tc.want)
			}
			step := p.Steps[1]
			ahead := ""
			if step.Ahead != nil {
				ahead = step.Ahead.String()
			}
			if step.ID != "internal" || step.Weight != 0 || p.Steps[0].Do[0].PodsFor(p.Objects.Size) != 1 || ahead != tc.ahead {
				t.Errorf("step %s, weight %s, ahead %q, candidate %v", step.ID, step.Weight, ahead, p.Steps[0].Do)
			}
			if undo := p.UndoFrom(1); undo[0].Kind != plan.SetSplit || !undo[0].Split().Nothing() || undo[len(undo)-1].Kind != plan.RemoveCandidate {
				t.Errorf("the way back is %v", undo)
			}
			if p.Steps[2].Approve != nil && p.Steps[2].ID != "approve" {
				t.Errorf("the step after is %s", p.Steps[2].ID)
			}
		})
	}
}

// TestRingGates: all gates that name no moment judge the ring, and those that name it.
func TestRingGates(t *testing.T) {
	in := input(t, `{internal: {header: {X-Staff: "1"}, hold: 7s}, steps: [50%], hold: 1m}`)
	in.Deploy.Spec.Gates[1].At = []string{"internal"}
	p, err := canary.Strategy{}.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(p.Steps[1].Gates, " "); got != "kubernetes errors smoke" || time.Duration(p.Steps[1].Hold) != 7*time.Second {
		t.Errorf("gates %s, hold %v", got, p.Steps[1].Hold)
	}
}
