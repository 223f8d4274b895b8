package engine

import (
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/plan"
)

// EventKind says what happened.
type EventKind string

// The kinds of events, in the order in which a rollout may meet them.
const (
	EventStarted      EventKind = "started"
	EventResumed      EventKind = "resumed"
	EventStepStarted  EventKind = "step-started"
	EventInForce      EventKind = "in-force" // the step's ops are done, the hold begins
	EventVerdict      EventKind = "verdict"  // a look of a gate
	EventPaused       EventKind = "paused"   // data has been missing for too long
	EventWaiting      EventKind = "waiting"  // for a person; Message is what they are asked
	EventApproved     EventKind = "approved" // by a person, or by the spec when the time was over
	EventDetached     EventKind = "detached" // the run ends in a detached hold; Message says until when
	EventStepFinished EventKind = "step-finished"
	EventUndoing      EventKind = "undoing"
	EventUndoOp       EventKind = "undo-op" // one op of the way back is done
	EventSucceeded    EventKind = "succeeded"
	EventRolledBack   EventKind = "rolled-back"
	EventUndoFailed   EventKind = "undo-failed"
	EventStopped      EventKind = "stopped" // cancelled or fenced: another run carries on
	EventDrift        EventKind = "drift"   // somebody else changed what the rollout set, or it is again as it was left
	EventInfo         EventKind = "info"
	EventWarning      EventKind = "warning"
)

// Event is one thing that happened in a rollout. Rollout is a copy that the listener may keep.
type Event struct {
	At      time.Time       `json:"at"`
	Kind    EventKind       `json:"kind"`
	Message string          `json:"message"`
	Step    string          `json:"step,omitempty"`
	Weight  plan.Share      `json:"weight"`
	Gate    string          `json:"gate,omitempty"`
	Look    *gates.Standing `json:"look,omitempty"`
	// Changed marks a verdict whose outcome differs from the gate's last one in this step.
	Changed bool `json:"changed,omitempty"`
	// Err is why the run stopped, with EventStopped.
	Err     error   `json:"-"`
	Rollout Rollout `json:"-"`
}
