package gateway

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// nginx begins the names of the annotations that this gateway obeys, and is the class of the Ingresses that it serves.
const (
	nginx       = "nginx"
	annotations = "nginx.ingress.kubernetes.io/"
)

// aside is what stands beside a Service and a port by a canary Ingress.
type aside struct {
	backend                       *backend
	weight, total                 int
	header, value, pattern, named string // named is the cookie
}

// place is what a canary Ingress must have in common with a main one.
type place struct{ namespace, host, path, kind string }

// ingresses compiles the Ingresses of ingress-nginx: the main ones, and what canary Ingresses put beside their Services.
func (c *compiler) ingresses(all []object) {
	var mains, canaries []object
	for _, in := range all {
		switch {
		case cmp.Or(str(in, "spec", "ingressClassName"), str(in, "metadata", "annotations", "kubernetes.io/ingress.class")) != nginx:
		case note(in, "canary") == "true":
			canaries = append(canaries, in)
		default:
			mains = append(mains, in)
		}
	}
	asides := c.asides(mains, canaries)
	for _, in := range mains {
		c.ingress(in, asides)
	}
}

// asides are the canaries by the Service and port beside which they stand, as the controllers have it: a path is needed to
// find those, and then every path to them takes part.
func (c *compiler) asides(mains, canaries []object) map[string]*aside {
	places := map[place]object{}
	for _, in := range mains {
		eachPath(in, func(p place, service object) { places[p] = service })
	}
	found := map[string]*aside{}
	for _, in := range canaries {
		eachPath(in, func(p place, service object) {
			main, ok := places[p]
			if !ok || found[upstream(p.namespace, main)] != nil || upstream(p.namespace, main) == upstream(p.namespace, service) {
				return
			}
			a := &aside{backend: c.backend(p.namespace, service), header: note(in, "canary-by-header"), value: note(in, "canary-by-header-value"),
				pattern: note(in, "canary-by-header-pattern"), named: note(in, "canary-by-cookie")}
			if len(a.backend.addresses) == 0 {
				return
			}
			a.weight, _ = strconv.Atoi(note(in, "canary-weight"))
			a.total, _ = strconv.Atoi(note(in, "canary-weight-total"))
			a.total = max(a.total, 100)
			a.weight = min(max(a.weight, 0), a.total)
			found[upstream(p.namespace, main)] = a
		})
	}
	return found
}

func (c *compiler) ingress(in object, asides map[string]*aside) {
	copies := c.copies(in)
	hosts := map[string]bool{}
	eachPath(in, func(p place, service object) {
		hosts[p.host] = true
		kind, exact := "PathPrefix", 0
		if p.kind == "Exact" {
			kind, exact = "Exact", 1
		}
		u := rule{host: p.host, path: pathMatch(kind, p.path), rank: [5]int{exact, len(p.path)}, mirrors: copies}
		c.divide(u, c.backend(p.namespace, service), asides[upstream(p.namespace, service)])
	})
	service := at(in, "spec", "defaultBackend", "service")
	if service == nil {
		return
	}
	if len(hosts) == 0 {
		hosts[""] = true
	}
	for host := range hosts {
		c.divide(rule{host: host, path: pathMatch("PathPrefix", "/"), mirrors: copies}, c.backend(str(in, "metadata", "namespace"), service), nil)
	}
}

// divide adds the rules of one path: by header, then by cookie, then by weight.
func (c *compiler) divide(u rule, base *backend, beside *aside) {
	add := func(first int, is func(*http.Request) bool, backends ...*backend) {
		one := u
		one.rank[3], one.backends = first, backends
		for _, b := range backends {
			one.total += b.weight
		}
		if is != nil {
			one.headers = []func(*http.Request) bool{is}
		}
		c.table.rules = append(c.table.rules, &one)
	}
	if beside == nil {
		add(0, nil, base)
		return
	}
	if beside.header != "" {
		values := func(want func(string) bool) func(*http.Request) bool {
			return func(r *http.Request) bool { return slices.ContainsFunc(r.Header.Values(beside.header), want) }
		}
		switch {
		case beside.value != "":
			add(2, values(matcher("", beside.value)), beside.backend)
		case beside.pattern != "":
			add(2, values(matcher("RegularExpression", ".*(?:"+beside.pattern+").*")), beside.backend)
		default:
			add(2, values(matcher("", "always")), beside.backend)
			add(2, values(matcher("", "never")), base)
		}
	}
	if beside.named != "" {
		value := func(want string) func(*http.Request) bool {
			return func(r *http.Request) bool {
				cookie, err := r.Cookie(beside.named)
				return err == nil && cookie.Value == want
			}
		}
		add(1, value("always"), beside.backend)
		add(1, value("never"), base)
	}
	add(0, nil, base.weighing(beside.total-beside.weight), beside.backend.weighing(beside.weight))
}

func (b *backend) weighing(weight int) *backend {
	other := *b
	other.weight = weight
	return &other
}

// copies are the mirror of an Ingress: a Service, by its address in the cluster.
func (c *compiler) copies(in object) []*mirror {
	before, _, _ := strings.Cut(note(in, "mirror-target"), "$")
	target, err := url.Parse(before)
	if err != nil || target.Host == "" {
		return nil
	}
	name, rest, _ := strings.Cut(target.Hostname(), ".")
	namespace, _, _ := strings.Cut(rest, ".")
	return []*mirror{{c.backend(namespace, object{"name": name}), 100}}
}

// eachPath calls f with every path of an Ingress that leads to a Service.
func eachPath(in object, f func(p place, service object)) {
	for _, r := range list(in, "spec", "rules") {
		for _, p := range list(r, "http", "paths") {
			if service := at(p, "backend", "service"); service != nil {
				f(place{str(in, "metadata", "namespace"), str(r, "host"), str(p, "path"), str(p, "pathType")}, service)
			}
		}
	}
}

// upstream names a Service and a port, as the Ingress names it.
func upstream(namespace string, service object) string {
	port := str(service, "port", "name")
	if n, ok := at(service, "port")["number"].(int64); ok {
		port = strconv.FormatInt(n, 10)
	}
	return namespace + "/" + str(service, "name") + "/" + port
}

func note(in object, name string) string { return str(in, "metadata", "annotations", annotations+name) }
