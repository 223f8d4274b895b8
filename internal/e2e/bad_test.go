package e2e

import (
	"testing"
	"time"
)

// TestBad takes bad versions back, each for what is wrong with it, long before the progress deadline of ten minutes.
func TestBad(t *testing.T) {
	const quick = 45 * time.Second
	for _, c := range []struct {
		name, version string
		more          string
		says          []string
	}{
		{"errors", "v3", "", []string{"rolled back", "errors", "shift-10"}},
		{"errors later", "v5", "", []string{"rolled back", "errors"}},
		{"crash loop", "v6", "", []string{"rolled back", "/etc/checkout/config.yaml: no such file or directory"}},
		{"no such image", "nope", "", []string{"rolled back", "ImagePull", "tidegate.local/checkout:nope"}},
		{"never ready", "v4", "  progressDeadline: 15s", []string{"rolled back", "15s", "Readiness probe failed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, layout{more: c.more})
			p := s.deploy(c.version)
			p.want(3)
			s.whole("v1")
			p.mentions(c.says...)
			if p.took() > quick {
				t.Errorf("took %s, want at most %s", p.took(), quick)
			}
			if d := s.status(); d.Phase != "rolled-back" || len(d.History) != 1 {
				t.Errorf("phase %s with %d rollouts in the history, want rolled-back with 1", d.Phase, len(d.History))
			}
		})
	}
}
