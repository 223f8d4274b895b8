package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tidegate/tidegate/internal/catalog"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/preflight"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
)

func (s *session) deploy(ctx context.Context) (Result, error) {
	providers, err := s.providers()
	if err != nil {
		return s.answer(Result{Result: report.Invalid}, err)
	}
	watched, err := s.watched(ctx, providers)
	if err != nil {
		return s.answer(Result{Result: report.Invalid}, err)
	}
	d := &deployment{session: s, watched: watched}
	return s.answer(d.run(ctx))
}

// closed fills in what every ending has.
func (r Result) closed(o Options, started time.Time, err error) Result {
	if r.Reason == "" && err != nil {
		r.Reason = err.Error()
	}
	r.Seconds = int(o.now().Sub(started).Seconds())
	r.URL = o.Deploy.Spec.URL
	r.Ending.Result, r.Ending.At = r.Result, o.now()
	if r.Ending.Reason == "" {
		r.Ending.Reason = r.Reason
	}
	if r.Ending.Name == "" {
		r.Ending.Name = o.Deploy.Metadata.Name
	}
	return r
}

// deployment is one call of Deploy.
type deployment struct {
	*session
	watched []engine.Watched
}

func (d *deployment) run(ctx context.Context) (Result, error) {
	rec, err := d.store.Load(ctx)
	if apierrors.IsForbidden(err) {
		if _, missing := d.prepare(ctx); missing != nil { // it says all that is missing, not only this
			return refusal(missing), missing
		}
	}
	if err != nil {
		return Result{Result: report.Failed}, fmt.Errorf("read the record of %s: %w", d.workload, err)
	}
	var c *compiled
	if rec == nil || rec.Rollout == nil || !rec.Rollout.Phase.InFlight() {
		if d.Resume {
			return Result{Result: report.Unchanged, Reason: "no rollout is in flight: nothing to resume"}, nil
		}
		if c, err = d.prepare(ctx); err != nil {
			return refusal(err), err
		}
		if c.unchanged && len(c.leftovers) == 0 && !c.stale {
			return Result{Result: report.Unchanged, Reason: "nothing to do: " + c.plan.Target.String() + " already runs", Revision: revision(c.plan.Target.Images)}, nil
		}
		if len(c.leftovers) == 0 { // otherwise they are what would make it fail, and are taken back first
			if err := d.ahead(ctx); err != nil {
				return refusal(err), err
			}
		}
		d.calls.preflightDone()
	}
	limit := d.now().Add(d.Deploy.Spec.Deadline.Std())
	for {
		locked, unlock, waited, err := d.lock(ctx)
		if err != nil {
			return d.notLocked(err)
		}
		result, err := d.underLock(locked, c, waited)
		unlock()
		var behind *behindError
		if !errors.As(err, &behind) {
			return result, err
		}
		if result, done := d.behind(ctx, behind, limit); done {
			return result, nil
		}
		c = nil
	}
}

// underLock does everything that needs the lock. c is what was prepared before; it is prepared anew if the cluster was
// changed by a rollout since.
func (d *deployment) underLock(ctx context.Context, c *compiled, waited *waitedFor) (Result, error) {
	client, store, err := d.fenced()
	if err != nil {
		return Result{Result: report.Failed}, err
	}
	rec, err := store.Load(ctx)
	if err != nil {
		return Result{Result: report.Failed}, fmt.Errorf("read the record of %s: %w", d.workload, err)
	}
	if rec == nil {
		rec = &engine.Record{}
	}
	if over, err := d.overtaken(rec); over || err != nil {
		return madeWay(rec), err
	}
	r := &rollout{session: d.session, client: client, store: store, record: rec, watched: d.watched}
	if rec.Rollout != nil && rec.Rollout.Phase.InFlight() {
		c = nil
		if result, done, err := d.carryOn(ctx, r); done {
			return result, err
		}
	} else if waited.sameTarget(rec) {
		return ended(rec.Rollout), nil
	}
	if c == nil || waited != nil {
		if c, err = d.prepare(ctx); err != nil {
			return refusal(err), err
		}
	}
	if len(c.leftovers) > 0 {
		if err := r.recover(ctx, c); err != nil {
			return Result{Result: report.Failed}, err
		}
		if c, err = d.prepare(ctx); err != nil {
			return refusal(err), err
		}
	}
	if c.stale {
		if err := r.unmark(ctx); err != nil {
			return Result{Result: report.Failed}, err
		}
	}
	if c.unchanged {
		return Result{Result: report.Unchanged, Reason: "nothing to do: " + c.plan.Target.String() + " already runs", Revision: revision(c.plan.Target.Images)}, nil
	}
	return r.begin(ctx, c)
}

