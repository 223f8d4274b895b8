package e2e

import (
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// untouched wants that not even a record was written.
func (s *shop) untouched() {
	s.t.Helper()
	for _, gvr := range []schema.GroupVersionResource{configMaps, leases} {
		if s.get(gvr, s.record()) != nil {
			s.t.Errorf("%s/%s was made", gvr.Resource, s.record())
		}
	}
	for gvr, before := range s.before {
		if now := s.get(gvr, "checkout"); now == nil || now.GetGeneration() != before.GetGeneration() {
			s.t.Errorf("%s was touched", gvr.Resource)
		}
	}
}

// TestInput gives tidegate wrong specs and wrong calls.
func TestInput(t *testing.T) {
	t.Parallel()
	s := open(t, layout{rate: 20})
	good := s.fill(userSpec)
	t.Run("broken spec", func(t *testing.T) {
		broken := strings.NewReplacer("workload:", "workloud:", "10%, 25%", "25%, 10%", "every: 1s", "every: 1", "pass: result <", "pass: reslt <").Replace(good)
		s.writeSpec(broken)
		defer s.writeSpec(good)
		p := s.run(2, "deploy", "--image", image("v2"))
		p.mentions("workloud", "workload", "does not rise", "every", "reslt")
		if places := regexp.MustCompile(`tidegate\.yaml:\d+:\d+`).FindAllString(p.said(), -1); len(places) < 4 {
			t.Errorf("mistakes at %v, want four of them with line and column", places)
		}
	})
	for _, c := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"unknown context", []string{"deploy", "--image", image("v2"), "--context", "moon"}, 2, []string{"moon", "it has"}},
		{"missing image", []string{"deploy"}, 2, []string{"--image"}},
		{"unknown flag", []string{"deploy", "--imagge", "x"}, 2, []string{"--imagge"}},
		{"unknown command", []string{"deplyo"}, 2, []string{"deplyo"}},
		{"no spec", []string{"deploy", "--image", "x", "--spec", "nowhere.yaml"}, 2, []string{"nowhere.yaml"}},
		{"nothing to do", []string{"deploy", "--image", image("v1")}, 0, []string{"nothing to do"}},
		{"nothing to abort", []string{"abort"}, 0, []string{"nothing to abort"}},
		{"nothing to resume", []string{"deploy", "--resume"}, 0, []string{"nothing to resume"}},
	} {
		t.Run(c.name, func(t *testing.T) { s.run(c.code, c.args...).mentions(c.says...) })
	}
	s.untouched()
	s.whole("v1")
}

// TestBaseNotWhole refuses to start where there is no way back, but for --force.
func TestBaseNotWhole(t *testing.T) {
	for _, c := range []struct{ name, version string }{{"crash loop", "v6"}, {"never ready", "v4"}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, layout{version: c.version, crowd: true, steps: "50%"})
			s.lossy = true
			p := s.deploy("v2")
			p.want(2)
			p.mentions("not whole", "--force")
			s.remember()
			s.untouched()
			s.letIn()
			s.deploy("v2", "--force").want(0)
			s.whole("v2")
		})
	}
}
