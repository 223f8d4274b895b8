package report

import (
	"errors"

	"github.com/tidegate/tidegate/internal/engine"
)

// Result is what came of a run, as the Action's output names it.
type Result string

// The results.
const (
	Succeeded Result = "succeeded"
	Unchanged Result = "unchanged"
	// Promoted: by a request, and the run that carries the rollout goes on.
	Promoted Result = "promoted"
	// Pending: the rollout waits for an approval, or holds without a run.
	Pending    Result = "pending"
	RolledBack Result = "rolled-back"
	Aborted    Result = "aborted"
	Superseded Result = "superseded"
	Locked     Result = "locked"
	Cancelled  Result = "cancelled"
	Invalid    Result = "invalid"
	Failed     Result = "failed"
	UndoFailed Result = "undo-failed"
)

// ResultOf names the result of an engine's run. err is what Run returned: it says why a run stopped before its end.
func ResultOf(o engine.Outcome, err error) Result {
	var held *engine.HeldError
	switch {
	case errors.Is(err, engine.ErrCancelled):
		return Cancelled
	case errors.Is(err, engine.ErrFenced), errors.As(err, &held):
		return Locked
	case o.Phase == engine.UndoFailed:
		return UndoFailed
	case err == nil && o.Waiting:
		return Pending
	case err != nil:
		return Failed
	case o.Phase == engine.Succeeded:
		return Succeeded
	case o.Phase != engine.RolledBack:
		return Failed
	case o.Cause == engine.CauseAbort:
		return Aborted
	case o.Cause == engine.CauseSuperseded:
		return Superseded
	}
	return RolledBack
}

// ExitCode is the process's exit code for a result. A cancelled run has 130, what SIGINT gives; a caller that was told
// to stop by SIGTERM exits with 143 instead.
func (r Result) ExitCode() int {
	switch r {
	case Succeeded, Unchanged, Promoted:
		return 0
	case Invalid:
		return 2
	case RolledBack, Aborted:
		return 3
	case Pending:
		return 4
	case Locked:
		return 5
	case UndoFailed:
		return 6
	case Superseded:
		return 7
	case Cancelled:
		return 130
	}
	return 1
}
