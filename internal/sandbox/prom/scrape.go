package prom

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/tidegate/tidegate/internal/clock"
)

// Target is a handler that answers /metrics, with the labels that its series get.
type Target struct {
	Labels  map[string]string
	Handler http.Handler
}

// run scrapes all targets once per interval.
func (s *Server) run(ctx context.Context) {
	defer close(s.stopped)
	seen := map[uint64]labels.Labels{}
	for clock.Sleep(ctx, s.o.Clock, s.o.Every) == nil {
		if s.down.Load() {
			continue
		}
		now := s.o.Clock.Now()
		fresh := map[uint64]labels.Labels{}
		for _, t := range s.o.Targets() {
			s.scrape(ctx, t, now, fresh)
		}
		for id, l := range seen {
			if _, ok := fresh[id]; !ok {
				s.store.stale(l, now.UnixMilli())
			}
		}
		seen = fresh
	}
}

func (s *Server) scrape(ctx context.Context, t Target, now time.Time, seen map[uint64]labels.Labels) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://target/metrics", nil)
	if err != nil {
		return
	}
	w := &page{header: http.Header{}, code: http.StatusOK}
	t.Handler.ServeHTTP(w, req)
	up := 0.0
	if w.code == http.StatusOK && s.parse(w.body.Bytes(), t, now, seen) == nil {
		up = 1
	}
	s.keep(labels.FromStrings(labels.MetricName, "up"), t, now, up, seen)
}

func (s *Server) parse(text []byte, t Target, now time.Time, seen map[uint64]labels.Labels) error {
	p := textparse.NewPromParser(text, labels.NewSymbolTable(), false)
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if entry != textparse.EntrySeries {
			continue
		}
		_, _, v := p.Series()
		var l labels.Labels
		p.Labels(&l)
		s.keep(l, t, now, v, seen)
	}
}

func (s *Server) keep(l labels.Labels, t Target, now time.Time, v float64, seen map[uint64]labels.Labels) {
	b := labels.NewBuilder(l)
	for k, v := range t.Labels {
		b.Set(k, v)
	}
	full := b.Labels()
	seen[full.Hash()] = full
	s.store.add(full, now.UnixMilli(), v)
}

// page collects what a handler answers.
type page struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (p *page) Header() http.Header            { return p.header }
func (p *page) WriteHeader(code int)           { p.code = code }
func (p *page) Write(data []byte) (int, error) { return p.body.Write(data) }
