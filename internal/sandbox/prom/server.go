package prom

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/tidegate/tidegate/internal/clock"
)

// Options say what is scraped and how often.
type Options struct {
	Clock   clock.Clock
	Targets func() []Target
	Every   time.Duration // default 1 s
}

// Server scrapes and answers queries.
type Server struct {
	o       Options
	store   *store
	engine  *promql.Engine
	down    atomic.Bool
	stopped chan struct{}
}

var _ http.Handler = (*Server)(nil)

// Start scrapes until ctx ends.
func Start(ctx context.Context, o Options) *Server {
	if o.Every == 0 {
		o.Every = time.Second
	}
	s := &Server{
		o: o, store: &store{series: map[uint64]*series{}}, stopped: make(chan struct{}),
		engine: promql.NewEngine(promql.EngineOpts{
			MaxSamples: 50_000_000, Timeout: 2 * time.Minute, LookbackDelta: 5 * time.Minute, EnableAtModifier: true,
			EnableNegativeOffset: true, NoStepSubqueryIntervalFn: func(int64) int64 { return time.Second.Milliseconds() },
		}),
	}
	go s.run(ctx)
	return s
}

// Wait returns when the scraping has ended.
func (s *Server) Wait() { <-s.stopped }

// Stop begins an outage.
func (s *Server) Stop() { s.down.Store(true) }

// Start ends it.
func (s *Server) Start() { s.down.Store(false) }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.down.Load() {
		http.Error(w, "the server is down", http.StatusServiceUnavailable)
		return
	}
	switch r.URL.Path {
	case "/-/healthy", "/-/ready":
		_, _ = w.Write([]byte("Prometheus Server is Healthy.\n"))
	case "/api/v1/query":
		s.instant(w, r)
	case "/api/v1/query_range":
		s.span(w, r)
	case "/api/v1/status/config":
		fmt.Fprintf(w, `{"status":"success","data":{"yaml":"global:\n  scrape_interval: %s\n"}}`, s.o.Every)
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) instant(w http.ResponseWriter, r *http.Request) {
	at, err := moment(r.FormValue("time"), s.o.Clock.Now())
	if err != nil {
		refuse(w, err)
		return
	}
	q, err := s.engine.NewInstantQuery(r.Context(), s.store, nil, r.FormValue("query"), at)
	if err != nil {
		refuse(w, err)
		return
	}
	s.answer(w, r, q)
}

func (s *Server) span(w http.ResponseWriter, r *http.Request) {
	now := s.o.Clock.Now()
	start, err := moment(r.FormValue("start"), now)
	if err != nil {
		refuse(w, err)
		return
	}
	end, err := moment(r.FormValue("end"), now)
	if err != nil {
		refuse(w, err)
		return
	}
	step, err := length(r.FormValue("step"))
	if err != nil {
		refuse(w, err)
		return
	}
	q, err := s.engine.NewRangeQuery(r.Context(), s.store, nil, r.FormValue("query"), start, end, step)
	if err != nil {
		refuse(w, err)
		return
	}
	s.answer(w, r, q)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, q promql.Query) {
	defer q.Close()
	result := q.Exec(r.Context())
	if result.Err != nil {
		refuse(w, result.Err)
		return
	}
	value := result.Value
	if v, ok := value.(promql.Vector); ok && v == nil {
		value = promql.Vector{} // an empty list, not null
	}
	write(w, http.StatusOK, map[string]any{
		"status": "success", "data": map[string]any{"resultType": value.Type(), "result": value},
	})
}

func refuse(w http.ResponseWriter, err error) {
	write(w, http.StatusBadRequest, map[string]any{"status": "error", "errorType": "bad_data", "error": err.Error()})
}

func write(w http.ResponseWriter, code int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(data)
}

// moment reads Unix seconds or RFC 3339.
func moment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		whole, part := math.Modf(f)
		return time.Unix(int64(whole), int64(part*1e9)), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, fmt.Errorf("cannot parse %q to a valid timestamp", text)
	}
	return t, nil
}

// length reads seconds or a Go duration.
func length(text string) (time.Duration, error) {
	if f, err := strconv.ParseFloat(text, 64); err == nil && f > 0 {
		return time.Duration(f * float64(time.Second)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("cannot parse %q to a valid duration", text)
	}
	return d, nil
}
