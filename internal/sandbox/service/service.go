package service

import (
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
)

// VersionHeader names, on every answer to a user, the version that gave it.
const VersionHeader = "X-Version"

// Service answers users, readiness checks and scrapes as its Config says. It is safe for concurrent use.
type Service struct {
	config   Config
	clock    clock.Clock
	metrics  *metrics
	draining atomic.Bool

	mu      sync.Mutex
	started bool
	first   time.Time // when the first user request came
	failing int64     // user requests since errors began
}

var _ http.Handler = (*Service)(nil)

// New returns a service that behaves as c says. Crash and Rude are the process's: see [Run].
func New(c Config) *Service {
	return &Service{config: c, clock: clock.Real{}, metrics: newMetrics()}
}

// Drain makes the readiness check fail, as after SIGTERM; users go on being served.
func (s *Service) Drain() { s.draining.Store(true) }

// ServeHTTP answers /healthz, /metrics, and everything else as a user's request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		s.serveHealth(w)
	case "/metrics":
		s.metrics.serve(w)
	default:
		s.serveUser(w, r)
	}
}

func (s *Service) serveHealth(w http.ResponseWriter) {
	switch {
	case s.config.Unready:
		http.Error(w, "not ready", http.StatusServiceUnavailable)
	case s.draining.Load():
		http.Error(w, "draining", http.StatusServiceUnavailable)
	default:
		io.WriteString(w, "ok\n")
	}
}

func (s *Service) serveUser(w http.ResponseWriter, r *http.Request) {
	start := s.clock.Now()
	code := http.StatusOK
	if s.fails(start) {
		code = http.StatusInternalServerError
	}
	if err := clock.Sleep(r.Context(), s.clock, s.config.Delay); err != nil {
		return // the user has left
	}
	s.metrics.observe(code, s.clock.Now().Sub(start), mirrored(r))
	w.Header().Set(VersionHeader, s.config.Version)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	io.WriteString(w, s.config.Version+"\n")
}

// fails spreads the errors evenly over the requests that come once errors have begun.
func (s *Service) fails(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started {
		s.started, s.first = true, now
	}
	if s.config.ErrorRate <= 0 || now.Sub(s.first) < s.config.ErrorAfter {
		return false
	}
	before := math.Floor(float64(s.failing)*s.config.ErrorRate + rounding)
	s.failing++
	return math.Floor(float64(s.failing)*s.config.ErrorRate+rounding) > before
}

// rounding keeps 10 × 0.3 at 3 however floats render it.
const rounding = 1e-9

// mirrored tells a copy made by a router: marked by a header, or, as Envoy does it, by the end of the host's name.
func mirrored(r *http.Request) bool {
	if r.Header.Get("X-Mirrored") != "" {
		return true
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.HasSuffix(host, "-shadow")
}
