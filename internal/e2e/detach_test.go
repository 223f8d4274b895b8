package e2e

import (
	"testing"
	"time"
)

// TestDetached lets runs end during a long hold, and a scheduled one go on when it is over.
func TestDetached(t *testing.T) {
	const long = "{weight: 50%, hold: 25s, detach: true}"
	t.Run("by a schedule", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{steps: long})
		p := s.deploy("v2")
		p.want(4)
		p.mentions("nobody watches meanwhile")
		begun := time.Now()
		s.run(4, "deploy", "--resume")
		if d := s.status(); d.Rollout == nil || !d.Rollout.Detached || d.Rollout.Split.String() != "50%" {
			t.Errorf("meanwhile the status is %+v", d.Rollout)
		}
		s.start("promote").want(2)
		time.Sleep(time.Until(begun.Add(26 * time.Second)))
		s.run(0, "deploy", "--resume")
		s.whole("v2")
	})
	t.Run("promoted", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{steps: long})
		s.deploy("v2").want(4)
		s.run(0, "promote", "--full")
		s.whole("v2")
	})
	t.Run("aborted", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{steps: long})
		s.deploy("v2").want(4)
		s.run(0, "abort")
		s.whole("v1")
	})
	t.Run("its gates are asked first", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{steps: long, noDataFor: "2s"})
		metrics := newPrometheus(t)
		s.prometheus = metrics.URL
		s.deploy("v2").want(4)
		metrics.down.Store(true)
		s.run(3, "deploy", "--resume").mentions("errors")
		s.whole("v1")
	})
}

// TestRollbackNow rolls the workload back under traffic, without a candidate.
func TestRollbackNow(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: "50%"})
	s.deploy("v2").want(0)
	p := s.run(0, "rollback", "--now")
	p.mentions("roll")
	s.whole("v1")
	for _, step := range s.status().Rollout.Steps {
		if step.ID == "candidate" {
			t.Error("a candidate was made")
		}
	}
}
