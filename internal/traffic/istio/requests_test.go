package istio

import (
	"context"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/sandbox/gateway"
)

// mesh is the embedded gateway before Services that answer with their names.
type mesh struct {
	*gateway.Gateway
	mu     sync.Mutex
	copied map[string]int // mirrored requests, by Service
	stop   func()         // waits for the copies, too
}

func serve(t *testing.T, objects ...*unstructured.Unstructured) *mesh {
	t.Helper()
	s := apiserver.New(apiserver.Options{})
	add := func(o plan.Object, gvr schema.GroupVersionResource) {
		if _, err := s.Create(gvr, o); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Create(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, plan.Object{"metadata": map[string]any{"name": "shop"}}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"checkout", "checkout-candidate", "cdn", "audit"} {
		meta := map[string]any{"name": name, "namespace": "shop", "labels": map[string]any{"kubernetes.io/service-name": name}}
		add(plan.Object{"metadata": meta, "spec": map[string]any{"ports": []any{map[string]any{"port": int64(80)}}}}, schema.GroupVersionResource{Version: "v1", Resource: "services"})
		add(plan.Object{"metadata": meta, "endpoints": []any{map[string]any{"addresses": []any{name}, "conditions": map[string]any{"ready": true}}}},
			schema.GroupVersionResource{Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"})
	}
	for _, o := range objects {
		add(o.Object, schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"})
	}
	m := &mesh{copied: map[string]int{}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	m.Gateway = gateway.Start(ctx, s, gateway.Options{Clock: clock.Real{}, Dial: func(ip string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Mirrored") != "" {
				m.mu.Lock()
				m.copied[ip]++
				m.mu.Unlock()
				return
			}
			_, _ = io.WriteString(w, ip)
		})
	}})
	m.stop = func() {
		cancel()
		m.Wait()
	}
	t.Cleanup(func() {
		m.stop()
		s.Close()
	})
	return m
}

func (m *mesh) get(path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://shop.example"+path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	return w
}

const pages = head + `
  - {name: static, match: [{uri: {prefix: /static}}], route: [{destination: {host: cdn}}]}
  - {name: beta, match: [{uri: {prefix: /}, headers: {x-beta: {exact: "1"}}}], route: [{destination: {host: audit}}]}
  - {name: staff, match: [{uri: {prefix: /staff}, headers: {X-Staff: {regex: "[12]"}}}], route: [{destination: {host: checkout}}]}
  - {name: guests, match: [{uri: {prefix: /guests}, headers: {x-staff: {exact: "0"}}}], route: [{destination: {host: checkout}}]}
  - {name: all, route: [{destination: {host: checkout}, headers: {response: {add: {x-user: own}}}}]}
`

func TestRing(t *testing.T) {
	for _, tc := range []struct {
		name string
		ring []plan.Match
		path string
		with []string
		want string
	}{
		{"nobody in particular", staff(), "/", nil, "checkout"},
		{"the ring", staff(), "/", []string{"X-Staff", "1"}, "checkout-candidate"},
		{"another value", staff(), "/", []string{"X-Staff", "11"}, "checkout"},
		{"the user's route before it", staff(), "/static/x", []string{"X-Staff", "1"}, "cdn"},
		{"the user's route by another header", staff(), "/", []string{"X-Staff", "1", "X-Beta", "1"}, "audit"},
		{"a route that asks for the header", staff(), "/staff", []string{"X-Staff", "1"}, "checkout-candidate"},
		{"with a value of the others", staff(), "/staff", []string{"X-Staff", "2"}, "checkout"},
		{"a route that asks for another value", staff(), "/guests", []string{"X-Staff", "0"}, "checkout"},
		{"a cookie", []plan.Match{{Cookie: "staff", Value: "a.b"}}, "/", []string{"Cookie", "x=y; staff=a.b; z=1"}, "checkout-candidate"},
		{"a cookie that is like it", []plan.Match{{Cookie: "staff", Value: "a.b"}}, "/", []string{"Cookie", "nostaff=a.b; staff=a-b"}, "checkout"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			vs := read(t, pages)
			set(t, vs, plan.Split{Ring: tc.ring})
			if got := serve(t, vs).get(tc.path, tc.with...).Body.String(); got != tc.want {
				t.Errorf("%s answers, not %s", got, tc.want)
			}
		})
	}
}

// near fails unless a share of n draws is within five standard deviations of what it should be.
func near(t *testing.T, what string, hits, n int, share float64) {
	t.Helper()
	if d := math.Abs(float64(hits) - share*float64(n)); d > 5*math.Sqrt(share*(1-share)*float64(n)) {
		t.Errorf("%s: %d of %d, not %.3f of them", what, hits, n, share)
	}
}

func TestShareOfRequests(t *testing.T) {
	vs := read(t, pages)
	set(t, vs, plan.Split{Weight: 12*plan.OnePercent + 500})
	m, hits := serve(t, vs), 0
	const n = 4000
	for range n {
		if m.get("/").Body.String() == "checkout-candidate" {
			hits++
		}
	}
	near(t, "the candidate", hits, n, 0.125)
}

// Users keep their cookies: each is drawn once, by the base, and moves once.
func TestCohorts(t *testing.T) {
	const n = 4000
	vs := read(t, pages)
	set(t, vs, plan.Split{Cohorts: cohorts(0)})
	m := serve(t, vs)
	jars, drawn := make([]string, n), map[string]int{}
	for i := range jars {
		w := m.get("/")
		cookie := w.Header().Get("Set-Cookie")
		jars[i], _, _ = strings.Cut(cookie, ";")
		drawn[jars[i]]++
		if w.Body.String() != "checkout" || w.Header().Get("Cache-Control") != "private" || w.Header().Get("X-User") != "own" || !strings.Contains(cookie, "Path=/100%;") {
			t.Fatalf("a draw is answered by %s with %v", w.Body, w.Header())
		}
	}
	for i, share := range []float64{.05, .2, .25, .5} {
		name := "tidegate-checkout=" + cohorts(0).Value(i+1)
		near(t, name, drawn[name], n, share)
	}
	moved := map[string]bool{}
	for step, s := range []plan.Split{
		{Cohorts: cohorts(0)}, {Cohorts: cohorts(1), Weight: 5 * plan.OnePercent}, {Cohorts: cohorts(2), Weight: 25 * plan.OnePercent},
		{Cohorts: cohorts(3), Weight: 50 * plan.OnePercent}, {Cohorts: cohorts(4), Weight: plan.All},
	} {
		vs := vs.DeepCopy()
		set(t, vs, s)
		m := serve(t, vs)
		for cookie := range drawn {
			w := m.get("/", "Cookie", "a=b; "+cookie)
			want := "checkout"
			if cookie <= "tidegate-checkout="+cohorts(0).Value(step) {
				want = "checkout-candidate"
			}
			if w.Body.String() != want || w.Header().Get("Set-Cookie") != "" || moved[cookie] && want == "checkout" {
				t.Errorf("with %s moved %s answers %s with %v", s.Weight, cookie, w.Body, w.Header())
			}
			moved[cookie] = want != "checkout"
		}
		if w := m.get("/", "Cookie", "tidegate-checkout=R0.1"); s.Weight < plan.All && (w.Body.String() != "checkout" || w.Header().Get("Set-Cookie") == "") {
			t.Errorf("a cookie of another rollout is not drawn again: %s with %v", w.Body, w.Header())
		}
		if got := m.get("/static/a", "Cookie", "tidegate-checkout=R1.1").Body.String(); got != "cdn" {
			t.Errorf("the user's other route is answered by %s", got)
		}
	}
}

func TestMirror(t *testing.T) {
	for name, text := range map[string]string{
		"alone":         pages,
		"beside one":    head + `  - {mirror: {host: audit}, route: [{destination: {host: checkout}}]}`,
		"beside a list": head + `  - {mirrors: [{destination: {host: audit}}], route: [{destination: {host: checkout}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			vs := read(t, text)
			set(t, vs, plan.Split{Mirror: 30 * plan.OnePercent})
			m := serve(t, vs)
			const n = 2000
			for range n {
				if got := m.get("/").Body.String(); got != "checkout" {
					t.Fatalf("a user is answered by %s", got)
				}
			}
			if got := m.get("/static/x").Body.String(); name == "alone" && got != "cdn" {
				t.Errorf("the other route is answered by %s", got)
			}
			m.stop()
			m.mu.Lock()
			defer m.mu.Unlock()
			near(t, "copies", m.copied["checkout-candidate"], n, .3)
			if name != "alone" && m.copied["audit"] < n {
				t.Errorf("the user's own mirror has %d copies", m.copied["audit"])
			}
		})
	}
}

// The routes of a delegate are narrowed for those requests that the root gives it.
func TestDelegateRing(t *testing.T) {
	rest := read(t, delegate("rest", "checkout"))
	to := shop
	to.Routes = []plan.Ref{plan.RefOf(rest.Object)}
	if _, err := (Kind{}).Split(rest, to, mark, plan.Split{Ring: staff()}); err != nil {
		t.Fatal(err)
	}
	m := serve(t, read(t, root), rest, read(t, delegate("pay", "cdn")))
	for _, tc := range []struct{ path, staff, want string }{
		{"/", "1", "checkout-candidate"}, {"/", "2", "checkout"}, {"/pay/x", "1", "cdn"},
	} {
		if got := m.get(tc.path, "X-Staff", tc.staff).Body.String(); got != tc.want {
			t.Errorf("%s with %s is answered by %s, not %s", tc.path, tc.staff, got, tc.want)
		}
	}
}
