package contract

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
)

// Inbox is the suite of engine.Inbox.
func Inbox(t *testing.T, h Harness) {
	h.run(t, "each request once", eachOnce)
	h.run(t, "cleared", cleared)
	h.run(t, "older first", olderFirst)
	h.run(t, "two readers", twoReaders)
	h.run(t, "the oldest give way", bounded)
	h.run(t, "long reason", longReason)
	for _, f := range faults {
		h.run(t, "outage: "+string(f), func(t *testing.T, c Cluster) { readerOutage(t, c, f) })
		h.run(t, "post in an outage: "+string(f), func(t *testing.T, c Cluster) { posterOutage(t, c, f) })
	}
	h.run(t, "end", func(t *testing.T, c Cluster) {
		ctx, cancel := context.WithCancel(t.Context())
		requests := c.Process("a", 0).Inbox().Requests(ctx)
		time.Sleep(time.Second)
		cancel()
		if _, open := <-requests; open {
			t.Fatal("the channel is open")
		}
	})
}

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func request(id string) engine.Request {
	return engine.Request{ID: id, Verb: engine.Abort, By: "person@host", Reason: "because", At: noon}
}

func wantRequest(t *testing.T, requests <-chan engine.Request, want engine.Request) {
	t.Helper()
	if got := next(t, requests, 40*time.Second); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func eachOnce(t *testing.T, c Cluster) {
	poster := c.Process("b", 0).Inbox()
	must(t, poster.Post(t.Context(), request("one")))
	requests := c.Process("a", 0).Inbox().Requests(t.Context())
	wantRequest(t, requests, request("one"))
	must(t, poster.Post(t.Context(), request("two")))
	wantRequest(t, requests, request("two"))
	must(t, poster.Post(t.Context(), request("two")))
	silent(t, requests, 5*time.Second)
}

func cleared(t *testing.T, c Cluster) {
	a := c.Process("a", 0).Inbox()
	must(t, a.Clear(t.Context(), "one"))
	must(t, a.Post(t.Context(), request("one")))
	must(t, a.Post(t.Context(), request("two")))
	must(t, a.Clear(t.Context(), "one"))
	must(t, a.Clear(t.Context(), "one"))
	requests := c.Process("b", 0).Inbox().Requests(t.Context())
	wantRequest(t, requests, request("two"))
	silent(t, requests, 3*time.Second)
}

func olderFirst(t *testing.T, c Cluster) {
	a := c.Process("a", 0).Inbox()
	first, second := request("z"), request("b")
	second.At = noon.Add(time.Second)
	must(t, a.Post(t.Context(), second))
	must(t, a.Post(t.Context(), first))
	requests := a.Requests(t.Context())
	wantRequest(t, requests, first)
	wantRequest(t, requests, second)
}

func twoReaders(t *testing.T, c Cluster) {
	a, b := c.Process("a", 0).Inbox(), c.Process("b", 0).Inbox()
	ra, rb := a.Requests(t.Context()), b.Requests(t.Context())
	must(t, a.Post(t.Context(), request("one")))
	wantRequest(t, ra, request("one"))
	wantRequest(t, rb, request("one"))
}

func bounded(t *testing.T, c Cluster) {
	a := c.Process("a", 0).Inbox()
	for i := range 25 {
		r := request(fmt.Sprintf("r%02d", i))
		r.At = noon.Add(time.Duration(i) * time.Second)
		must(t, a.Post(t.Context(), r))
	}
	requests := a.Requests(t.Context())
	for i := 5; i < 25; i++ {
		if got := next(t, requests, 10*time.Second); got.ID != fmt.Sprintf("r%02d", i) {
			t.Fatalf("got %s at place %d", got.ID, i)
		}
	}
	silent(t, requests, 3*time.Second)
}

func longReason(t *testing.T, c Cluster) {
	a := c.Process("a", 0).Inbox()
	r := request("one")
	r.Reason = strings.Repeat("ü<", 3000)
	must(t, a.Post(t.Context(), r))
	got := next(t, a.Requests(t.Context()), 10*time.Second)
	if got.Verb != r.Verb || got.By != r.By || !got.At.Equal(r.At) || !strings.HasPrefix(got.Reason, "ü<ü<") {
		t.Fatalf("got %+v", got)
	}
}

func readerOutage(t *testing.T, c Cluster, f Fault) {
	reader, poster := c.Process("a", 0), c.Process("b", 0)
	must(t, poster.Inbox().Post(t.Context(), request("one")))
	requests := reader.Inbox().Requests(t.Context())
	wantRequest(t, requests, request("one"))
	reader.Break(f)
	time.Sleep(10 * time.Second)
	must(t, poster.Inbox().Post(t.Context(), request("two")))
	time.Sleep(10 * time.Second)
	reader.Mend()
	wantRequest(t, requests, request("two"))
	silent(t, requests, 3*time.Second)
}

func posterOutage(t *testing.T, c Cluster, f Fault) {
	p := c.Process("a", 0)
	for _, id := range []string{"one", "two"} { // the first makes the inbox
		p.Break(f)
		time.AfterFunc(7*time.Second, p.Mend)
		must(t, p.Inbox().Post(t.Context(), request(id)))
	}
	requests := c.Process("b", 0).Inbox().Requests(t.Context())
	wantRequest(t, requests, request("one"))
	wantRequest(t, requests, request("two"))
}
