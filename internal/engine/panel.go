package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/routine"
)

// panel asks the gates of one step. Its looks run beside the loop; everything else happens in the loop's goroutine.
type panel struct {
	engine *Engine
	step   plan.Step
	seats  []*seat
	looks  chan look
	busy   int
}

// seat is one gate of the panel.
type seat struct {
	Watched
	judge *gates.Judge
	tally Tally
	due   time.Time
	busy  bool
	told  gates.Standing // the last one
	fresh bool           // answered by a look that began after the step was in force
}

// look is one answer on its way to the loop.
type look struct {
	seat    *seat
	judge   *gates.Judge // the one that was in office when the look began
	verdict gates.Verdict
	err     error
}

func newPanel(e *Engine, step plan.Step, now time.Time) *panel {
	p := &panel{engine: e, step: step}
	for _, w := range e.Gates {
		if slices.Contains(step.Gates, w.Gate.Name()) {
			if slices.Contains(step.Scant, w.Gate.Name()) && w.Rule.NoData == gates.NoDataWait {
				w.Rule.NoData = gates.NoDataScant
			}
			p.seats = append(p.seats, &seat{Watched: w, judge: gates.NewJudge(w.Rule, now), due: now.Add(w.Rule.Delay)})
		}
	}
	p.looks = make(chan look, len(p.seats))
	return p
}

// inForce asks every gate afresh: what it saw before the step was in force neither ends the hold nor counts among the
// failures of the hold.
func (p *panel) inForce(now time.Time) {
	for _, s := range p.seats {
		s.fresh, s.judge = false, gates.NewJudge(s.Rule, now)
		if at := now.Add(s.Rule.Delay); s.due.After(at) || p.step.Hold == 0 || p.step.Detach {
			s.due = at
		}
	}
}

func (p *panel) askDue(ctx context.Context, now time.Time, describe func(plan.Step) gates.Input) {
	for _, s := range p.seats {
		if s.busy || now.Before(s.due) {
			continue
		}
		s.busy = true
		s.due = now.Add(s.Rule.Every)
		in, judge := describe(p.step), s.judge
		routine.Go(func() {
			bounded, cancel := clock.WithTimeout(ctx, p.engine.Clock, s.Rule.Timeout,
				fmt.Errorf("no answer within %s", s.Rule.Timeout))
			defer cancel()
			v, err := s.Gate.Check(bounded, in)
			if err != nil && context.Cause(bounded) != nil {
				err = context.Cause(bounded)
			}
			p.looks <- look{seat: s, judge: judge, verdict: v, err: err}
		})
		p.busy++
	}
}

// nextDue is when the next gate is to be asked; false when all are being asked or there is none.
func (p *panel) nextDue() (time.Time, bool) {
	var next time.Time
	for _, s := range p.seats {
		if !s.busy && (next.IsZero() || s.due.Before(next)) {
			next = s.due
		}
	}
	return next, !next.IsZero()
}

// satisfied tells whether every gate that is obeyed has passed since the step was in force.
func (p *panel) satisfied() bool {
	for _, s := range p.seats {
		if !s.Rule.DryRun && (!s.fresh || s.judge.Standing().Outcome != gates.Pass) {
			return false
		}
	}
	return true
}

func (p *panel) tallies() map[string]Tally {
	all := make(map[string]Tally, len(p.seats))
	for _, s := range p.seats {
		if s.tally.Looks > 0 {
			all[s.Gate.Name()] = s.tally
		}
	}
	return all
}

// stop waits for the looks that are on their way; their context has ended.
func (p *panel) stop() {
	for ; p.busy > 0; p.busy-- {
		<-p.looks
	}
}

// judge takes one look in. It returns *undo when the gate's standing is fail.
func (s *stepRun) judge(ctx context.Context, l look) error {
	s.panel.busy--
	l.seat.busy = false
	before := l.seat.told
	after := l.judge.Observe(s.Clock.Now(), l.verdict, l.err)
	l.seat.told = after
	if !s.state.InForce.IsZero() && l.judge == l.seat.judge {
		l.seat.fresh = true
	}
	l.seat.tally.add(after)
	s.state.Gates = s.panel.tallies()
	name := l.seat.Gate.Name()
	s.tell(ctx, Event{Kind: EventVerdict, Gate: name, Look: &after, Message: after.Reason,
		Changed: before.Outcome != after.Outcome || l.seat.tally.Looks == 1})
	if after.Paused && !before.Paused {
		s.tell(ctx, Event{Kind: EventPaused, Gate: name, Look: &after, Message: after.Reason})
	}
	if after.Outcome == gates.Fail && !l.seat.Rule.DryRun {
		return &undo{cause: CauseGate, reason: fmt.Sprintf("gate %s failed: %s", name, after.Reason)}
	}
	return nil
}

func (t *Tally) add(s gates.Standing) {
	t.Last = s
	t.Looks++
	switch {
	case s.Looked == gates.Fail:
		t.Fails++
	case s.NoData:
		t.NoData++
	default:
		return
	}
	if t.Worst == nil || t.Worst.Looked != gates.Fail {
		t.Worst = &s
	}
}
