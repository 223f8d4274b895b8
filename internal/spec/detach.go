package spec

import "fmt"

// detacher is a strategy with holds in which no run has to stay.
type detacher interface {
	// detached is how long these holds are together, and the field by which the first of them is.
	detached() (total Duration, path string)
}

var (
	_ detacher = (*Canary)(nil)
	_ detacher = (*Rolling)(nil)
	_ detacher = (*Recreate)(nil)
)

func (c *Canary) detached() (total Duration, path string) {
	for i, step := range c.Steps {
		if !step.Detach {
			continue
		}
		total += step.Hold
		if path == "" {
			path = fmt.Sprintf("steps[%d].detach", i)
		}
	}
	return total, path
}

func (r *Rolling) detached() (total Duration, path string) {
	if !r.Detach {
		return 0, ""
	}
	return r.Hold * Duration(len(r.PauseAt)+1), "detach"
}

func (r *Recreate) detached() (total Duration, path string) {
	if !r.Detach {
		return 0, ""
	}
	return r.Hold, "detach"
}

// checkDetach wants a hold where a run may leave.
func checkDetach(s scope, path string, detach bool, hold Duration) {
	at := join(path, "detach")
	if detach && hold == 0 && s.ok(at) && s.ok(join(path, "hold")) {
		s.fail(at, "there is no hold in which a run could leave", "Write a hold, such as hold: 24h, or leave detach out.")
	}
}

// checkDetached wants the deadline to be later than the holds that nobody watches: it goes on meanwhile.
func (sp *Spec) checkDetached(s scope) {
	strategy, ok := blockOf(sp.Strategy).(detacher)
	if !ok || !s.ok("strategy") || !s.ok("deadline") {
		return
	}
	total, path := strategy.detached()
	if path == "" || total < sp.Deadline {
		return
	}
	s.fail(join(join("strategy", sp.Strategy.Kind()), path), fmt.Sprintf("the holds in which no run stays are %s together, and the deadline (%s) goes on meanwhile",
		total, sp.Deadline), fmt.Sprintf("Set spec.deadline to more than %s plus the time of everything else, or shorten the holds.", total))
}
