package app

import (
	"slices"

	"github.com/tidegate/tidegate/internal/spec"
)

// straight is a spec whose rollout goes to everyone at once: who goes back wants to be there. Every gate is asked; one that
// names only moments which are left out is asked when everybody is on the version that comes back.
func straight(d spec.Deploy) spec.Deploy {
	switch s := &d.Spec.Strategy; {
	case s.Canary != nil:
		short, long, most := *s.Canary, *s.Canary, spec.All
		if s.Canary.Settle == spec.SettleInPlace { // the candidate never gets everything
			most = s.Canary.Last()
		}
		short.Steps, short.Hold, short.Bake, short.Internal = []spec.Step{{Weight: most}}, 0, 0, nil
		s.Canary = &short
		return askedAt(d, spec.AtBake, func(moment string) bool {
			_, step := long.StepAt(moment)
			return !step && moment != spec.AtInternal || moment == most.String()
		})
	case s.BlueGreen != nil:
		short := *s.BlueGreen
		short.Preview, short.Approve, short.KeepOld, short.Detach = nil, nil, 0, false
		s.BlueGreen = &short
	case s.Rolling != nil:
		short := *s.Rolling
		short.PauseAt, short.Hold, short.Detach = nil, 0, false
		s.Rolling = &short
		return askedAtEnd(d)
	case s.Recreate != nil:
		s.Recreate = &spec.Recreate{}
	}
	return d
}

// carrying is a spec whose rollout brings the version to users: of a shadow only what follows it does, and where nothing
// follows the workload's own rolling update has to.
func carrying(d spec.Deploy) spec.Deploy {
	stages := d.Stages()
	d = stages[len(stages)-1]
	if d.Spec.Strategy.Shadow != nil {
		d.Spec.Strategy = spec.Strategy{Rolling: &spec.Rolling{}}
		return askedAtEnd(d)
	}
	return d
}

// atOnce is a spec whose rollout is the workload's own rolling update under traffic, whatever the spec's strategy is. Only
// the pods are watched: a gate that fails, or a provider that is down, must not bring back what somebody is fleeing from.
func atOnce(d spec.Deploy) spec.Deploy {
	d.Spec.Strategy, d.Spec.Gates = spec.Strategy{Rolling: &spec.Rolling{}}, nil
	return d
}

// askedAtEnd is a spec whose gates are asked when all pods are of the version that comes back.
func askedAtEnd(d spec.Deploy) spec.Deploy {
	return askedAt(d, spec.All.String(), func(moment string) bool { return moment == spec.All.String() })
}

// askedAt is a spec whose gates name only moments that are kept; a gate that would name none names instead.
func askedAt(d spec.Deploy, instead string, kept func(moment string) bool) spec.Deploy {
	d.Spec.Gates = slices.Clone(d.Spec.Gates)
	for i, g := range d.Spec.Gates {
		at := slices.DeleteFunc(slices.Clone(g.At), func(moment string) bool { return !kept(moment) })
		if len(g.At) > 0 && len(at) == 0 {
			at = []string{instead}
		}
		d.Spec.Gates[i].At = at
	}
	return d
}
