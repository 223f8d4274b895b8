package load

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/sandbox/service"
)

func TestAnswer(t *testing.T) {
	tests := []struct {
		name      string
		a         Answer
		lost, bad bool
	}{
		{name: "served", a: Answer{Status: 200, Version: "v1"}},
		{name: "version's error", a: Answer{Status: 500, Version: "v3"}, bad: true},
		{name: "version's 404", a: Answer{Status: 404, Version: "v1"}},
		{name: "router's 503", a: Answer{Status: 503}, lost: true},
		{name: "router's 404", a: Answer{Status: 404}, lost: true},
		{name: "router's redirect", a: Answer{Status: 301}},
		{name: "refused", a: Answer{Err: "connection refused"}, lost: true},
		{name: "broken off", a: Answer{Status: 500, Version: "v1", Err: "unexpected EOF"}, lost: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.a.Lost() != tt.lost || tt.a.Bad() != tt.bad {
				t.Errorf("lost %v bad %v", tt.a.Lost(), tt.a.Bad())
			}
		})
	}
}

func TestSummarize(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	s := Summarize([]Answer{
		{At: at(5), Status: 500, Version: "v3"},
		{At: at(1), Status: 200, Version: "v1"},
		{At: at(2), Status: 500, Version: "v3"},
		{At: at(3), Status: 200, Version: "v3"},
		{At: at(9), Status: 502},
		{At: at(4), Status: 301},
	})
	if s.Sent != 6 || s.Served != 3 || s.Failed != 2 || s.Lost != 1 || s.Sent != s.Served+s.Failed+s.Lost {
		t.Errorf("counts %+v", s)
	}
	if !maps.Equal(s.ByVersion, map[string]int{"v1": 1, "v3": 3}) || !maps.Equal(s.FailedByVersion, map[string]int{"v3": 2}) {
		t.Errorf("by version %+v", s)
	}
	if s.FirstBad != at(2) || s.LastBad != at(5) {
		t.Errorf("bad from %v to %v", s.FirstBad, s.LastBad)
	}
	if empty := Summarize(nil); !empty.FirstBad.IsZero() || empty.ByVersion["v1"] != 0 {
		t.Errorf("empty %+v", empty)
	}
}

func TestStartRefuses(t *testing.T) {
	for _, url := range []string{"http://192.0.2.1:80", "http://example.com", "https://127.0.0.1", "http://0.0.0.0:80", "http://10.0.0.1",
		"http://127.0.0.1.example.com", "http://127.0.0.1@192.0.2.1", "", "127.0.0.1:80", "http://[::ffff:10.0.0.1]"} {
		if s, err := Start(t.Context(), Options{URL: url, Rate: 1}); err == nil {
			s.Stop()
			t.Errorf("%q was accepted", url)
		}
	}
	for _, url := range []string{"http://127.0.0.1:1", "http://127.8.0.1:1", "http://localhost:1", "http://[::1]:1"} {
		if err := loopback(url); err != nil {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, rate := range []float64{0, -1} {
		if _, err := Start(t.Context(), Options{URL: "http://127.0.0.1:1", Rate: rate}); err == nil {
			t.Errorf("rate %v was accepted", rate)
		}
	}
}

func TestDialRefuses(t *testing.T) {
	if c, err := dial(t.Context(), "tcp", "192.0.2.1:80"); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("connected to %v, error %v", c, err)
	}
}

func TestStream(t *testing.T) {
	var seen sync.Map
	v3 := service.New(service.Config{Version: "v3", ErrorRate: .5})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Store(r.Host+r.URL.Path+" "+r.Header.Get("X-Cohort"), true)
		v3.ServeHTTP(w, r)
	}))
	defer server.Close()
	s, err := Start(t.Context(), Options{URL: server.URL, Host: "checkout.local", Path: "/cart", Rate: 200,
		Header: http.Header{"x-cohort": {"beta"}}})
	if err != nil {
		t.Fatal(err)
	}
	for s.Counts().Sent < 100 {
		<-time.After(time.Millisecond)
	}
	if n := len(s.Snapshot()); n < 100 {
		t.Errorf("a snapshot of %d", n)
	}
	answers := s.Stop()
	sum := Summarize(answers)
	if sum.Lost != 0 || sum.Failed != sum.FailedByVersion["v3"] || abs(sum.Failed*2-sum.Sent) > 1 || sum.ByVersion["v3"] != sum.Sent {
		t.Errorf("%+v", sum)
	}
	for i, a := range answers {
		if a.Took <= 0 || i > 0 && a.At.Before(answers[i-1].At) {
			t.Fatalf("answer %d: %+v", i, a)
		}
	}
	if _, ok := seen.Load("checkout.local/cart beta"); !ok {
		t.Errorf("the service did not see host, path and header")
	}
	if n := len(s.Stop()); n != len(answers) {
		t.Errorf("a second Stop gives %d answers, not %d", n, len(answers))
	}
}

