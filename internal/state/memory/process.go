package memory

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
)

// Hooks are asked around each Save and Claim of a process, which n counts from 1. What they return is final: the save
// fails with it, not stored (Before) or stored all the same (After).
type Hooks struct {
	Before func(n int, r *engine.Record) error
	After  func(n int, r *engine.Record) error
}

// FailSave are hooks that let the nth save fail with err, after it was stored or before.
func FailSave(n int, stored bool, err error) Hooks {
	fail := func(i int, _ *engine.Record) error {
		if i == n {
			return err
		}
		return nil
	}
	if stored {
		return Hooks{After: fail}
	}
	return Hooks{Before: fail}
}

// Process is one process beside others: the Store, the Locker and the Inbox of an engine that runs there.
type Process struct {
	// Hooks may be set before the process is used.
	Hooks Hooks
	// Predecessor is the Identity of a process that is known to be gone: its lock is taken over at once.
	Predecessor string

	cluster  *Cluster
	name     string
	identity string

	// Guarded by the cluster's mu.
	cutAt time.Time // zero when connected
	heal  chan struct{}
	claim int // which Claim was ours; 0 before
	saves int
	seen  sighting
}

// sighting is since when a process knows of a grant.
type sighting struct {
	grant *grant
	at    time.Time
}

var (
	_ engine.Store  = (*Process)(nil)
	_ engine.Locker = (*Process)(nil)
	_ engine.Inbox  = (*Process)(nil)
)

// Process adds a process, under the name that its lock bears.
func (c *Cluster) Process(name string) *Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.serial++
	return &Process{cluster: c, name: name, identity: name + "#" + strconv.Itoa(c.serial)}
}

// Identity is the holder's name with a nonce.
func (p *Process) Identity() string { return p.identity }

// Cut breaks the connection until Heal. To the others the process is as good as dead; a lock that it holds is lost
// after the lease's duration.
func (p *Process) Cut() {
	c := p.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	if !p.cutAt.IsZero() {
		return
	}
	p.cutAt, p.heal = c.clock.Now(), make(chan struct{})
	c.change()
	g := c.holder
	if g == nil || g.process != p {
		return
	}
	timer, heal := c.clock.NewTimer(leaseDuration), p.heal
	go func() {
		defer timer.Stop()
		select {
		case <-heal:
		case <-timer.C():
			c.mu.Lock()
			defer c.mu.Unlock()
			c.lose(g)
		}
	}()
}

// Heal mends the connection.
func (p *Process) Heal() {
	c := p.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.cutAt.IsZero() {
		return
	}
	p.cutAt = time.Time{}
	close(p.heal)
	if g := c.holder; g != nil && g.process == p && !g.over {
		g.deleted = false
	}
	c.change()
}

// enter returns with the cluster's mu held once the process is connected.
func (p *Process) enter(ctx context.Context) error {
	return p.cluster.await(ctx, patience, func() bool { return p.cutAt.IsZero() })
}

// Load returns a copy of the record, nil when there is none.
func (p *Process) Load(ctx context.Context) (*engine.Record, error) {
	if err := p.enter(ctx); err != nil {
		return nil, err
	}
	defer p.cluster.mu.Unlock()
	return p.cluster.copy()
}

// copy is the record as others may keep it. The caller holds mu.
func (c *Cluster) copy() (*engine.Record, error) {
	if c.record == nil {
		return nil, nil
	}
	r := &engine.Record{}
	return r, json.Unmarshal(c.record, r)
}

// Save stores a copy of r unless its epoch is over.
func (p *Process) Save(ctx context.Context, r *engine.Record) error {
	return p.put(ctx, r, func() error {
		c := p.cluster
		if c.record != nil && (c.epoch != r.Epoch || p.claim != 0 && c.claim != 0 && c.claim != p.claim) {
			return engine.ErrFenced
		}
		return c.store(r)
	})
}

// Claim takes the record over with the next epoch.
func (p *Process) Claim(ctx context.Context, r *engine.Record) error {
	return p.put(ctx, r, func() error {
		c := p.cluster
		if c.epoch != r.Epoch {
			return engine.ErrFenced
		}
		next := *r
		next.Epoch++
		if err := c.store(&next); err != nil {
			return err
		}
		c.claims++
		c.claim, p.claim, r.Epoch = c.claims, c.claims, next.Epoch
		return nil
	})
}

func (p *Process) put(ctx context.Context, r *engine.Record, store func() error) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	p.saves++
	n := p.saves
	p.cluster.mu.Unlock()
	if p.Hooks.Before != nil {
		if err := p.Hooks.Before(n, r); err != nil {
			return err
		}
	}
	p.cluster.mu.Lock()
	err := store()
	p.cluster.mu.Unlock()
	if err == nil && p.Hooks.After != nil {
		err = p.Hooks.After(n, r)
	}
	return err
}

// store keeps r. The caller holds mu.
func (c *Cluster) store(r *engine.Record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if c.record == nil {
		c.claim = 0
	}
	c.record, c.epoch = data, r.Epoch
	c.version++
	c.change()
	return nil
}

// WatchRecord sends the record as it is (nil when there is none) and later versions (nil when it was deleted) until
// ctx ends. Versions that follow each other faster than they are received may be left out.
func (p *Process) WatchRecord(ctx context.Context) <-chan *engine.Record {
	out, c := make(chan *engine.Record), p.cluster
	go func() {
		defer close(out)
		for seen := -1; ; {
			if p.until(ctx, func() bool { return seen != c.version }) != nil {
				return
			}
			r, err := c.copy()
			seen = c.version
			c.mu.Unlock()
			if err != nil {
				return // what was marshalled here can be unmarshalled
			}
			select {
			case out <- r:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// until returns with the cluster's mu held once the process is connected and ready is true, or at the end of ctx.
func (p *Process) until(ctx context.Context, ready func() bool) error {
	return p.cluster.await(ctx, 0, func() bool { return p.cutAt.IsZero() && ready() })
}
