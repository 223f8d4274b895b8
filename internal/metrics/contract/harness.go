package contract

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/metrics"
)

// Secret is the credential that a harness gives to its provider. No error may contain it.
const Secret = "tidegate-c0ntract-s3cret"

// Harness is what the suite needs to know of a provider and its API.
type Harness struct {
	// Open makes the provider for the server at url, with Secret as its credential.
	Open func(t *testing.T, url string, c clock.Clock) metrics.Provider
	// Query is a text in the provider's language that its server would accept.
	Query string
	// Asked finds the text of the query in a request, and Authorized whether Secret came with it as it should.
	Asked      func(r *http.Request) string
	Authorized func(r *http.Request) bool
	// Answer writes a good answer with these series. NoNaN and NoInf say that the API cannot express those.
	Answer       func(w http.ResponseWriter, series []metrics.Series)
	NoNaN, NoInf bool
	// BadQuery writes the refusal of a query in these words. Failure writes any other error, with status and words.
	BadQuery func(w http.ResponseWriter, words string)
	Failure  func(w http.ResponseWriter, status int, words string)
}

// double is a provider with its server.
type double struct {
	Harness
	provider metrics.Provider
	url      string
	clock    *clock.Virtual
	start    time.Time
	requests atomic.Int32
}

// open starts a server that answers by handle and a provider that asks it. handle is told which request this is,
// from 1.
func open(t *testing.T, h Harness, handle func(n int, w http.ResponseWriter, r *http.Request)) *double {
	t.Helper()
	d := &double{Harness: h}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handle(int(d.requests.Add(1)), w, r)
	}))
	t.Cleanup(server.Close)
	d.url = server.URL
	d.start = clock.Real{}.Now()
	d.clock = selfMoving(t, d.start)
	d.provider = h.Open(t, server.URL, d.clock)
	return d
}

// selfMoving is a clock that stands still until somebody waits for it.
func selfMoving(t *testing.T, start time.Time) *clock.Virtual {
	t.Helper()
	c := clock.NewVirtual(start)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for c.Step(stop) {
			continue
		}
	}()
	t.Cleanup(func() { close(stop); <-done })
	return c
}

// ask queries within a real time that no test should need.
func (d *double) ask(t *testing.T) (metrics.Result, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return d.provider.Query(ctx, d.Query)
}

// waited is how long the provider waited by its clock.
func (d *double) waited() time.Duration { return d.clock.Now().Sub(d.start) }

// refuse checks that err has the kind, the parts, and no secret.
func refuse(t *testing.T, err, kind error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if typed := (*metrics.Error)(nil); !errors.As(err, &typed) {
		t.Fatalf("%T is no metrics.Error: %v", err, err)
	}
	for _, other := range []error{metrics.ErrUnavailable, metrics.ErrRefused, metrics.ErrAuth, metrics.ErrSetup} {
		if got := errors.Is(err, other); got != errors.Is(kind, other) {
			t.Errorf("is %q: %v; error: %v", other, got, err)
		}
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error does not say %q: %v", part, err)
		}
	}
	if strings.Contains(err.Error(), Secret) {
		t.Errorf("error tells the secret: %v", err)
	}
	if strings.ContainsAny(err.Error(), "\n\r\x1b") {
		t.Errorf("error is more than a line: %q", err.Error())
	}
}
