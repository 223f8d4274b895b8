package gateway

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

type object = map[string]any

// compile reads the server's routes, Services and EndpointSlices into a table.
func (g *Gateway) compile() *table {
	c := compiler{addresses: map[string][]string{}, services: map[string]bool{}, table: &table{}}
	for _, s := range g.view("", "services") {
		c.services[str(s, "metadata", "namespace")+"/"+str(s, "metadata", "name")] = true
	}
	for _, s := range g.view("discovery.k8s.io", "endpointslices") {
		c.slice(s)
	}
	routes := slices.Concat(g.view("gateway.networking.k8s.io", "httproutes"), g.view("gateway.networking.k8s.io", "grpcroutes"))
	slices.SortStableFunc(routes, func(a, b object) int {
		return cmp.Or(strings.Compare(str(a, "metadata", "creationTimestamp"), str(b, "metadata", "creationTimestamp")),
			strings.Compare(str(a, "metadata", "namespace")+"/"+str(a, "metadata", "name"), str(b, "metadata", "namespace")+"/"+str(b, "metadata", "name")))
	})
	for _, r := range routes {
		c.route(r)
	}
	c.table.traefik = g.compileTraefik(&c)
	c.istio(g.view("networking.istio.io", "virtualservices"))
	c.ingresses(g.view("networking.k8s.io", "ingresses"))
	c.table.order()
	return c.table
}

type compiler struct {
	addresses map[string][]string // ready ones of a Service
	services  map[string]bool
	table     *table
}

func (c *compiler) slice(s object) {
	key := str(s, "metadata", "namespace") + "/" + str(s, "metadata", "labels", "kubernetes.io/service-name")
	for _, e := range list(s, "endpoints") {
		addresses, _ := e["addresses"].([]any)
		if ready, _ := at(e, "conditions")["ready"].(bool); !ready || len(addresses) == 0 {
			continue
		}
		if ip, ok := addresses[0].(string); ok {
			c.addresses[key] = append(c.addresses[key], ip)
		}
	}
}

func (c *compiler) route(r object) {
	hosts := []string{""}
	if names, _ := at(r, "spec")["hostnames"].([]any); len(names) > 0 {
		hosts = nil
		for _, n := range names {
			host, _ := n.(string)
			hosts = append(hosts, host)
		}
	}
	ns := str(r, "metadata", "namespace")
	for _, spec := range list(r, "spec", "rules") {
		shared := c.rule(ns, spec)
		matches := list(spec, "matches")
		if len(matches) == 0 {
			matches = []object{{}} // of a GRPCRoute: every call
		}
		for _, m := range matches {
			for _, host := range hosts {
				one := *shared
				one.host = host
				one.match(m)
				c.table.rules = append(c.table.rules, &one)
			}
		}
	}
}

func (c *compiler) rule(ns string, spec object) *rule {
	u := &rule{}
	u.request, u.response = modifiers(spec)
	for _, b := range list(spec, "backendRefs") {
		back := c.backend(ns, b)
		u.backends = append(u.backends, back)
		u.total += back.weight
	}
	for _, f := range list(spec, "filters") {
		if m := at(f, "requestMirror"); m != nil {
			percent := 100
			if n, ok := m["percent"].(int64); ok {
				percent = int(n)
			}
			u.mirrors = append(u.mirrors, &mirror{c.backend(ns, at(m, "backendRef")), percent})
		}
	}
	return u
}

func (c *compiler) backend(ns string, ref object) *backend {
	if other := str(ref, "namespace"); other != "" {
		ns = other
	}
	key := ns + "/" + str(ref, "name")
	b := &backend{weight: 1, addresses: c.addresses[key], missing: !c.services[key]}
	if n, ok := ref["weight"].(int64); ok {
		b.weight = int(n)
	}
	b.request, b.response = modifiers(ref)
	return b
}

func (u *rule) match(m object) {
	if call := at(m, "method"); call != nil {
		u.matchCall(str(call, "type"), str(call, "service"), str(call, "method"))
	} else {
		u.matchPath(str(m, "path", "type"), str(m, "path", "value"), str(m, "method"))
	}
	u.headers = nil
	asked := map[string]bool{}
	for _, h := range list(m, "headers") {
		lower := strings.ToLower(str(h, "name"))
		if asked[lower] {
			continue // of several matches of one header the first counts
		}
		asked[lower] = true
		name, same := str(h, "name"), matcher(str(h, "type"), str(h, "value"))
		u.headers = append(u.headers, func(r *http.Request) bool {
			values := r.Header.Values(name)
			separator := ","
			if strings.EqualFold(name, "Cookie") {
				separator = "; "
			}
			return len(values) > 0 && same(strings.Join(values, separator))
		})
	}
	u.rank[3] = len(asked)
	for _, q := range list(m, "queryParams") {
		name, same := str(q, "name"), matcher(str(q, "type"), str(q, "value"))
		u.headers = append(u.headers, func(r *http.Request) bool {
			values := r.URL.Query()[name]
			return len(values) > 0 && same(values[0])
		})
	}
	u.rank[4] = len(list(m, "queryParams"))
}

// matchPath sets what an HTTPRoute asks of path and method.
func (u *rule) matchPath(kind, value, method string) {
	u.path = pathMatch(kind, value)
	if kind == "Exact" {
		u.rank[0] = 1
	}
	u.rank[1] = len(value)
	if u.method = method; method != "" {
		u.rank[2] = 1
	}
}

// matchCall sets what a GRPCRoute asks: calls are requests of /service/method.
func (u *rule) matchCall(kind, service, method string) {
	takes := func(wanted string) func(string) bool {
		if wanted == "" {
			return func(string) bool { return true }
		}
		return matcher(kind, wanted)
	}
	ofService, ofMethod := takes(service), takes(method)
	u.path = func(path string) bool {
		s, m, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		return ok && ofService(s) && ofMethod(m)
	}
	u.rank[1], u.rank[2] = 1+len(service), len(method)
}

// modifiers are the header changes of a rule's or a backend's filters.
func modifiers(o object) (request, response []change) {
	for _, f := range list(o, "filters") {
		request = append(request, changes(at(f, "requestHeaderModifier"))...)
		response = append(response, changes(at(f, "responseHeaderModifier"))...)
	}
	return request, response
}

func changes(m object) (out []change) {
	for _, verb := range []string{"set", "add"} {
		for _, h := range list(m, verb) {
			out = append(out, change{verb, str(h, "name"), str(h, "value")})
		}
	}
	names, _ := m["remove"].([]any)
	for _, n := range names {
		name, _ := n.(string)
		out = append(out, change{verb: "remove", name: name})
	}
	return out
}

func at(o object, path ...string) object {
	for _, p := range path {
		o, _ = o[p].(object)
	}
	return o
}

func str(o object, path ...string) string {
	s, _ := at(o, path[:len(path)-1]...)[path[len(path)-1]].(string)
	return s
}

func list(o object, path ...string) []object {
	entries, _ := at(o, path[:len(path)-1]...)[path[len(path)-1]].([]any)
	var out []object
	for _, e := range entries {
		if m, ok := e.(object); ok {
			out = append(out, m)
		}
	}
	return out
}
