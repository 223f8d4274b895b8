package contract

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
)

// Store is the suite of engine.Store.
func Store(t *testing.T, h Harness) {
	h.run(t, "no record", func(t *testing.T, c Cluster) {
		if r := load(t, c.Process("a", 0).Store()); r != nil {
			t.Fatalf("got %+v", r)
		}
	})
	h.run(t, "claim, save, load", claimSaveLoad)
	h.run(t, "what was saved is a copy", savedCopy)
	h.run(t, "two claims of one epoch", twoClaims)
	h.run(t, "claim without a load", claimUnseen)
	h.run(t, "takeover fences", takeover)
	h.run(t, "an older epoch is refused without a conflict", func(t *testing.T, c Cluster) {
		s, r := claimed(t, c, "a", "one")
		must(t, s.Claim(t.Context(), r))
		r.Epoch--
		wantErr(t, s.Save(t.Context(), r), engine.ErrFenced)
	})
	h.run(t, "deleted record is written anew", deletedRecord)
	h.run(t, "deleted record, claimed by another", deletedAndClaimed)
	h.run(t, "claim of a record that was deleted", func(t *testing.T, c Cluster) {
		s, r := claimed(t, c, "a", "one")
		c.DeleteRecord(t)
		wantErr(t, s.Claim(t.Context(), r), engine.ErrFenced)
	})
	for _, f := range faults {
		h.run(t, "short outage: "+string(f), func(t *testing.T, c Cluster) { shortOutage(t, c, f) })
		h.run(t, "claim in an outage: "+string(f), func(t *testing.T, c Cluster) { claimInOutage(t, c, f) })
	}
	h.run(t, "long outage", longOutage)
	h.run(t, "lost lock", lostWhileSaving)
	h.run(t, "watch", watchRecord)
}

func load(t *testing.T, s engine.Store) *engine.Record {
	t.Helper()
	r, err := s.Load(t.Context())
	must(t, err)
	return r
}

// claimed is the store of a new process with a record of its own.
func claimed(t *testing.T, c Cluster, holder, id string) (WatchedStore, *engine.Record) {
	t.Helper()
	s := c.Process(holder, 0).Store()
	load(t, s)
	r := record(id)
	must(t, s.Claim(t.Context(), r))
	return s, r
}

func claimSaveLoad(t *testing.T, c Cluster) {
	s, r := claimed(t, c, "a", "one")
	if r.Epoch != 1 {
		t.Fatalf("epoch %d", r.Epoch)
	}
	for i := range 3 {
		r.Rollout.Reason = string(rune('a' + i))
		must(t, s.Save(t.Context(), r))
	}
	if got := load(t, c.Process("b", 0).Store()); !reflect.DeepEqual(got, r) {
		t.Fatalf("got %+v, want %+v", got, r)
	}
}

func savedCopy(t *testing.T, c Cluster) {
	s, r := claimed(t, c, "a", "one")
	r.Rollout.ID = "changed"
	if got := load(t, s); got.Rollout.ID != "one" {
		t.Fatal("the stored record changed with the caller's")
	}
}

func twoClaims(t *testing.T, c Cluster) {
	_, first := claimed(t, c, "a", "one")
	b, d := c.Process("b", 0).Store(), c.Process("d", 0).Store()
	rb, rd := load(t, b), load(t, d)
	must(t, b.Claim(t.Context(), rb))
	if rb.Epoch != first.Epoch+1 {
		t.Fatalf("epoch %d after %d", rb.Epoch, first.Epoch)
	}
	before := rd.Epoch
	wantErr(t, d.Claim(t.Context(), rd), engine.ErrFenced)
	if rd.Epoch != before {
		t.Fatal("a claim that failed changed the epoch")
	}
}

func claimUnseen(t *testing.T, c Cluster) {
	r := record("one")
	must(t, c.Process("a", 0).Store().Claim(t.Context(), r))
	wantErr(t, c.Process("b", 0).Store().Claim(t.Context(), record("two")), engine.ErrFenced)
	must(t, c.Process("d", 0).Store().Claim(t.Context(), r))
	if r.Epoch != 2 {
		t.Fatalf("epoch %d", r.Epoch)
	}
}

func takeover(t *testing.T, c Cluster) {
	a, ra := claimed(t, c, "a", "one")
	b := c.Process("b", 0).Store()
	rb := load(t, b)
	must(t, b.Claim(t.Context(), rb))
	wantErr(t, a.Save(t.Context(), ra), engine.ErrFenced)
	wantErr(t, a.Save(t.Context(), ra), engine.ErrFenced)
	rb.Rollout.Reason = "b was here"
	must(t, b.Save(t.Context(), rb))
	if got := load(t, a); got.Rollout.Reason != "b was here" || got.Epoch != 2 {
		t.Fatalf("got %+v", got)
	}
}

