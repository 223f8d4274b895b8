//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/tidegate/tidegate/testdata/cluster/internal/build"
	"github.com/tidegate/tidegate/testdata/cluster/internal/layout"
	"github.com/tidegate/tidegate/testdata/cluster/internal/process"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
	exitCannot = 3
)

var (
	errUsage  = errors.New("usage: go run -C testdata/cluster . build|up|down|status [-o json]")
	errCannot = errors.New("a cluster needs root: run it as root, or point KUBECONFIG at a cluster you have")
	errDown   = errors.New("the cluster is not up: go run -C testdata/cluster . up")
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := realMain(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "cluster: %v\n", err)
	}
	os.Exit(exitCode(err))
}

func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, errCannot):
		return exitCannot
	default:
		return exitFailed
	}
}

func realMain(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	if args[0] == watchCommand && len(args) == 2 {
		return watch(ctx, args[1])
	}
	asJSON := len(args) == 3 && args[1] == "-o" && args[2] == "json"
	if len(args) > 1 && !asJSON {
		return errUsage
	}
	commands := map[string]func(*cluster, context.Context) error{
		"build":  (*cluster).build,
		"up":     (*cluster).up,
		"down":   (*cluster).down,
		"status": func(c *cluster, ctx context.Context) error { return c.status(ctx, asJSON) },
	}
	run, ok := commands[args[0]]
	if !ok {
		return errUsage
	}
	if os.Geteuid() != 0 {
		return errCannot
	}
	l, err := layout.Find()
	if err != nil {
		return err
	}
	return run(newCluster(l), ctx)
}

// cluster is what the commands work on.
type cluster struct {
	layout.Layout
	processes process.Table
}

func newCluster(l layout.Layout) *cluster {
	return &cluster{Layout: l, processes: process.Table{Records: l.Run(), Logs: l.Logs()}}
}

func (c *cluster) build(ctx context.Context) error {
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()
	return c.buildLocked(ctx)
}

func (c *cluster) buildLocked(ctx context.Context) error {
	return build.Builder{Layout: c.Layout, Say: say, Log: os.Stderr}.All(ctx)
}

// lock keeps other launchers out; it waits for them.
func (c *cluster) lock() (unlock func(), err error) {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(c.Dir + "/lock")
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock %s: %w", c.Dir, err)
	}
	return func() { f.Close() }, nil
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "cluster: "+format+"\n", args...) }
