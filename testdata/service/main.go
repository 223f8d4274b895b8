// Command service is the test service of internal/sandbox/service as a process: its behaviour comes from the
// environment, it listens on :8080, and SIGTERM ends it.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/tidegate/tidegate/internal/sandbox/service"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	code := run(ctx)
	stop()
	os.Exit(code)
}

func run(ctx context.Context) int {
	config, err := service.FromEnv(os.Getenv)
	if err != nil {
		fmt.Fprintf(os.Stderr, "read the environment: %v\n", err)
		return 2
	}
	listener, err := net.Listen("tcp", ":8080")
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\n", err)
		return service.ExitError
	}
	return service.Run(ctx, config, listener, os.Stderr)
}
