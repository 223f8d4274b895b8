package app

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// Retry starts the last rollout again, if it was undone: the same images by the same spec, from the first step.
func Retry(ctx context.Context, o Options) (Result, error) {
	var left []spec.Deploy
	result, err := reported(ctx, o, func(s *session) (Result, error) {
		if err := s.again(ctx); err != nil {
			return refusal(err), err
		}
		stages := s.Deploy.Stages()
		s.Deploy, left = stages[0], stages[1:]
		return s.deploy(ctx)
	})
	return o.further(ctx, left, result, err)
}

// PlanRetry is what Retry would do.
func PlanRetry(ctx context.Context, o Options) (Planned, error) {
	s, err := connect(o)
	if err != nil {
		return Planned{}, err
	}
	if err := s.again(ctx); err != nil {
		return Planned{}, err
	}
	return Plan(ctx, s.Options)
}

// again makes the call one for what the last rollout was for.
func (s *session) again(ctx context.Context) error {
	rec, err := s.store.Load(ctx)
	if err != nil {
		return fmt.Errorf("read the record of %s: %w", s.workload, err)
	}
	if rec == nil || rec.Rollout == nil {
		return invalid("no rollout of %s is known in namespace %s: nothing to start again", s.workload, s.namespace)
	}
	ro := rec.Rollout
	switch {
	case ro.Phase == engine.Succeeded:
		return invalid("nothing to start again: the last rollout (%s) succeeded", ro.ID)
	case ro.Phase != engine.RolledBack:
		return invalid("rollout %s is in flight: follow it with `tidegate status -w`, carry it on with `tidegate deploy --resume`, "+
			"or undo it with `tidegate abort` before it is started again", ro.ID)
	}
	if stages := s.Deploy.Stages(); len(stages) > 1 && !ro.Plan.Shadow() { // the shadow before it had succeeded
		s.Deploy = stages[1]
	}
	target, written := ro.Plan.Target, s.Deploy
	if target.Restores != "" {
		s.bring(engine.Revision{ID: target.Restores, Template: ro.Plan.Objects.Templates[plan.Candidate]})
		for _, way := range []spec.Deploy{atOnce(written), written} { // in haste, or through the steps
			if s.Deploy.Digest() != target.SpecHash {
				s.Deploy = way
			}
		}
	} else {
		s.Images = target.Images
	}
	if s.Deploy.Digest() != target.SpecHash {
		return invalid("the spec has changed since rollout %s: `tidegate deploy` starts the same images by the spec as it is now", ro.ID)
	}
	return nil
}
