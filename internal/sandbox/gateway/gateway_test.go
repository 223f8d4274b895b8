package gateway

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

func resource(group, version, plural string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: version, Resource: plural}
}

// edge is a gateway whose Services a, b, c, … have one pod each, which answers with the Service's name.
func edge(t *testing.T, route string) (*apiserver.Server, *Gateway) {
	t.Helper()
	s := apiserver.New(apiserver.Options{})
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		add(t, s, resource("", "v1", "services"), `{metadata: {name: `+name+`, namespace: default}, spec: {ports: [{port: 80}]}}`)
		add(t, s, resource("discovery.k8s.io", "v1", "endpointslices"), `{metadata: {name: `+name+`, namespace: default,
			labels: {kubernetes.io/service-name: `+name+`}}, endpoints: [{addresses: [`+name+`], conditions: {ready: true}}]}`)
	}
	add(t, s, resource("gateway.networking.k8s.io", "v1", "httproutes"), route)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	g := Start(ctx, s, Options{Clock: clock.Real{}, Delay: 100 * time.Millisecond, Dial: func(ip string) http.Handler {
		if ip == "e" {
			return nil
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Saw", r.Header.Get("X-Given"))
			_, _ = io.WriteString(w, ip)
		})
	}})
	t.Cleanup(func() {
		cancel()
		g.Wait()
		s.Close()
	})
	return s, g
}

func add(t *testing.T, s *apiserver.Server, gvr schema.GroupVersionResource, text string) {
	t.Helper()
	var o map[string]any
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(gvr, whole(o).(map[string]any)); err != nil {
		t.Fatal(err)
	}
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

func ask(g *Gateway, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

const rules = `
metadata: {name: r, namespace: default}
spec:
  hostnames: [shop.example, "*.wild.example"]
  rules:
  - backendRefs: [{name: a, port: 80}]
  - matches: [{path: {value: /cart}}]
    backendRefs: [{name: b, port: 80}]
  - matches: [{path: {type: Exact, value: /cart}}]
    backendRefs: [{name: c, port: 80}]
  - matches: [{headers: [{name: Cookie, type: RegularExpression, value: "(.*;[ ]*)?who=me([ ]*;.*)?"}]}]
    filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-Given, value: rule}]}}]
    backendRefs: [{name: d, port: 80, filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {add: [{name: Set-Cookie, value: k=v}]}}]}]
  - matches: [{headers: [{name: X-Staff, value: "1"}, {name: x-staff, value: "2"}]}]
    backendRefs: [{name: c, port: 80}]
  - matches: [{headers: [{name: X-Staff, value: "1"}, {name: X-Beta, value: "1"}]}]
    backendRefs: [{name: b, port: 80}]
  - matches: [{path: {value: /m}, headers: [{name: X-Staff, value: "1"}]}]
    backendRefs: [{name: c, port: 80}]
  - matches: [{path: {value: /m}, method: GET}]
    backendRefs: [{name: d, port: 80}]
  - matches: [{queryParams: [{name: v, value: "2"}]}]
    backendRefs: [{name: b, port: 80}]
  - matches: [{path: {value: /zero}}]
    backendRefs: [{name: a, port: 80, weight: 0}, {name: b, port: 80, weight: 3}]
  - matches: [{path: {value: /none}}]
    backendRefs: [{name: missing, port: 80}]
  - matches: [{path: {value: /refused}}]
    backendRefs: [{name: e, port: 80}]
`

func TestPrecedence(t *testing.T) {
	_, g := edge(t, rules)
	for _, test := range []struct {
		name, target string
		header       []string
		code         int
		want         string
	}{
		{"default", "http://shop.example/", nil, 200, "a"},
		{"wildcard host", "http://x.wild.example/", nil, 200, "a"},
		{"other host", "http://other.example/", nil, 404, ""},
		{"host with port", "http://shop.example:8080/", nil, 200, "a"},
		{"prefix", "http://shop.example/cart/1", nil, 200, "b"},
		{"prefix ends at a slash", "http://shop.example/cartoon", nil, 200, "a"},
		{"exact before prefix", "http://shop.example/cart", nil, 200, "c"},
		{"header", "http://shop.example/", []string{"Cookie", "x=y; who=me"}, 200, "d"},
		{"two cookie headers", "http://shop.example/", []string{"Cookie", "x=y", "Cookie", "who=me"}, 200, "d"},
		{"whole value", "http://shop.example/", []string{"Cookie", "nowho=me"}, 200, "a"},
		{"path before header", "http://shop.example/cart/1", []string{"Cookie", "who=me"}, 200, "b"},
		{"header before query", "http://shop.example/?v=2", []string{"Cookie", "who=me"}, 200, "d"},
		{"header exact", "http://shop.example/", []string{"x-staff", "1"}, 200, "c"},
		{"header exact, another value", "http://shop.example/", []string{"X-Staff", "11"}, 200, "a"},
		{"the second match of a header does not count", "http://shop.example/", []string{"X-Staff", "2"}, 200, "a"},
		{"two headers before one", "http://shop.example/", []string{"X-Staff", "1", "X-Beta", "1"}, 200, "b"},
		{"a method before headers", "http://shop.example/m", []string{"X-Staff", "1"}, 200, "d"},
		{"a tie goes to the first rule", "http://shop.example/", []string{"X-Staff", "1", "Cookie", "who=me"}, 200, "d"},
		{"query", "http://shop.example/?v=2", nil, 200, "b"},
		{"weight zero", "http://shop.example/zero", nil, 200, "b"},
		{"missing Service", "http://shop.example/none", nil, 500, ""},
		{"nobody listens", "http://shop.example/refused", nil, 502, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := ask(g, test.target, test.header...)
			if w.Code != test.code || test.want != "" && w.Body.String() != test.want {
				t.Errorf("answer is %d %q, want %d %q", w.Code, w.Body, test.code, test.want)
			}
		})
	}
}

func TestModifiers(t *testing.T) {
	_, g := edge(t, rules)
	w := ask(g, "http://shop.example/", "Cookie", "who=me")
	if w.Header().Get("X-Saw") != "rule" || w.Header().Get("Set-Cookie") != "k=v" {
		t.Errorf("headers are %v", w.Header())
	}
}

// What the API says is not in force before the lag is over: neither at once nor much later.
func TestLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := edge(t, `{metadata: {name: r, namespace: default}, spec: {rules: [{backendRefs: [{name: a, port: 80}]}]}}`)
		route := apiserver.Key{Namespace: "default", Name: "r"}
		if _, err := s.Mutate(resource("gateway.networking.k8s.io", "v1", "httproutes"), route, func(o map[string]any) {
			o["spec"] = map[string]any{"rules": []any{map[string]any{
				"matches":     []any{map[string]any{"path": map[string]any{"type": "PathPrefix", "value": "/"}}},
				"backendRefs": []any{map[string]any{"name": "b", "port": int64(80)}},
			}}}
		}); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			after time.Duration
			want  string
		}{{0, "a"}, {99 * time.Millisecond, "a"}, {2 * time.Millisecond, "b"}} {
			time.Sleep(step.after)
			synctest.Wait()
			if got := ask(g, "http://any.example/").Body.String(); got != step.want {
				t.Errorf("after %v the answer is %q", step.after, got)
			}
		}
	})
}
