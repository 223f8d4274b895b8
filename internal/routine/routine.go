// Package routine starts goroutines so that a panic in one of them is told as what it is.
//
// An unrecovered panic ends a Go program with exit code 2, which for Tidegate means "the spec is wrong, nothing was
// touched". Go turns it into a report and exit code 1.
package routine

import (
	"fmt"
	"os"
	"runtime/debug"
)

// Go runs fn in a goroutine of its own.
func Go(fn func()) {
	go func() {
		defer Report()
		fn()
	}()
}

// Report turns, deferred, a panic into a report on stderr and exit code 1.
func Report() {
	if v := recover(); v != nil {
		fmt.Fprintf(os.Stderr, "tidegate: internal error: %v\n%s\n"+
			"This is a bug in Tidegate. What was done so far is recorded in the cluster: run the same command again to "+
			"resume, or `tidegate abort` to undo.\n", v, debug.Stack())
		os.Exit(1)
	}
}
