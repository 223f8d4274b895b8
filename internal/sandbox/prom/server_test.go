package prom

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
)

func ask(s *Server, path string, form url.Values) (int, string) {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestQueries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		target := Target{Labels: map[string]string{"job": "app"}, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, "# TYPE hits_total counter\nhits_total{code=\"200\"} %d\n", n.Add(10))
		})}
		targets := []Target{target}
		ctx, cancel := context.WithCancel(t.Context())
		s := Start(ctx, Options{Clock: clock.Real{}, Targets: func() []Target { return targets }})
		defer func() { cancel(); s.Wait() }()
		time.Sleep(90500 * time.Millisecond)
		for _, test := range []struct{ query, want string }{
			{`hits_total`, `,"900"]`},
			{`sum(rate(hits_total{job="app"}[1m]))`, `"10"]`},
			{`up`, `"job":"app"`}, {`none`, `"result":[]`}, {`1+1`, `"resultType":"scalar"`},
		} {
			code, body := ask(s, "/api/v1/query", url.Values{"query": {test.query}})
			if code != 200 || !strings.Contains(body, test.want) {
				t.Errorf("%s: %d %s", test.query, code, body)
			}
		}
		now := time.Now().Unix()
		code, body := ask(s, "/api/v1/query_range", url.Values{
			"query": {"hits_total"}, "start": {fmt.Sprint(now - 10)}, "end": {fmt.Sprint(now)}, "step": {"5"},
		})
		if code != 200 || strings.Count(body, `"8`)+strings.Count(body, `"9`) != 3 {
			t.Errorf("range: %d %s", code, body)
		}
		if code, body := ask(s, "/api/v1/query", url.Values{"query": {"sum("}}); code != 400 || !strings.Contains(body, "bad_data") {
			t.Errorf("a bad query: %d %s", code, body)
		}
		s.Stop()
		if code, _ := ask(s, "/api/v1/query", url.Values{"query": {"up"}}); code != 503 {
			t.Errorf("in an outage: %d", code)
		}
	})
}

// A pod that is gone is gone from the next scrape on, not five minutes later.
func TestStaleness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gone atomic.Bool
		page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "x 1") })
		ctx, cancel := context.WithCancel(t.Context())
		s := Start(ctx, Options{Clock: clock.Real{}, Targets: func() []Target {
			if gone.Load() {
				return nil
			}
			return []Target{{Handler: page}}
		}})
		defer func() { cancel(); s.Wait() }()
		time.Sleep(3500 * time.Millisecond)
		gone.Store(true)
		time.Sleep(time.Second)
		if _, body := ask(s, "/api/v1/query", url.Values{"query": {"x"}}); !strings.Contains(body, `"result":[]`) {
			t.Errorf("the series is still there: %s", body)
		}
	})
}
