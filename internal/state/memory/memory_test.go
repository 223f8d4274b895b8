package memory_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/state/memory"
)

func TestFailSave(t *testing.T) {
	broken := errors.New("broken")
	for _, stored := range []bool{false, true} {
		c := memory.New(clock.NewVirtual(time.Unix(0, 0)))
		p := c.Process("a")
		p.Hooks = memory.FailSave(2, stored, broken)
		r := &engine.Record{}
		if err := p.Claim(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		r.History = []engine.Past{{ID: "second"}}
		if err := p.Save(t.Context(), r); !errors.Is(err, broken) {
			t.Fatalf("error %v", err)
		}
		got, err := p.Load(t.Context())
		if err != nil || (len(got.History) == 1) != stored {
			t.Errorf("stored %t: %+v, %v", stored, got, err)
		}
		if err := p.Save(t.Context(), r); err != nil {
			t.Error(err)
		}
	}
}

// TestQuiet: while all is well, nobody waits for the clock.
func TestQuiet(t *testing.T) {
	v := clock.NewVirtual(time.Unix(0, 0))
	p := memory.New(v).Process("a")
	ctx, unlock, err := p.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	requests := p.Requests(ctx)
	if err := p.Post(ctx, engine.Request{ID: "one"}); err != nil {
		t.Fatal(err)
	}
	<-requests
	stop := make(chan struct{})
	close(stop)
	if v.Step(stop) {
		t.Error("a timer runs")
	}
	v.Advance(time.Hour)
	if ctx.Err() != nil {
		t.Error("the lock was lost")
	}
}
