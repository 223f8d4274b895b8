package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestTraefikRules(t *testing.T) {
	request := func(method, target string, header ...string) *http.Request {
		r := httptest.NewRequest(method, target, nil)
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Add(header[i], header[i+1])
		}
		return r
	}
	for _, tc := range []struct {
		rule string
		r    *http.Request
		want bool
	}{
		{"Host(`shop.example`)", request("GET", "http://Shop.example:8080/"), true},
		{"Host(`shop.example`)", request("GET", "http://other/"), false},
		{"Host(`a`) && PathPrefix(`/ca`)", request("GET", "http://a/cart"), true},
		{"Path(`/ca`)", request("GET", "http://a/cart"), false},
		{"Method(`post`)", request("POST", "http://a/"), true},
		{"Header(`X`, `1`)", request("GET", "http://a/", "X", "2", "X", "1"), true},
		{"HeaderRegexp(`X`, `b`)", request("GET", "http://a/", "X", "abc"), true},
		{"HeaderRegexp(`X`, `^b$`)", request("GET", "http://a/", "X", "abc"), false},
		{"Query(`v`, \"2\")", request("GET", "http://a/?v=1&v=2"), true},
		{"Host(`b`) || Host(`a`) && !Path(`/x`)", request("GET", "http://a/"), true},
		{"!(Host(`b`) || Path(`/`))", request("GET", "http://a/"), false},
	} {
		match, err := parseRule(tc.rule)
		if err != nil {
			t.Fatalf("%s: %v", tc.rule, err)
		}
		if got := match(tc.r); got != tc.want {
			t.Errorf("%s of %s is %v", tc.rule, tc.r.URL, got)
		}
	}
	for _, wrong := range []string{"", "Host(`a`", "Host(a)", "Hosts(`a`)", "-Host(`a`)", "Host(`a`) + Host(`b`)", "HeaderRegexp(`X`, `(`)", "x.Host(`a`)"} {
		if _, err := parseRule(wrong); err == nil {
			t.Errorf("%q was taken for a rule", wrong)
		}
	}
}

const traefikRoute = `
metadata: {name: web, namespace: default}
spec:
  routes:
  - match: Host(` + "`t.example`" + `)
    middlewares: [{name: marked}]
    services: [{kind: TraefikService, name: sticky}]
  - match: Host(` + "`t.example`" + `) && PathPrefix(` + "`/own`" + `)
    services: [{name: a, port: 80, weight: 0}, {name: b, port: 80}]
  - match: Host(` + "`t.example`" + `) && PathPrefix(` + "`/own`" + `) && Path(` + "`/own/none`" + `)
    services: [{name: missing, port: 80}]
  - match: PathPrefix(` + "`/low`" + `)
    priority: 1
    services: [{name: c, port: 80}]
  - match: PathPrefix(` + "`/low/loop`" + `)
    services: [{kind: TraefikService, name: loop}]
`

func TestTraefikObjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := edge(t, `{metadata: {name: r, namespace: default}, spec: {hostnames: [nowhere], rules: []}}`)
		for _, text := range []string{
			`{metadata: {name: sticky, namespace: default}, spec: {weighted: {services: [{kind: TraefikService, name: inner}], sticky: {cookie: {name: k, maxAge: 60}}}}}`,
			`{metadata: {name: inner, namespace: default}, spec: {mirroring: {name: a, port: 80, mirrors: [{name: b, port: 80, percent: 50}]}}}`,
			`{metadata: {name: loop, namespace: default}, spec: {weighted: {services: [{kind: TraefikService, name: loop}]}}}`,
		} {
			add(t, s, resource("traefik.io", "v1alpha1", "traefikservices"), text)
		}
		add(t, s, resource("traefik.io", "v1alpha1", "middlewares"), `{metadata: {name: marked, namespace: default}, spec: {headers: {customResponseHeaders: {X-Mark: "yes", X-Saw: ""}}}}`)
		add(t, s, resource("traefik.io", "v1alpha1", "ingressroutes"), traefikRoute)
		time.Sleep(time.Second)
		for target, want := range map[string]string{"http://t.example/": "a", "http://t.example/own": "b", "http://t.example/own/none": "b", "http://x/low": "c", "http://x/low/loop": "c"} {
			if got := ask(g, target).Body.String(); got != want {
				t.Errorf("%s came to %s, want %s", target, got, want)
			}
		}
		w := ask(g, "http://t.example/")
		cookies := w.Result().Cookies()
		if len(cookies) != 1 || cookies[0].MaxAge != 60 || cookies[0].Value != stickyValue("default-inner") || w.Header().Get("X-Mark") != "yes" || w.Header().Values("X-Saw") != nil {
			t.Errorf("headers are %v", w.Header())
		}
		if again := ask(g, "http://t.example/", "Cookie", "k="+cookies[0].Value).Result().Cookies(); len(again) != 0 {
			t.Errorf("who stays was given %v", again)
		}
		if code := ask(g, "http://unknown/").Code; code != http.StatusNotFound {
			t.Errorf("no rule, and the code is %d", code)
		}
		synctest.Wait()
	})
}
