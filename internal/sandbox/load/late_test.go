package load

import (
	"sync"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
)

// lateClock is the machine's, but its first wait lasts five seconds longer than was asked, as on a machine that stopped.
type lateClock struct {
	mu   sync.Mutex
	late time.Duration
}

func (c *lateClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return clock.Real{}.Now().Add(c.late)
}

func (c *lateClock) NewTimer(d time.Duration) clock.Timer {
	c.mu.Lock()
	c.late = 5 * time.Second
	c.mu.Unlock()
	return clock.Real{}.NewTimer(d)
}
