package app

import (
	"context"
	"fmt"
	"maps"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
)

// Deploy carries the new images to users, resumes the rollout in flight if it has the same target, and undoes it first
// if it has another one. A spec of several stages (a shadow, and what follows it) is a rollout each, one after the other;
// the result is that of the last one that ran. The result is set whatever the error; an error without a result is one of the
// call or the cluster before anything was touched.
func Deploy(ctx context.Context, o Options) (Result, error) {
	stages := o.Deploy.Stages()
	at := 0
	if len(stages) > 1 {
		at = o.reached(ctx, stages)
	}
	o.Deploy = stages[at]
	result, err := reported(ctx, o, func(s *session) (Result, error) {
		if s.later = stages[at+1:]; at > 0 {
			s.follows(ctx)
		}
		return s.deploy(ctx)
	})
	return o.further(ctx, stages[at+1:], result, err)
}

// further runs the stages that are left, as long as each succeeds.
func (o Options) further(ctx context.Context, stages []spec.Deploy, result Result, err error) (Result, error) {
	for _, stage := range stages {
		if err != nil || result.Result != report.Succeeded || result.Ending.Rollout == nil {
			return result, err
		}
		before := result
		o.Deploy, o.Resume = stage, false
		o.Images = maps.Clone(before.Ending.Rollout.Plan.Target.Images)
		o.tellAll(ctx, fmt.Sprintf("the shadow (%s) has succeeded; going on with %s", before.Rollout, stage.Spec.Strategy.Kind()))
		result, err = reported(ctx, o, func(s *session) (Result, error) {
			s.after = before.Rollout
			return s.deploy(ctx)
		})
		result.Seconds += before.Seconds
		result.Told = append(before.Told, result.Told...)
	}
	return result, err
}

// reached is the stage with which a deploy begins or goes on: the first one, unless the record has what follows the shadow
// in flight, or the shadow as what succeeded last. A record that cannot be read is for the stage itself to tell of.
func (o Options) reached(ctx context.Context, stages []spec.Deploy) int {
	first, err := connect(o.with(stages[0]))
	if err != nil {
		return 0
	}
	rec, err := first.store.Load(ctx)
	if err != nil || rec == nil || rec.Rollout == nil {
		return 0
	}
	ro := rec.Rollout
	asked := stages[0]
	switch {
	case ro.Phase.InFlight() && !ro.Plan.Shadow():
		asked = stages[1]
	case ro.Phase != engine.Succeeded || !ro.Plan.Shadow() || o.Resume || !first.still(ctx, ro):
		return 0
	}
	d := &deployment{session: first}
	d.Deploy = asked
	if same, err := d.sameTarget(ro); err != nil || !same {
		return 0
	}
	return 1
}

// with is the options for another spec.
func (o Options) with(d spec.Deploy) Options {
	o.Deploy = d
	return o
}

// still tells whether the workload is what the shadow was compared with.
func (s *session) still(ctx context.Context, ro *engine.Rollout) bool {
	base, err := s.free.Get(ctx, s.workload)
	return err == nil && plan.Digest(template(base.Object)) == plan.Digest(ro.Plan.Objects.Templates[plan.Base])
}

// follows tells of a shadow that is not run again, and makes sure that no other rollout came after it.
func (s *session) follows(ctx context.Context) {
	rec, err := s.store.Load(ctx)
	if err != nil || rec == nil || rec.Rollout == nil || rec.Rollout.Phase.InFlight() {
		return
	}
	s.after = rec.Rollout.ID
	s.tellAll(ctx, fmt.Sprintf("the shadow of this version (%s) has succeeded already; going on with %s", rec.Rollout.ID, s.Deploy.Spec.Strategy.Kind()))
}

// tellAll tells the listeners what belongs to no rollout's own events.
func (o Options) tellAll(ctx context.Context, text string) {
	for _, l := range o.Listeners {
		l.Handle(ctx, engine.Event{At: o.now(), Kind: engine.EventInfo, Message: text})
	}
}

// ahead says now what would make a later stage fail: nobody wants to hear of it when the shadow is over. What it only warns
// of is said when the stage begins.
func (s *session) ahead(ctx context.Context) error {
	for _, stage := range s.later {
		o := s.with(stage)
		o.Warn, o.Identity = func(string) {}, nil
		later, err := connect(o)
		if err != nil {
			return err
		}
		if _, err := later.prepare(ctx); err != nil {
			return fmt.Errorf("what follows the shadow (%s) would fail: %w", stage.Spec.Strategy.Kind(), err)
		}
	}
	return nil
}

// overtaken tells whether another rollout has come between the shadow and what should follow it: who asked for that one knew
// of the shadow, or did not care.
func (d *deployment) overtaken(rec *engine.Record) (bool, error) {
	if d.after == "" || rec == nil || rec.Rollout == nil || rec.Rollout.ID == d.after {
		return false, nil
	}
	same, err := d.sameTarget(rec.Rollout)
	return !same, err
}

// madeWay is the result of a stage that another rollout came before.
func madeWay(rec *engine.Record) Result {
	return Result{Result: report.Superseded, Reason: fmt.Sprintf("rollout %s of %s began after the shadow; what should have followed the shadow did not begin",
		rec.Rollout.ID, rec.Rollout.Holder)}
}
