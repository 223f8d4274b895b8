package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
)

const (
	defaultTimeout = 10 * time.Second
	// idle connections: more than any rate times latency that one machine sees.
	pool = 512
	// idleFor is shorter than any server's own patience, so that no request meets a connection that is being closed.
	idleFor = 30 * time.Second
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
	options Options
	target  string
	client  *http.Client
	clock   clock.Clock
	stop    context.CancelFunc
	done    chan struct{} // closed when every answer is recorded

	mu      sync.Mutex
	answers []Answer
}

// Start sends requests until Stop, or until ctx ends; those under way then still get their answers.
func Start(ctx context.Context, o Options) (*Stream, error) {
	if err := loopback(o.URL); err != nil {
		return nil, err
	}
	if !(o.Rate > 0) {
		return nil, fmt.Errorf("load: rate %v: want requests per second, more than 0", o.Rate)
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	sending, stop := context.WithCancel(ctx)
	s := &Stream{
		options: o,
		target:  strings.TrimSuffix(o.URL, "/") + "/" + strings.TrimPrefix(o.Path, "/"),
		client:  newClient(),
		clock:   clock.Real{},
		stop:    stop,
		done:    make(chan struct{}),
	}
	if _, err := s.request(ctx); err != nil {
		stop()
		return nil, fmt.Errorf("load: %w", err)
	}
	go s.run(sending, context.WithoutCancel(ctx))
	return s, nil
}

func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:         dial,
			MaxIdleConns:        pool,
			MaxIdleConnsPerHost: pool,
			IdleConnTimeout:     idleFor,
			DisableCompression:  true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// run keeps the schedule: request n is due at n/rate after the start, however late the ones before it were.
func (s *Stream) run(sending, answering context.Context) {
	defer close(s.done)
	defer s.client.CloseIdleConnections()
	var flying sync.WaitGroup
	defer flying.Wait()
	start := s.clock.Now()
	for n := 0; ; n++ {
		due := time.Duration(float64(n) / s.options.Rate * float64(time.Second))
		if err := clock.Sleep(sending, s.clock, due-s.clock.Now().Sub(start)); err != nil {
			return
		}
		flying.Go(func() { s.record(s.send(answering)) })
	}
}

func (s *Stream) send(ctx context.Context) Answer {
	ctx, cancel := clock.WithTimeout(ctx, s.clock, s.options.Timeout, errTimeout)
	defer cancel()
	a := Answer{At: s.clock.Now()}
	err := s.exchange(ctx, &a)
	a.Took = s.clock.Now().Sub(a.At)
	if err != nil {
		a.Err = err.Error()
	}
	return a
}

var errTimeout = errors.New("no answer in time")

func (s *Stream) exchange(ctx context.Context, a *Answer) error {
	req, err := s.request(ctx)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	a.Status, a.Version = resp.StatusCode, resp.Header.Get(VersionHeader)
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func (s *Stream) request(ctx context.Context) (*http.Request, error) {
	// A body that net/http cannot rewind, though empty, keeps it from sending the request twice.
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.target, struct{ io.Reader }{http.NoBody})
	if err != nil {
		return nil, err
	}
	if s.options.Host != "" {
		req.Host = s.options.Host
	}
	for name, values := range s.options.Header {
		req.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	return req, nil
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
	slices.SortStableFunc(answers, func(a, b Answer) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) })
	return answers
}

// Counts summarizes the answers so far.
func (s *Stream) Counts() Summary {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Summarize(s.answers)
}
