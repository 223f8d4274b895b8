package e2e

import (
	"slices"
	"testing"
)

// form is a strategy in one of its forms, with the steps of a rollout by it.
type form struct {
	layout
	name  string
	steps []string
	// late are the steps that an abort finds too late: every gate has passed, and what is left is clean-up.
	late []string
	// loses says that users may lose requests.
	loses bool
	// exact says that only the version that is stopped serves until the other one does.
	watch func(s *shop)
}

// forms are the strategies beside the canary over a route, whose tests are older, and the rolling update of a Deployment.
func forms() []form {
	settling := []string{"confirm", "roll-base", "return", "clean-up"}
	return []form{
		{name: "blueGreen over a route", layout: layout{strategy: "{blueGreen: {keepOld: 3s, drain: 1s}}", extra: scaler},
			steps: append([]string{"candidate", "full"}, settling...), late: settling[2:]},
		{name: "blueGreen by the Service", layout: layout{strategy: "{blueGreen: {keepOld: 3s, drain: 1s}}", routeless: true},
			steps: append([]string{"candidate", "full"}, settling...), late: settling[2:]},
	}
}

// each runs a test for every form.
func each(t *testing.T, test func(t *testing.T, f form, s *shop)) {
	for _, f := range forms() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, f.layout)
			s.lossy = f.loses
			if f.watch != nil {
				f.watch(s)
			}
			test(t, f, s)
		})
	}
}

// TestFormsCarriedOn kills one run after the other, each in the step after the one before, and wants the last to succeed.
func TestFormsCarriedOn(t *testing.T) {
	each(t, func(t *testing.T, f form, s *shop) {
		for _, step := range f.steps {
			p := s.deploy("v2")
			p.reach(step)
			p.kill()
		}
		last := s.deploy("v2")
		last.want(0)
		last.mentions("carried on by")
		s.whole("v2")
		if h := s.status().History; len(h) != 1 {
			t.Errorf("the history has %d rollouts, want 1", len(h))
		}
	})
}

// TestFormsTakenBack kills the runner in each step and has another process take the rollout back.
func TestFormsTakenBack(t *testing.T) {
	each(t, func(t *testing.T, f form, s *shop) {
		for _, step := range f.steps {
			p := s.deploy("v2")
			p.reach(step)
			p.kill()
			s.run(0, "abort")
			s.whole("v1")
			t.Logf("killed in %s, taken back", step)
		}
	})
}

// TestFormsAborted aborts a rollout in each of its steps, from another process.
func TestFormsAborted(t *testing.T) {
	each(t, func(t *testing.T, f form, s *shop) {
		version, next := "v1", "v2"
		for _, step := range f.steps {
			p := s.deploy(next)
			p.reach(step)
			abort := s.start("abort", "--reason", "a test")
			code := abort.wait(patience)
			switch got := p.wait(patience); {
			case got == 3 && code == 0:
				p.mentions("a test")
			case got == 0 && slices.Contains(f.late, step):
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

// TestFormsSuperseded deploys a third version in the middle: the one in flight goes back first, and the third starts from
// the base.
func TestFormsSuperseded(t *testing.T) {
	each(t, func(t *testing.T, f form, s *shop) {
		first := s.deploy("v2")
		first.reach(f.steps[1])
		second := s.deploy("v11")
		first.want(7)
		second.want(0)
		s.whole("v11")
		s.neverThree()
	})
}

// TestFormsQueued has a third version wait for the end of the one in flight, and refused where the spec says so.
func TestFormsQueued(t *testing.T) {
	for _, f := range forms() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.more = "  concurrency: queue"
			s := open(t, f.layout)
			s.lossy = f.loses
			first := s.deploy("v2")
			first.reach(f.steps[1])
			second := s.deploy("v11")
			first.want(0)
			second.want(0)
			s.whole("v11")
			s.neverThree()
		})
	}
}

// neverThree wants no moment at which users met three versions: when the first answer of one comes, one of the two others
// is gone for good.
func (s *shop) neverThree() {
	s.t.Helper()
	first, last := map[string]int{}, map[string]int{}
	for i, a := range s.users.Snapshot() {
		if a.Version == "" {
			continue
		}
		if _, met := first[a.Version]; !met {
			first[a.Version] = i
		}
		last[a.Version] = i
	}
	for version, begin := range first {
		with := []string{version}
		for other := range first {
			if other != version && first[other] < begin && last[other] > begin {
				with = append(with, other)
			}
		}
		if len(with) > 2 {
			s.t.Errorf("users met %v at the same time", with)
		}
	}
}
