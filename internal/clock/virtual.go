package clock

import (
	"sort"
	"sync"
	"time"
)

// Virtual is a clock that moves only when it is told to. It is safe for concurrent use.
type Virtual struct {
	mu     sync.Mutex
	now    time.Time
	timers []*virtualTimer
	change chan struct{} // closed and replaced whenever a timer is added
}

var _ Clock = (*Virtual)(nil)

// NewVirtual returns a clock that stands at start.
func NewVirtual(start time.Time) *Virtual {
	return &Virtual{now: start, change: make(chan struct{})}
}

// Now is where the clock stands.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// NewTimer fires when the clock has been moved past d from now; at once for d ≤ 0.
func (v *Virtual) NewTimer(d time.Duration) Timer {
	v.mu.Lock()
	defer v.mu.Unlock()
	t := &virtualTimer{clock: v, at: v.now.Add(d), c: make(chan time.Time, 1)}
	if d <= 0 {
		t.c <- v.now
		return t
	}
	v.timers = append(v.timers, t)
	close(v.change)
	v.change = make(chan struct{})
	return t
}

// Advance moves the clock by d and fires what became due, in order of time.
func (v *Virtual) Advance(d time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.moveTo(v.now.Add(d))
}

// Step waits until somebody waits for the clock, then moves it to the first moment that is waited for. It is false
// when stop was closed before.
func (v *Virtual) Step(stop <-chan struct{}) bool {
	for {
		v.mu.Lock()
		change := v.change
		if len(v.timers) > 0 {
			sort.SliceStable(v.timers, func(i, j int) bool { return v.timers[i].at.Before(v.timers[j].at) })
			v.moveTo(v.timers[0].at)
			v.mu.Unlock()
			return true
		}
		v.mu.Unlock()
		select {
		case <-stop:
			return false
		case <-change:
		}
	}
}

func (v *Virtual) moveTo(to time.Time) {
	sort.SliceStable(v.timers, func(i, j int) bool { return v.timers[i].at.Before(v.timers[j].at) })
	v.now = to
	n := 0
	for n < len(v.timers) && !v.timers[n].at.After(to) {
		v.timers[n].c <- to
		n++
	}
	v.timers = append([]*virtualTimer(nil), v.timers[n:]...)
}

type virtualTimer struct {
	clock *Virtual
	at    time.Time
	c     chan time.Time
}

func (t *virtualTimer) C() <-chan time.Time { return t.c }

func (t *virtualTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	for i, other := range t.clock.timers {
		if other == t {
			t.clock.timers = append(t.clock.timers[:i], t.clock.timers[i+1:]...)
			return true
		}
	}
	return false
}
