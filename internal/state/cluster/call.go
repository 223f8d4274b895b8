package cluster

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
)

const (
	// WriteTimeout is how long one request may take, here and on the server.
	WriteTimeout = 4 * time.Second
	// Patience is, by default, how long requests are tried again when the network or the server fails.
	Patience = 30 * time.Second

	firstPause   = 200 * time.Millisecond
	longestPause = 5 * time.Second
	maxConflicts = 10 // reads after a conflict until a write is given up
)

// budget bounds all the tries that one operation makes together.
type budget struct {
	clock    clock.Clock
	deadline time.Time
	pause    time.Duration
}

func newBudget(c clock.Clock, d time.Duration) *budget {
	return &budget{clock: c, deadline: c.Now().Add(d), pause: firstPause}
}

// wait pauses before another try. It fails with the context's cause, or with err when the time is over.
func (b *budget) wait(ctx context.Context, err error) error {
	left := b.deadline.Sub(b.clock.Now())
	if left <= 0 {
		return err
	}
	pause := min(b.pause, left)
	b.pause = min(2*b.pause, longestPause)
	return clock.Sleep(ctx, b.clock, pause)
}

// once makes one try of at most WriteTimeout. When ctx has ended the error is its cause.
func once[T any](ctx context.Context, c clock.Clock, try func(context.Context) (T, error)) (T, error) {
	bounded, cancel := clock.WithTimeout(ctx, c, WriteTimeout, context.DeadlineExceeded)
	defer cancel()
	v, err := try(bounded)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return v, err
}

// persist tries until there is an answer that trying again would not change, or the budget is spent. A try that failed
// may have been carried out: the caller must be able to tell.
func persist[T any](ctx context.Context, b *budget, try func(context.Context) (T, error)) (T, error) {
	for {
		v, err := once(ctx, b.clock, try)
		if err == nil || ctx.Err() != nil || !transient(err) {
			return v, err
		}
		if err := b.wait(ctx, err); err != nil {
			return v, err
		}
	}
}

// transient tells whether trying again may help: the network failed, or the server is busy, broken or too slow.
func transient(err error) bool {
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	if errors.Is(err, engine.ErrLockLost) || errors.As(err, &authority) || errors.As(err, &hostname) {
		return false
	}
	var answer apierrors.APIStatus
	if !errors.As(err, &answer) {
		return true
	}
	code := answer.Status().Code
	return code == http.StatusTooManyRequests || code >= http.StatusInternalServerError
}

// contended tells whether a write failed because the object is not what it was.
func contended(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err)
}
