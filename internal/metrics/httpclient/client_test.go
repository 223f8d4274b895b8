package httpclient_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/metrics"
	"github.com/tidegate/tidegate/internal/metrics/httpclient"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// moving is a clock that jumps to whatever is waited for.
func moving(t *testing.T) *clock.Virtual {
	t.Helper()
	c, stop, done := clock.NewVirtual(start), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for c.Step(stop) {
			continue
		}
	}()
	t.Cleanup(func() { close(stop); <-done })
	return c
}

func post(t *testing.T, url, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestRetryWaits(t *testing.T) {
	for _, tt := range []struct {
		name       string
		status     int
		retryAfter string
		asked      int
		waited     time.Duration
		fails      bool
	}{
		{name: "doubling", status: 503, asked: 5, waited: 3750 * time.Millisecond, fails: true},
		{name: "seconds", status: 503, retryAfter: "2", asked: 5, waited: 8 * time.Second, fails: true},
		{name: "at once", status: 429, retryAfter: "0", asked: 5, fails: true},
		{name: "a date", status: 429, retryAfter: start.Add(9 * time.Second).Format(http.TimeFormat), asked: 5, waited: 9 * time.Second, fails: true},
		{name: "a past date", status: 429, retryAfter: start.Add(-time.Hour).Format(http.TimeFormat), asked: 5, fails: true},
		{name: "nonsense", status: 429, retryAfter: "soon", asked: 5, waited: 3750 * time.Millisecond, fails: true},
		{name: "too long", status: 429, retryAfter: "31", asked: 1, fails: true},
		{name: "not implemented", status: 501, asked: 1},
		{name: "not found", status: 404, asked: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				if body, _ := io.ReadAll(r.Body); string(body) != "question" {
					t.Errorf("request %d has body %q", asked, body)
				}
				if tt.retryAfter != "" {
					w.Header().Set("Retry-After", tt.retryAfter)
				}
				w.WriteHeader(tt.status)
			}))
			defer server.Close()
			clk := moving(t)
			_, _, err := httpclient.New(httpclient.Options{Provider: "p", Clock: clk}).Do(t.Context(), post(t, server.URL, "question"))
			if (err != nil) != tt.fails || tt.fails && !errors.Is(err, metrics.ErrUnavailable) {
				t.Errorf("error %v", err)
			}
			if waited := clk.Now().Sub(start); asked != tt.asked || waited != tt.waited {
				t.Errorf("asked %d times in %s, want %d in %s", asked, waited, tt.asked, tt.waited)
			}
		})
	}
}

func TestWaitEndsWithTheContext(t *testing.T) {
	cause := errors.New("the run was cancelled")
	ctx, cancel := context.WithCancelCause(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "20")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	still := clock.NewVirtual(start) // a clock that stands: only the context can end the wait
	done := make(chan error, 1)
	go func() {
		_, _, err := httpclient.New(httpclient.Options{Provider: "p", Clock: still}).Do(ctx, post(t, server.URL, ""))
		done <- err
	}()
	cancel(cause)
	if err := <-done; !errors.Is(err, cause) || !errors.Is(err, metrics.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestNoWaitBeyondTheDeadline(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Retry-After", "20")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	still := clock.NewVirtual(time.Now()) // stands, so that a wait would last until the deadline
	_, _, err := httpclient.New(httpclient.Options{Provider: "p", Clock: still}).Do(ctx, post(t, server.URL, ""))
	want := "p: the server limits the rate of requests (429 Too Many Requests); it asks for a pause of 20s, which is longer than this look may take; " +
		"ask less often (every), or raise the limit"
	if asked != 1 || ctx.Err() != nil || err == nil || err.Error() != want {
		t.Errorf("asked %d times; got %v", asked, err)
	}
}

func TestMetadataByName(t *testing.T) {
	_, _, err := httpclient.New(httpclient.Options{Provider: "p", Clock: moving(t)}).Do(t.Context(), post(t, "http://metadata.google.internal/", ""))
	if !errors.Is(err, metrics.ErrSetup) {
		t.Errorf("got %v", err)
	}
}

func TestUserInfoOfTheURLIsNotSent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "" {
			t.Errorf("sent %q", got)
		}
	}))
	defer server.Close()
	url := strings.Replace(server.URL, "http://", "http://other:hunter33@", 1)
	if _, _, err := httpclient.New(httpclient.Options{Provider: "p", Clock: moving(t)}).Do(t.Context(), post(t, url, "")); err != nil {
		t.Error(err)
	}
}

