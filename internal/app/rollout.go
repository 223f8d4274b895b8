package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/actuate"
	"github.com/tidegate/tidegate/internal/catalog"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
)

// rollout is one rollout being carried under the lock.
type rollout struct {
	*session
	client  *kube.Client // fenced
	store   engine.Store // fenced
	record  *engine.Record
	watched []engine.Watched
	// approved, if set, is told when the rollout is carried on: somebody has just answered.
	approved string
}

// begin records a new rollout and runs it.
func (r *rollout) begin(ctx context.Context, c *compiled) (Result, error) {
	r.record.Rollout = r.newRollout(c)
	return r.start(ctx, engine.EventStarted, fmt.Sprintf("%s: %s", c.plan.Strategy, c.plan.Target))
}

// resume takes the recorded rollout over and carries it on, forward or back.
func (r *rollout) resume(ctx context.Context) (Result, error) {
	ro := r.record.Rollout
	if err := r.unwatched(); err != nil {
		return Result{Result: report.Invalid, Reason: err.Error()}, err
	}
	message := fmt.Sprintf("resumed at step %s after %s", ro.Plan.Steps[ro.Step].ID, ro.Holder)
	if ro.Phase != engine.Running {
		message = fmt.Sprintf("taking the rollout of %s back: %s", ro.Holder, ro.Reason)
	}
	ro.Holder = r.Holder
	return r.start(ctx, engine.EventResumed, message)
}

