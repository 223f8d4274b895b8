package kube

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/routine"
)

// errNoAnswer is the cause of a watch that did not begin.
var errNoAnswer = errors.New("the server did not begin to answer the watch in time")

// BoundWatches gives a watch that does not begin within the time of a read up, so that it is tried again: everything
// that waits, waits for watches. Once begun a watch lives as long as the server lets it.
func BoundWatches(c clock.Clock) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper { return watchdog{next, c} }
}

type watchdog struct {
	next  http.RoundTripper
	clock clock.Clock
}

// RoundTrip implements http.RoundTripper.
func (w watchdog) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Query().Get("watch") == "" {
		return w.next.RoundTrip(r)
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	timer := w.clock.NewTimer(readTimeout)
	begun := make(chan struct{})
	routine.Go(func() {
		defer timer.Stop()
		select {
		case <-begun:
		case <-ctx.Done():
		case <-timer.C():
			cancel(errNoAnswer)
		}
	})
	answer, err := w.next.RoundTrip(r.WithContext(ctx))
	close(begun)
	if err != nil {
		cancel(err)
		return nil, err
	}
	answer.Body = &watchBody{answer.Body, cancel}
	return answer, nil
}

// watchBody ends the watch's context with its body.
type watchBody struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

func (b *watchBody) Close() error {
	b.cancel(nil)
	return b.ReadCloser.Close()
}
