package actuate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// basePatience is how long traffic waits for a base that is not at its size before it returns to it.
const basePatience = 30 * time.Second

// setSplit moves traffic, but only to a side that is ready at the size it must carry.
func (a *Actuator) setSplit(ctx context.Context, op plan.Op) error {
	t := a.objects.Traffic
	if op.Split().Nothing() {
		if !op.Shadow { // otherwise the base has all requests already, whatever its state
			if err := a.baseServes(ctx, op.Strict); err != nil {
				return err
			}
		}
		if err := a.router.Restore(ctx, *t, a.objects.Originals); err != nil {
			return err
		}
	} else {
		if err := a.growCandidate(ctx, op); err != nil {
			return err
		}
		if err := a.router.Set(ctx, *t, a.drawn(op.Split())); err != nil {
			return err
		}
	}
	return a.router.InForce(ctx, *t)
}

// drawn names the draw by which users got their cohort: this rollout's.
func (a *Actuator) drawn(s plan.Split) plan.Split {
	if s.Cohorts != nil {
		s.Cohorts = s.Cohorts.Drawn(a.rollout)
	}
	return s
}

// errBaseShort is the cause of a wait for the base that ran out.
var errBaseShort = errors.New("the base is short of pods")

// baseServes waits until the base is ready at its size. When that takes too long, a strict move fails; another one (the
// way back to a base that was never touched) goes on with what is ready, for the candidate is no better.
func (a *Actuator) baseServes(ctx context.Context, strict bool) error {
	limit := basePatience
	if strict {
		limit = a.progress
	}
	bounded, cancel := a.client.Bounded(ctx, limit, errBaseShort)
	defer cancel()
	var state kube.Rollout
	err := a.scene.Wait(bounded, 0, func() (bool, error) {
		if now := a.base.One(); now != nil {
			if strict && a.neither(now) {
				return false, a.othersTemplate()
			}
			state = kube.WorkloadRollout(now)
			return state.Serving(state.Desired) && state.Ready > 0, nil
		}
		return false, nil
	})
	switch {
	case !errors.Is(err, errBaseShort):
		return err
	case strict || state.Ready == 0:
		return &engine.StepError{Reason: fmt.Sprintf("%s is not ready to take the traffic back: %s", a.objects.Workload, state),
			Hint: fmt.Sprintf("The traffic stays where it is. See why its pods are not ready: kubectl describe %s -n %s",
				kube.Arg(a.objects.Workload), a.objects.Workload.Namespace)}
	default:
		a.tell(fmt.Sprintf("%s has only %d of %d pods ready; the traffic returns to it all the same", a.objects.Workload,
			state.Ready, state.Desired))
		return nil
	}
}
