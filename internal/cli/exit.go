package cli

import (
	"context"
	"errors"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/preflight"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
)

// The exit codes of errors; those of results are with report.Result.
const (
	exitOK      = 0
	exitError   = 1
	exitInvalid = 2 // the spec or the call is wrong, nothing was touched
)

// exitCode is the code for a result of a command that ran.
func exitCode(ctx context.Context, result report.Result) int {
	var signal Interrupted
	if result == report.Cancelled && errors.As(context.Cause(ctx), &signal) {
		return signal.ExitCode()
	}
	return result.ExitCode()
}

// errorCode is the code for an error of any command.
func errorCode(ctx context.Context, err error) int {
	var usage *usageError
	var problems spec.Problems
	var invalid *app.Invalid
	var mismatch *preflight.Invalid
	var findings preflight.Findings
	var code codeError
	var signal Interrupted
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return code.code
	case errors.As(context.Cause(ctx), &signal):
		return signal.ExitCode()
	case errors.As(err, &usage), errors.As(err, &problems), errors.As(err, &invalid), errors.As(err, &mismatch), errors.As(err, &findings):
		return exitInvalid
	}
	return exitError
}

// codeError ends a command with a code; what there was to say has been said.
type codeError struct{ code int }

func (c codeError) Error() string { return "" }

// usageError is a wrong call.
type usageError struct{ err error }

func (u *usageError) Error() string { return u.err.Error() }
func (u *usageError) Unwrap() error { return u.err }
