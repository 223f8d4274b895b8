package gateway

import "testing"

const virtualServices = `
metadata: {name: r, namespace: default}
spec:
  hosts: [shop.example, "*.wild.example"]
  http:
  - {match: [{uri: {exact: /cart}, method: {exact: POST}}, {uri: {regex: "/v[0-9]"}}], route: [{destination: {host: b}}]}
  - {match: [{uri: {prefix: /CAR}, ignoreUriCase: true}], route: [{destination: {host: c.default.svc.cluster.local}}]}
  - {match: [{uri: {prefix: /longer/prefix}, withoutHeaders: {x-a: {prefix: "1"}}}], route: [{destination: {host: d}}]}
  - match: [{queryParams: {v: {exact: "2"}}}]
    headers: {response: {set: {x-route: 100%%}, remove: [x-gone]}}
    route: [{destination: {host: b}, weight: 0}, {destination: {host: c}, weight: 7, headers: {request: {set: {x-given: dest}}, response: {add: {x-dest: "1"}}}}]
  - {match: [{uri: {prefix: /mesh}, sourceLabels: {app: a}}], route: [{destination: {host: b}}]}
  - {match: [{uri: {prefix: /delegated}, headers: {x-a: {exact: "1"}}}], delegate: {name: sub}}
  - {match: [{uri: {prefix: /missing}}], route: [{destination: {host: missing}}]}
  - {match: [{uri: {prefix: /gone}}], redirect: {uri: /}}
  - route: [{destination: {host: a}}]
  - {match: [{uri: {prefix: /never}}], route: [{destination: {host: b}}]}
`

func TestVirtualServices(t *testing.T) {
	s, g := edge(t, `{metadata: {name: r, namespace: default}, spec: {hostnames: [other.example], rules: [{backendRefs: [{name: e, port: 80}]}]}}`)
	add(t, s, resource("networking.istio.io", "v1", "virtualservices"), virtualServices)
	add(t, s, resource("networking.istio.io", "v1", "virtualservices"), `{metadata: {name: sub, namespace: default},
		spec: {http: [{match: [{headers: {x-b: {}}}], route: [{destination: {host: c}}]}, {route: [{destination: {host: d}}]}]}}`)
	add(t, s, resource("networking.istio.io", "v1", "virtualservices"), `{metadata: {name: star, namespace: default},
		spec: {hosts: ["*"], http: [{route: [{destination: {host: d}}]}]}}`)
	g.table.Store(g.compile())
	for _, test := range []struct {
		name, target string
		header       []string
		code         int
		want         string
	}{
		{"the last", "http://shop.example/", nil, 200, "a"},
		{"wildcard host", "http://x.wild.example/never", nil, 200, "a"},
		{"every host", "http://any.example/", nil, 200, "d"},
		{"an expression takes the whole path", "http://shop.example/v1", nil, 200, "b"},
		{"and no more", "http://shop.example/v10", nil, 200, "a"},
		{"another method", "http://shop.example/cart", nil, 200, "c"},
		{"a prefix of text", "http://shop.example/cartoon", nil, 200, "c"},
		{"without a header", "http://shop.example/longer/prefix", nil, 200, "d"},
		{"with it", "http://shop.example/longer/prefix", []string{"X-A", "12"}, 200, "a"},
		{"the first before a longer path", "http://shop.example/never", nil, 200, "a"},
		{"query, weight zero", "http://shop.example/?v=2", nil, 200, "c"},
		{"only in the mesh", "http://shop.example/mesh", nil, 200, "a"},
		{"a delegate", "http://shop.example/delegated", []string{"X-A", "1"}, 200, "d"},
		{"its own header", "http://shop.example/delegated", []string{"X-A", "1", "X-B", ""}, 200, "c"},
		{"not the root's", "http://shop.example/delegated", []string{"X-B", "1"}, 200, "a"},
		{"missing Service", "http://shop.example/missing", nil, 500, ""},
		{"a redirect is none of ours", "http://shop.example/gone", nil, 500, ""},
		{"a Gateway API route", "http://other.example/", nil, 502, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := ask(g, test.target, test.header...)
			if w.Code != test.code || test.want != "" && w.Body.String() != test.want {
				t.Errorf("answer is %d %q, want %d %q", w.Code, w.Body, test.code, test.want)
			}
		})
	}
	h := ask(g, "http://shop.example/?v=2").Header()
	if h.Get("X-Route") != "100%" || h.Get("X-Dest") != "1" || h.Get("X-Saw") != "dest" {
		t.Errorf("headers are %v", h)
	}
}
