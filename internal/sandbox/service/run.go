package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
)

// Exit codes of a service's process.
const (
	ExitOK    = 0
	ExitError = 1
)

const (
	crashAfter = 200 * time.Millisecond
	lastWords  = "panic: cannot open /etc/checkout/config.yaml: no such file or directory\n"
	// shutdownWithin bounds the wait for requests still under way after the grace.
	shutdownWithin = 5 * time.Second
)

// Run is the life of the service's process on the listener, and returns its exit code. The end of ctx is SIGTERM: a
// polite service fails its readiness check, serves for the grace, and ends when the last request has its answer; a rude
// one drops everything.
func Run(ctx context.Context, c Config, listener net.Listener, stderr io.Writer) int {
	if c.Crash {
		listener.Close()
		// A process that is told to end while it crashes ends all the same.
		_ = clock.Sleep(ctx, clock.Real{}, crashAfter)
		io.WriteString(stderr, lastWords)
		return ExitError
	}
	s := New(c)
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		fmt.Fprintf(stderr, "serve: %v\n", err)
		return ExitError
	case <-ctx.Done():
	}
	return end(context.WithoutCancel(ctx), s, server, stderr)
}

func end(ctx context.Context, s *Service, server *http.Server, stderr io.Writer) int {
	if s.config.Rude {
		server.Close()
		return ExitOK
	}
	s.Drain()
	_ = clock.Sleep(ctx, s.clock, s.config.Grace) // ctx cannot end
	ctx, cancel := context.WithTimeout(ctx, shutdownWithin+s.config.Delay)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil && !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintf(stderr, "shut down: %v\n", err)
		return ExitError
	}
	return ExitOK
}
