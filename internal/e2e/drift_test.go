package e2e

import (
	"testing"
)

// TestDrift has somebody else change things in the middle of a rollout: it is said, and never fought blindly.
func TestDrift(t *testing.T) {
	const holding = "{weight: 50%, hold: 1m}"
	t.Run("route", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{steps: holding})
		p := s.deploy("v2")
		p.hold("shift-50")
		s.kubectl(s.objects("v1"), "apply", "--server-side", "--force-conflicts", "-f", "-") // a GitOps tool puts its files back
		p.tells("somebody changed")
		p.want(3)
		p.mentions("HTTPRoute/checkout", "drift: correct")
		s.whole("v1")
	})
	t.Run("route, put back", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{strategy: "{canary: {steps: [{weight: 50%, hold: 12s}], drain: 1s}}", drift: "correct"})
		p := s.deploy("v2")
		p.hold("shift-50")
		s.kubectl(s.objects("v1"), "apply", "--server-side", "--force-conflicts", "-f", "-")
		p.tells("putting the split back")
		p.want(0)
		s.whole("v2")
	})
	t.Run("Service", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{strategy: "{blueGreen: {keepOld: 1m, drain: 1s}}", routeless: true})
		p := s.deploy("v2")
		p.hold("full")
		s.kubectl(s.objects("v1"), "apply", "--server-side", "--force-conflicts", "-f", "-")
		p.tells("somebody changed spec.selector")
		p.want(3)
		p.mentions("Service/checkout")
		s.whole("v1")
	})
	t.Run("autoscaler", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{steps: "{weight: 50%, hold: 6s}", extra: scaler})
		p := s.deploy("v2")
		p.hold("shift-50")
		s.kubectl("", "-n", s.namespace, "patch", "hpa", "checkout", "--type=merge", "-p", `{"spec":{"maxReplicas":12}}`)
		s.remember()
		p.want(0)
		if most := nested(s.get(scalers, "checkout"), "spec", "maxReplicas"); most != int64(12) {
			t.Errorf("the maximum is %v, want the 12 that somebody wrote", most)
		}
		if least := nested(s.get(scalers, "checkout"), "spec", "minReplicas"); least != int64(2) {
			t.Errorf("the minimum is %v, want 2", least)
		}
	})
	t.Run("workload", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{steps: holding})
		p := s.deploy("v2")
		p.hold("shift-50")
		s.kubectl(s.objects("v11"), "apply", "--server-side", "--force-conflicts", "-f", "-")
		p.tells("somebody changed spec.template")
		p.want(3)
		p.mentions("v11")
		s.whole("v11")
	})
	t.Run("size", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{strategy: pausing})
		p := s.deploy("v2")
		p.hold("pods-1")
		s.kubectl("", "-n", s.namespace, "scale", "deployment/checkout", "--replicas=4")
		p.tells("somebody scaled")
		p.want(3)
	})
}
