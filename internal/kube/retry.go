package kube

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tidegate/tidegate/internal/clock"
)

// Patience is how long an error that passes is retried during a rollout; a cluster that is out of reach for longer stops
// the run.
const Patience = time.Minute

// readTimeout bounds one read.
const readTimeout = 10 * time.Second

// retry calls do until it succeeds, fails for good or patience is at its end.
func retry[T any](ctx context.Context, c *Client, do func(context.Context) (T, error)) (T, error) {
	start, pause := c.clock.Now(), 100*time.Millisecond
	for {
		if err := context.Cause(ctx); err != nil {
			var zero T
			return zero, err
		}
		bounded, cancel := clock.WithTimeout(ctx, c.clock, readTimeout, context.DeadlineExceeded)
		got, err := do(bounded)
		cancel()
		if err == nil || c.final(err) || !Transient(err) {
			return got, err
		}
		if cause := context.Cause(ctx); cause != nil {
			return got, cause
		}
		if waited := c.clock.Now().Sub(start); waited+pause > c.patience {
			return got, fmt.Errorf("tried for %s: %w", waited.Round(time.Second), err)
		}
		if err := clock.Sleep(ctx, c.clock, max(pause, suggested(err))); err != nil {
			return got, err
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// Transient tells whether an error may pass by itself: the server is busy, restarting or out of reach.
func Transient(err error) bool {
	switch {
	case err == nil:
		return false
	case apierrors.IsServerTimeout(err), apierrors.IsTimeout(err), apierrors.IsTooManyRequests(err),
		apierrors.IsInternalError(err), apierrors.IsServiceUnavailable(err):
		return true
	case errors.Is(err, context.DeadlineExceeded):
		return true
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return status.Status().Code >= 500
	}
	var network *url.Error
	return errors.As(err, &network)
}

// suggested is the pause that the server asked for, if it did.
func suggested(err error) time.Duration {
	seconds, _ := apierrors.SuggestsClientDelay(err)
	return min(time.Duration(seconds)*time.Second, 10*time.Second)
}
