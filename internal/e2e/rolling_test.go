package e2e

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// pausing is a rolling update of three pods that pauses at one and two new ones.
const pausing = "{rolling: {pauseAt: [1, 50%], hold: 6s}}"

// rollingSteps are those of pausing.
var rollingSteps = []string{"pods-1", "pods-2", "roll", "clean-up"}

// ready counts the ready pods that run a version.
func (s *shop) ready(version string) int {
	s.t.Helper()
	n := 0
	for _, p := range s.list(pods, "") {
		containers, _, _ := unstructured.NestedSlice(p.Object, "spec", "containers")
		if containers[0].(map[string]any)["image"] == image(version) && isReady(&p) {
			n++
		}
	}
	return n
}

// TestRollingGood carries a good version to all users, at once and with pauses; no request is lost.
func TestRollingGood(t *testing.T) {
	for _, c := range []struct{ name, strategy string }{
		{"at once", "{rolling: {hold: 2s}}"},
		{"with pauses", pausing},
		{"paced", "{rolling: {maxSurge: 1, maxUnavailable: 0, minReady: 2s}}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, layout{strategy: c.strategy, extra: scaler})
			s.deploy("v2").want(0)
			s.whole("v2")
		})
	}
}

// TestRollingPausesAreExact: during the hold of a pause there are exactly as many new pods as it says, and the others old.
func TestRollingPausesAreExact(t *testing.T) {
	for _, kind := range []string{"Deployment", "StatefulSet"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := open(t, layout{kind: kind, strategy: pausing})
			p := s.deploy("v2")
			for n := 1; n <= 2; n++ {
				p.hold(fmt.Sprintf("pods-%d", n))
				for end := time.Now().Add(4 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
					if old, fresh := s.ready("v1"), s.ready("v2"); fresh != n || old != size-n {
						t.Errorf("at the pause of %d: %d new pods and %d old ones", n, fresh, old)
					}
				}
			}
			p.want(0)
			s.whole("v2")
		})
	}
}

// TestRollingBad takes bad versions back, at the first pause and without one.
func TestRollingBad(t *testing.T) {
	for _, c := range []struct {
		name, version, strategy, more string
		says                          []string
	}{
		{"errors at a pause", "v3", pausing, "", []string{"rolled back", "errors", "pods-1"}},
		{"errors at once", "v3", "{rolling: {hold: 6s}}", "", []string{"rolled back", "errors"}},
		{"crash loop", "v6", "{rolling: {}}", "", []string{"rolled back", "/etc/checkout/config.yaml: no such file or directory"}},
		{"no such image", "nope", pausing, "", []string{"rolled back", "ImagePull", "tidegate.local/checkout:nope"}},
		{"never ready", "v4", pausing, "  progressDeadline: 15s", []string{"rolled back", "15s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, layout{strategy: c.strategy, more: c.more})
			p := s.deploy(c.version)
			p.want(3)
			s.whole("v1")
			p.mentions(c.says...)
			if n := s.ready(c.version); n > 0 {
				t.Errorf("%d new pods are left", n)
			}
		})
	}
}

// TestRollingGraceful: pods that exit at once when they are told to stop go without a lost request, because they sleep first.
func TestRollingGraceful(t *testing.T) {
	t.Parallel()
	s := open(t, layout{strategy: "{rolling: {pauseAt: [2], hold: 1m, graceful: 5s}}"})
	p := s.deploy("v10")
	p.hold("pods-2")
	s.run(0, "abort")
	p.want(3)
	s.whole("v1")
}

// TestRollingScaler: at a pause an autoscaler can neither add nor take pods.
func TestRollingScaler(t *testing.T) {
	t.Parallel()
	s := open(t, layout{strategy: pausing, extra: scaler})
	p := s.deploy("v2")
	p.hold("pods-1")
	spec := s.get(scalers, "checkout").Object["spec"].(map[string]any)
	if spec["minReplicas"] != int64(size) || spec["maxReplicas"] != int64(size) {
		t.Errorf("the bounds are %v and %v, want %d", spec["minReplicas"], spec["maxReplicas"], size)
	}
	p.want(0)
	s.whole("v2") // with its own bounds
}
