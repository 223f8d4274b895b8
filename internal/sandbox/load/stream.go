package load

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Options say what is sent where.
type Options struct {
	// URL is the router's, on a loopback address: http://127.0.0.1:18080.
	URL string
	// Host is the Host header; empty is the URL's.
	Host string
	// Path is appended to the URL; empty is "/".
	Path string
	// Rate is in requests per second.
	Rate float64
	// Timeout bounds each request; 0 is 10 s.
	Timeout time.Duration
	// Header is sent with every request: a cohort's header, a user's cookie.
	Header http.Header
}

// Stream is load under way. It is safe for concurrent use.
type Stream struct {
	sender
	stop context.CancelFunc
	done chan struct{} // closed when every answer is recorded

	mu      sync.Mutex
	answers []Answer
}

// Start sends requests until Stop, or until ctx ends; those under way then still get their answers.
func Start(ctx context.Context, o Options) (*Stream, error) {
	to, err := newSender(ctx, o)
	if err != nil {
		return nil, err
	}
	sending, stop := context.WithCancel(ctx)
	s := &Stream{sender: to, stop: stop, done: make(chan struct{})}
	go s.run(sending, context.WithoutCancel(ctx))
	return s, nil
}

// run keeps the schedule: request n is due at n/rate after the start, however late the ones before it were.
func (s *Stream) run(sending, answering context.Context) {
	defer close(s.done)
	defer s.client.CloseIdleConnections()
	var flying sync.WaitGroup
	defer flying.Wait()
	start := s.clock.Now()
	for n := 0; ; n++ {
		if err := s.due(sending, start, n); err != nil {
			return
		}
		flying.Go(func() { s.record(s.send(answering, nil, nil)) })
	}
}

func (s *Stream) record(a Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers = append(s.answers, a)
}

// Stop sends no more, waits for the answers under way, at most the Timeout, and returns all of them in the order in
// which they were sent. It may be called again.
func (s *Stream) Stop() []Answer {
	s.stop()
	<-s.done
	return s.Snapshot()
}

// Snapshot returns the answers so far, in the order in which they were sent.
func (s *Stream) Snapshot() []Answer {
	s.mu.Lock()
	answers := slices.Clone(s.answers)
	s.mu.Unlock()
	inOrder(answers)
	return answers
}

func inOrder(answers []Answer) {
	slices.SortStableFunc(answers, func(a, b Answer) int { return a.At.Compare(b.At) })
}

// Counts summarizes the answers so far.
func (s *Stream) Counts() Summary {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Summarize(s.answers)
}
