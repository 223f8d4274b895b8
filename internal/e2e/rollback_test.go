package e2e

import (
	"testing"
	"time"
)

// TestRollback goes back from version to version, to what ran before the first rollout, and forth by name.
func TestRollback(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: "50%"})
	s.run(2, "rollback").mentions("there is no earlier revision")
	s.untouched()
	for _, version := range []string{"v2", "v11"} {
		s.deploy(version).want(0)
		s.whole(version)
	}
	p := s.run(0, "rollback")
	p.mentions("full")
	s.whole("v2")
	for _, step := range s.status().Rollout.Steps {
		if step.ID == "shift-50" {
			t.Error("the rollback went through a share")
		}
	}
	s.run(0, "rollback")
	s.whole("v1")
	s.run(2, "rollback").mentions("there is no earlier revision")
	s.run(2, "rollback", "--to", "v99").mentions("the history has no revision")
	s.run(0, "rollback", "--to", "v11", "--steps").mentions("shift-50")
	s.whole("v11")
}

// TestRollbackBake goes back while the base still stands: one write, and the users are back within a moment.
func TestRollbackBake(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: "50%, {weight: 100%, hold: 1m}"})
	p := s.deploy("v2")
	p.hold("full")
	asked := time.Now()
	back := s.run(0, "rollback")
	p.want(3)
	s.whole("v1")
	for _, a := range s.between(asked.Add(5*time.Second), back.ended) {
		if a.Version == "v2" {
			t.Errorf("a user met v2 %s after the rollback was asked for", a.At.Sub(asked))
			break
		}
	}
}

// TestRollbackKilled carries a rollback on whose run was killed, in each of its steps.
func TestRollbackKilled(t *testing.T) {
	t.Parallel()
	exhaustive(t)
	s := open(t, layout{steps: "50%"})
	s.deploy("v2").want(0)
	for i, step := range []string{"candidate", "full", "roll-base", "return"} {
		if i%2 == 0 && !everything() {
			continue
		}
		p := s.start("rollback")
		p.reach(step)
		p.kill()
	}
	s.run(0, "rollback")
	s.whole("v1")
}

// TestRollbackTemplate restores the pod template that ran, not only its image.
func TestRollbackTemplate(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: "50%"})
	s.deploy("v2").want(0)
	s.whole("v2")
	s.kubectl("", "-n", s.namespace, "set", "env", "deployment/checkout", "ADDED=yes")
	s.kubectl("", "-n", s.namespace, "rollout", "status", "deployment/checkout", "--timeout=50s")
	s.deploy("v11").want(0)
	s.run(0, "rollback", "--to", "3") // v11, what ran before it, v2
	s.whole("v2")
}
