package gateway

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// istio adds the HTTP routes of VirtualServices. Of one that delegates, those of its delegates stand in the place of the route
// that names them. A host's routes keep their order, for the first that matches wins: none has a rank.
//
// Every VirtualService is obeyed, whatever gateways it names. Rewrites, redirects, faults and the choice of a subset's pods
// are not: a subset is all of its Service, and a route without destinations has no backend.
func (c *compiler) istio(services []object) {
	for _, vs := range services {
		hosts, _ := at(vs, "spec")["hosts"].([]any)
		for _, spec := range delegated(vs, services) {
			shared := c.istioRule(str(spec.home, "metadata", "namespace"), spec.route)
			for _, match := range matchesOf(spec.route) {
				for _, h := range hosts {
					host, _ := h.(string)
					one := *shared
					if one.host = host; host == "*" {
						one.host = ""
					}
					one.istioMatch(match)
					c.table.rules = append(c.table.rules, &one)
				}
			}
		}
	}
}

// homed is an HTTP route and the VirtualService in which it stands, whose namespace short hosts mean.
type homed struct{ route, home object }

// delegated are the HTTP routes of a VirtualService, with those of the ones that it delegates to.
func delegated(vs object, services []object) []homed {
	var all []homed
	for _, route := range list(vs, "spec", "http") {
		to := at(route, "delegate")
		if to == nil {
			all = append(all, homed{route, vs})
			continue
		}
		namespace := str(to, "namespace")
		if namespace == "" {
			namespace = str(vs, "metadata", "namespace")
		}
		for _, other := range services {
			if str(other, "metadata", "name") != str(to, "name") || str(other, "metadata", "namespace") != namespace {
				continue
			}
			for _, sub := range list(other, "spec", "http") {
				all = append(all, homed{both(route, sub), other})
			}
		}
	}
	return all
}

// both is a delegate's route for those requests that the root gives it.
func both(root, sub object) object {
	merged := maps.Clone(sub)
	var matches []any
	for _, r := range matchesOf(root) {
		for _, s := range matchesOf(sub) {
			one := maps.Clone(r)
			maps.Copy(one, s)
			for _, field := range []string{"headers", "withoutHeaders", "queryParams"} {
				joined := maps.Clone(at(r, field))
				if joined == nil {
					joined = object{}
				}
				maps.Copy(joined, at(s, field))
				one[field] = joined
			}
			matches = append(matches, one)
		}
	}
	merged["match"] = matches
	return merged
}

func matchesOf(route object) []object {
	if all := list(route, "match"); len(all) > 0 {
		return all
	}
	return []object{{}}
}

func (c *compiler) istioRule(ns string, spec object) *rule {
	u := &rule{}
	u.request, u.response = operations(spec)
	entries := list(spec, "route")
	for _, e := range entries {
		b := c.istioBackend(ns, at(e, "destination"))
		b.request, b.response = operations(e)
		if n, _ := e["weight"].(int64); len(entries) > 1 {
			b.weight = int(n)
		}
		u.backends = append(u.backends, b)
		u.total += b.weight
	}
	if to := at(spec, "mirror"); to != nil {
		u.mirrors = append(u.mirrors, &mirror{c.istioBackend(ns, to), percentOf(spec, "mirrorPercentage")})
	}
	for _, m := range list(spec, "mirrors") {
		u.mirrors = append(u.mirrors, &mirror{c.istioBackend(ns, at(m, "destination")), percentOf(m, "percentage")})
	}
	return u
}

// percentOf is a percentage as the table has it: whole, and no less than one where something is to be copied.
func percentOf(o object, field string) int {
	switch v := at(o, field)["value"].(type) {
	case int64:
		return int(v)
	case float64:
		return max(int(v), 1)
	}
	return 100
}

// istioBackend finds the Service of a host: NAME, NAME.NAMESPACE, or that with svc and the cluster's domain.
func (c *compiler) istioBackend(ns string, to object) *backend {
	parts := strings.Split(str(to, "host"), ".")
	if len(parts) > 1 {
		ns = parts[1]
	}
	key := ns + "/" + parts[0]
	return &backend{weight: 1, addresses: c.addresses[key], missing: !c.services[key]}
}

// operations are the header changes of a route or a destination. In their values %% stands for a percent sign.
func operations(o object) (request, response []change) {
	read := func(m object) (all []change) {
		for _, verb := range []string{"set", "add"} {
			values := at(m, verb)
			for _, name := range slices.Sorted(maps.Keys(values)) {
				all = append(all, change{verb, name, strings.ReplaceAll(str(values, name), "%%", "%")})
			}
		}
		names, _ := m["remove"].([]any)
		for _, n := range names {
			name, _ := n.(string)
			all = append([]change{{verb: "remove", name: name}}, all...) // before what is added
		}
		return all
	}
	return read(at(o, "headers", "request")), read(at(o, "headers", "response"))
}

func (u *rule) istioMatch(m object) {
	u.path = textMatch(at(m, "uri"))
	if fold, _ := m["ignoreUriCase"].(bool); fold {
		lower := object{}
		for kind, v := range at(m, "uri") {
			text, _ := v.(string)
			lower[kind] = strings.ToLower(text)
		}
		same := textMatch(lower)
		u.path = func(p string) bool { return same(strings.ToLower(p)) }
	}
	u.headers = nil
	for _, field := range []struct {
		name  string
		value func(r *http.Request) string
	}{{"method", func(r *http.Request) string { return r.Method }}, {"authority", func(r *http.Request) string { return r.Host }}} {
		same := textMatch(at(m, field.name))
		u.headers = append(u.headers, func(r *http.Request) bool { return same(field.value(r)) })
	}
	for name := range at(m, "headers") {
		u.headers = append(u.headers, headerMatch(name, at(m, "headers", name)))
	}
	for name := range at(m, "withoutHeaders") {
		has := headerMatch(name, at(m, "withoutHeaders", name))
		u.headers = append(u.headers, func(r *http.Request) bool { return !has(r) })
	}
	for name := range at(m, "queryParams") {
		same := textMatch(at(m, "queryParams", name))
		u.headers = append(u.headers, func(r *http.Request) bool { return r.URL.Query().Has(name) && same(r.URL.Query().Get(name)) })
	}
	if len(at(m, "sourceLabels")) > 0 || str(m, "sourceNamespace") != "" {
		u.headers = append(u.headers, func(*http.Request) bool { return false }) // only the mesh has such requests
	}
}

func headerMatch(name string, match object) func(*http.Request) bool {
	same, separator := textMatch(match), ","
	if strings.EqualFold(name, "Cookie") {
		separator = "; "
	}
	return func(r *http.Request) bool {
		values := r.Header.Values(name)
		return len(values) > 0 && same(strings.Join(values, separator))
	}
}

// textMatch compares a text as Istio does: an expression takes the whole of it. No match takes everything.
func textMatch(match object) func(string) bool {
	for kind, v := range match {
		value, _ := v.(string)
		switch kind {
		case "exact":
			return func(s string) bool { return s == value }
		case "prefix":
			return func(s string) bool { return strings.HasPrefix(s, value) }
		case "regex":
			return matcher("RegularExpression", value)
		}
	}
	return func(string) bool { return true }
}
