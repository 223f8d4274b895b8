package apiserver

import (
	"maps"
	"net/http"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"

	"github.com/tidegate/tidegate/internal/clock"
)

// Options say how a server is made; the zero value is usable.
type Options struct {
	Clock     clock.Clock // default: the machine's
	Resources []Resource  // default: Resources()
	History   int         // changes remembered per resource for watches; default 1000
}

// Server answers the Kubernetes API.
type Server struct {
	clock clock.Clock
	table []Resource
	store *Store
	owns  ownership
	done  chan struct{}
	close sync.Once

	given  map[string]int // how often a name or prefix was used; guarded, as serial, by the store's write lock
	serial int            // of cluster IPs

	mu        sync.Mutex // guards all below
	intercept func(*http.Request) *Fault
	deny      func(verb, group, resource, namespace, name string) bool
	calls     map[string]int
}

// New makes a server with the namespaces that every cluster has.
func New(o Options) *Server {
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	if o.Resources == nil {
		o.Resources = Resources()
	}
	o.Resources = append(slices.Clone(o.Resources), reviews()...)
	if o.History == 0 {
		o.History = 1000
	}
	s := &Server{
		clock: o.Clock, table: o.Resources, store: newStore(o.Resources, o.History), done: make(chan struct{}),
		owns: ownership{managers: map[string]*managedfields.FieldManager{}}, calls: map[string]int{}, given: map[string]int{},
	}
	for _, name := range []string{"default", "kube-system"} {
		_, _ = s.Create(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, map[string]any{"metadata": map[string]any{"name": name}})
	}
	return s
}

// Store reads what the server holds.
func (s *Server) Store() *Store { return s.store }

// Close ends all watches. The server goes on answering, so that a client's last words do no harm.
func (s *Server) Close() { s.close.Do(func() { close(s.done) }) }

// OnWrite has hook called after each stored write, in order, before its answer and the next write.
func (s *Server) OnWrite(hook func(Write)) {
	s.store.writing.Lock()
	defer s.store.writing.Unlock()
	s.store.hooks = append(s.store.hooks, hook)
}

// Intercept has f asked before each request; nil takes it back.
func (s *Server) Intercept(f func(*http.Request) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intercept = f
}

// Deny sets who may not do what: requests are answered 403, access reviews say so. A subresource is
// "deployments/status". nil allows all.
func (s *Server) Deny(f func(verb, group, resource, namespace, name string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deny = f
}

// Calls counts requests by verb and resource, for example "patch httproutes" or "update deployments/status".
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// Handler answers requests of a listener.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Server) serve(w http.ResponseWriter, req *http.Request) {
	if !s.meddle(w, req) {
		return
	}
	if s.serveDocument(w, req) {
		return
	}
	q, err := s.parse(req)
	if err != nil {
		writeError(w, err)
		return
	}
	ctx, cancel := q.deadline(req.Context(), s.clock)
	defer cancel()
	if err := s.admit(q); err != nil {
		writeError(w, err)
		return
	}
	s.dispatch(w, req.WithContext(ctx), q)
}

// admit counts the request and refuses what the policy denies.
func (s *Server) admit(q *request) error {
	s.mu.Lock()
	s.calls[q.verb+" "+q.target()]++
	deny := s.deny
	s.mu.Unlock()
	if deny != nil && deny(q.verb, q.res.Group, q.target(), q.key.Namespace, q.key.Name) {
		return apierrors.NewForbidden(q.res.GR(), q.key.Name, errDenied{q})
	}
	return nil
}

type errDenied struct{ q *request }

func (e errDenied) Error() string {
	return `User "sandbox" cannot ` + e.q.verb + ` resource "` + e.q.target() + `" in API group "` + e.q.res.Group +
		`" in the namespace "` + e.q.key.Namespace + `"`
}

func (s *Server) dispatch(w http.ResponseWriter, req *http.Request, q *request) {
	if q.verb == "watch" {
		s.watch(w, req, q)
		return
	}
	if q.sub == "log" {
		s.log(w, q)
		return
	}
	answer, code, err := s.answer(req, q)
	switch {
	case err != nil:
		writeError(w, err)
	case q.table && q.verb != "delete":
		writeJSON(w, code, s.tableOf(q, answer))
	default:
		writeJSON(w, code, answer)
	}
}

func (s *Server) answer(req *http.Request, q *request) (body []byte, code int, err error) {
	switch q.verb {
	case "get":
		body, err = s.get(q)
		return body, http.StatusOK, err
	case "list":
		body, err = s.list(q)
		return body, http.StatusOK, err
	}
	data, err := readBody(req)
	if err != nil {
		return nil, 0, err
	}
	s.store.writing.Lock()
	defer s.store.writing.Unlock()
	if req.Context().Err() != nil {
		return nil, 0, apierrors.NewTimeoutError("the request's time was over before it could be carried out", 0)
	}
	written, code, err := s.write(q, data)
	if err != nil {
		return nil, 0, err
	}
	return written.json(), code, nil
}

// document is an answer that is encoded only if somebody gets it.
type document interface{ json() []byte }

var (
	_ document = (*item)(nil)
	_ document = text(nil)
)

type text []byte

func (t text) json() []byte { return t }

// success is the answer to a deletion that is done.
func success(r *Resource, name string, uid string) *metav1.Status {
	return &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess,
		Details: &metav1.StatusDetails{Name: name, Group: r.Group, Kind: r.Plural, UID: typesUID(uid)},
	}
}
