package cluster

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
)

// Transport fences the writes that go through it: each needs the lock, with more of our right left than the write may
// take. A write that comes while renewals fail waits for the next one, at most until the lock is lost; then, as without
// a lock, it is refused with [engine.ErrLockLost] and nothing was sent.
//
// Reads pass, and so does what changes nothing that the lock protects: events, dry runs and access reviews.
func (l *Locker) Transport(next http.RoundTripper) http.RoundTripper {
	return fence{locker: l, next: next}
}

type fence struct {
	locker *Locker
	next   http.RoundTripper
}

// free are the paths of requests that pass: events and reviews. The path may have a prefix (a proxy's).
var free = regexp.MustCompile(`/api/v1/namespaces/[^/]+/events(/[^/]+)?$` +
	`|/apis/events\.k8s\.io/[^/]+/namespaces/[^/]+/events(/[^/]+)?$` +
	`|/apis/auth(entication|orization)\.k8s\.io/[^/]+/(namespaces/[^/]+/)?[^/]+reviews$`)

func fenced(req *http.Request) bool {
	switch req.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return req.URL.Query().Get("dryRun") != "All" && !free.MatchString(req.URL.Path)
	}
	return false
}

// RoundTrip bounds a write here and, by ?timeout=, on the server, which then cannot commit it later.
func (f fence) RoundTrip(req *http.Request) (*http.Response, error) {
	if !fenced(req) {
		return f.next.RoundTrip(req)
	}
	if err := f.locker.admit(req.Context()); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	ctx, cancel := clock.WithTimeout(req.Context(), f.locker.Clock, WriteTimeout, context.DeadlineExceeded)
	req = req.Clone(ctx)
	query := req.URL.Query()
	if d, err := time.ParseDuration(query.Get("timeout")); err != nil || d <= 0 || d > WriteTimeout {
		query.Set("timeout", WriteTimeout.String())
		req.URL.RawQuery = query.Encode()
	}
	resp, err := f.next.RoundTrip(req)
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = closing{ReadCloser: resp.Body, cancel: cancel}
	return resp, nil
}

// admit returns when a write may be sent.
func (l *Locker) admit(ctx context.Context) error {
	for {
		s := l.current()
		if s == nil {
			return fmt.Errorf("a change without the lock %s was refused: %w", l.name, engine.ErrLockLost)
		}
		left, renewed := s.cautious()
		if left > WriteTimeout {
			return nil
		}
		select {
		case s.kick <- struct{}{}:
		default:
		}
		select {
		case <-renewed:
		case <-s.gone:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// closing ends the bound of a request when its answer has been read.
type closing struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (c closing) Close() error {
	defer c.cancel()
	return c.ReadCloser.Close()
}
