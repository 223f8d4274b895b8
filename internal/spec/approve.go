package spec

import "fmt"

// unnamedApproval is what a plan calls an approval that has no name.
const unnamedApproval = "approve"

// Approve is a step that waits for a person.
type Approve struct {
	Message    string    `json:"message" spec:"required" doc:"what is to be decided, shown to who decides"`
	Timeout    Duration  `json:"timeout" spec:"default=24h,positive" doc:"longest wait; the rollout's deadline stands still meanwhile"`
	OnTimeout  OnTimeout `json:"onTimeout" spec:"default=undo,enum=undo|promote" doc:"what happens when nobody has answered by then"`
	Unattended bool      `json:"unattended,omitempty" doc:"allow that no gate watches while it waits, although users are on the new version"`
}

// OnTimeout says what becomes of a rollout that nobody approved in time.
type OnTimeout string

// The answers to an approval's timeout.
const (
	TimeoutUndo    OnTimeout = "undo"
	TimeoutPromote OnTimeout = "promote"
)

// finishApproval checks what is written beside an approval, and that somebody watches while it waits.
func (step Step) finishApproval(s scope, path string, reached Percent) {
	for name, set := range map[string]bool{"hold": step.Hold != 0, "pods": step.Pods != 0, "detach": step.Detach} {
		if set {
			s.fail(path+"."+name, "an approval has no `"+name+"`", "Remove it, or write it in a step with a weight.")
		}
	}
	if reached > 0 && !step.Approve.Unattended && !s.d.wait && s.ok(path+".approve") {
		s.fail(path+".approve", fmt.Sprintf("while it waits, %s of the users are on the new version and no gate watches, "+
			"for no job stays for it", reached),
			"Put it before the first weight, or let the job stay with --wait (in the Action: wait: true), or write unattended: true.")
	}
}
