package house

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// pkg is a package as `go list` tells it.
type pkg struct {
	ImportPath string
	Imports    []string
}

// allowed says what the packages of a pattern may import, of ours (from the root) and of others (by prefix). The first
// pattern that fits counts; what a package's own test files import is free.
type allowed struct {
	pattern      string
	ours, others string
}

// directions is the one table of who may import whom: cmd, cli, app, catalog, implementations, interfaces, data. A new
// package needs a line here, unless a pattern fits it already.
func directions() []allowed {
	return []allowed{
		{"cmd/tidegate", "internal/cli internal/routine", ""},
		{"internal/cli", "internal/actions internal/app internal/clock internal/demo internal/engine internal/plan internal/preflight internal/report " +
			"internal/report/live internal/report/page internal/report/summary internal/report/timeline internal/routine internal/spec",
			"github.com/spf13/ golang.org/x/term"},
		{"internal/cloud", "internal/clock", "github.com/aws/aws-sdk-go-v2/ github.com/Azure/azure-sdk-for-go/sdk/ golang.org/x/oauth2"},
		{"internal/actions", "", "github.com/sethvargo/go-githubactions"},
		{"internal/github", "gates internal/clock internal/engine internal/plan internal/report internal/report/words internal/routine",
			"github.com/google/go-github/v60/"},
		{"internal/demo", "internal/app internal/clock internal/report internal/routine internal/sandbox internal/sandbox/github internal/sandbox/load " +
			"internal/sandbox/service internal/spec", ""},
		{"internal/app", "gates gates/kubernetes internal/actuate internal/catalog internal/clock internal/cloud internal/engine internal/github internal/kube internal/metrics " +
			"internal/plan internal/preflight internal/report internal/routine internal/spec internal/state/cluster internal/traffic " +
			"strategies", "k8s.io/"},
		{"internal/catalog", "gates gates/* internal/clock internal/kube internal/metrics internal/metrics/* internal/plan internal/spec " +
			"internal/traffic internal/traffic/* strategies strategies/*", ""},

		{"internal/preflight", "internal/catalog internal/kube internal/plan internal/spec internal/traffic internal/traffic/gatewayapi internal/traffic/ingressnginx internal/traffic/selector strategies", "k8s.io/apimachinery/"},
		{"internal/actuate", "internal/clock internal/engine internal/kube internal/plan internal/routine internal/traffic", "k8s.io/apimachinery/"},
		{"internal/state/cluster", "gates internal/clock internal/engine internal/plan internal/routine", "k8s.io/"},
		{"internal/state/memory", "internal/clock internal/engine internal/routine", ""},
		{"internal/state/contract", "internal/engine internal/plan", ""},
		{"internal/state", "", ""},
		{"internal/report/live", "gates internal/engine internal/plan internal/report internal/report/words", ""},
		{"internal/report/story", "gates internal/engine internal/plan", ""},
		{"internal/report/words", "", ""},
		{"internal/report/timeline", "gates internal/engine internal/plan internal/report internal/report/words", ""},
		{"internal/report/sheet", "gates internal/engine internal/plan internal/report internal/report/timeline internal/report/words", ""},
		{"internal/report/sheet/scene", "internal/engine internal/report internal/report/sheet internal/report/story internal/report/timeline", ""},
		{"internal/report/summary", "internal/plan internal/report internal/report/sheet internal/report/words", ""},
		{"internal/report/page", "gates internal/plan internal/report internal/report/sheet internal/report/timeline internal/report/words", ""},
		{"internal/report", "gates internal/engine internal/plan internal/report/words", ""},

		{"internal/traffic", "internal/kube internal/plan internal/spec", "k8s.io/apimachinery/"},
		{"internal/traffic/contract", "internal/clock internal/kube internal/plan internal/sandbox internal/sandbox/service internal/spec internal/traffic", "k8s.io/"},
		{"internal/traffic/described", "internal/fieldpath internal/kube internal/plan internal/spec internal/traffic", "k8s.io/apimachinery/ github.com/expr-lang/expr"},
		{"internal/traffic/*", "internal/kube internal/plan internal/spec internal/traffic", "k8s.io/apimachinery/"},
		{"internal/metrics", "", ""},
		{"internal/metrics/query", "", ""},
		{"internal/metrics/httpclient", "internal/clock internal/metrics", ""},
		{"internal/metrics/contract", "internal/clock internal/metrics", ""},
		{"internal/metrics/prometheus", "internal/clock internal/metrics internal/metrics/httpclient",
			"github.com/prometheus/client_golang/ github.com/prometheus/common/ go.yaml.in/yaml/"},
		{"internal/metrics/*", "internal/clock internal/metrics internal/metrics/httpclient", ""},
		{"gates", "", ""},
		{"gates/*", "gates internal/metrics internal/metrics/query", "github.com/expr-lang/expr"},
		{"strategies", "internal/plan internal/spec", "k8s.io/apimachinery/"},
		{"strategies/*", "internal/plan internal/spec strategies", "k8s.io/apimachinery/"},
		{"internal/engine", "gates internal/clock internal/plan internal/routine", ""},
		{"internal/kube", "internal/clock internal/plan internal/routine", "k8s.io/"},

		{"internal/spec", "internal/fieldpath", "github.com/expr-lang/expr go.yaml.in/yaml/"},
		{"internal/fieldpath", "", ""},
		{"internal/plan", "", ""},
		{"internal/clock", "internal/routine", ""},
		{"internal/routine", "", ""},
		{"internal/house", "", ""},

		// The embedded cluster knows nothing of the product but the clock.
		{"internal/sandbox", "internal/clock internal/sandbox/*", "k8s.io/ sigs.k8s.io/"},
		{"internal/sandbox/load", "internal/clock", ""},
		{"internal/sandbox/service", "internal/clock", ""},
		{"internal/sandbox/prom", "internal/clock", "github.com/prometheus/prometheus/"},
		{"internal/sandbox/github", "internal/clock testdata/github", "github.com/getkin/kin-openapi/"},
		{"internal/sandbox/runner", "internal/clock internal/routine", "go.yaml.in/yaml/"},
		{"internal/sandbox/*", "internal/clock internal/sandbox/apiserver internal/sandbox/service", "k8s.io/ sigs.k8s.io/"},
		{"testdata/service", "internal/sandbox/service", ""},
		{"internal/e2e", "internal/* internal/*/* gates gates/* strategies strategies/*", "k8s.io/ sigs.k8s.io/"}, // tests of the whole
	}
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range packages(t) {
		rel := strings.TrimPrefix(p.ImportPath, module)
		rule, ok := ruleFor(rel)
		if !ok {
			t.Errorf("%s has no line in the table of import directions: add one, as narrow as it can be", rel)
			continue
		}
		for _, imported := range p.Imports {
			if !rule.allows(imported) {
				t.Errorf("%s imports %s; it may import of ours: %s; of others: %s", rel, imported, orNone(rule.ours), orNone(rule.others))
			}
		}
	}
}

