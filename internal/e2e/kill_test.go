package e2e

import "testing"

// TestKillResume kills one run after the other, each in the step after the one before, and wants the last to succeed.
func TestKillResume(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: "10%, 50%"})
	for _, step := range steps {
		p := s.deploy("v2")
		p.reach(step)
		p.kill()
	}
	last := s.deploy("v2")
	last.want(0)
	last.mentions("carried on by")
	s.whole("v2")
	if h := s.status().History; len(h) != 1 {
		t.Errorf("the history has %d rollouts, want 1", len(h))
	}
}

// TestKillAbort kills the runner in each step and has another process take the rollout back.
func TestKillAbort(t *testing.T) {
	split(t, "even", func(t *testing.T, steps []string) {
		s := open(t, layout{steps: "10%, 50%"})
		for _, step := range steps {
			p := s.deploy("v2")
			p.reach(step)
			p.kill()
			s.run(0, "abort")
			s.whole("v1")
			t.Logf("killed in %s, taken back", step)
		}
	})
}

// TestKillOther kills the runner and deploys a third version, which starts from the base.
func TestKillOther(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: "50%"})
	p := s.deploy("v2")
	p.hold("shift-50")
	p.kill()
	s.deploy("v11").want(0)
	s.whole("v11")
	s.neverMixed("v2", "v11")
}
