package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkRolling compares the strategy rolling, with nothing paused, with `kubectl set image` and `kubectl rollout status`
// for the same change: it is to take at most 1.05 times as long. The two take turns.
func BenchmarkRolling(b *testing.B) {
	const runs = 5
	for b.Loop() {
		s := open(b, layout{strategy: "{rolling: {}}"})
		spec, _, _ := strings.Cut(s.fill(userSpec), "  metrics:") // kubectl asks no gates either
		s.writeSpec(spec)
		var ours, native []float64
		for range runs {
			begun := time.Now()
			s.kubectl("", "-n", s.namespace, "set", "image", "deployment/checkout", "app="+image("v2"))
			s.kubectl("", "-n", s.namespace, "rollout", "status", "deployment/checkout", "--timeout=120s")
			native = append(native, time.Since(begun).Seconds())
			s.rest(b, "v2")
			p := s.deploy("v1")
			p.want(0)
			ours = append(ours, p.took().Seconds())
			s.rest(b, "v1")
			fmt.Printf("    run %d: kubectl %.2f s, tidegate %.2f s\n", len(ours), native[len(native)-1], ours[len(ours)-1])
		}
		b.ReportMetric(median(ours)/median(native), "times-kubectl")
		table("rolling, nothing paused", "seconds, median", median(ours), "worst", slices.Max(ours),
			"kubectl, median", median(native), "worst", slices.Max(native), "times kubectl (percent)", 100*median(ours)/median(native))
	}
}

// rest waits until there are the ready pods of a version and no others.
func (s *shop) rest(b *testing.B, version string) {
	b.Helper()
	eventually(b, time.Minute, func() string { return s.onlyPods(version) })
}
