package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/routine"
)

// Promote answers the approval that the rollout in flight waits for. A run that stays with it is asked to go on; when
// nobody stays, the rollout is carried on here. With Full the holds and approvals that are left are skipped, too.
func Promote(ctx context.Context, o Options) (Result, error) {
	return reported(ctx, o, func(s *session) (Result, error) {
		p, err := s.promotion(ctx)
		if err != nil {
			return Result{Result: report.Invalid}, err
		}
		return p.run(ctx)
	})
}

// promotion is one call of Promote.
type promotion struct {
	*session
	watched []engine.Watched
	rollout string // ID
	step    string // of the approval; empty with Full and no approval
	request string // ID of the request to the holder; empty while none was made
}

func (s *session) promotion(ctx context.Context) (*promotion, error) {
	providers, err := s.providers()
	if err != nil {
		return nil, err
	}
	watched, err := s.watched(ctx, providers)
	return &promotion{session: s, watched: watched}, err
}

func (p *promotion) run(ctx context.Context) (Result, error) {
	rec, err := p.store.Load(ctx)
	if err != nil {
		return Result{Result: report.Failed}, fmt.Errorf("read the record of %s: %w", p.workload, err)
	}
	if result, done, err := p.nothing(rec); done {
		return result, err
	}
	ro := rec.Rollout
	p.rollout = ro.ID
	if step, _, waits := ro.Waiting(); waits {
		p.step = step.ID
	}
	if digest := p.Deploy.Digest(); digest != ro.Plan.Target.SpecHash && ro.Plan.Target.Restores == "" {
		p.Warn("the spec has changed since the rollout began: its gates are asked as the spec has them now")
	}
	locked, unlock, err := p.locker.Lock(ctx)
	var held *engine.HeldError
	if errors.As(err, &held) {
		return p.askHolder(ctx, held)
	}
	if err != nil {
		return (&deployment{session: p.session}).notLocked(err)
	}
	defer unlock()
	return p.underLock(locked)
}

// nothing is the answer where there is nothing to promote.
func (p *promotion) nothing(rec *engine.Record) (Result, bool, error) {
	if rec == nil || rec.Rollout == nil {
		err := invalid("no rollout of %s is known in namespace %s: nothing waits for an approval", p.workload, p.namespace)
		return Result{Result: report.Invalid}, true, err
	}
	ro := rec.Rollout
	_, _, waits := ro.Waiting()
	step, last, answered := ro.Answered()
	switch {
	case ro.Phase == engine.Running && (waits || p.Full):
		return Result{}, false, nil
	case ro.Phase != engine.Running && ro.Phase != engine.Succeeded:
		return Result{Result: report.Invalid}, true, p.tooLate(ro)
	case answered:
		result := ended(ro)
		result.Result, result.Hint = report.Unchanged, ""
		result.Reason = fmt.Sprintf("nothing waits for an approval now: %s was %s at %s", step.ID, last, last.At.UTC().Format(time.RFC3339))
		if hold, until, holds := ro.Holding(); holds {
			result.Reason += fmt.Sprintf("; rollout %s %s; %s", ro.ID, report.Alone(hold, until, time.UTC), skips)
		}
		return result, true, nil
	case ro.Phase == engine.Succeeded:
		return Result{Result: report.Invalid}, true, invalid("nothing waits for an approval: the last rollout (%s) succeeded", ro.ID)
	}
	if hold, until, holds := ro.Holding(); holds {
		return Result{Result: report.Invalid}, true, invalid("nothing waits for an approval: rollout %s %s; "+
			"`tidegate deploy --resume` goes on when the hold is over, and %s", ro.ID, report.Alone(hold, until, time.UTC), skips)
	}
	return Result{Result: report.Invalid}, true, invalid("nothing waits for an approval: rollout %s is at step %s; "+skips, ro.ID, stepOf(ro))
}

// skips is how a person goes on before a hold is over.
const skips = "`tidegate promote --full` skips what is left of the holds"

func (p *promotion) tooLate(ro *engine.Rollout) error {
	state := "was undone"
	if ro.Phase != engine.RolledBack {
		state = "goes back"
	}
	return invalid("too late to promote: rollout %s %s (%s); start it again with `tidegate retry`", ro.ID, state, ro.Reason)
}

// underLock answers in the record and carries the rollout on.
func (p *promotion) underLock(ctx context.Context) (Result, error) {
	client, store, err := p.fenced()
	if err != nil {
		return Result{Result: report.Failed}, err
	}
	rec, err := store.Load(ctx)
	if err != nil {
		return Result{Result: report.Failed}, fmt.Errorf("read the record of %s: %w", p.workload, err)
	}
	if p.request != "" {
		if err := p.inbox.Clear(ctx, p.request); err != nil { // it is stale then, and ignored
			p.Warn(err.Error())
		}
	}
	r := &rollout{session: p.session, client: client, store: store, record: rec, watched: p.watched}
	if result, done, err := p.settled(rec); done {
		if err == nil && p.stranded(rec) {
			return r.resume(ctx)
		}
		return result, err
	}
	ro, a := rec.Rollout, p.consent()
	switch {
	case ro.Late(a.At): // the engine undoes it
	case p.Full:
		r.approved = "goes on without the holds and approvals that are left, " + a.String()
		ro.Promote(a)
	default:
		r.approved = a.String()
		ro.Approve(a)
	}
	return r.resume(ctx)
}

