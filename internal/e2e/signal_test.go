package e2e

import (
	"syscall"
	"testing"
	"time"
)

// TestSignal cancels a run while a step holds, as a CI system does: it ends soon, leaves the cluster as it is, and the next
// run carries on.
func TestSignal(t *testing.T) {
	const within = 7 * time.Second
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		code   int
	}{{"SIGINT", syscall.SIGINT, 130}, {"SIGTERM", syscall.SIGTERM, 143}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, layout{steps: "50%", hold: "5s"})
			p := s.deploy("v2")
			p.hold("shift-50")
			sent := time.Now()
			p.signal(c.signal)
			p.want(c.code)
			if took := p.ended.Sub(sent); took > within {
				t.Errorf("took %s to end, want at most %s", took, within)
			}
			left := s.versions()
			time.Sleep(2 * time.Second)
			if now := s.versions(); now != left {
				t.Errorf("objects changed after the end:\n%s\n%s", left, now)
			}
			if d := s.status(); d.Phase != "running" {
				t.Errorf("phase %s, want running", d.Phase)
			}
			next := s.deploy("v2")
			next.want(0)
			next.mentions("carried on by")
			s.whole("v2")
		})
	}
}

// versions are the generations of what a rollout changes.
func (s *shop) versions() string {
	text := ""
	for _, gvr := range []struct{ name string }{{"checkout"}, {"checkout-candidate"}} {
		if d := s.get(deployments, gvr.name); d != nil {
			text += d.GetName() + " " + time.Duration(d.GetGeneration()).String() + " "
		}
	}
	return text + s.get(routes, "checkout").GetResourceVersion() + " " + s.get(configMaps, s.record()).GetResourceVersion()
}
