package gateway

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
)

// traefikRule is one rule of an IngressRoute.
type traefikRule struct {
	match    func(*http.Request) bool
	priority int64
	service  traefikService
	changes  []change // of the answer, by middlewares
}

// traefikService is whatever a rule of Traefik sends to.
type traefikService interface {
	serve(g *Gateway, w http.ResponseWriter, r *http.Request)
}

func (u *traefikRule) serve(g *Gateway, w http.ResponseWriter, r *http.Request) {
	u.service.serve(g, &headerWriter{ResponseWriter: w, changes: u.changes}, r)
}

func findTraefik(rules []*traefikRule, r *http.Request) *traefikRule {
	for _, u := range rules {
		if u.match(r) {
			return u
		}
	}
	return nil
}

func (b *backend) serve(g *Gateway, w http.ResponseWriter, r *http.Request) { g.forward(b, w, r) }

// weighted is a service that divides, perhaps with a cookie by which a user stays.
type weighted struct {
	entries []weightedEntry
	total   int64
	cookie  object
}

type weightedEntry struct {
	name    string // as Traefik calls it
	weight  int64
	service traefikService
}

func (s *weighted) serve(g *Gateway, w http.ResponseWriter, r *http.Request) {
	if s.cookie != nil {
		if c, err := r.Cookie(str(s.cookie, "name")); err == nil {
			for _, e := range s.entries {
				if stickyValue(e.name) == c.Value {
					e.service.serve(g, w, r)
					return
				}
			}
		}
	}
	if s.total == 0 {
		http.Error(w, "no available server", http.StatusServiceUnavailable)
		return
	}
	n := rand.Int64N(s.total)
	i := slices.IndexFunc(s.entries, func(e weightedEntry) bool { n -= e.weight; return n < 0 })
	if s.cookie != nil {
		http.SetCookie(w, s.stick(s.entries[i].name))
	}
	s.entries[i].service.serve(g, w, r)
}

func (s *weighted) stick(name string) *http.Cookie {
	age, _ := s.cookie["maxAge"].(int64)
	secure, _ := s.cookie["secure"].(bool)
	hidden, _ := s.cookie["httpOnly"].(bool)
	site := map[string]http.SameSite{"none": http.SameSiteNoneMode, "lax": http.SameSiteLaxMode, "strict": http.SameSiteStrictMode}
	return &http.Cookie{Name: str(s.cookie, "name"), Value: stickyValue(name), Path: cmp.Or(str(s.cookie, "path"), "/"),
		Domain: str(s.cookie, "domain"), MaxAge: int(age), Secure: secure, HttpOnly: hidden, SameSite: site[strings.ToLower(str(s.cookie, "sameSite"))]}
}

func stickyValue(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])[:16]
}

// mirroring is a service whose requests are copied.
type mirroring struct {
	main    traefikService
	mirrors []*mirror
}

func (s *mirroring) serve(g *Gateway, w http.ResponseWriter, r *http.Request) {
	s.main.serve(g, w, r)
	for _, m := range s.mirrors {
		g.mirror(m, r)
	}
}

// traefikCompiler reads the objects of Traefik. Like Traefik it builds nothing of which a part is missing: a Service without
// endpoints takes the TraefikServices with it that name it, and these the rules.
type traefikCompiler struct {
	*compiler
	services    map[string]object
	middlewares map[string]object
	depth       int
}

func (g *Gateway) compileTraefik(c *compiler) []*traefikRule {
	t := &traefikCompiler{compiler: c, services: map[string]object{}, middlewares: map[string]object{}}
	for _, o := range g.view("traefik.io", "traefikservices") {
		t.services[keyed(o)] = o
	}
	for _, o := range g.view("traefik.io", "middlewares") {
		t.middlewares[keyed(o)] = o
	}
	var rules []*traefikRule
	for _, o := range g.view("traefik.io", "ingressroutes") {
		for _, route := range list(o, "spec", "routes") {
			if u := t.route(str(o, "metadata", "namespace"), route); u != nil {
				rules = append(rules, u)
			}
		}
	}
	slices.SortStableFunc(rules, func(a, b *traefikRule) int { return cmp.Compare(b.priority, a.priority) })
	return rules
}

func keyed(o object) string {
	return str(o, "metadata", "namespace") + "/" + str(o, "metadata", "name")
}

// route is a rule, or nil where Traefik would log an error.
func (t *traefikCompiler) route(namespace string, route object) *traefikRule {
	match, err := parseRule(str(route, "match"))
	if err != nil {
		return nil
	}
	u := &traefikRule{match: match}
	if u.priority, _ = route["priority"].(int64); u.priority == 0 {
		u.priority = int64(len(str(route, "match")))
	}
	switch services := list(route, "services"); len(services) {
	case 0:
		return nil
	case 1:
		u.service = t.entry(namespace, services[0])
	default:
		u.service = t.weighted(namespace, object{"services": route["services"]})
	}
	for _, m := range list(route, "middlewares") {
		headers := at(t.middlewares[cmp.Or(str(m, "namespace"), namespace)+"/"+str(m, "name")], "spec", "headers", "customResponseHeaders")
		for name, value := range headers {
			text, _ := value.(string)
			u.changes = append(u.changes, change{verb: map[bool]string{true: "remove", false: "set"}[text == ""], name: name, value: text})
		}
	}
	if u.service == nil {
		return nil
	}
	return u
}

// entry is what a reference names; nil where it cannot be built.
func (t *traefikCompiler) entry(namespace string, e object) traefikService {
	namespace = cmp.Or(str(e, "namespace"), namespace)
	key := namespace + "/" + str(e, "name")
	if str(e, "kind") != "TraefikService" {
		b := t.backend(namespace, e)
		if native, _ := e["nativeLB"].(bool); b.missing || len(b.addresses) == 0 && !native {
			return nil
		}
		return b
	}
	const deepest = 10 // a service that names itself is none
	if t.depth++; t.depth > deepest {
		t.depth--
		return nil
	}
	defer func() { t.depth-- }()
	spec := at(t.services[key], "spec")
	switch {
	case at(spec, "weighted") != nil:
		return t.weighted(namespace, at(spec, "weighted"))
	case at(spec, "mirroring") != nil:
		return t.mirroring(namespace, at(spec, "mirroring"))
	}
	return nil
}

func (t *traefikCompiler) weighted(namespace string, spec object) traefikService {
	s := &weighted{cookie: at(spec, "sticky", "cookie")}
	for _, e := range list(spec, "services") {
		service := t.entry(namespace, e)
		if service == nil {
			return nil
		}
		weight, given := e["weight"].(int64)
		if !given {
			weight = 1
		}
		if weight > 0 {
			s.entries = append(s.entries, weightedEntry{cmp.Or(str(e, "namespace"), namespace) + "-" + str(e, "name"), weight, service})
			s.total += weight
		}
	}
	return s
}

func (t *traefikCompiler) mirroring(namespace string, spec object) traefikService {
	s := &mirroring{main: t.entry(namespace, spec)}
	if s.main == nil {
		return nil
	}
	for _, e := range list(spec, "mirrors") {
		b, ok := t.entry(namespace, e).(*backend)
		if !ok {
			return nil
		}
		percent, _ := e["percent"].(int64)
		s.mirrors = append(s.mirrors, &mirror{b, int(percent)})
	}
	return s
}
