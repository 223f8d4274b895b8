package gateway

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

// Options say where pods are and how late changes come into force.
type Options struct {
	Clock clock.Clock
	Dial  func(ip string) http.Handler // nil: nobody listens there
	Delay time.Duration                // from a write to its force
}

// Gateway proxies requests. It is safe for concurrent use.
type Gateway struct {
	api   *apiserver.Server
	o     Options
	table atomic.Pointer[table]
	dirty chan struct{}
	turn  atomic.Uint64

	stopped sync.WaitGroup
}

var _ http.Handler = (*Gateway)(nil)

// Start follows the server's routes until ctx ends.
func Start(ctx context.Context, api *apiserver.Server, o Options) *Gateway {
	g := &Gateway{api: api, o: o, dirty: make(chan struct{}, 1)}
	g.table.Store(g.compile())
	api.OnWrite(func(w apiserver.Write) {
		switch w.Resource.Resource {
		case "httproutes", "grpcroutes", "services", "endpointslices", "ingresses", "traefikservices", "ingressroutes", "middlewares", "virtualservices":
			select {
			case g.dirty <- struct{}{}:
			default:
			}
		}
	})
	g.stopped.Add(1)
	go g.follow(ctx)
	return g
}

// Wait returns when the gateway follows no more.
func (g *Gateway) Wait() { g.stopped.Wait() }

func (g *Gateway) follow(ctx context.Context) {
	defer g.stopped.Done()
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.dirty:
		}
		if clock.Sleep(ctx, g.o.Clock, g.o.Delay) != nil {
			return
		}
		g.table.Store(g.compile())
	}
}

func (g *Gateway) view(group, plural string) []map[string]any {
	stored := g.api.Store().View(schema.GroupResource{Group: group, Resource: plural}, "")
	list := make([]map[string]any, len(stored))
	for i, u := range stored {
		list[i] = u.Object
	}
	return list
}

func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	table := g.table.Load()
	if u := findTraefik(table.traefik, r); u != nil {
		u.serve(g, w, r)
		return
	}
	rule := table.find(r)
	if rule == nil {
		http.Error(w, "no route", http.StatusNotFound)
		return
	}
	b := rule.pick(rand.IntN)
	if b == nil {
		http.Error(w, "no backend", http.StatusInternalServerError)
		return
	}
	out := r.Clone(r.Context())
	changes := append(append([]change(nil), rule.request...), b.request...)
	for _, c := range changes {
		c.apply(out.Header)
	}
	answer := &headerWriter{ResponseWriter: w, changes: append(append([]change(nil), rule.response...), b.response...)}
	for _, m := range rule.mirrors {
		g.mirror(m, r)
	}
	g.forward(b, answer, out)
}

func (g *Gateway) forward(b *backend, w http.ResponseWriter, r *http.Request) {
	if len(b.addresses) == 0 {
		http.Error(w, "no endpoints", http.StatusServiceUnavailable)
		return
	}
	pod := g.o.Dial(b.addresses[g.turn.Add(1)%uint64(len(b.addresses))])
	if pod == nil {
		http.Error(w, "connection refused", http.StatusBadGateway)
		return
	}
	pod.ServeHTTP(w, r)
}

// mirror sends a copy whose answer nobody sees.
func (g *Gateway) mirror(m *mirror, r *http.Request) {
	if m.percent < 100 && rand.IntN(100) >= m.percent {
		return
	}
	copied := r.Clone(context.WithoutCancel(r.Context()))
	copied.Header.Set("X-Mirrored", "true")
	copied.Body = http.NoBody
	g.stopped.Add(1)
	go func() {
		defer g.stopped.Done()
		g.forward(m.backend, &nobody{header: http.Header{}}, copied)
	}()
}

type nobody struct{ header http.Header }

func (n *nobody) Header() http.Header         { return n.header }
func (n *nobody) Write(p []byte) (int, error) { return len(p), nil }
func (n *nobody) WriteHeader(int)             {}

// headerWriter changes headers when the answer begins.
type headerWriter struct {
	http.ResponseWriter
	changes []change
	begun   bool
}

func (w *headerWriter) WriteHeader(code int) {
	if !w.begun {
		w.begun = true
		for _, c := range w.changes {
			c.apply(w.Header())
		}
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *headerWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}
