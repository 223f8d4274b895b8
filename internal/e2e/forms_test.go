package e2e

import (
	"os"
	"slices"
	"testing"
)

// steps are those of a canary with the shares 10% and 50%, which are as good as three.
var steps = []string{"candidate", "shift-10", "shift-50", "full", "confirm", "roll-base", "return", "clean-up"}

// form is a strategy in one of its forms, with the steps of a rollout by it that last long enough to be met.
type form struct {
	layout
	name  string
	steps []string
	// late are the steps that an abort may find too late: every gate has passed, and what is left is clean-up.
	late []string
	// model says that it is tried in every step, in samples too: others are like it.
	model bool
	// alike says that another form is much like it: it is left out of samples.
	alike bool
	// loses says that users lose requests, for at times nobody is there to serve them.
	loses bool
	// stays says that users keep the version that they have when all went well.
	stays bool
	watch func(s *shop)
}

// leaves is the version that runs when a rollout of the next one went well.
func (f form) leaves(version, next string) string {
	if f.stays {
		return version
	}
	return next
}

// forms are the strategies, each in its forms.
func forms() []form {
	settling := []string{"confirm", "roll-base", "return", "clean-up"}
	switched := append([]string{"candidate", "full"}, settling...)
	return []form{
		{name: "canary over a route", model: true, layout: layout{steps: "10%, 50%"}, steps: steps, late: settling[2:]},
		{name: "canary over Traefik", alike: true, layout: layout{steps: "10%, 50%", router: "traefik"}, steps: steps, late: settling[2:]},
		{name: "sticky canary", layout: layout{strategy: sticking("{weight: 50%, hold: 3s}"), jars: true},
			steps: append([]string{"candidate", "shift-50", "full"}, settling...), late: settling[2:]},
		{name: "sticky canary over Traefik", alike: true, layout: layout{strategy: sticking("{weight: 50%, hold: 3s}"), jars: true, router: "traefik"},
			steps: append([]string{"candidate", "shift-50", "full"}, settling...), late: settling[2:]},
		{name: "shadow", layout: layout{strategy: shadowing("20%", "6s", ""), router: "traefik"}, steps: []string{"candidate", mirroring}, stays: true,
			watch: func(s *shop) { s.t.Cleanup(func() { s.neverMet("v2") }) }},
		{name: "shadow before a canary", alike: true, layout: layout{strategy: shadowing("20%", "6s", "{canary: {steps: [50%], hold: 2s, drain: 1s}}"), router: "traefik"},
			steps: append([]string{"candidate", mirroring, "shift-50", "full"}, settling...), late: settling[2:]},
		{name: "rolling", layout: layout{strategy: pausing, extra: scaler}, steps: rollingSteps[:3]},
		{name: "rolling StatefulSet", alike: true, layout: layout{strategy: pausing, kind: "StatefulSet"}, steps: rollingSteps[:3]},
		{name: "rolling DaemonSet", alike: true, layout: layout{strategy: "{rolling: {maxSurge: 1, maxUnavailable: 0, hold: 4s}}", kind: "DaemonSet"}, steps: []string{"roll"}},
		{name: "recreate", layout: layout{strategy: recreating}, steps: []string{"recreate"}, loses: true, watch: (*shop).neverTwo},
		{name: "recreate StatefulSet", alike: true, layout: layout{strategy: "{recreate: {acceptOutageOnCrash: true, hold: 3s}}", kind: "StatefulSet"},
			steps: []string{"recreate"}, loses: true, watch: (*shop).neverTwo},
		{name: "blueGreen over a route", alike: true, layout: layout{strategy: "{blueGreen: {keepOld: 3s, drain: 1s}}", extra: scaler}, steps: switched, late: settling[2:]},
		{name: "blueGreen by the Service", layout: layout{strategy: "{blueGreen: {keepOld: 3s, drain: 1s}}", routeless: true}, steps: switched, late: settling[2:]},
		{name: "canary by replicas", layout: layout{strategy: "{canary: {steps: [33%], hold: 2s}}", routeless: true, extra: scaler}, watch: (*shop).capacity,
			steps: []string{"candidate", "shift-33", "full", "confirm", "roll-base", "clean-up"}, late: settling[3:]},
		{name: "canary that settles in place", alike: true, layout: layout{strategy: "{canary: {steps: [33%], hold: 2s, settle: inPlace, drain: 1s}}"}, watch: (*shop).capacity,
			steps: append([]string{"candidate", "shift-33"}, settling...), late: settling[2:]},
		{name: "canary with a ring", alike: true, layout: layout{strategy: `{canary: {internal: {header: {X-Staff: "1"}}, steps: [50%], hold: 2s, drain: 1s}}`},
			steps: append([]string{"candidate", "internal", "shift-50", "full"}, settling...), late: settling[2:]},
	}
}