func TestBodyBound(t *testing.T) {
	for _, tt := range []struct {
		name string
		size int
		fits bool
	}{{"at the bound", 2048, true}, {"one more", 2049, false}} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, strings.Repeat("x", tt.size))
			}))
			defer server.Close()
			client := httpclient.New(httpclient.Options{Provider: "p", Clock: moving(t), MaxBody: 2048})
			_, body, err := client.Do(t.Context(), post(t, server.URL, ""))
			if tt.fits && (err != nil || len(body) != tt.size) || !tt.fits && !errors.Is(err, metrics.ErrRefused) {
				t.Errorf("%d bytes, error %v", len(body), err)
			}
		})
	}
}

func TestErrorsHoldNoSecrets(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, password, _ := r.BasicAuth()
		_, _ = io.WriteString(w, "you sent "+r.Header.Get("Authorization")+" that is "+password+" and "+r.Header.Get("X-Key")+" for "+r.Header.Get("X-Team"))
	}))
	defer server.Close()
	client := httpclient.New(httpclient.Options{
		Provider: "p", Clock: moving(t), Username: "user", Password: "hunter22",
		Secret: http.Header{"X-Key": {"hunter22-and-more"}}, Plain: http.Header{"X-Team": {"team-a"}},
	})
	url := strings.Replace(server.URL, "http://", "http://other:hunter33@", 1)
	_, _, err := client.Do(t.Context(), post(t, url+"/?token=hunter44", ""))
	want := "p: the server did not accept the credentials (403 Forbidden): you sent *** that is *** and *** for team-a; " +
		"check the credentials of this provider, and that they may query"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	server.Close()
	_, _, err = client.Do(t.Context(), post(t, url+"/?token=hunter44", ""))
	if !errors.Is(err, metrics.ErrUnavailable) || strings.Contains(err.Error(), "hunter") || strings.Contains(err.Error(), "token") {
		t.Errorf("got %v", err)
	}
}

func TestUntrustedCertificate(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = nil
	defer server.Close()
	_, _, err := httpclient.New(httpclient.Options{Provider: "p", Clock: moving(t)}).Do(t.Context(), post(t, server.URL, ""))
	if !errors.Is(err, metrics.ErrSetup) || !strings.Contains(err.Error(), "not trusted") {
		t.Errorf("got %v", err)
	}
	insecure := httpclient.New(httpclient.Options{Provider: "p", Clock: moving(t), InsecureSkipVerify: true})
	if _, _, err := insecure.Do(t.Context(), post(t, server.URL, "")); err != nil {
		t.Error(err)
	}
}

func TestRedirects(t *testing.T) {
	for _, tt := range []struct {
		name, to string
		status   int
		follows  bool
	}{
		{"same host", "/there", 307, true},
		{"same host, body dropped", "/there", 302, false},
		{"another port", "http://127.0.0.1:1/there", 307, false},
		{"another host", "http://prom.invalid/there", 307, false},
		{"round and round", "/", 307, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if body, _ := io.ReadAll(r.Body); string(body) != "question" || r.Header.Get("Authorization") == "" {
					t.Errorf("body %q, authorization %q", body, r.Header.Get("Authorization"))
				}
				if r.URL.Path != "/there" {
					w.Header().Set("Location", tt.to)
					w.WriteHeader(tt.status)
				}
			}))
			defer server.Close()
			client := httpclient.New(httpclient.Options{Provider: "p", Clock: moving(t), Password: "hunter22"})
			_, _, err := client.Do(t.Context(), post(t, server.URL, "question"))
			if tt.follows && err != nil || !tt.follows && !errors.Is(err, metrics.ErrSetup) {
				t.Errorf("got %v", err)
			}
		})
	}
}
