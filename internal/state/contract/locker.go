package contract

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
)

// Locker is the suite of engine.Locker.
func Locker(t *testing.T, h Harness) {
	h.run(t, "lock, unlock, lock", func(t *testing.T, c Cluster) {
		l := c.Process("a", 0).Locker()
		for range 2 {
			_, unlock := lock(t, l)
			unlock()
		}
		lock(t, c.Process("b", 0).Locker())
	})
	h.run(t, "held", held)
	h.run(t, "held by the same process", func(t *testing.T, c Cluster) {
		l := c.Process("a", 0).Locker()
		lock(t, l)
		wantHeld(t, l, "a")
	})
	h.run(t, "unlock twice", unlockTwice)
	h.run(t, "unlock ends the context", func(t *testing.T, c Cluster) {
		ctx, unlock := lock(t, c.Process("a", 0).Locker())
		unlock()
		if ctx.Err() == nil || errors.Is(context.Cause(ctx), engine.ErrLockLost) {
			t.Fatalf("cause %v", context.Cause(ctx))
		}
	})
	h.run(t, "wait until released", waitReleased)
	h.run(t, "wait in vain", waitInVain)
	h.run(t, "wait is cancelled", waitCancelled)
	for _, f := range faults {
		h.run(t, "dead holder: "+string(f), func(t *testing.T, c Cluster) { deadHolder(t, c, f) })
		h.run(t, "short outage: "+string(f), func(t *testing.T, c Cluster) { holderOutage(t, c, f) })
	}
	h.run(t, "outage and no successor", outageAlone)
	h.run(t, "lease deleted", leaseDeleted)
	h.run(t, "lease deleted and taken", leaseTaken)
	h.run(t, "predecessor", predecessor)
	h.run(t, "cancelled holder keeps the lock", cancelledHolder)
	h.run(t, "clocks that disagree", skewedClocks)
	h.run(t, "one at a time", oneAtATime)
}

// lock must succeed; it is released with the test.
func lock(t *testing.T, l engine.Locker) (context.Context, func()) {
	t.Helper()
	ctx, unlock, err := l.Lock(t.Context())
	must(t, err)
	t.Cleanup(unlock)
	return ctx, unlock
}

func lockWait(t *testing.T, l WaitingLocker, longest time.Duration) (context.Context, func()) {
	t.Helper()
	ctx, unlock, err := l.LockWait(t.Context(), longest)
	must(t, err)
	t.Cleanup(unlock)
	return ctx, unlock
}

func wantHeld(t *testing.T, l engine.Locker, holder string) {
	t.Helper()
	start := time.Now()
	_, _, err := l.Lock(t.Context())
	var held *engine.HeldError
	if !errors.As(err, &held) || held.Holder != holder {
		t.Fatalf("error %v, want one that names %q", err, holder)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Fatalf("it took %s", d)
	}
}

func wantAlive(t *testing.T, ctx context.Context) {
	t.Helper()
	if ctx.Err() != nil {
		t.Fatalf("the lock's context has ended: %v", context.Cause(ctx))
	}
}

func wantLost(t *testing.T, ctx context.Context, within time.Duration) {
	t.Helper()
	if ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(within):
			t.Fatalf("the lock was not lost within %s", within)
		}
	}
	wantErr(t, context.Cause(ctx), engine.ErrLockLost)
}

func held(t *testing.T, c Cluster) {
	ctx, _ := lock(t, c.Process("ci/run/1", 0).Locker())
	b := c.Process("b", 0).Locker()
	for range 5 {
		wantHeld(t, b, "ci/run/1")
		time.Sleep(4 * time.Second)
	}
	wantAlive(t, ctx)
}

func unlockTwice(t *testing.T, c Cluster) {
	_, unlock := lock(t, c.Process("a", 0).Locker())
	unlock()
	b, _ := lock(t, c.Process("b", 0).Locker())
	unlock()
	time.Sleep(lease)
	wantAlive(t, b)
	wantHeld(t, c.Process("c", 0).Locker(), "b")
}

func waitReleased(t *testing.T, c Cluster) {
	_, unlock := lock(t, c.Process("a", 0).Locker())
	var released time.Time
	time.AfterFunc(8*time.Second, func() { released = time.Now(); unlock() })
	ctx, _ := lockWait(t, c.Process("b", 0).Locker(), time.Minute)
	if d := time.Since(released); released.IsZero() || d > 2*time.Second {
		t.Fatalf("taken %s after it was released", d)
	}
	wantAlive(t, ctx)
}

func waitInVain(t *testing.T, c Cluster) {
	ctx, _ := lock(t, c.Process("a", 0).Locker())
	start := time.Now()
	_, _, err := c.Process("b", 0).Locker().LockWait(t.Context(), 20*time.Second)
	var heldBy *engine.HeldError
	if !errors.As(err, &heldBy) || heldBy.Holder != "a" {
		t.Fatalf("error %v", err)
	}
	if d := time.Since(start); d < 20*time.Second || d > 22*time.Second {
		t.Fatalf("waited %s", d)
	}
	wantAlive(t, ctx)
}

