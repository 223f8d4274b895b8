package engine_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
)

// listener hears each event for as long as hear takes.
type listener struct {
	hear func()

	mu    sync.Mutex
	heard []string
}

func (l *listener) Handle(_ context.Context, e engine.Event) {
	if l.hear != nil {
		l.hear()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, e.Message)
}

func (l *listener) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.heard)
}

// TestQueue: a slow listener hears everything in order, and whoever tells it does not wait.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &listener{hear: func() { time.Sleep(time.Minute) }}
		q := engine.NewQueue(slow)
		start := time.Now()
		var want []string
		for n := range 50 {
			want = append(want, fmt.Sprint(n))
			q.Handle(t.Context(), engine.Event{Message: fmt.Sprint(n)})
			if n%10 == 9 {
				synctest.Wait()
			}
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("telling took %v", took)
		}
		q.Close(t.Context())
		if got := slow.all(); !slices.Equal(got, want) {
			t.Errorf("heard %v", got)
		}
		q.Handle(t.Context(), engine.Event{Message: "too late"})
		synctest.Wait()
		if got := slow.all(); len(got) != len(want) {
			t.Errorf("heard %v after the end", got[len(want):])
		}
	})
}

// TestQueueCloseIsBounded: a listener that hangs does not hold the process.
func TestQueueCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		q := engine.NewQueue(&listener{hear: func() { <-release }})
		q.Handle(t.Context(), engine.Event{})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		q.Close(ctx)
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("closing took %v", took)
		}
	})
}

// TestHangingListener: law 7, a rollout behind queues ends when it would have, and other listeners hear all of it.
func TestHangingListener(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		release := make(chan struct{})
		good := &listener{}
		queues := []*engine.Queue{engine.NewQueue(&listener{hear: func() { <-release }}), engine.NewQueue(good)}
		w.listen = func(e engine.Event) { engine.Each(queues).Handle(w.t.Context(), e) }
		o, err := w.begin(step("a", time.Minute), step("b", 0))
		w.want(o, err, engine.Succeeded, "")
		if w.at() != time.Minute {
			t.Errorf("it took %v", w.at())
		}
		synctest.Wait()
		if len(good.all()) != len(w.events) {
			t.Errorf("the other one heard %d of %d events", len(good.all()), len(w.events))
		}
		close(release)
		for _, q := range queues {
			q.Close(t.Context())
		}
	})
}
