package engine

import (
	"context"
	"errors"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
)

// Store keeps the record of one workload.
//
// Save is a compare-and-swap on the epoch: it fails with ErrFenced when the stored record has another epoch than r,
// and with ErrLockLost (or the context's cause) when the lock is gone. A write that conflicts while the epoch is the
// same is retried inside. A record that was deleted meanwhile is written anew: its holder still knows everything.
// Errors of the network are retried inside for a bounded time; what Save returns is final.
type Store interface {
	// Load returns nil without an error when there is no record.
	Load(ctx context.Context) (*Record, error)
	Save(ctx context.Context, r *Record) error
	// Claim takes the record over: it stores r with Epoch+1 if the stored epoch (0 without a record) is still
	// r.Epoch, and sets r.Epoch to the new one. Otherwise it fails with ErrFenced.
	Claim(ctx context.Context, r *Record) error
}

// Locker gives the right to change a workload to one process at a time.
type Locker interface {
	// Lock takes the lock or fails at once: with a *HeldError when another holder is alive. The context that it
	// gives back is cancelled with cause ErrLockLost when the lock is lost. unlock is safe to call twice.
	Lock(ctx context.Context) (locked context.Context, unlock func(), err error)
}

// Inbox carries requests to the holder of the lock: nobody else writes the record.
type Inbox interface {
	// Requests sends every request that is or becomes pending, until ctx ends.
	Requests(ctx context.Context) <-chan Request
	Post(ctx context.Context, r Request) error
	// Clear removes a request that has been answered.
	Clear(ctx context.Context, id string) error
}

// Request is what a person, or another run, asks of the rollout in flight.
type Request struct {
	ID     string    `json:"id"`
	Verb   Verb      `json:"verb"`
	By     string    `json:"by"` // who asks, from where
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
	// Rollout is the one that is meant; empty means whichever is in flight.
	Rollout string `json:"rollout,omitempty"`
	// Run is the URL of the workflow run by which somebody asks.
	Run string `json:"run,omitempty"`
	// Step is the approval that is meant by Promote.
	Step string `json:"step,omitempty"`
	// Full is Promote of everything that is left: holds are cut short and approvals given.
	Full bool `json:"full,omitempty"`
}

// Verb is what is asked for.
type Verb string

// What can be asked of a rollout in flight.
const (
	Abort     Verb = "abort"
	Supersede Verb = "supersede"
	Promote   Verb = "promote"
)

// Actuator makes an op true in the cluster. Apply is idempotent and returns when the op is in force. It honours ctx at
// once. A *StepError says that the release cannot go on (a crash loop, an image that does not exist); ErrLockLost and
// the context's cause stop the run; any other error is one of the cluster that was retried in vain.
type Actuator interface {
	Apply(ctx context.Context, op plan.Op) error
}

// Listener hears what happens. Handle must not block for long; it cannot fail.
type Listener interface {
	Handle(ctx context.Context, e Event)
}

// Sentinels that the engine branches on.
var (
	// ErrLockLost is the cause of a context whose lock was lost.
	ErrLockLost = errors.New("the lock was lost: another run may have taken over")
	// ErrFenced says that another holder has taken the record over.
	ErrFenced = errors.New("another run has taken this rollout over")
	// ErrCancelled is the cause of a context that was cancelled by a signal.
	ErrCancelled = errors.New("cancelled")
)

// HeldError says who holds the lock.
type HeldError struct {
	Holder string
	Since  time.Time
}

// Error names the holder.
func (e *HeldError) Error() string { return "the lock is held by " + e.Holder }

// StepError says that the release itself cannot go on.
type StepError struct{ Reason, Hint string }

// Error is the reason and what to do.
func (e *StepError) Error() string {
	if e.Hint == "" {
		return e.Reason
	}
	return e.Reason + "\n" + e.Hint
}

// LeftError says that an op of the way back left something as somebody else has it, since it is neither what the rollout
// brought nor what was there before. The way back goes on.
type LeftError struct{ Reason, Hint string }

// Error is what was left and what to do.
func (e *LeftError) Error() string {
	if e.Hint == "" {
		return e.Reason
	}
	return e.Reason + "\n" + e.Hint
}
