package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
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

// sender sends requests to one place, each of them once.
type sender struct {
	options Options
	target  string
	client  *http.Client
	clock   clock.Clock
}

func newSender(ctx context.Context, o Options) (sender, error) {
	if err := loopback(o.URL); err != nil {
		return sender{}, err
	}
	if !(o.Rate > 0) {
		return sender{}, fmt.Errorf("load: rate %v: want requests per second, more than 0", o.Rate)
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	s := sender{
		options: o,
		target:  strings.TrimSuffix(o.URL, "/") + "/" + strings.TrimPrefix(o.Path, "/"),
		client:  newClient(),
		clock:   clock.Real{},
	}
	if _, err := s.request(ctx); err != nil {
		return sender{}, fmt.Errorf("load: %w", err)
	}
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

// due waits for the moment of request n, which is n/rate after the start, however late the ones before it were.
func (s *sender) due(ctx context.Context, start time.Time, n int) error {
	due := time.Duration(float64(n) / s.options.Rate * float64(time.Second))
	return clock.Sleep(ctx, s.clock, due-s.clock.Now().Sub(start))
}

// send sends one request with these cookies, and hands what the answer sets to keep, if that is not nil.
func (s *sender) send(ctx context.Context, cookies []*http.Cookie, keep func([]*http.Cookie)) Answer {
	ctx, cancel := clock.WithTimeout(ctx, s.clock, s.options.Timeout, errTimeout)
	defer cancel()
	a := Answer{At: s.clock.Now()}
	err := s.exchange(ctx, &a, cookies, keep)
	a.Took = s.clock.Now().Sub(a.At)
	if err != nil {
		a.Err = err.Error()
	}
	return a
}

var errTimeout = errors.New("no answer in time")

func (s *sender) exchange(ctx context.Context, a *Answer, cookies []*http.Cookie, keep func([]*http.Cookie)) error {
	req, err := s.request(ctx)
	if err != nil {
		return err
	}
	for _, c := range cookies {
		req.AddCookie(c)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	a.Status, a.Version = resp.StatusCode, resp.Header.Get(VersionHeader)
	if set := resp.Cookies(); keep != nil && len(set) > 0 {
		keep(set)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func (s *sender) request(ctx context.Context) (*http.Request, error) {
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
