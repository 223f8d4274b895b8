package gateway

import (
	"math"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

const noRoute = `{metadata: {name: r, namespace: default}, spec: {hostnames: [elsewhere.example], rules: []}}`

// served is a gateway with Ingresses, after they are in force.
func served(t *testing.T, ingresses ...string) *Gateway {
	t.Helper()
	s, g := edge(t, noRoute)
	for _, text := range ingresses {
		add(t, s, resource("networking.k8s.io", "v1", "ingresses"), text)
	}
	time.Sleep(time.Second)
	synctest.Wait()
	return g
}

const shopIngress = `
metadata: {name: shop, namespace: default}
spec:
  ingressClassName: nginx
  rules:
  - host: shop.example
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}
      - {path: /cart, pathType: Prefix, backend: {service: {name: c, port: {number: 80}}}}
      - {path: /cart, pathType: Exact, backend: {service: {name: d, port: {name: http}}}}
      - {path: /same, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}
`

// beside is a canary Ingress of Service a, which leads to b.
func beside(annotations string) string {
	return `{metadata: {name: shop-canary, namespace: default, annotations: {` + annotations + `}}, spec: {ingressClassName: nginx,
  rules: [{host: shop.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: b, port: {number: 80}}}}]}}]}}`
}

func canaryNotes(more string) string {
	return `nginx.ingress.kubernetes.io/canary: "true", ` + more
}

func TestIngress(t *testing.T) {
	const all = `nginx.ingress.kubernetes.io/canary-weight: "100"`
	const header = `nginx.ingress.kubernetes.io/canary-by-header: X-Staff`
	const value = `nginx.ingress.kubernetes.io/canary-by-header-value: "1"`
	const cookie = `nginx.ingress.kubernetes.io/canary-by-cookie: staff`
	for _, test := range []struct {
		name, annotations, target string
		header                    []string
		want                      string
	}{
		{"without a weight", canaryNotes(""), "http://shop.example/", nil, "a"},
		{"weight", canaryNotes(all), "http://shop.example/", nil, "b"},
		{"another path to the same Service", canaryNotes(all), "http://shop.example/same/1", nil, "b"},
		{"a path to another Service", canaryNotes(all), "http://shop.example/cart/1", nil, "c"},
		{"exact before prefix", canaryNotes(all), "http://shop.example/cart", nil, "d"},
		{"weight of a total", canaryNotes(`nginx.ingress.kubernetes.io/canary-weight: "300", nginx.ingress.kubernetes.io/canary-weight-total: "300"`), "http://shop.example/", nil, "b"},
		{"header always", canaryNotes(header), "http://shop.example/", []string{"X-Staff", "always"}, "b"},
		{"header never", canaryNotes(header + ", " + all), "http://shop.example/", []string{"X-Staff", "never"}, "a"},
		{"header of another value", canaryNotes(header + ", " + all), "http://shop.example/", []string{"X-Staff", "1"}, "b"},
		{"header with a value", canaryNotes(header + ", " + value), "http://shop.example/", []string{"X-Staff", "1"}, "b"},
		{"header with a value, always", canaryNotes(header + ", " + value), "http://shop.example/", []string{"X-Staff", "always"}, "a"},
		{"header with a value, never", canaryNotes(header + ", " + value + ", " + all), "http://shop.example/", []string{"X-Staff", "never"}, "b"},
		{"pattern", canaryNotes(header + `, nginx.ingress.kubernetes.io/canary-by-header-pattern: "^[0-9]+$"`), "http://shop.example/", []string{"X-Staff", "12"}, "b"},
		{"cookie always", canaryNotes(cookie), "http://shop.example/", []string{"Cookie", "x=y; staff=always"}, "b"},
		{"cookie never", canaryNotes(cookie + ", " + all), "http://shop.example/", []string{"Cookie", "staff=never"}, "a"},
		{"cookie of another value", canaryNotes(cookie), "http://shop.example/", []string{"Cookie", "staff=1"}, "a"},
		{"header before cookie", canaryNotes(header + ", " + cookie), "http://shop.example/", []string{"X-Staff", "never", "Cookie", "staff=always"}, "a"},
		{"header of the ring under another path", canaryNotes(header), "http://shop.example/cart/1", []string{"X-Staff", "always"}, "c"},
		{"not a canary, but younger", "", "http://shop.example/", nil, "a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := served(t, shopIngress, beside(test.annotations))
				for range 20 {
					if got := ask(g, test.target, test.header...).Body.String(); got != test.want {
						t.Fatalf("answer is %q, want %q", got, test.want)
					}
				}
			})
		})
	}
}

func TestIngressShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := served(t, shopIngress, beside(canaryNotes(`nginx.ingress.kubernetes.io/canary-weight: "25"`)))
		const asked = 4000
		got := 0
		for range asked {
			if ask(g, "http://shop.example/").Body.String() == "b" {
				got++
			}
		}
		if math.Abs(float64(got)-asked/4) > 150 {
			t.Errorf("%d of %d", got, asked)
		}
	})
}

// A canary counts only where a main Ingress has the same host, path and type, and where its Service has pods.
func TestIngressCanaryNeedsAPlace(t *testing.T) {
	const notes = `nginx.ingress.kubernetes.io/canary: "true", nginx.ingress.kubernetes.io/canary-weight: "100"`
	canary := func(host, path, kind, service string) string {
		return `{metadata: {name: canary, namespace: default, annotations: {` + notes + `}}, spec: {ingressClassName: nginx,
  rules: [{host: ` + host + `, http: {paths: [{path: ` + path + `, pathType: ` + kind + `, backend: {service: {name: ` + service + `, port: {number: 80}}}}]}}]}}`
	}
	for name, text := range map[string]string{
		"host": canary("www.example", "/", "Prefix", "b"), "path": canary("shop.example", "/x", "Prefix", "b"), "type": canary("shop.example", "/", "Exact", "b"),
		"no pods": canary("shop.example", "/", "Prefix", "nobody"), "itself": canary("shop.example", "/", "Prefix", "a"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := ask(served(t, shopIngress, text), "http://shop.example/").Body.String(); got != "a" {
					t.Errorf("answer is %q", got)
				}
			})
		})
	}
}

func TestIngressOfOthersAndDefaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := served(t, `{metadata: {name: x, namespace: default}, spec: {ingressClassName: alb, rules: [{host: alb.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}]}}]}}`,
			`{metadata: {name: y, namespace: default, annotations: {kubernetes.io/ingress.class: nginx}}, spec: {defaultBackend: {service: {name: c, port: {number: 80}}},
  rules: [{host: old.example, http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}]}}]}}`)
		for target, want := range map[string]string{"http://alb.example/": "no route\n", "http://old.example/a": "a", "http://old.example/b": "c"} {
			if got := ask(g, target).Body.String(); got != want {
				t.Errorf("%s answers %q, want %q", target, got, want)
			}
		}
	})
}

// A change of an Ingress comes into force after the lag, and nobody sees a mirror's answer.
func TestIngressMirrorsAfterTheLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := edge(t, noRoute)
		ingresses := resource("networking.k8s.io", "v1", "ingresses")
		add(t, s, ingresses, shopIngress)
		time.Sleep(time.Second)
		var copies atomic.Int64
		dial := g.o.Dial
		g.o.Dial = func(ip string) http.Handler {
			if ip == "b" {
				copies.Add(1)
			}
			return dial(ip)
		}
		if _, err := s.Mutate(ingresses, apiserver.Key{Namespace: "default", Name: "shop"}, func(o map[string]any) {
			at(o, "metadata")["annotations"] = map[string]any{"nginx.ingress.kubernetes.io/mirror-target": "http://b.default.svc.cluster.local:80$request_uri"}
		}); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			after time.Duration
			want  int64
		}{{99 * time.Millisecond, 0}, {2 * time.Millisecond, 1}} {
			time.Sleep(step.after)
			synctest.Wait()
			if got := ask(g, "http://shop.example/").Body.String(); got != "a" {
				t.Errorf("the answer is %q", got)
			}
			synctest.Wait()
			if got := copies.Load(); got != step.want {
				t.Errorf("after %v there are %d copies, want %d", step.after, got, step.want)
			}
		}
	})
}
