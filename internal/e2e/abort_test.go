package e2e

import (
	"slices"
	"testing"
)

// steps are those of a rollout with the shares 10% and 50%, which are as good as three.
var steps = []string{"candidate", "shift-10", "shift-50", "full", "confirm", "roll-base", "return", "clean-up"}

// split deals the steps out to tests that run side by side: even ones and odd ones. A sample has only those that it names.
func split(t *testing.T, sample string, test func(t *testing.T, steps []string)) {
	for first, name := range []string{"even", "odd"} {
		if name != sample && !everything() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var some []string
			for i := first; i < len(steps); i += 2 {
				some = append(some, steps[i])
			}
			test(t, some)
		})
	}
}

// TestAbort aborts a rollout in each of its steps, from another process.
func TestAbort(t *testing.T) {
	split(t, "odd", func(t *testing.T, steps []string) {
		s := open(t, layout{steps: "10%, 50%"})
		version, next := "v1", "v2"
		for _, step := range steps {
			p := s.deploy(next)
			p.reach(step)
			abort := s.start("abort", "--reason", "a test")
			code := abort.wait(patience)
			switch got := p.wait(patience); {
			case got == 3 && code == 0:
				p.mentions("a test")
			case got == 0 && slices.Contains([]string{"return", "clean-up"}, step):
				abort.mentions("too late")
				version, next = next, version
			default:
				t.Errorf("in step %s: deploy exits %d, abort %d, want 3 and 0", step, got, code)
			}
			t.Logf("aborted in %s: deploy exits %d, abort %d", step, p.code, code)
			s.whole(version)
		}
	})
}