// stranded tells whether whoever was to carry the rollout on after the answer is gone: we hold the lock, and there is
// something to do.
func (p *promotion) stranded(rec *engine.Record) bool {
	ro := rec.Rollout
	if ro == nil || ro.ID != p.rollout || ro.Phase != engine.Running {
		return false
	}
	_, rests := ro.Rests()
	return !rests || ro.Full != nil
}

// heard tells whether the answer that the rollout has is the one that was asked for here.
func (p *promotion) heard(ro *engine.Rollout) bool {
	a := p.given(ro)
	return a != nil && a.Request == p.request
}

// settled is the answer when what was to be promoted is decided already.
func (p *promotion) settled(rec *engine.Record) (Result, bool, error) {
	if rec == nil || rec.Rollout == nil {
		return Result{Result: report.Failed}, true, errors.New("the record of the rollout is gone; " +
			"run `tidegate deploy` with the version that should run: it takes what is left back first")
	}
	ro := rec.Rollout
	if ro.ID != p.rollout {
		return Result{Result: report.Unchanged, Reason: "that rollout has ended and another one has begun; look at `tidegate status`"}, true, nil
	}
	if ro.Phase != engine.Running && ro.Phase != engine.Succeeded {
		return Result{Result: report.Invalid}, true, p.tooLate(ro)
	}
	a := p.given(ro)
	if a == nil && ro.Phase == engine.Running {
		return Result{}, false, nil
	}
	result := ended(ro)
	result.Hint = ""
	switch {
	case a == nil: // it succeeded meanwhile
		result.Result, result.Reason = report.Unchanged, "the rollout has succeeded already"
	case a.Request != "" && a.Request == p.request:
		result.Result, result.Reason = report.Promoted, a.String()+"; the run that carries the rollout goes on: "+ro.Holder
	default:
		result.Result, result.Reason = report.Unchanged, "it was "+a.String()+" already"
	}
	return result, true, nil
}

// given is the answer that the rollout has to what is asked for here.
func (p *promotion) given(ro *engine.Rollout) *engine.Answer {
	if p.Full {
		return ro.Full
	}
	if i := ro.Plan.Index(p.step); i >= 0 && i < len(ro.Steps) && ro.Steps[i].Approval != nil {
		return ro.Steps[i].Approval.Answer
	}
	return nil
}

// holderAnswers bounds how long a run that carries the rollout may take to see a request.
const holderAnswers = 2 * time.Minute

// askHolder asks the run that stays with the rollout, and waits until the record says that it went on. When the holder
// leaves without that, the rollout is carried on here.
func (p *promotion) askHolder(ctx context.Context, held *engine.HeldError) (Result, error) {
	a := p.consent()
	p.request = requestID(engine.Promote, p.now())
	err := p.post(ctx, engine.Request{ID: p.request, Verb: engine.Promote, By: a.By, Run: a.Run, Rollout: p.rollout, Step: p.step, Full: p.Full})
	if err != nil {
		return Result{Result: report.Failed, Reason: err.Error()}, err
	}
	p.Warn(fmt.Sprintf("asked %s to carry the rollout on", held.Holder))
	locked, unlock, err := p.lockUnlessSettled(ctx)
	if unlock != nil {
		defer unlock()
	}
	if err == nil {
		return p.underLock(locked)
	}
	if rec, failed := p.store.Load(ctx); failed == nil {
		if result, done, err := p.settled(rec); done {
			return result, err
		}
	}
	return (&deployment{session: p.session}).notLocked(err)
}

// errSettled ends the wait for a lock that is not needed any more.
var errSettled = errors.New("the holder has answered")

// lockUnlessSettled waits for the lock until the record shows that it is not needed.
func (p *promotion) lockUnlessSettled(ctx context.Context) (context.Context, func(), error) {
	waiting, settled := context.WithCancelCause(ctx)
	watching, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	routine.Go(func() {
		defer close(done)
		for rec := range p.store.WatchRecord(watching) {
			if _, over, _ := p.settled(rec); !over {
				continue
			}
			if p.stranded(rec) && !p.heard(rec.Rollout) { // somebody else's answer, and nobody may be left who goes on
				if clock.Sleep(watching, p.Clock, predecessorGone) != nil {
					return // we have the lock
				}
			}
			settled(errSettled)
			return
		}
	})
	locked, unlock, err := p.locker.LockWait(waiting, holderAnswers)
	stop()
	<-done // from here on nobody ends the lock's context but its owner
	if err == nil && context.Cause(waiting) != nil {
		err = context.Cause(waiting)
	}
	return locked, unlock, err
}
