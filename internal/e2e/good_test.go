package e2e

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/sandbox/load"
)

// lag is what a gateway may need until a weight that was written is in force: the guard.
const lag = 2 * time.Second

// TestGood carries a good version to all users, from one that ends politely and from one that drops its connections.
func TestGood(t *testing.T) {
	for _, c := range []struct{ name, from, to string }{
		{"graceful", "v1", "v2"},
		{"rude", "v9", "v10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, layout{version: c.from, strategy: "{canary: {steps: [10%, 25%, 50%], hold: 6s, bake: 6s, drain: 1s}}"})
			s.deploy(c.to).want(0)
			s.whole(c.to)
			s.shares(c.to)
			if n := load.Summarize(s.users.Snapshot()).Failed; n > 0 {
				t.Errorf("%d requests were answered with an error", n)
			}
		})
	}
}

// status is the document of `tidegate status -o json`.
func (s *shop) status() report.StatusDocument {
	s.t.Helper()
	var d report.StatusDocument
	s.run(0, "status", "-o", "json").read(&d)
	return d
}

// shares wants each step's share of the requests, while it was in force, within what chance explains in 99 of 100 cases.
func (s *shop) shares(version string) {
	s.t.Helper()
	shifts := 0
	for _, step := range s.status().Rollout.Steps {
		if !strings.HasPrefix(step.ID, "shift-") && step.ID != "full" {
			continue
		}
		shifts++
		all := s.between(step.InForce.Add(lag), step.Finished)
		what := fmt.Sprintf("%s: requests that met %s", step.ID, version)
		s.fair(what, load.Summarize(all).ByVersion[version], len(all), rate, step.Weight, 1)
	}
	if shifts != 4 {
		s.t.Errorf("%d steps moved requests, want 4", shifts)
	}
}

// fair wants a part of n, of which there are enough, to be the share within what chance explains in 99 of 100 cases, and
// the slack of the measurement.
func (s *shop) fair(what string, part, n, enough int, share plan.Share, slack float64) {
	s.t.Helper()
	p := float64(share) / float64(plan.All)
	want := float64(n) * p
	room := 2.576*math.Sqrt(want*(1-p)) + slack
	s.t.Logf("%s: %d of %d, want %s, which is %.0f ± %.0f", what, part, n, share, want, room)
	if n < enough {
		s.t.Errorf("%s: %d is too few to tell, want %d", what, n, enough)
	}
	if math.Abs(float64(part)-want) > room {
		s.t.Errorf("%s: %d of %d, want %s within 99 %%", what, part, n, share)
	}
}
