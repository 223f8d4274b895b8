package house

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/catalog"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
	"github.com/tidegate/tidegate/internal/traffic/described"
)

// routers is a table of the routers in the spec's order and of what each can, keeping what is written about what was tried.
func routers(t *testing.T, present string) string {
	tried := lastCells(present)
	var b strings.Builder
	b.WriteString("| router | divides the requests of | shares | fractions of a percent | ring | sticky | copies | preview by host | in force after | what was tried |\n" +
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, f := range reflect.VisibleFields(reflect.TypeFor[spec.Traffic]()) {
		if !slices.Contains(strings.Split(f.Tag.Get("spec"), ","), "oneof") {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		kind := catalog.RouterKind(name)
		if kind == nil {
			t.Errorf("the spec has a block for the router %s, and the catalog has no such router", name)
			continue
		}
		if tried[name] == "" {
			t.Errorf("docs/routers.md does not say what was tried of %s", name)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", linked(name, kind), f.Tag.Get("doc"), abilities(t, kind), inForce(kind), tried[name])
	}
	return b.String()
}

// linked is a router's name with the page about it.
func linked(name string, kind traffic.Kind) string {
	page := map[string]string{"gatewayAPI": "canary", "ingressNginx": "ingress-nginx"}[name]
	if _, ok := kind.(described.Kind); ok {
		page = "custom-router"
	}
	if page == "" {
		page = name
	}
	if _, err := os.Stat(filepath.Join(root, "docs", page+".md")); err != nil {
		return "`" + name + "`"
	}
	return "[`" + name + "`](" + page + ".md)"
}

// abilities are the cells of what a router can. What differs between its least and its most is the spec's to say.
func abilities(t *testing.T, kind traffic.Kind) string {
	least, most := kind.Can(spec.Traffic{Custom: &spec.Custom{}}), kind.Can(spec.Traffic{})
	if most.HashKey {
		t.Errorf("%s divides by the hash of a header, and docs/routers.md says that no router does", kind.Name())
	}
	var cells []string
	for _, has := range []func(traffic.Can) bool{
		func(c traffic.Can) bool { return c.Weights },
		func(c traffic.Can) bool { return c.Parts },
		func(c traffic.Can) bool { return c.Matches },
		func(c traffic.Can) bool { return c.Cohorts },
		func(c traffic.Can) bool { return c.Mirror },
		func(c traffic.Can) bool { return c.Preview },
	} {
		switch {
		case has(least):
			cells = append(cells, "yes")
		case has(most):
			cells = append(cells, "as described")
		default:
			cells = append(cells, "–")
		}
	}
	return strings.Join(cells, " | ")
}

// inForce says what has to pass until a split counts: a status that has to say so is missed in an object that has none.
func inForce(kind traffic.Kind) string {
	if kind.Name() == described.Custom {
		return "`accepted`, if it is given, and `guard`"
	}
	unanswered := plan.Object{"spec": map[string]any{"parentRefs": []any{map[string]any{"name": "gateway"}}}}
	if a, ok := kind.(traffic.Acceptance); ok && a.NotAccepted(unanswered) != "" {
		return "its status, and `guard`"
	}
	return "`guard`"
}