func abs(n int) int { return max(n, -n) }

func TestStreamIsOpenLoopAndKeepsTheRate(t *testing.T) {
	slow := httptest.NewServer(service.New(service.Config{Version: "v8", Delay: 300 * time.Millisecond}))
	defer slow.Close()
	start := time.Now()
	s, err := Start(t.Context(), Options{URL: slow.URL, Rate: 100})
	if err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Second)
	got := len(s.Stop())
	// One after the other would be four. The bounds leave room for a machine that is busy when the stream is stopped.
	if most := 100*time.Since(start).Seconds() + 1; got < 50 || float64(got) > most {
		t.Errorf("%d requests in a second, want about 100", got)
	}
}

func TestScheduleCatchesUp(t *testing.T) {
	server := httptest.NewServer(service.New(service.Config{Version: "v1"}))
	defer server.Close()
	s, err := Start(t.Context(), Options{URL: server.URL, Rate: 1000})
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	late := &lateClock{}
	s = &Stream{sender: sender{options: Options{Rate: 10, Timeout: time.Second}, target: server.URL, client: newClient(), clock: late}, done: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = cancel
	go s.run(ctx, t.Context())
	for s.Counts().Sent < 50 { // due within the first five seconds, which the clock slept through
		<-time.After(time.Millisecond)
	}
	if sum := Summarize(s.Stop()); sum.Sent < 50 || sum.Lost != 0 {
		t.Errorf("%+v", sum)
	}
}

func TestLost(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		wantAllLost(t, "http://"+l.Addr().String(), 0)
	})
	t.Run("timed out", func(t *testing.T) {
		release := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
		defer server.Close()
		defer close(release)
		wantAllLost(t, server.URL, 0)
	})
	t.Run("broken off, not retried", func(t *testing.T) {
		var n atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if n.Add(1) == 1 {
				io.WriteString(w, "the connection is kept")
				return
			}
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				c.Close()
			}
		}))
		defer server.Close()
		s, err := Start(t.Context(), Options{URL: server.URL, Rate: 50})
		if err != nil {
			t.Fatal(err)
		}
		for s.Counts().Sent < 10 {
			<-time.After(time.Millisecond)
		}
		sum := Summarize(s.Stop())
		if int64(sum.Sent) != n.Load() || sum.Lost != sum.Sent-1 {
			t.Errorf("%+v but the service saw %d", sum, n.Load())
		}
	})
	t.Run("router", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }))
		defer server.Close()
		wantAllLost(t, server.URL, 503)
	})
}

func wantAllLost(t *testing.T, url string, status int) {
	t.Helper()
	s, err := Start(t.Context(), Options{URL: url, Rate: 100, Timeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for s.Counts().Sent < 5 {
		<-time.After(time.Millisecond)
	}
	answers := s.Stop()
	if sum := Summarize(answers); sum.Lost != sum.Sent || sum.Served != 0 {
		t.Errorf("%+v", sum)
	}
	if a := answers[0]; a.Status != status || status == 0 && a.Err == "" {
		t.Errorf("%+v", a)
	}
}

func TestContextEndLeavesNoneBehind(t *testing.T) {
	server := httptest.NewServer(service.New(service.Config{Version: "v8", Delay: 200 * time.Millisecond}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Start(ctx, Options{URL: server.URL, Rate: 100})
	if err != nil {
		t.Fatal(err)
	}
	<-time.After(100 * time.Millisecond)
	cancel()
	if sum := Summarize(s.Stop()); sum.Lost != 0 || sum.Served == 0 {
		t.Errorf("%+v", sum)
	}
}
