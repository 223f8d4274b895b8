package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
)

// need is one capability that a spec asks of its router.
type need struct {
	field string // of the spec
	what  string
	has   func(traffic.Can) bool
}

// routed says what of a spec its router cannot carry, whatever is installed: the capability, and the routers that have it.
func routed(d spec.Deploy) error {
	t := d.Spec.Traffic
	if t == nil || d.Spec.Strategy.InPlace() {
		return nil
	}
	kind := RouterKind(t.Kind())
	if kind == nil {
		return fmt.Errorf("this version of Tidegate has no router %q", t.Kind())
	}
	var problems []error
	for _, n := range needs(d.Spec.Strategy) {
		if n.has(kind.Can(*t)) {
			continue
		}
		var able []string
		for _, other := range routers() {
			if other.Name() != kind.Name() && n.has(other.Can(spec.Traffic{})) {
				able = append(able, "traffic."+other.Name())
			}
		}
		remedy := "no router of this version can"
		if len(able) > 0 {
			remedy = "these can: " + strings.Join(able, ", ")
		}
		problems = append(problems, fmt.Errorf("%s: the router %s cannot %s; %s", n.field, kind.Name(), n.what, remedy))
	}
	return errors.Join(append(problems, overGRPC(d.Spec)...)...)
}

// overGRPC says what cannot be had of callers over gRPC, who keep no cookies.
func overGRPC(s spec.Spec) []error {
	g := s.Traffic.GatewayAPI
	if g == nil || !slices.ContainsFunc(g.AllRoutes(""), func(r spec.RouteRef) bool { return r.Kind == spec.KindGRPCRoute }) {
		return nil
	}
	var problems []error
	for _, at := range []struct {
		path   string
		canary *spec.Canary
	}{{"spec.strategy.canary", s.Strategy.Canary}, {"spec.strategy.shadow.then.canary", shadowed(s.Strategy)}} {
		c := at.canary
		if c != nil && c.Sticky != nil && c.Sticky.Header == "" {
			problems = append(problems, fmt.Errorf("%s.sticky: users are known by a cookie, and gRPC clients of a GRPCRoute keep none; "+
				"remove it, or divide the requests of an HTTPRoute", at.path))
		}
		if c != nil && c.Internal != nil && len(c.Internal.Cookie) > 0 {
			problems = append(problems, fmt.Errorf("%s.internal.cookie: gRPC clients of a GRPCRoute keep no cookies; name a header", at.path))
		}
	}
	return problems
}

// shadowed is the canary that follows a shadow, if one does.
func shadowed(s spec.Strategy) *spec.Canary {
	if s.Shadow == nil || s.Shadow.Then == nil {
		return nil
	}
	return s.Shadow.Then.Canary
}

// needs are what a strategy asks of any router.
func needs(s spec.Strategy) []need {
	var list []need
	if c := s.Canary; c != nil {
		list = append(list, canaryNeeds("spec.strategy.canary", *c)...)
	}
	if b := s.BlueGreen; b != nil {
		list = append(list, blueGreenNeeds("spec.strategy.blueGreen", *b)...)
	}
	if sh := s.Shadow; sh != nil {
		list = append(list, need{field: "spec.strategy.shadow", what: "copy requests to a second version (mirror)", has: func(c traffic.Can) bool { return c.Mirror }})
		if sh.Then != nil && sh.Then.Canary != nil {
			list = append(list, canaryNeeds("spec.strategy.shadow.then.canary", *sh.Then.Canary)...)
		}
		if sh.Then != nil && sh.Then.BlueGreen != nil {
			list = append(list, blueGreenNeeds("spec.strategy.shadow.then.blueGreen", *sh.Then.BlueGreen)...)
		}
	}
	return list
}

func blueGreenNeeds(path string, b spec.BlueGreen) []need {
	list := []need{{field: path, what: "move requests by weights", has: func(c traffic.Can) bool { return c.Weights }}}
	if b.Preview != nil && b.Preview.Host != "" {
		list = append(list, need{field: path + ".preview.host", what: "answer at a hostname of its own (use preview: {service: NAME})",
			has: func(c traffic.Can) bool { return c.Preview }})
	}
	return list
}

func canaryNeeds(path string, c spec.Canary) []need {
	list := []need{{field: path, what: "divide requests by weights", has: func(c traffic.Can) bool { return c.Weights }}}
	for i, step := range c.Steps {
		if plan.Share(step.Weight)%plan.OnePercent != 0 {
			list = append(list, need{field: fmt.Sprintf("%s.steps[%d]", path, i), what: fmt.Sprintf("send %s: it takes whole percents only", step.Weight),
				has: func(c traffic.Can) bool { return c.Parts }})
			break
		}
	}
	if c.Internal != nil && len(c.Internal.Cookie) > 0 {
		list = append(list, need{field: path + ".internal.cookie", what: "tell requests apart by a cookie (matches)",
			has: func(c traffic.Can) bool { return c.Matches && !c.HeadersOnly }})
	} else if c.Internal != nil {
		list = append(list, need{field: path + ".internal", what: "tell requests apart by a header or a cookie (matches)", has: func(c traffic.Can) bool { return c.Matches }})
	}
	switch {
	case c.Sticky == nil:
	case c.Sticky.Header != "":
		list = append(list, need{field: path + ".sticky.header", what: "divide requests by the hash of a header", has: func(c traffic.Can) bool { return c.HashKey }})
	default:
		list = append(list, need{field: path + ".sticky", what: "keep each user on one version (matches by cookie, and response headers per destination)",
			has: func(c traffic.Can) bool { return c.Cohorts }})
	}
	return list
}
