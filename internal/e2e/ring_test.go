package e2e

import (
	"net/http"
	"testing"
	"time"
)

// TestInternalRing shows the new version to staff while nobody else meets it, and then to a share.
func TestInternalRing(t *testing.T) {
	for name, c := range map[string]struct {
		ring  string
		staff http.Header
		other http.Header
	}{
		"header": {`{header: {X-Staff: "1"}}`, http.Header{"X-Staff": {"1"}}, http.Header{"X-Staff": {"0"}}},
		"cookie": {`{cookie: {staff: "1"}}`, http.Header{"Cookie": {"a=b; staff=1"}}, http.Header{"Cookie": {"staff=10; notstaff=1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, layout{strategy: "{canary: {internal: " + c.ring + ", steps: [{approve: {message: Have a look}}, 50%], hold: 3s, drain: 1s}}"})
			s.deploy("v2").want(4)
			for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
				if status, version := s.visit(s.host, c.staff); status != http.StatusOK || version != "v2" {
					t.Fatalf("staff get %d by %q", status, version)
				}
				if status, version := s.visit(s.host, c.other); status != http.StatusOK || version != "v1" {
					t.Fatalf("another user gets %d by %q", status, version)
				}
			}
			s.neverMet("v2")
			p := s.start("promote")
			p.hold("shift-50")
			for range 20 {
				if _, version := s.visit(s.host, c.staff); version != "v2" {
					t.Errorf("at 50%% staff get %q", version)
				}
			}
			p.want(0)
			s.whole("v2")
		})
	}
}

// TestInternalRingAborted takes the ring back.
func TestInternalRingAborted(t *testing.T) {
	t.Parallel()
	s := open(t, layout{strategy: `{canary: {internal: {header: {X-Staff: "1"}}, steps: [50%], hold: 20s, drain: 1s}}`, rules: richRules, extra: neighbour})
	p := s.deploy("v2")
	p.hold("internal")
	s.run(0, "abort")
	p.want(3)
	s.whole("v1")
	if _, version := s.visit(s.host, http.Header{"X-Staff": {"1"}}); version != "v1" {
		t.Errorf("staff get %q after the abort", version)
	}
}