// carryOn deals with a rollout in flight whose holder is gone. With the same target it is resumed, and that is all that
// is to be done; with another one it is undone first, and done is false if that went well.
func (d *deployment) carryOn(ctx context.Context, r *rollout) (Result, bool, error) {
	ro := r.record.Rollout
	same, err := d.sameTarget(ro)
	if err != nil {
		return Result{Result: report.Invalid}, true, err
	}
	if _, alone := ro.Rests(); alone && !same && !d.Resume {
		switch d.Deploy.Spec.Concurrency {
		case spec.Reject:
			return d.rejected(ro), true, nil
		case spec.Queue:
			result, err := r.look(ctx)
			return result, err != nil || result.Result == report.UndoFailed, err
		}
	}
	resuming := ro.Phase == engine.Running && (same || d.Resume)
	if !resuming && ro.Phase == engine.Running {
		ro.Phase, ro.Cause, ro.Undone = engine.Undoing, engine.CauseSuperseded, 0
		ro.By, ro.Reason = d.Holder, "superseded by "+d.Holder
	}
	result, err := r.resume(ctx)
	if resuming || same || d.Resume || err != nil || result.Result == report.UndoFailed {
		return result, true, err
	}
	return result, false, nil
}

// sameTarget tells whether the rollout in flight is the one that this call asks for: its plan, compiled from the
// recorded baseline with our spec and images, has the recorded digest.
func (d *deployment) sameTarget(ro *engine.Rollout) (bool, error) {
	if d.Resume && len(d.Images) == 0 {
		return true, nil
	}
	c, err := d.compile(preflight.Observed{Baseline: ro.Baseline})
	if err != nil {
		return false, nil //nolint:nilerr // a spec that cannot be compiled for that baseline is another target
	}
	return c.plan.Digest() == ro.PlanDigest, nil
}

// compiled is a plan with what it was made from.
type compiled struct {
	plan      plan.Plan
	input     strategies.Input
	observed  preflight.Observed
	findings  preflight.Findings
	leftovers []plan.Ref
	unchanged bool
	stale     bool // the workload carries the mark of a rollout that has ended
}

// prepare observes the cluster, compiles the plan and says everything that would fail.
func (s *session) prepare(ctx context.Context) (*compiled, error) {
	observed, stale, err := s.observe(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.compile(observed)
	if err != nil {
		return nil, err
	}
	c.stale = stale
	if c.leftovers = observed.Leftovers; len(c.leftovers) > 0 || c.unchanged {
		return c, nil // first undone, then prepared again; or nothing to do
	}
	c.findings, err = preflight.Check(ctx, s.free, observed, c.input, c.plan, preflight.Options{Accept: s.Accept, Force: s.Force})
	if err != nil {
		return nil, err
	}
	for _, f := range c.findings {
		if f.Level == preflight.Warning || f.Accepted {
			s.Warn(f.String())
		}
	}
	return c, c.findings.Err()
}

// compile is pure: it makes the plan from what was observed.
func (s *session) compile(observed preflight.Observed) (*compiled, error) {
	strategy, err := catalog.Strategy(s.Deploy.Spec.Strategy)
	if err != nil {
		return nil, &Invalid{err}
	}
	running := strategies.WorkloadImages(observed.Baseline.Workload)
	in := strategies.Input{Deploy: s.Deploy, Baseline: observed.Baseline, Template: s.template, Restores: s.restores}
	in.Make = catalog.Make(s.Deploy.Spec.Traffic)
	if in.Images = strategies.Images(s.template); s.template == nil {
		if in.Images, err = s.images(strategies.Containers(observed.Baseline.Workload)); err != nil {
			return nil, err
		}
	}
	p, err := strategy.Compile(in)
	if err != nil {
		return nil, &Invalid{err}
	}
	unchanged := true
	for container, image := range in.Images {
		unchanged = unchanged && running[container] == image
	}
	if unchanged && s.template != nil {
		unchanged = plan.Digest(p.Objects.Templates[plan.Base]) == plan.Digest(p.Objects.Templates[plan.Candidate])
	}
	return &compiled{plan: p, input: in, observed: observed, unchanged: unchanged}, nil
}

// newRollout starts the record of a rollout of c.
func (s *session) newRollout(c *compiled) *engine.Rollout {
	now := s.now()
	ro := &engine.Rollout{
		ID: now.UTC().Format("20060102-150405") + "-" + string([]byte(rand.Text())[:4]), Plan: c.plan, PlanDigest: c.plan.Digest(),
		Baseline: c.observed.Baseline, Phase: engine.Running, Holder: s.Holder, Started: now,
		Deadline: now.Add(s.Deploy.Spec.Deadline.Std()),
	}
	for _, step := range c.plan.Steps {
		ro.Steps = append(ro.Steps, engine.StepState{ID: step.ID})
	}
	return ro
}

// refusal is the result of an error before anything was touched.
func refusal(err error) Result {
	var ours *Invalid
	var theirs *preflight.Invalid
	var findings preflight.Findings
	if errors.As(err, &ours) || errors.As(err, &theirs) || errors.As(err, &findings) {
		return Result{Result: report.Invalid, Reason: err.Error()}
	}
	return Result{Result: report.Failed, Reason: err.Error()}
}
