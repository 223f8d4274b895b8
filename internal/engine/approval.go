package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/plan"
)

// Approval is a step's wait for a person. It is never changed, only replaced: copies of a rollout share it.
type Approval struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"` // then the step's plan says what happens
	// Answer is who let the rollout go on; nil while it waits.
	Answer *Answer `json:"answer,omitempty"`
}

// Answer says who let a rollout go on, when and from where.
type Answer struct {
	By     string    `json:"by"`            // a person, or the spec when the time was over
	Run    string    `json:"run,omitempty"` // URL of the workflow run by which they said it
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
	// Request is the ID of the request by which a run was asked; empty when whoever answered carried the rollout on.
	Request string `json:"request,omitempty"`
}

// String is the answer in a person's words.
func (a Answer) String() string {
	text := "approved by " + a.By
	if a.Run != "" {
		text += " (" + a.Run + ")"
	}
	if a.Reason != "" {
		text += ": " + a.Reason
	}
	return text
}

// errWaiting ends a run whose rollout waits for a person, or in a detached hold: nobody stays for it.
var errWaiting = errors.New("the rollout waits without a run")

// Waiting is the step whose approval nobody has answered yet, if the rollout stands at one.
func (r *Rollout) Waiting() (plan.Step, Approval, bool) {
	if r == nil || r.Phase != Running || r.Step < 0 || r.Step >= len(r.Plan.Steps) || r.Step >= len(r.Steps) {
		return plan.Step{}, Approval{}, false
	}
	step, a := r.Plan.Steps[r.Step], r.Steps[r.Step].Approval
	if step.Approve == nil || a == nil || a.Answer != nil {
		return plan.Step{}, Approval{}, false
	}
	return step, *a, true
}

// Answered is the last approval that was answered, with its step.
func (r *Rollout) Answered() (plan.Step, Answer, bool) {
	for i := min(len(r.Steps), len(r.Plan.Steps)) - 1; i >= 0; i-- {
		if a := r.Steps[i].Approval; a != nil && a.Answer != nil {
			return r.Plan.Steps[i], *a.Answer, true
		}
	}
	return plan.Step{}, Answer{}, false
}

// Approve answers the approval that the rollout waits for. The deadline moves by the time that it waited. It does nothing
// when the rollout waits for none.
func (r *Rollout) Approve(a Answer) {
	_, waiting, ok := r.Waiting()
	if !ok {
		return
	}
	waiting.Answer = &a
	r.Steps[r.Step].Approval = &waiting
	r.Deadline = r.Deadline.Add(a.At.Sub(waiting.Since))
}

// Promote lets the rollout go on to its end without the holds and approvals that are left.
func (r *Rollout) Promote(a Answer) {
	if r.Full == nil {
		r.Full = &a
	}
	r.Approve(a)
}

// Late tells whether an approval's time is over and the rollout has to be undone for it.
func (r *Rollout) Late(now time.Time) bool {
	step, a, ok := r.Waiting()
	return ok && !step.Approve.Promotes && !now.Before(a.Until)
}

// await begins to wait, where the step that is being started does and has not begun before.
func (r *run) await(step plan.Step, now time.Time) {
	state := r.ro.Current()
	if step.Approve == nil {
		return
	}
	if state.Approval == nil {
		state.Approval = &Approval{Since: now, Until: now.Add(time.Duration(step.Approve.Timeout))}
	}
	if r.ro.Full != nil {
		r.ro.Approve(Answer{By: r.ro.Full.By, Run: r.ro.Full.Run, Reason: "of everything that is left", At: now})
	}
}

// waiting tells whether the step still waits for a person.
func (s *stepRun) waiting() bool {
	_, _, ok := s.ro.Waiting()
	return ok
}

// leaves tells whether nobody has to stay for the approval or the hold any more: it may wait without a run, and every gate
// has been asked what there is to see.
func (s *stepRun) leaves() bool {
	now := s.Clock.Now()
	switch {
	case s.Wait || s.holdEnd.IsZero():
		return false
	case !s.waiting():
		return s.detaches(now)
	}
	return !s.step.Approve.Attended && now.Before(s.state.Approval.Until) && s.panel.settled()
}

// settled tells whether no gate that is obeyed is on its way to a failure: each was asked since the step is in force, and
// misses no data.
func (p *panel) settled() bool {
	for _, s := range p.seats {
		standing := s.judge.Standing()
		open := standing.Outcome != gates.Pass && (standing.NoData || standing.Looked == gates.Fail)
		if !s.Rule.DryRun && (!s.fresh || open) {
			return false
		}
	}
	return true
}

// timedOut does what the plan says when nobody answered in time.
func (s *stepRun) timedOut(ctx context.Context) error {
	ask := s.step.Approve
	limit := brief(time.Duration(ask.Timeout))
	if !ask.Promotes {
		return &undo{cause: CauseApproval, reason: fmt.Sprintf("nobody approved within %s: %s", limit, ask.Message)}
	}
	return s.approve(ctx, func() {
		s.ro.Approve(Answer{By: "the spec (onTimeout: promote)", Reason: fmt.Sprintf("nobody answered within %s", limit), At: s.Clock.Now()})
	})
}

// brief is a duration without the units that are zero at its end.
func brief(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"0s", "0m"} {
		if rest, ok := strings.CutSuffix(text, zero); ok && len(rest) > 0 && (rest[len(rest)-1] == 'm' || rest[len(rest)-1] == 'h') {
			text = rest
		}
	}
	return text
}

// approve changes the record by do, saves it and tells it.
func (s *stepRun) approve(ctx context.Context, do func()) error {
	do()
	if err := s.Store.Save(ctx, s.rec); err != nil {
		return fmt.Errorf("save the approval of step %s: %w", s.step.ID, err)
	}
	message := "goes on without the holds and approvals that are left"
	if s.state.Approval != nil {
		message = s.state.Approval.Answer.String()
	} else if s.ro.Full != nil {
		message += ", " + s.ro.Full.String()
	}
	s.tell(ctx, Event{Kind: EventApproved, Message: message})
	return nil
}

// promoted takes a request to go on in. One for an approval that is not ours is stale.
func (s *stepRun) promoted(ctx context.Context, req Request) error {
	a := Answer{By: req.By, Run: req.Run, Reason: req.Reason, At: s.Clock.Now(), Request: req.ID}
	switch {
	case s.ro.Late(a.At): // the clock says so first
		return s.timedOut(ctx)
	case req.Full && s.ro.Full == nil:
		return s.approve(ctx, func() { s.ro.Promote(a) })
	case s.waiting() && (req.Full || req.Step == s.step.ID):
		return s.approve(ctx, func() { s.ro.Approve(a) })
	}
	s.tell(ctx, Event{Kind: EventInfo, Message: "the approval by " + req.By + " changes nothing: nothing waits for it now"})
	return nil
}
