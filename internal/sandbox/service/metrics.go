package service

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// buckets are the upper bounds, in seconds, that Prometheus's client libraries use by default.
var buckets = [...]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// metrics counts what users were answered.
type metrics struct {
	mu       sync.Mutex
	requests map[int]uint64
	mirrored uint64
	within   [len(buckets)]uint64 // not cumulative
	sum      float64
	count    uint64
}

func newMetrics() *metrics {
	return &metrics{requests: map[int]uint64{http.StatusOK: 0, http.StatusInternalServerError: 0}}
}

func (m *metrics) observe(code int, took time.Duration, mirrored bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[code]++
	if mirrored {
		m.mirrored++
	}
	m.count++
	m.sum += took.Seconds()
	if i, _ := slices.BinarySearch(buckets[:], took.Seconds()); i < len(buckets) {
		m.within[i]++
	}
}

func (m *metrics) serve(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.write(w)
}

func (m *metrics) write(w io.Writer) {
	header(w, "http_requests_total", "counter", "Requests of users, by the answer's code.")
	for _, code := range m.codes() {
		fmt.Fprintf(w, "http_requests_total{code=\"%d\"} %d\n", code, m.requests[code])
	}
	header(w, "http_request_duration_seconds", "histogram", "How long users waited for an answer.")
	var cumulative uint64
	for i, bound := range buckets {
		cumulative += m.within[i]
		fmt.Fprintf(w, "http_request_duration_seconds_bucket{le=\"%s\"} %d\n", number(bound), cumulative)
	}
	fmt.Fprintf(w, "http_request_duration_seconds_bucket{le=\"+Inf\"} %d\n", m.count)
	fmt.Fprintf(w, "http_request_duration_seconds_sum %s\n", number(m.sum))
	fmt.Fprintf(w, "http_request_duration_seconds_count %d\n", m.count)
	header(w, "mirrored_requests_total", "counter", "Requests that are a router's copies of a user's.")
	fmt.Fprintf(w, "mirrored_requests_total %d\n", m.mirrored)
}

func (m *metrics) codes() []int {
	codes := make([]int, 0, len(m.requests))
	for code := range m.requests {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}

func header(w io.Writer, name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
