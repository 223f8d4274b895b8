package app

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// meter counts calls to the Kubernetes API by kind.
type meter struct {
	mu     sync.Mutex
	counts map[string]int
	// mark is the sum of calls when preflight was over.
	mark int
}

// The kinds of calls that a rollout's budget tells apart.
const (
	kindCall  = "calls"
	kindWatch = "watches"
	kindLease = "lease"
	kindEvent = "events"
)

type metered struct {
	next  http.RoundTripper
	meter *meter
}

// RoundTrip counts and passes on.
func (m *metered) RoundTrip(r *http.Request) (*http.Response, error) {
	m.meter.add(callKind(r))
	return m.next.RoundTrip(r)
}

func callKind(r *http.Request) string {
	switch path := r.URL.Path; {
	case r.URL.Query().Get("watch") != "":
		return kindWatch
	case strings.Contains(path, "/leases"):
		return kindLease
	case r.Method != http.MethodGet && strings.Contains(path, "/events"):
		return kindEvent
	}
	return kindCall
}

func (m *meter) add(kind string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.counts == nil {
		m.counts = map[string]int{}
	}
	m.counts[kind]++
}

// preflightDone remembers how many calls preflight took.
func (m *meter) preflightDone() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mark = m.counts[kindCall]
}

// write tells the counts in one line.
func (m *meter) write(w io.Writer) {
	if w == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	fmt.Fprintf(w, "calls to the Kubernetes API: %d, of them %d preflight; beside them %d watches, %d lease, %d events\n",
		m.counts[kindCall], m.mark, m.counts[kindWatch], m.counts[kindLease], m.counts[kindEvent])
}