func waitCancelled(t *testing.T, c Cluster) {
	lock(t, c.Process("a", 0).Locker())
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(time.Second, func() { cancel(engine.ErrCancelled) })
	_, _, err := c.Process("b", 0).Locker().LockWait(ctx, time.Minute)
	wantErr(t, err, engine.ErrCancelled)
}

// deadHolder: nobody may hold the lock while the one that is cut off still believes in it.
func deadHolder(t *testing.T, c Cluster, f Fault) {
	a := c.Process("a", 0)
	ctx, _ := lock(t, a.Locker())
	time.Sleep(7 * time.Second)
	if f == Lose {
		f = Reset // renewals that arrive keep a holder alive
	}
	a.Break(f)
	start := time.Now()
	b := c.Process("b", 0).Locker()
	successor, _ := lockWait(t, b, time.Minute)
	if d := time.Since(start); d < lease-6*time.Second || d > lease+5*time.Second {
		t.Fatalf("taken over after %s", d)
	}
	wantLost(t, ctx, 0)
	a.Mend()
	time.Sleep(lease)
	wantAlive(t, successor)
	wantHeld(t, a.Locker(), "b")
}

func holderOutage(t *testing.T, c Cluster, f Fault) {
	a := c.Process("a", 0)
	ctx, _ := lock(t, a.Locker())
	b := c.Process("b", 0).Locker()
	wantHeld(t, b, "a")
	for range 3 {
		time.Sleep(6 * time.Second)
		a.Break(f)
		time.Sleep(6 * time.Second)
		a.Mend()
	}
	wantHeld(t, b, "a")
	time.Sleep(lease)
	wantAlive(t, ctx)
}

func outageAlone(t *testing.T, c Cluster) {
	a := c.Process("a", 0)
	ctx, unlock := lock(t, a.Locker())
	time.Sleep(time.Second)
	a.Break(Hang)
	start := time.Now()
	wantLost(t, ctx, lease+time.Second)
	if d := time.Since(start); d < lease-6*time.Second {
		t.Fatalf("lost after %s already", d)
	}
	a.Mend()
	unlock()
	lock(t, a.Locker())
}

func leaseDeleted(t *testing.T, c Cluster) {
	ctx, unlock := lock(t, c.Process("a", 0).Locker())
	time.Sleep(time.Second)
	c.DeleteLease(t)
	time.Sleep(6 * time.Second)
	b := c.Process("b", 0).Locker()
	wantHeld(t, b, "a")
	time.Sleep(lease)
	wantAlive(t, ctx)
	unlock()
	lock(t, b)
}

func leaseTaken(t *testing.T, c Cluster) {
	ctx, unlock := lock(t, c.Process("a", 0).Locker())
	c.DeleteLease(t)
	successor, _ := lock(t, c.Process("b", 0).Locker())
	wantLost(t, ctx, 6*time.Second)
	unlock()
	time.Sleep(lease)
	wantAlive(t, successor)
}

func predecessor(t *testing.T, c Cluster) {
	a := c.Process("a", 0)
	ctx, _ := lock(t, a.Locker())
	wantHeld(t, c.Process("a", 0).Locker(), "a")
	successor, _ := lock(t, c.Successor("a", a).Locker())
	wantLost(t, ctx, 6*time.Second)
	time.Sleep(lease)
	wantAlive(t, successor)
}

func cancelledHolder(t *testing.T, c Cluster) {
	parent, cancel := context.WithCancelCause(t.Context())
	ctx, unlock, err := c.Process("a", 0).Locker().Lock(parent)
	must(t, err)
	cancel(engine.ErrCancelled)
	<-ctx.Done()
	wantErr(t, context.Cause(ctx), engine.ErrCancelled)
	b := c.Process("b", 0).Locker()
	for range 3 {
		time.Sleep(lease)
		wantHeld(t, b, "a")
	}
	unlock()
	lock(t, b)
}

// skewedClocks: neither an hour ahead nor behind makes a lease look expired, or everlasting.
func skewedClocks(t *testing.T, c Cluster) {
	for _, skew := range []time.Duration{time.Hour, -time.Hour} {
		a := c.Process("a", skew)
		ctx, _ := lock(t, a.Locker())
		_, _, err := c.Process("b", -skew).Locker().LockWait(t.Context(), 2*lease)
		var heldBy *engine.HeldError
		if !errors.As(err, &heldBy) {
			t.Fatalf("error %v", err)
		}
		wantAlive(t, ctx)
		a.Break(Reset)
		_, unlock := lockWait(t, c.Process("b", -skew).Locker(), 2*lease)
		wantLost(t, ctx, 0)
		unlock()
	}
}

func oneAtATime(t *testing.T, c Cluster) {
	var holders, rounds atomic.Int32
	var all sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		l := c.Process(name, 0).Locker()
		all.Go(func() {
			for range 2 {
				_, unlock, err := l.LockWait(t.Context(), 5*time.Minute)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				if holders.Add(1) != 1 {
					t.Error("two hold the lock")
				}
				rounds.Add(1)
				time.Sleep(300 * time.Millisecond)
				holders.Add(-1)
				unlock()
			}
		})
	}
	all.Wait()
	if rounds.Load() != 10 {
		t.Errorf("%d rounds", rounds.Load())
	}
}