// everything says that nothing is to be left out; otherwise the tests are samples, for all of them take two hours. Every
// kill costs the time until the dead runner's lock is free.
func everything() bool { return os.Getenv("TIDEGATE_TEST_ALL") == "1" }

// exhaustive leaves a test to make exhaust: another one is much like it.
func exhaustive(t testing.TB) {
	t.Helper()
	if !everything() {
		t.Skip("make exhaust runs it: another test is much like it")
	}
}

// each runs a test for every form.
func each(t *testing.T, test func(t *testing.T, f form, s *shop)) {
	for _, f := range forms() {
		if f.alike && !everything() {
			continue
		}
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
		for i, step := range f.steps {
			if i%3 != 0 && !everything() {
				continue
			}
			p := s.deploy("v2")
			p.reach(step)
			p.kill()
		}
		last := s.deploy("v2")
		last.want(0)
		last.mentions("carried on by")
		s.whole(f.leaves("v1", "v2"))
		if s.people != nil {
			s.once(s.people.Histories(), "v1", "v2")
		}
		if h := s.status().History; len(h) != 1 {
			t.Errorf("the history has %d rollouts, want 1", len(h))
		}
	})
}

// TestFormsGoBack takes rollouts back in each of their steps: aborts a living one, and one whose runner was killed. All of
// both are many: in a sample each form is killed in one step and aborted in another; in a model the steps take turns.
func TestFormsGoBack(t *testing.T) {
	each(t, func(t *testing.T, f form, s *shop) {
		version, next := "v1", "v2"
		for i, step := range f.steps {
			if everything() || f.model && i%4 == 0 || !f.model && i == 1 || len(f.steps) == 1 {
				p := s.deploy(next)
				p.reach(step)
				p.kill()
				s.run(0, "abort")
				s.whole(version)
				t.Logf("killed in %s, taken back", step)
			}
			if everything() || f.model && i%4 == 2 || !f.model && i == 4 {
				if s.aborted(step, next, f.late) {
					version, next = next, version
				}
				s.whole(version)
			}
		}
	})
}

// aborted aborts a rollout in a step from another process. It reports whether it was too late for that.
func (s *shop) aborted(step, next string, late []string) (done bool) {
	s.t.Helper()
	p := s.deploy(next)
	p.reach(step)
	abort := s.start("abort", "--reason", "a test")
	code := abort.wait(patience)
	switch got := p.wait(patience); {
	case got == 3 && code == 0:
		p.mentions("a test")
	case got == 0 && slices.Contains(late, step):
		abort.mentions("too late")
		done = true
	default:
		s.t.Errorf("in step %s: deploy exits %d, abort %d, want 3 and 0", step, got, code)
	}
	s.t.Logf("aborted in %s: deploy exits %d, abort %d", step, p.code, code)
	return done
}

// TestFormsSuperseded deploys a third version in the middle: the one in flight goes back first, and the third starts from
// the base.
func TestFormsSuperseded(t *testing.T) {
	each(t, func(t *testing.T, f form, s *shop) {
		if !f.model && !f.layout.jars && !f.layout.routeless {
			exhaustive(t)
		}
		first := s.deploy("v2")
		first.reach(f.steps[len(f.steps)/2])
		second := s.deploy("v11")
		first.want(7)
		second.want(0)
		s.whole(f.leaves("v1", "v11"))
		s.neverThree()
	})
}

// TestFormsQueued has a third version wait for the end of the one in flight.
func TestFormsQueued(t *testing.T) {
	for _, f := range forms() {
		if !everything() && f.name != "rolling" && f.name != "blueGreen by the Service" {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.more = "  concurrency: queue"
			s := open(t, f.layout)
			s.lossy = f.loses
			first := s.deploy("v2")
			first.reach(f.steps[len(f.steps)/2])
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
