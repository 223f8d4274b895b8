package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
)

const (
	// certain is how long our right lasts without a renewal: less than the lease, for clocks that tick differently.
	certain        = LeaseDuration - time.Second
	renewPause     = time.Second     // after a renewal that failed
	renewTimeout   = 2 * time.Second // of the first try, so that a request that hangs leaves time for another
	releaseTimeout = 5 * time.Second // for all tries to release
)

// session is one time of holding the lock: from the request that took it until it is released or lost.
type session struct {
	locker *Locker
	cancel context.CancelCauseFunc // of the context that Lock gave
	kick   chan struct{}           // asks for a renewal now
	gone   chan struct{}           // closed when the lock is lost or released
	ended  chan struct{}           // closed when nothing is renewed any more
	flight sync.WaitGroup          // the renewal that is under way

	mu      sync.Mutex // guards all below
	lease   *unstructured.Unstructured
	sent    time.Time     // when the request was sent from which our right counts
	renewed chan struct{} // closed and replaced at each renewal
	over    bool
	foreign bool // somebody else holds the lease
}

// outcome is how one renewal went.
type outcome struct {
	lease *unstructured.Unstructured // the last that was seen
	sent  time.Time
	err   error
}

// run renews the lease until ctx ends or the lock is lost. It never waits for a request: what hangs cannot keep the
// lock's end from being noticed.
func (s *session) run(ctx context.Context) {
	defer close(s.ended)
	c := s.locker.Clock
	results := make(chan outcome, 1)
	busy, timeout := false, renewTimeout
	next, expiry := c.NewTimer(RenewEvery-c.Now().Sub(s.sent)), c.NewTimer(s.right())
	defer func() { next.Stop(); expiry.Stop() }()
	for {
		ask := false
		select {
		case <-ctx.Done():
			return
		case <-expiry.C():
			s.lose(false)
			return
		case <-next.C():
			ask = true
		case <-s.kick:
			ask = true
		case o := <-results:
			busy, timeout = false, renewTimeout
			if o.err != nil {
				timeout = WriteTimeout
			}
			wait, ok := s.settle(o)
			if !ok {
				return
			}
			next.Stop()
			expiry.Stop()
			next, expiry = c.NewTimer(wait), c.NewTimer(s.right())
		}
		if ask && !busy {
			busy = true
			base, timeout := s.lease, timeout
			s.flight.Go(func() { results <- s.locker.renew(ctx, timeout, base) })
		}
	}
}

// settle takes in how a renewal went and says when the next one is due; false when the lock is lost.
func (s *session) settle(o outcome) (wait time.Duration, ok bool) {
	if errors.Is(o.err, engine.ErrLockLost) {
		s.lose(true)
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lease = o.lease
	if o.err != nil {
		return renewPause, true
	}
	s.sent = o.sent
	close(s.renewed)
	s.renewed = make(chan struct{})
	return RenewEvery - s.locker.Clock.Now().Sub(o.sent), true
}

// renew sends one renewal, and again as long as what stands in its way is an older version of our own lease.
func (l *Locker) renew(ctx context.Context, timeout time.Duration, base *unstructured.Unstructured) outcome {
	ctx, cancel := clock.WithTimeout(ctx, l.Clock, timeout, context.DeadlineExceeded)
	defer cancel()
	var err error
	for range maxConflicts {
		o := outcome{sent: l.Clock.Now()}
		o.lease, err = once(ctx, l.Clock, func(ctx context.Context) (*unstructured.Unstructured, error) {
			spec := l.renewal()
			if base == nil {
				spec = l.claim(lease{})
			}
			return l.write(ctx, base, spec)
		})
		switch {
		case err == nil:
			return o
		case base != nil && apierrors.IsNotFound(err):
			base = nil
			continue
		case !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err):
			return outcome{lease: base, err: err}
		}
		base, err = once(ctx, l.Clock, func(ctx context.Context) (*unstructured.Unstructured, error) {
			return l.read(ctx, newBudget(l.Clock, 0))
		})
		if err != nil {
			return outcome{lease: base, err: err}
		}
		if base != nil && (lease{base}).identity() != l.identity {
			return outcome{err: engine.ErrLockLost}
		}
	}
	return outcome{lease: base, err: err}
}

// right is how long the lock is ours for certain, on the monotonic clock.
func (s *session) right() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return certain - s.locker.Clock.Now().Sub(s.sent)
}

// cautious is right, but a wall clock that went further than the monotonic one counts too: the machine slept. A wall
// clock that was merely set costs one renewal.
func (s *session) cautious() (left time.Duration, renewed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.locker.Clock.Now()
	passed := max(now.Sub(s.sent), now.Round(0).Sub(s.sent.Round(0)))
	return certain - passed, s.renewed
}

// lose ends the session: whatever runs under its context stops.
func (s *session) lose(foreign bool) {
	s.end(foreign)
	s.cancel(engine.ErrLockLost)
}

func (s *session) end(foreign bool) {
	s.mu.Lock()
	s.foreign = s.foreign || foreign
	if !s.over {
		s.over = true
		close(s.gone)
	}
	s.mu.Unlock()
	s.locker.mu.Lock()
	if s.locker.held == s {
		s.locker.held = nil
	}
	s.locker.mu.Unlock()
}

// release ends the session and empties the lease, so that the next holder need not wait, unless somebody has it already.
func (s *session) release(ctx context.Context) {
	<-s.ended
	s.flight.Wait()
	s.end(false)
	s.cancel(context.Canceled)
	if s.foreign {
		return
	}
	l := s.locker
	ctx, cancel := clock.WithTimeout(context.WithoutCancel(ctx), l.Clock, releaseTimeout, context.DeadlineExceeded)
	defer cancel()
	if err := l.empty(ctx, s.lease); err != nil {
		l.Warn(fmt.Sprintf("the lock %s could not be released; it ends by itself in %s: %v", l.name, LeaseDuration, err))
	}
}

// empty takes our identity out of the lease, if it is there.
func (l *Locker) empty(ctx context.Context, base *unstructured.Unstructured) error {
	b := newBudget(l.Clock, releaseTimeout)
	for {
		if base != nil {
			_, err := once(ctx, l.Clock, func(ctx context.Context) (*unstructured.Unstructured, error) {
				return l.write(ctx, base, map[string]any{fieldHolder: nil, fieldRenewed: l.Clock.Now().UTC().Format(microTime)})
			})
			switch {
			case err == nil || apierrors.IsNotFound(err):
				return nil
			case apierrors.IsConflict(err):
			case ctx.Err() != nil || !transient(err):
				return err
			default:
				if err := b.wait(ctx, err); err != nil {
					return err
				}
			}
		}
		var err error
		if base, err = l.read(ctx, b); err != nil || base == nil || (lease{base}).identity() != l.identity {
			return err
		}
	}
}
