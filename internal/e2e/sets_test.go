package e2e

import (
	"testing"
	"time"
)

// TestRollingSets carries versions through StatefulSets and DaemonSets, good ones and bad ones. The cluster has one node, so
// that a DaemonSet is one pod, and its users wait while it is replaced unless it may surge.
func TestRollingSets(t *testing.T) {
	for _, c := range []struct {
		name, kind, strategy, version string
		code                          int
		loses                         bool
	}{
		{"StatefulSet at once", "StatefulSet", "{rolling: {hold: 2s}}", "v2", 0, false},
		{"StatefulSet with pauses", "StatefulSet", pausing, "v2", 0, false},
		{"StatefulSet errs at a pause", "StatefulSet", pausing, "v3", 3, false},
		{"StatefulSet crashes", "StatefulSet", pausing, "v6", 3, false},
		{"StatefulSet never ready", "StatefulSet", "{rolling: {}}", "v4", 3, false},
		{"DaemonSet surging", "DaemonSet", "{rolling: {maxSurge: 1, maxUnavailable: 0, hold: 2s}}", "v2", 0, false},
		{"DaemonSet crashes", "DaemonSet", "{rolling: {maxSurge: 1, maxUnavailable: 0}}", "v6", 3, false},
		{"DaemonSet at once", "DaemonSet", "{rolling: {hold: 2s}}", "v2", 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.name == "StatefulSet at once" || c.name == "StatefulSet never ready" || c.name == "DaemonSet at once" {
				exhaustive(t)
			}
			s := open(t, layout{kind: c.kind, strategy: c.strategy, more: "  progressDeadline: 20s"})
			s.lossy = c.loses
			s.deploy(c.version).want(c.code)
			if c.code == 0 {
				s.whole(c.version)
				return
			}
			s.whole("v1")
			if n := s.ready(c.version); n > 0 {
				t.Errorf("%d new pods are left", n)
			}
		})
	}
}

// TestRecreateSets stops all pods of a StatefulSet or DaemonSet first, where the spec accepts what that risks.
func TestRecreateSets(t *testing.T) {
	for _, kind := range []string{"StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := open(t, layout{kind: kind, strategy: "{recreate: {acceptOutageOnCrash: true, hold: 2s}}"})
			s.lossy = true
			s.neverTwo()
			begun := time.Now()
			p := s.deploy("v2", "-o", "json")
			p.want(0)
			s.near(p.told(), s.outage(begun), time.Second)
			s.whole("v2")
			s.deploy("v6").want(3)
			s.whole("v2")
		})
	}
}