// unwatched refuses to carry a rollout forward whose steps name gates that the spec does not have: nobody would ask them.
func (r *rollout) unwatched() error {
	ro := r.record.Rollout
	if ro.Phase != engine.Running || r.watched == nil {
		return nil
	}
	var missing []string
	for _, step := range ro.Plan.Steps[ro.Step:] {
		for _, name := range step.Gates {
			known := name == podGateName || slices.ContainsFunc(r.watched, func(w engine.Watched) bool { return w.Gate.Name() == name })
			if !known && !slices.Contains(missing, name) {
				missing = append(missing, name)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return invalid("the rollout %s in flight is watched by %s, which the spec does not have: carry it on with the spec that it was started with, "+
		"or undo it with `tidegate abort`", ro.ID, strings.Join(missing, " and "))
}

func (r *rollout) start(ctx context.Context, kind engine.EventKind, message string) (Result, error) {
	r.store = r.noting(r.store)
	if err := r.store.Claim(ctx, r.record); err != nil {
		return Result{Result: report.Failed, Reason: err.Error()}, fmt.Errorf("record the rollout: %w", err)
	}
	listener, stop := multi(append(r.listeners(), newEvents(r.free, r.workload, r.now)))
	defer func() {
		heard, cancel := bounded(ctx, 5*time.Second)
		defer cancel()
		stop(heard)
	}()
	life, end := context.WithCancel(ctx)
	defer end()
	actuator, err := r.actuator(life, listener)
	if err != nil {
		return Result{Result: report.Failed, Reason: err.Error()}, err
	}
	ro := r.record.Rollout
	if kind == engine.EventResumed && ro.Phase == engine.Running {
		actuator.Seen(ctx, firstSight)
	}
	e := &engine.Engine{
		Store: r.store, Actuator: actuator, Inbox: r.inbox, Clock: r.Clock, Listener: listener,
		Gates:     append([]engine.Watched{podGate(actuator)}, r.watched...),
		Look:      look(actuator, ro.Plan, r.now),
		UndoLimit: undoLimit(r.Options), Wait: r.Wait,
		Outage: actuator.Outage, Drift: actuator.Drift, Correct: r.corrects(),
	}
	listener.Handle(ctx, engine.Event{At: r.now(), Kind: kind, Message: message, Rollout: ro.Copy()})
	if r.approved != "" {
		listener.Handle(ctx, engine.Event{At: r.now(), Kind: engine.EventApproved, Message: r.approved, Step: stepOf(ro), Rollout: ro.Copy()})
	}
	outcome, err := e.Run(ctx, r.record)
	if err == nil && outcome.Waiting {
		r.noteTold(ctx, stop)
	}
	return r.result(outcome, err)
}

// corrects is how often a split that somebody else changed is put back: every guard at most; zero for never.
func (r *rollout) corrects() time.Duration {
	t := r.Deploy.Spec.Traffic
	if t == nil || t.Drift != spec.DriftCorrect {
		return 0
	}
	return max(t.Guard.Std(), time.Second)
}

// firstSight bounds how long a run that carries a rollout on waits for what its watches tell first.
const firstSight = 10 * time.Second

// actuator follows the rollout's objects until ctx ends.
func (r *rollout) actuator(ctx context.Context, listener engine.Listener) (*actuate.Actuator, error) {
	ro := r.record.Rollout
	scene := r.client.NewScene(ctx)
	var router traffic.Router
	if t := ro.Plan.Objects.Traffic; t != nil {
		var err error
		if router, err = catalog.Router(r.client, scene, ro.Plan.Objects.Workload.Name, *t); err != nil {
			return nil, err
		}
	}
	return actuate.New(ctx, actuate.Options{
		Client: r.client, Clock: r.Clock, Scene: scene, Router: router, Objects: ro.Plan.Objects, Rollout: ro.ID,
		Progress: r.Deploy.Spec.ProgressDeadline.Std(), Since: interrupted(ro),
		Tell: func(text string) {
			listener.Handle(ctx, engine.Event{At: r.now(), Kind: engine.EventInfo, Message: text})
		},
	}), nil
}

// interrupted is when the step was begun that an earlier run left half done; zero for none.
func interrupted(ro *engine.Rollout) time.Time {
	if state := ro.Current(); ro.Phase == engine.Running && state.InForce.IsZero() {
		return state.Started
	}
	return time.Time{}
}

// result puts the engine's outcome into the words of the interface.
func (r *rollout) result(o engine.Outcome, err error) (Result, error) {
	res := ended(r.record.Rollout)
	switch {
	case err == nil:
		return res, nil
	case errors.Is(err, engine.ErrCancelled):
		res.Result, res.Reason = report.Cancelled, "cancelled; the cluster stays as it is"
		res.Hint = "Run the same command again to resume, or `tidegate abort` to undo."
		return res, nil
	case errors.Is(err, engine.ErrLockLost), errors.Is(err, engine.ErrFenced):
		res.Result, res.Reason = report.Failed, err.Error()
		res.Hint = "Nothing more was changed by this run. `tidegate status` shows who carries the rollout now."
		return res, err
	}
	res.Result, res.Reason = report.Failed, err.Error()
	res.Hint = "What was done is recorded. Run the same command again to resume, or `tidegate abort` to undo."
	return res, err
}

// ended is the result of a rollout as it was recorded.
func ended(ro *engine.Rollout) Result {
	res := Result{Reason: ro.Reason, Rollout: ro.ID, Revision: revision(ro.Plan.Target.Images),
		Previous: revision(ro.Plan.Target.From), PlanDigest: ro.PlanDigest, Step: stepOf(ro),
		Outage: time.Duration(ro.Outage).Seconds(), Ending: report.End{Rollout: ro}}
	if step, _, waits := ro.Waiting(); waits {
		res.Result, res.Reason = report.Pending, "waits for an approval: "+step.Approve.Message
		res.Hint = "Answer with `tidegate promote` or `tidegate abort`."
		return res
	}
	if step, until, holds := ro.Holding(); holds {
		res.Result, res.Reason = report.Pending, report.Alone(step, until, time.UTC)
		res.Hint = "`tidegate deploy --resume` looks at the gates, and goes on when the hold is over."
		return res
	}
	switch ro.Phase {
	case engine.Succeeded:
		res.Result = report.Succeeded
		if ro.Plan.Shadow() {
			res.Reason = report.Shadowed(*ro)
		}
	case engine.UndoFailed:
		res.Result = report.UndoFailed
		res.Hint = "A person is needed: mend what is named above, then run `tidegate abort` to finish the way back."
	case engine.RolledBack:
		switch ro.Cause {
		case engine.CauseAbort:
			res.Result = report.Aborted
		case engine.CauseSuperseded:
			res.Result = report.Superseded
		default:
			res.Result = report.RolledBack
		}
	default:
		res.Result = report.Failed
	}
	return res
}

func stepOf(ro *engine.Rollout) string {
	if ro.Step < len(ro.Plan.Steps) {
		return ro.Plan.Steps[ro.Step].ID
	}
	return ""
}
