package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"
)

// prometheus is the cluster's, behind a switch.
type prometheus struct {
	*httptest.Server
	down atomic.Bool
}

func newPrometheus(t *testing.T) *prometheus {
	t.Helper()
	to, err := url.Parse(cluster.PrometheusURL)
	if err != nil {
		t.Fatal(err)
	}
	p, pass := &prometheus{}, httputil.NewSingleHostReverseProxy(to)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.down.Load() {
			panic(http.ErrAbortHandler) // the connection breaks, as with a machine that is gone
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

// TestNoData takes the metrics away in the middle of a rollout of a healthy version.
func TestNoData(t *testing.T) {
	t.Run("for good", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{noDataFor: "3s", hold: "4s"})
		metrics := newPrometheus(t)
		s.prometheus = metrics.URL
		p := s.deploy("v2")
		p.hold("shift-25")
		metrics.down.Store(true)
		off := time.Now()
		p.tells("paused")
		p.want(3)
		if took := p.ended.Sub(off); took < 6*time.Second || took > 25*time.Second {
			t.Errorf("undone %s after the metrics went, want a little more than 6s", took)
		}
		s.whole("v1")
		p.mentions("errors")
	})
	t.Run("for a while", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{noDataFor: "6s"})
		metrics := newPrometheus(t)
		s.prometheus = metrics.URL
		p := s.deploy("v2")
		p.hold("shift-25")
		metrics.down.Store(true)
		p.tells("paused")
		metrics.down.Store(false)
		p.want(0)
		s.whole("v2")
	})
	t.Run("from the start", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{noDataFor: "2s"})
		metrics := newPrometheus(t)
		metrics.down.Store(true)
		s.prometheus = metrics.URL
		p := s.deploy("v2")
		p.want(3)
		p.mentions("paused")
		s.whole("v1")
	})
}