// What one would not see in the table at a glance.
func TestTheTableKeepsItsPromises(t *testing.T) {
	for _, tt := range []struct{ from, to string }{
		{"internal/engine", "strategies"},
		{"internal/engine", "strategies/canary"},
		{"internal/engine", "gates/threshold"},
		{"internal/engine", "internal/traffic"},
		{"internal/engine", "internal/kube"},
		{"internal/spec", "internal/plan"},
		{"internal/plan", "internal/spec"},
		{"strategies/canary", "strategies/rolling"},
		{"gates/threshold", "gates/kubernetes"},
		{"internal/metrics/prometheus", "internal/metrics/datadog"},
		{"internal/traffic/gatewayapi", "internal/traffic/istio"},
		{"internal/app", "internal/sandbox"},
		{"internal/preflight", "internal/sandbox/apiserver"},
		{"internal/report", "internal/app"},
		{"internal/sandbox", "internal/engine"},
	} {
		if rule, ok := ruleFor(tt.from); !ok || rule.allows(module+tt.to) {
			t.Errorf("%s may import %s", tt.from, tt.to)
		}
	}
	if rule, _ := ruleFor("internal/engine"); rule.allows("k8s.io/client-go/dynamic") || !rule.allows("net/http") {
		t.Error("other people's packages are not told apart from the standard library")
	}
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 20 {
		t.Fatalf("go list told of %d packages only", len(all))
	}
	return all
}

func ruleFor(rel string) (allowed, bool) {
	i := slices.IndexFunc(directions(), func(a allowed) bool { return fits(a.pattern, rel) })
	if i < 0 {
		return allowed{}, false
	}
	return directions()[i], true
}

func (a allowed) allows(imported string) bool {
	if rel, ours := strings.CutPrefix(imported, module); ours {
		return slices.ContainsFunc(strings.Fields(a.ours), func(p string) bool { return fits(p, rel) })
	}
	host, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(host, ".") ||
		slices.ContainsFunc(strings.Fields(a.others), func(p string) bool { return strings.HasPrefix(imported, p) })
}

func fits(pattern, rel string) bool {
	ok, err := path.Match(pattern, rel)
	return err == nil && ok
}

func orNone(list string) string {
	if list == "" {
		return "none"
	}
	return list
}
