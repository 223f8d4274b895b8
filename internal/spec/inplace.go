package spec

import (
	"fmt"
	"slices"
	"time"
)

// Recreate stops every old pod before the first new one starts.
type Recreate struct {
	Hold   Duration `json:"hold,omitempty" doc:"how long gates watch once the new version is ready, before the rollout ends"`
	Detach bool     `json:"detach,omitempty" doc:"let the run end during the hold: nobody watches, and a scheduled tidegate deploy --resume goes on"`
	// AcceptOutageOnCrash is asked for where the cluster cannot finish by itself.
	AcceptOutageOnCrash bool `json:"acceptOutageOnCrash,omitempty" doc:"for a statefulset or daemonset: a runner that dies between stop and start leaves no pod until the next run"`
}

// Rolling replaces the workload's pods one after the other.
type Rolling struct {
	MaxSurge       *Amount  `json:"maxSurge,omitempty" doc:"pods beyond the workload's number, or a share of it; the workload's own when left out; not for a statefulset"`
	MaxUnavailable *Amount  `json:"maxUnavailable,omitempty" doc:"pods that may be missing, or a share; the workload's own when left out; not for a statefulset"`
	MinReady       Duration `json:"minReady,omitempty" doc:"how long a new pod must have been ready to count; the workload's own when left out"`
	PauseAt        []Amount `json:"pauseAt,omitempty" spec:"nonempty" doc:"numbers of new pods, or shares rounded up, at which the rollout holds, rising"`
	Hold           Duration `json:"hold,omitempty" doc:"how long gates watch at each pause, and once all pods are new"`
	Detach         bool     `json:"detach,omitempty" doc:"let the run end during each hold: nobody watches, and a scheduled tidegate deploy --resume goes on"`
	Graceful       Duration `json:"graceful,omitempty" doc:"sleep before new pods stop, where they have no preStop hook; needs Kubernetes 1.30"`
}

var (
	_ phased   = (*Recreate)(nil)
	_ phased   = (*Rolling)(nil)
	_ finisher = (*Rolling)(nil)
	_ finisher = (*Recreate)(nil)
)

// everything is the moment when all pods are new.
const everything = All

// StepAt knows the moment when all pods are new, 100%.
func (Recreate) StepAt(at string) (text string, ok bool) { return atEnd(at) }

func (Recreate) moments() []string { return []string{everything.String()} }

func atEnd(at string) (string, bool) {
	share, err := ParsePercent(at)
	return everything.String(), err == nil && share == everything
}

// StepAt is a pause by its number or share, or 100%.
func (r Rolling) StepAt(at string) (text string, ok bool) {
	amount, err := ParseAmount(at)
	if err == nil && slices.Contains(r.PauseAt, amount) {
		return amount.String(), true
	}
	return atEnd(at)
}

func (r Rolling) moments() []string {
	var names []string
	for _, a := range r.PauseAt {
		names = append(names, a.String())
	}
	if last := everything.String(); !slices.Contains(names, last) {
		names = append(names, last)
	}
	return names
}

// finish compares the pauses with each other, as far as that can be done
// without the workload's size, and looks at what Kubernetes would refuse.
func (r *Rolling) finish(s scope) {
	var pods Amount
	var share Amount
	for i, a := range r.PauseAt {
		path, last := fmt.Sprintf("pauseAt[%d]", i), &pods
		if a.Share != 0 {
			last = &share
		}
		switch {
		case !s.ok(path):
		case a == (Amount{}):
			s.fail(path, "0 is no pause: no pod would be new", "Begin with 1.")
		case a.Pods+int(a.Share) <= last.Pods+int(last.Share):
			s.fail(path, fmt.Sprintf("%s does not rise above the %s before it", a, last), "Pauses rise.")
		}
		*last = a
	}
	checkDetach(s, "", r.Detach, r.Hold)
	wholePercent(s, "maxSurge", r.MaxSurge)
	wholePercent(s, "maxUnavailable", r.MaxUnavailable)
	if r.MaxSurge != nil && r.MaxUnavailable != nil && s.ok("") && *r.MaxSurge == (Amount{}) && *r.MaxUnavailable == (Amount{}) {
		s.fail("maxUnavailable", "is 0, as maxSurge is: no pod could be replaced", "Set one of them to 1 or more.")
	}
	wholeSeconds(s, "minReady", r.MinReady)
	wholeSeconds(s, "graceful", r.Graceful)
}

// finish looks at the hold.
func (r *Recreate) finish(s scope) { checkDetach(s, "", r.Detach, r.Hold) }

// wholePercent: Kubernetes has no fractions of a percent.
func wholePercent(s scope, path string, a *Amount) {
	if a == nil || !s.ok(path) {
		return
	}
	if _, exact := a.Share.Whole(); !exact {
		s.fail(path, fmt.Sprintf("%s is not a whole percent", a), "Kubernetes knows whole percents only.")
	}
}

// wholeSeconds: Kubernetes counts these in seconds.
func wholeSeconds(s scope, path string, d Duration) {
	if s.ok(path) && d.Std()%time.Second != 0 {
		s.fail(path, fmt.Sprintf("%s is not a whole number of seconds", d), "Kubernetes counts it in seconds.")
	}
}
