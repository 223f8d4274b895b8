package clock

import (
	"context"
	"time"

	"github.com/tidegate/tidegate/internal/routine"
)

// Clock tells the time and waits for it.
type Clock interface {
	// Now is the present moment. Real times carry the monotonic reading, so differences survive a clock change.
	Now() time.Time
	// NewTimer sends the time on its channel once, after d.
	NewTimer(d time.Duration) Timer
}

// Timer fires once.
type Timer interface {
	C() <-chan time.Time
	// Stop prevents the timer from firing; it is false when it fired already.
	Stop() bool
}

// Real is the machine's clock.
type Real struct{}

var _ Clock = Real{}

// Now is time.Now.
func (Real) Now() time.Time { return time.Now() }

// NewTimer is time.NewTimer.
func (Real) NewTimer(d time.Duration) Timer { return realTimer{time.NewTimer(d)} }

type realTimer struct{ *time.Timer }

func (t realTimer) C() <-chan time.Time { return t.Timer.C }

// Sleep waits for d, or until ctx ends; then it returns the context's cause.
func Sleep(ctx context.Context, c Clock, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := c.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C():
		return nil
	}
}

// WithTimeout is context.WithTimeoutCause by clock c.
func WithTimeout(ctx context.Context, c Clock, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	if _, real := c.(Real); real {
		return context.WithTimeoutCause(ctx, d, cause)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	t := c.NewTimer(d)
	routine.Go(func() {
		defer t.Stop()
		select {
		case <-ctx.Done():
		case <-t.C():
			cancel(cause)
		}
	})
	return ctx, func() { cancel(context.Canceled) }
}
