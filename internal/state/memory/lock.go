package memory

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
)

// Lock takes the lock or fails at once with an *engine.HeldError.
func (p *Process) Lock(ctx context.Context) (context.Context, func(), error) {
	if err := p.enter(ctx); err != nil {
		return nil, nil, err
	}
	defer p.cluster.mu.Unlock()
	if held := p.judge(); held != nil {
		return nil, nil, held
	}
	locked, unlock := p.hold(ctx)
	return locked, unlock, nil
}

// LockWait is Lock that waits up to longest for a holder to release the lock or to be cut off for the lease's duration.
func (p *Process) LockWait(ctx context.Context, longest time.Duration) (context.Context, func(), error) {
	locked, unlock, err := p.Lock(ctx)
	var held *engine.HeldError
	if !errors.As(err, &held) || longest <= 0 {
		return locked, unlock, err
	}
	c := p.cluster
	over := c.clock.NewTimer(longest)
	defer over.Stop()
	for {
		c.mu.Lock()
		if p.cutAt.IsZero() {
			again := p.judge()
			if again == nil {
				locked, unlock := p.hold(ctx)
				c.mu.Unlock()
				return locked, unlock, nil
			}
			held = again
		}
		changed, expiry, stop := c.changed, (<-chan time.Time)(nil), func() bool { return true }
		if left, dying := p.left(); dying {
			timer := c.clock.NewTimer(left)
			expiry, stop = timer.C(), timer.Stop
		}
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			stop()
			return nil, nil, context.Cause(ctx)
		case <-over.C():
			stop()
			return nil, nil, held
		case <-changed:
		case <-expiry:
		}
		stop()
	}
}

// judge says who holds the lock, nil when it may be taken. The caller holds the cluster's mu.
func (p *Process) judge() *engine.HeldError {
	g := p.cluster.holder
	if g == nil {
		return nil
	}
	if p.seen.grant != g {
		p.seen = sighting{grant: g, at: p.cluster.clock.Now()}
	}
	left, dying := p.left()
	switch {
	case g.deleted, p.Predecessor != "" && g.identity == p.Predecessor, g.process == p && g.over, dying && left <= 0:
		return nil
	}
	return &engine.HeldError{Holder: g.process.name, Since: g.since}
}

// left is how long until the lease of a holder that is cut off has expired in the eyes of p.
func (p *Process) left() (left time.Duration, dying bool) {
	g := p.cluster.holder
	if g == nil || g != p.seen.grant || g.process.cutAt.IsZero() && !g.over {
		return 0, false
	}
	from := p.seen.at
	if g.process.cutAt.After(from) {
		from = g.process.cutAt
	}
	return from.Add(leaseDuration).Sub(p.cluster.clock.Now()), true
}

// hold makes p the holder. The caller holds the cluster's mu.
func (p *Process) hold(ctx context.Context) (context.Context, func()) {
	c := p.cluster
	if c.holder != nil {
		c.lose(c.holder)
	}
	locked, cancel := context.WithCancelCause(ctx)
	g := &grant{process: p, since: c.clock.Now(), identity: p.identity, cancel: cancel}
	c.holder = g
	c.change()
	var once sync.Once
	return locked, func() { once.Do(func() { c.release(g) }) }
}

// release gives the lock back; a holder that is cut off cannot.
func (c *Cluster) release(g *grant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g.over = true
	g.cancel(context.Canceled)
	if c.holder == g && g.process.cutAt.IsZero() {
		c.holder = nil
	}
	c.change()
}
