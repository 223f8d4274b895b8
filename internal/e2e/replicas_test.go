package e2e

import (
	"math"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/load"
)

// replicas is a canary of three pods without a route: one new pod, two, all.
const replicas = "{canary: {steps: [33%, 66%], hold: 6s, drain: 1s}}"

// capacity wants at least as many ready pods as the base has, whatever their version, until the test ends.
func (s *shop) capacity() {
	s.t.Helper()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
			ready := 0
			for _, p := range s.list(pods, "") {
				if isReady(&p) {
					ready++
				}
			}
			if ready < s.size() {
				s.t.Errorf("at %s only %d pods are ready", time.Now().UTC().Format(clockTime), ready)
			}
		}
	}()
	s.t.Cleanup(func() { close(stop); <-done })
}

// TestReplicasGood carries a good version to all users by numbers of pods, with exact counts, no less capacity at any
// moment, and each step's share within what chance explains in 99 of 100 cases.
func TestReplicasGood(t *testing.T) {
	for name, extra := range map[string]string{"plain": "", "with an autoscaler": scaler} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, layout{strategy: replicas, routeless: true, extra: extra})
			s.capacity()
			p := s.deploy("v2")
			for n, step := range []string{"shift-33", "shift-66"} {
				p.hold(step)
				for end := time.Now().Add(4 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
					if old, fresh := s.ready("v1"), s.ready("v2"); fresh != n+1 || old != size-n-1 {
						t.Errorf("at %s: %d new pods and %d old ones", step, fresh, old)
					}
				}
			}
			p.want(0)
			s.whole("v2")
			s.podShares("v2")
		})
	}
}

// podShares is shares for a rollout whose shares are those of pods.
func (s *shop) podShares(version string) {
	s.t.Helper()
	seen := 0
	for _, step := range s.status().Rollout.Steps {
		if step.ID != "shift-33" && step.ID != "shift-66" {
			continue
		}
		seen++
		all := s.between(step.InForce.Add(lag), step.Finished)
		n, p := float64(len(all)), float64(step.Weight)/float64(plan.All)
		got := float64(load.Summarize(all).ByVersion[version])
		if off := math.Abs(got - n*p); n < rate || off > 2.576*math.Sqrt(n*p*(1-p))+1 {
			s.t.Errorf("%s: %v of %v requests met %s, want %v", step.ID, got, n, version, step.Weight)
		} else {
			s.t.Logf("%s: %v of %v requests met %s, %v", step.ID, got, n, version, step.Weight)
		}
	}
	if seen != 2 {
		s.t.Errorf("%d steps with shares, want 2", seen)
	}
}

// TestReplicasBad takes bad versions back, with the base at its size before the new pods go.
func TestReplicasBad(t *testing.T) {
	for _, c := range []struct {
		name, version string
		says          []string
	}{
		{"errors", "v3", []string{"rolled back", "errors"}},
		{"crash loop", "v6", []string{"rolled back", "/etc/checkout/config.yaml: no such file or directory"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, layout{strategy: replicas, routeless: true})
			s.capacity()
			p := s.deploy(c.version)
			p.want(3)
			p.mentions(c.says...)
			s.whole("v1")
		})
	}
}

// TestSettleInPlace rolls the base under its traffic.
func TestSettleInPlace(t *testing.T) {
	t.Parallel()
	s := open(t, layout{strategy: "{canary: {steps: [33%], hold: 3s, settle: inPlace, drain: 1s}}", extra: scaler})
	s.capacity()
	s.deploy("v2").want(0)
	s.whole("v2")
}
