package clock_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// TestVirtual: timers fire in the order of their times, when the clock is moved there and not before.
func TestVirtual(t *testing.T) {
	v := clock.NewVirtual(start)
	var timers []clock.Timer
	for _, d := range []time.Duration{3, 1, 2, 10, 0, -1} {
		timers = append(timers, v.NewTimer(d*time.Second))
	}
	fired := func() (which []int) {
		for i, timer := range timers {
			select {
			case <-timer.C():
				which = append(which, i)
			default:
			}
		}
		return which
	}
	if got := fired(); !slices.Equal(got, []int{4, 5}) {
		t.Errorf("at once: %v", got)
	}
	v.Advance(2 * time.Second)
	if got := fired(); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("after 2s: %v", got)
	}
	never := make(chan struct{})
	if !v.Step(never) || v.Now() != start.Add(3*time.Second) {
		t.Errorf("the step led to %v", v.Now())
	}
	if got := fired(); !slices.Equal(got, []int{0}) {
		t.Errorf("after 3s: %v", got)
	}
	if !timers[3].Stop() || timers[3].Stop() || timers[0].Stop() {
		t.Error("a timer is stopped once, and only before it fired")
	}
	close(never)
	if v.Step(never) {
		t.Error("there was nothing to step to")
	}
	v.Advance(time.Hour)
	if got := fired(); got != nil {
		t.Errorf("stopped, and fired: %v", got)
	}
}

// TestVirtualStepWaits for somebody who waits for the clock.
func TestVirtualStepWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := clock.NewVirtual(start)
		stepped := false
		go func() { stepped = v.Step(make(chan struct{})) }()
		synctest.Wait()
		timer := v.NewTimer(time.Minute)
		<-timer.C()
		synctest.Wait()
		if !stepped || v.Now() != start.Add(time.Minute) {
			t.Errorf("stepped %t, to %v", stepped, v.Now())
		}
	})
}

// TestWaits: Sleep and WithTimeout are bounded by either clock, and tell why they ended.
func TestWaits(t *testing.T) {
	over, stop := errors.New("over"), errors.New("stop")
	for _, virtual := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var c clock.Clock = clock.Real{}
			if virtual {
				v := clock.NewVirtual(start)
				c = v
				done := make(chan struct{})
				defer close(done)
				go func() {
					for v.Step(done) {
						synctest.Wait()
					}
				}()
			}
			began := c.Now()
			if err := clock.Sleep(t.Context(), c, time.Minute); err != nil || c.Now().Sub(began) != time.Minute {
				t.Errorf("slept %v: %v", c.Now().Sub(began), err)
			}
			bounded, cancel := clock.WithTimeout(t.Context(), c, time.Minute, over)
			if err := clock.Sleep(bounded, c, time.Hour); !errors.Is(err, over) {
				t.Errorf("error %v", err)
			}
			cancel()
			ended, end := context.WithCancelCause(t.Context())
			end(stop)
			for _, d := range []time.Duration{0, time.Hour} {
				if err := clock.Sleep(ended, c, d); !errors.Is(err, stop) {
					t.Errorf("error %v", err)
				}
			}
			free, cancel := clock.WithTimeout(t.Context(), c, time.Hour, over)
			cancel()
			<-free.Done()
			if err := context.Cause(free); !errors.Is(err, context.Canceled) {
				t.Errorf("cause %v", err)
			}
		})
	}
}
