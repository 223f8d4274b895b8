package engine

import (
	"context"
	"sync"

	"github.com/tidegate/tidegate/internal/routine"
)

// Queue puts a goroutine of its own between the engine and a listener, so that a slow one holds nothing up. Events are
// heard in order; nothing is dropped.
type Queue struct {
	listener Listener
	done     chan struct{}

	mu     sync.Mutex
	wake   chan struct{}
	events []queued
	closed bool
}

type queued struct {
	ctx   context.Context //nolint:containedctx // carries the event's values to the listener
	event Event
}

// NewQueue starts a queue in front of l.
func NewQueue(l Listener) *Queue {
	q := &Queue{listener: l, done: make(chan struct{}), wake: make(chan struct{}, 1)}
	routine.Go(q.run)
	return q
}

// Handle implements Listener.
func (q *Queue) Handle(ctx context.Context, e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.events = append(q.events, queued{ctx, e})
		q.signal()
	}
}

func (q *Queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *Queue) run() {
	defer close(q.done)
	for range q.wake {
		for {
			q.mu.Lock()
			events, closed := q.events, q.closed
			q.events = nil
			q.mu.Unlock()
			for _, e := range events {
				q.listener.Handle(e.ctx, e.event)
			}
			if len(events) == 0 {
				if closed {
					return
				}
				break
			}
		}
	}
}

// Close takes no more events and waits until the listener has heard all, or ctx ends.
func (q *Queue) Close(ctx context.Context) {
	q.mu.Lock()
	q.closed = true
	q.signal()
	q.mu.Unlock()
	select {
	case <-q.done:
	case <-ctx.Done():
	}
}

// Each tells all queues.
func Each(queues []*Queue) Listener { return each(queues) }

type each []*Queue

func (e each) Handle(ctx context.Context, ev Event) {
	for _, q := range e {
		q.Handle(ctx, ev)
	}
}
