package app

import (
	"context"
	"errors"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/preflight"
)

// adviceWithin bounds all that a plan asks the gates' providers.
const adviceWithin = 15 * time.Second

// errNoAnswer is the cause when a provider took too long.
var errNoAnswer = errors.New("no answer in time")

// advice is what a plan says beside its findings: what the strategy is worth here, and which gates are blind.
func (s *session) advice(ctx context.Context, c *compiled) preflight.Findings {
	all := preflight.Advice(c.observed, s.Deploy, c.plan)
	if c.plan.Objects.Traffic == nil || len(s.Deploy.Spec.Gates) == 0 || c.unchanged {
		return all // pods of a rolling update get their requests whatever a gate knows
	}
	return append(all, s.blind(ctx)...)
}

// blind asks every gate that can tell whether it has data of the version that runs now.
func (s *session) blind(ctx context.Context) preflight.Findings {
	ctx, cancel := clock.WithTimeout(ctx, s.Clock, adviceWithin, errNoAnswer)
	defer cancel()
	providers, err := s.providers()
	in := gates.Input{Namespace: s.namespace, Name: s.workload.Name, Now: s.now()}
	if err == nil {
		err = s.lookAtBase(ctx, &in)
	}
	var all preflight.Findings
	for _, g := range s.Deploy.Spec.Gates {
		if err != nil {
			all = append(all, preflight.NotAsked(g.Name, err))
			continue
		}
		gate, failed := s.gate(ctx, g, providers)
		sighted, can := gate.(gates.Sighted)
		if failed != nil || !can {
			continue // the kind of gate cannot tell, or the spec is wrong, which others say
		}
		sees, failed := sees(ctx, s.Clock, sighted, in, g.Timeout.Std())
		switch {
		case failed != nil:
			all = append(all, preflight.NotAsked(g.Name, failed))
		case !sees:
			all = append(all, preflight.Blind(g.Name, len(in.Base.Pods)))
		}
	}
	return all
}

// lookAtBase describes the version that runs as if it were the one to judge.
func (s *session) lookAtBase(ctx context.Context, in *gates.Input) error {
	base, err := s.free.Get(ctx, s.workload)
	if err != nil {
		return err
	}
	if in.Base, err = s.subject(ctx, plan.Base, base); err == nil {
		in.Candidate = in.Base
	}
	return err
}

// sees asks one gate.
func sees(ctx context.Context, c clock.Clock, gate gates.Sighted, in gates.Input, limit time.Duration) (bool, error) {
	ctx, cancel := clock.WithTimeout(ctx, c, limit, errNoAnswer)
	defer cancel()
	seen, err := gate.Sees(ctx, in)
	if err != nil && context.Cause(ctx) != nil {
		err = context.Cause(ctx)
	}
	return seen, err
}