func deletedRecord(t *testing.T, c Cluster) {
	s, r := claimed(t, c, "a", "one")
	must(t, s.Claim(t.Context(), r))
	c.DeleteRecord(t)
	must(t, s.Save(t.Context(), r))
	if got := load(t, c.Process("b", 0).Store()); !reflect.DeepEqual(got, r) {
		t.Fatalf("got %+v", got)
	}
}

func deletedAndClaimed(t *testing.T, c Cluster) {
	a, ra := claimed(t, c, "a", "one")
	c.DeleteRecord(t)
	_, rb := claimed(t, c, "b", "two")
	if ra.Epoch != rb.Epoch {
		t.Fatalf("the case needs equal epochs: %d and %d", ra.Epoch, rb.Epoch)
	}
	wantErr(t, a.Save(t.Context(), ra), engine.ErrFenced)
	if got := load(t, a); got.Rollout.ID != "two" {
		t.Fatalf("got %+v", got)
	}
}

func shortOutage(t *testing.T, c Cluster, f Fault) {
	p := c.Process("a", 0)
	s, r := p.Store(), record("one")
	must(t, s.Claim(t.Context(), r))
	p.Break(f)
	time.AfterFunc(7*time.Second, p.Mend)
	r.Rollout.Reason = "after the outage"
	must(t, s.Save(t.Context(), r))
	must(t, s.Save(t.Context(), r))
	if got := load(t, s); got.Rollout.Reason != r.Rollout.Reason || got.Epoch != 1 {
		t.Fatalf("got %+v", got)
	}
}

func claimInOutage(t *testing.T, c Cluster, f Fault) {
	p := c.Process("a", 0)
	s, r := p.Store(), record("one")
	for epoch := int64(1); epoch <= 2; epoch++ { // without a record, and with one
		p.Break(f)
		timer := time.AfterFunc(7*time.Second, p.Mend)
		must(t, s.Claim(t.Context(), r))
		if timer.Stop() {
			t.Fatal("the claim did not meet the outage")
		}
		if r.Epoch != epoch || load(t, s).Epoch != epoch {
			t.Fatalf("epoch %d, stored %d, want %d", r.Epoch, load(t, s).Epoch, epoch)
		}
	}
}

func longOutage(t *testing.T, c Cluster) {
	p := c.Process("a", 0)
	s, r := p.Store(), record("one")
	must(t, s.Claim(t.Context(), r))
	p.Break(Reset)
	start := time.Now()
	if err := s.Save(t.Context(), r); err == nil || errors.Is(err, engine.ErrFenced) {
		t.Fatalf("error %v", err)
	}
	if d := time.Since(start); d < 25*time.Second || d > 40*time.Second {
		t.Fatalf("tried for %s", d)
	}
	p.Mend()
	must(t, s.Save(t.Context(), r))
}

func lostWhileSaving(t *testing.T, c Cluster) {
	p := c.Process("a", 0)
	s, r := p.Store(), record("one")
	must(t, s.Claim(t.Context(), r))
	p.Break(Hang)
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(2*time.Second, func() { cancel(engine.ErrLockLost) })
	start := time.Now()
	wantErr(t, s.Save(ctx, r), engine.ErrLockLost)
	if d := time.Since(start); d > 3*time.Second {
		t.Fatalf("returned after %s", d)
	}
}

func watchRecord(t *testing.T, c Cluster) {
	ctx, cancel := context.WithCancel(t.Context())
	watcher := c.Process("b", 0)
	records := watcher.Store().WatchRecord(ctx)
	if r := next(t, records, 10*time.Second); r != nil {
		t.Fatalf("got %+v", r)
	}
	s, r := claimed(t, c, "a", "one")
	if got := next(t, records, 10*time.Second); got == nil || got.Rollout.ID != "one" {
		t.Fatalf("got %+v", got)
	}
	watcher.Break(Reset)
	time.Sleep(2 * time.Second)
	r.Rollout.Reason = "unseen"
	must(t, s.Save(t.Context(), r))
	watcher.Mend()
	if got := next(t, records, 40*time.Second); got == nil || got.Rollout.Reason != "unseen" {
		t.Fatalf("got %+v", got)
	}
	silent(t, records, 2*time.Second)
	c.DeleteRecord(t)
	if got := next(t, records, 40*time.Second); got != nil {
		t.Fatalf("got %+v", got)
	}
	cancel()
	if _, open := <-records; open {
		t.Fatal("the channel is open")
	}
}
