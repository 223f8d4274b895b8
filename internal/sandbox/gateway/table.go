package gateway

import (
	"cmp"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// table is all rules of all routes, the first to be tried first.
type table struct {
	rules   []*rule
	traefik []*traefikRule // tried before all others
}

// rule is one match of one rule of one route, for one hostname.
type rule struct {
	host    string // "" for all; may begin with "*."
	path    func(string) bool
	rank    [5]int // precedence: exact path, path length, method, headers, query; more is first
	method  string
	headers []func(*http.Request) bool

	backends          []*backend
	total             int
	mirrors           []*mirror
	request, response []change
}

type backend struct {
	weight            int
	addresses         []string
	missing           bool
	request, response []change
}

type mirror struct {
	backend *backend
	percent int
}

// change is one entry of a header modifier.
type change struct{ verb, name, value string }

func (c change) apply(h http.Header) {
	switch c.verb {
	case "set":
		h.Set(c.name, c.value)
	case "add":
		h.Add(c.name, c.value)
	case "remove":
		h.Del(c.name)
	}
}

func (t *table) find(r *http.Request) *rule {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	for _, rule := range t.rules {
		if rule.takes(host, r) {
			return rule
		}
	}
	return nil
}

func (u *rule) takes(host string, r *http.Request) bool {
	if u.host != "" && u.host != host && !(strings.HasPrefix(u.host, "*.") && strings.HasSuffix(host, u.host[1:])) {
		return false
	}
	if !u.path(r.URL.Path) || u.method != "" && u.method != r.Method {
		return false
	}
	for _, h := range u.headers {
		if !h(r) {
			return false
		}
	}
	return true
}

// pick draws a backend by weight; nil when none may be used.
func (u *rule) pick(draw func(int) int) *backend {
	if u.total == 0 {
		return nil
	}
	n := draw(u.total)
	for _, b := range u.backends {
		if n -= b.weight; n < 0 {
			if b.missing {
				return nil
			}
			return b
		}
	}
	return nil
}

// order sorts by the Gateway API's precedence; the sort is stable, so that older routes and earlier rules win a tie.
func (t *table) order() {
	slices.SortStableFunc(t.rules, func(a, b *rule) int {
		if c := hostRank(b.host) - hostRank(a.host); c != 0 {
			return c
		}
		for i := range a.rank {
			if c := cmp.Compare(b.rank[i], a.rank[i]); c != 0 {
				return c
			}
		}
		return 0
	})
}

func hostRank(host string) int {
	switch {
	case host == "":
		return 0
	case strings.HasPrefix(host, "*."):
		return len(host)
	}
	return 1000 + len(host)
}

func pathMatch(kind, value string) func(string) bool {
	switch kind {
	case "Exact":
		return func(p string) bool { return p == value }
	case "RegularExpression":
		return matcher(kind, value)
	}
	prefix := strings.TrimSuffix(value, "/")
	return func(p string) bool {
		return strings.HasPrefix(p, prefix) && (len(p) == len(prefix) || p[len(prefix)] == '/')
	}
}

// matcher compares a whole value; an expression that does not compile takes nothing.
func matcher(kind, value string) func(string) bool {
	if kind != "RegularExpression" {
		return func(s string) bool { return s == value }
	}
	expression, err := regexp.Compile("^(?:" + value + ")$")
	if err != nil {
		return func(string) bool { return false }
	}
	return expression.MatchString
}
