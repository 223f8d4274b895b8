package e2e

import (
	"testing"
	"time"
)

// TestSupersede starts a second version while the first is on its way: it goes back, and the second starts from the base.
func TestSupersede(t *testing.T) {
	t.Parallel()
	s := open(t, layout{hold: "4s"})
	first := s.deploy("v2")
	first.hold("shift-25")
	second := s.deploy("v11")
	first.want(7)
	second.want(0)
	s.whole("v11")
	s.neverMixed("v2", "v11")
}

// neverMixed wants every answer of one version before the first of the other: never more than two versions at a time.
func (s *shop) neverMixed(one, other string) {
	s.t.Helper()
	var last, first time.Time
	for _, a := range s.users.Snapshot() {
		switch {
		case a.Version == one:
			last = a.At
		case a.Version == other && first.IsZero():
			first = a.At
		}
	}
	if first.IsZero() || last.IsZero() {
		s.t.Errorf("users met %s last at %s, %s first at %s: want both met", one, last, other, first)
	}
	if last.After(first) {
		s.t.Errorf("users still met %s %s after they first met %s: three versions at once", one, last.Sub(first), other)
	}
}

// TestReject leaves the rollout in flight alone.
func TestReject(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: "50%", hold: "6s", more: "  concurrency: reject"})
	first := s.deploy("v2")
	first.hold("shift-50")
	second := s.deploy("v11")
	second.want(5)
	second.mentions("holds")
	first.want(0)
	s.whole("v2")
	s.neverMet("v11")
}

// TestQueue waits for the end of the rollout in flight and goes on from what it brought.
func TestQueue(t *testing.T) {
	t.Parallel()
	exhaustive(t)
	s := open(t, layout{steps: "50%", more: "  concurrency: queue"})
	first := s.deploy("v2")
	first.hold("shift-50")
	second := s.deploy("v11")
	first.want(0)
	second.want(0)
	s.whole("v11")
	s.neverMixed("v1", "v11")
}

func (s *shop) neverMet(version string) {
	s.t.Helper()
	if n := s.users.Counts().ByVersion[version]; n > 0 {
		s.t.Errorf("%d answers came from %s, want none", n, version)
	}
}

// TestTwins starts two processes of one run with one image: one carries the rollout, the other waits for its end.
func TestTwins(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: "50%"})
	s.env = []string{"GITHUB_RUN_ID=4711", "GITHUB_RUN_ATTEMPT=1", "GITHUB_SERVER_URL=https://github.example.com", "GITHUB_REPOSITORY=shop/checkout"}
	one, other := s.deploy("v2"), s.deploy("v2")
	one.want(0)
	other.want(0)
	s.whole("v2")
	if h := s.status().History; len(h) != 1 {
		t.Errorf("the history has %d rollouts, want 1", len(h))
	}
}

// TestKillOther kills the runner and deploys a third version, which starts from the base.
func TestKillOther(t *testing.T) {
	t.Parallel()
	exhaustive(t)
	s := open(t, layout{steps: "50%"})
	p := s.deploy("v2")
	p.hold("shift-50")
	p.kill()
	s.deploy("v11").want(0)
	s.whole("v11")
	s.neverMixed("v2", "v11")
}
