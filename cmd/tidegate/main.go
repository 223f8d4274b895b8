// Command tidegate carries new versions to users on Kubernetes, step by step, and brings them back when gates turn.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tidegate/tidegate/internal/cli"
	"github.com/tidegate/tidegate/internal/routine"
)

// grace is how long a cancelled command may take to save what it knows. The runner of GitHub kills 10 s after SIGINT.
const grace = 6500 * time.Millisecond

func main() {
	defer routine.Report()
	os.Exit(run())
}

func run() int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	routine.Go(func() {
		stop := cli.Interrupted{Signal: <-signals}
		cancel(stop)
		select {
		case <-time.After(grace):
		case <-signals: // asked twice
		}
		os.Exit(stop.ExitCode())
	})
	return cli.Main(ctx, arguments(os.Args), cli.System())
}

// postEntrypoint is the name under which the Action's image calls this binary after the job: the runner passes it the
// same arguments as before, and scratch has no shell to add one.
const postEntrypoint = "tidegate-post"

func arguments(args []string) []string {
	if filepath.Base(args[0]) == postEntrypoint {
		return append(args[1:len(args):len(args)], "--post")
	}
	return args[1:]
}
