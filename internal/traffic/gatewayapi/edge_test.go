package gatewayapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/sandbox/gateway"
)

// request is one that many users send.
type request struct {
	method, path, header string
	staff                bool
}

func requests() []request {
	var all []request
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, path := range []string{"/", "/api", "/api/x", "/api?v=2", "/?v=2"} {
			for _, header := range []string{"", "X-Beta: b"} {
				all = append(all, request{method, path, header, false}, request{method, path, header, true})
			}
		}
	}
	return all
}

// answer is what the edge says: whose pod answered, by which rule of the user's.
type answer struct {
	status                       int
	service, rule, cookie, cache string
}

// cohort is the value of the cookie that the answer gives.
func (a answer) cohort() string {
	value, _, _ := strings.Cut(strings.TrimPrefix(a.cookie, "tidegate-shop.app="), ";")
	return value
}

// edge is the embedded gateway before Services whose pods answer with the Service's name.
func edge(t *testing.T, route plan.Object) http.Handler {
	t.Helper()
	s := apiserver.New(apiserver.Options{})
	create(t, s, schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, plan.Object{"metadata": map[string]any{"name": "shop"}})
	names := map[string]bool{"checkout-candidate": true}
	for _, rule := range maplist(route["spec"].(map[string]any), "rules") {
		for _, ref := range backends(rule) {
			names[text(ref, "name")] = true
		}
	}
	for name := range names {
		create(t, s, schema.GroupVersionResource{Version: "v1", Resource: "services"}, plan.Object{
			"metadata": map[string]any{"name": name, "namespace": "shop"}, "spec": map[string]any{"ports": []any{map[string]any{"port": int64(80)}}}})
		create(t, s, schema.GroupVersionResource{Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"}, plan.Object{
			"metadata":  map[string]any{"name": name, "namespace": "shop", "labels": map[string]any{"kubernetes.io/service-name": name}},
			"endpoints": []any{map[string]any{"addresses": []any{name}, "conditions": map[string]any{"ready": true}}}})
	}
	resource := strings.ToLower(route["kind"].(string)) + "s"
	create(t, s, schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: resource}, route)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	g := gateway.Start(ctx, s, gateway.Options{Clock: clock.Real{}, Dial: func(ip string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, ip) })
	}})
	cancel()
	g.Wait()
	t.Cleanup(s.Close)
	return g
}

func create(t *testing.T, s *apiserver.Server, gvr schema.GroupVersionResource, o plan.Object) {
	t.Helper()
	if _, err := s.Create(gvr, o); err != nil {
		t.Fatal(err)
	}
}

// ask sends a request with a Cookie header, or without one.
func ask(edge http.Handler, q request, cookie string) answer {
	r := httptest.NewRequest(q.method, q.path, nil)
	if name, value, ok := strings.Cut(q.header, ": "); ok {
		r.Header.Set(name, value)
	}
	if q.staff {
		r.Header.Set("X-Staff", "1")
	}
	for _, one := range strings.Split(cookie, "; ") {
		if one != "" {
			r.Header.Add("Cookie", one) // several headers, as HTTP/2 has them
		}
	}
	w := httptest.NewRecorder()
	edge.ServeHTTP(w, r)
	return answer{w.Code, w.Body.String(), w.Header().Get("X-Rule"), w.Header().Get("Set-Cookie"), w.Header().Get("Cache-Control")}
}

// whole makes numbers int64, as stored objects have them.
func whole(v any) any {
	switch v := v.(type) {
	case float64:
		return int64(v)
	case map[string]any:
		for k := range v {
			v[k] = whole(v[k])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	}
	return v
}
