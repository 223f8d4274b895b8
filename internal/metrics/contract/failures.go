package contract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/metrics"
)

var one = []metrics.Series{{Labels: map[string]string{"pod": "pod-0"}, Value: 1}}

func trouble(t *testing.T, h Harness) {
	limits(t, h)
	outages(t, h)
}

func limits(t *testing.T, h Harness) {
	t.Run("429 with Retry-After", func(t *testing.T) {
		d := open(t, h, func(n int, w http.ResponseWriter, r *http.Request) {
			if h.Asked(r) != h.Query {
				t.Errorf("request %d asks %q", n, h.Asked(r))
			}
			if n == 1 {
				w.Header().Set("Retry-After", "7")
				h.Failure(w, http.StatusTooManyRequests, "slow down")
				return
			}
			h.Answer(w, one)
		})
		if _, err := d.ask(t); err != nil {
			t.Fatal(err)
		}
		if d.waited() != 7*time.Second {
			t.Errorf("waited %s, the server asked for 7s", d.waited())
		}
	})
	t.Run("429 with a Retry-After beyond the context", func(t *testing.T) {
		d := open(t, h, func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			h.Failure(w, http.StatusTooManyRequests, "slow down")
		})
		_, err := d.ask(t)
		refuse(t, err, metrics.ErrUnavailable, "429", "1h0m0s", "slow down")
		if d.requests.Load() != 1 || d.waited() != 0 {
			t.Errorf("asked %d times and waited %s for nothing", d.requests.Load(), d.waited())
		}
	})
}

func outages(t *testing.T, h Harness) {
	t.Run("500 burst then OK", func(t *testing.T) {
		statuses := []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable}
		d := open(t, h, func(n int, w http.ResponseWriter, _ *http.Request) {
			if n <= len(statuses) {
				h.Failure(w, statuses[n-1], "restarting")
				return
			}
			h.Answer(w, one)
		})
		if _, err := d.ask(t); err != nil {
			t.Fatal(err)
		}
		if d.waited() == 0 {
			t.Error("asked again without a pause")
		}
	})
	t.Run("500 for good", func(t *testing.T) {
		d := open(t, h, func(_ int, w http.ResponseWriter, _ *http.Request) {
			h.Failure(w, http.StatusInternalServerError, "disk full "+Secret)
		})
		_, err := d.ask(t)
		refuse(t, err, metrics.ErrUnavailable, "500", "disk full")
		if n := d.requests.Load(); n < 2 || n > 10 {
			t.Errorf("asked %d times", n)
		}
	})
	t.Run("connection cut", func(t *testing.T) {
		d := open(t, h, func(n int, w http.ResponseWriter, _ *http.Request) {
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
			h.Answer(w, one)
		})
		if _, err := d.ask(t); err != nil {
			t.Fatal(err)
		}
	})
}

func bodies(t *testing.T, h Harness) {
	t.Run("garbage", func(t *testing.T) {
		for name, body := range map[string]string{
			"html": "<html>\x1b[31mlog in</html>", "empty": "", "other json": `{"hello": 1}`, "null": "null", "cut": `{"status":"succ`,
		} {
			t.Run(name, func(t *testing.T) {
				d := open(t, h, func(_ int, w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
				_, err := d.ask(t)
				refuse(t, err, metrics.ErrUnavailable)
			})
		}
	})
	t.Run("oversized", func(t *testing.T) {
		chunk := strings.Repeat("x", 1<<20)
		d := open(t, h, func(_ int, w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil { // without end: whoever reads it all never returns
				if _, err := io.WriteString(w, chunk); err != nil {
					return
				}
			}
		})
		_, err := d.ask(t)
		refuse(t, err, metrics.ErrRefused, "larger than", fmt.Sprintf("%q", metrics.Shorten(h.Query, 200)))
	})
}

func timely(t *testing.T, h Harness) {
	endless := func(_ int, _ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the client has gone
		<-r.Context().Done()
	}
	t.Run("timeout", func(t *testing.T) {
		d := open(t, h, endless)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := d.provider.Query(ctx, h.Query)
		refuse(t, err, metrics.ErrUnavailable)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the cause is lost: %v", err)
		}
	})
	t.Run("cancelled while the server is slow", func(t *testing.T) {
		cause := errors.New("the lock was lost")
		ctx, cancel := context.WithCancelCause(t.Context())
		d := open(t, h, func(n int, w http.ResponseWriter, r *http.Request) { cancel(cause); endless(n, w, r) })
		_, err := d.provider.Query(ctx, h.Query)
		refuse(t, err, metrics.ErrUnavailable)
		if !errors.Is(err, cause) {
			t.Errorf("the cause is lost: %v", err)
		}
		if d.requests.Load() != 1 {
			t.Errorf("asked %d times", d.requests.Load())
		}
	})
}

func addresses(t *testing.T, h Harness) {
	t.Run("redirect to another host", func(t *testing.T) {
		elsewhere := open(t, h, func(_ int, w http.ResponseWriter, _ *http.Request) { h.Answer(w, one) })
		d := open(t, h, func(_ int, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.url+r.URL.Path, http.StatusTemporaryRedirect)
		})
		_, err := d.ask(t)
		refuse(t, err, metrics.ErrSetup, elsewhere.url)
		if elsewhere.requests.Load() != 0 {
			t.Error("the redirect was followed")
		}
	})
	for _, url := range []string{"http://169.254.169.254", "http://[fd00:ec2::254]", "http://[fe80::1]:9090", "http://[::ffff:169.254.169.254]"} {
		t.Run(url, func(t *testing.T) {
			p := h.Open(t, url, selfMoving(t, time.Unix(0, 0)))
			_, err := p.Query(t.Context(), h.Query)
			refuse(t, err, metrics.ErrSetup, "link-local")
		})
	}
}
