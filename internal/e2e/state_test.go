package e2e

import "testing"

// TestStateDeleted deletes what Tidegate remembers and is locked by, in the middle of a rollout.
func TestStateDeleted(t *testing.T) {
	t.Run("lease", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{steps: "50%", hold: "8s"})
		p := s.deploy("v2")
		p.hold("shift-50")
		s.delete(leases, s.record())
		p.want(0)
		s.whole("v2")
	})
	t.Run("record", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{steps: "50%"})
		s.deploy("v11").want(0)
		p := s.deploy("v2")
		p.hold("shift-50")
		s.delete(configMaps, s.record())
		p.want(0)
		s.whole("v2")
		if h := s.status().History; len(h) != 2 {
			t.Errorf("the history has %d rollouts, want 2", len(h))
		}
	})
}

// TestRecordLost deletes the record and kills the runner: what is left in the cluster is found and taken back.
func TestRecordLost(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: "10%, 50%"})
	for _, c := range []struct{ step, version string }{{"shift-50", "v2"}, {"roll-base", "v11"}} {
		p := s.deploy(c.version)
		p.reach(c.step)
		p.kill()
		s.delete(configMaps, s.record())
		s.run(0, "status").mentions("no record")
		s.deploy(c.version).want(0)
		s.whole(c.version)
	}
}
