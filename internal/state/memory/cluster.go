package memory

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
)

const (
	leaseDuration = 15 * time.Second
	renewEvery    = 5 * time.Second
	patience      = 30 * time.Second // with a cut connection
	maxRequests   = 20
)

// errCut is how an operation ends whose process was cut off for too long.
var errCut = errors.New("the cluster could not be reached")

// Cluster is the state of one workload, shared by processes.
type Cluster struct {
	clock clock.Clock

	mu      sync.Mutex    // guards all below, and all of each Process
	changed chan struct{} // closed and replaced at each change
	version int           // of the record
	record  []byte        // JSON, nil for none
	epoch   int64
	claim   int // which Claim made the record; tells apart two that made the same epoch
	claims  int
	holder  *grant
	serial  int
	inbox   []engine.Request
}

// grant is one time of holding the lock. The lease may be deleted while its holder lives on.
type grant struct {
	process  *Process
	since    time.Time
	identity string
	cancel   context.CancelCauseFunc
	deleted  bool
	over     bool
}

// New returns an empty cluster whose leases run by c.
func New(c clock.Clock) *Cluster { return &Cluster{clock: c, changed: make(chan struct{})} }

// DeleteRecord is what a person may do.
func (c *Cluster) DeleteRecord() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.record, c.epoch, c.claim = nil, 0, 0
	c.version++
	c.change()
}

// DeleteLease is what a person may do. A living holder makes it anew with its next renewal, unless another is faster.
func (c *Cluster) DeleteLease() {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.holder
	if g == nil {
		return
	}
	g.deleted = true
	c.change()
	timer := c.clock.NewTimer(renewEvery)
	go func() {
		<-timer.C()
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.holder == g && g.process.cutAt.IsZero() {
			g.deleted = false
		}
	}()
}

// change wakes whoever waits. The caller holds mu.
func (c *Cluster) change() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// lose ends a grant whose holder still believes in it. The caller holds mu.
func (c *Cluster) lose(g *grant) {
	if g.over {
		return
	}
	g.over = true
	g.cancel(engine.ErrLockLost)
	c.change()
}

// await returns with mu held when ready says so (it is asked under mu). It fails, and mu is not held, with the context's
// cause at its end, or with errCut after d; a d of 0 is no bound, and no timer.
func (c *Cluster) await(ctx context.Context, d time.Duration, ready func() bool) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	if ready() {
		return nil
	}
	var over <-chan time.Time
	if d > 0 {
		timer := c.clock.NewTimer(d)
		defer timer.Stop()
		over = timer.C()
	}
	for {
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-over:
			return errCut
		case <-changed:
		}
		c.mu.Lock()
		if ready() {
			return nil
		}
	}
}
