package spec

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

const head = `apiVersion: tidegate.dev/v1
kind: Deploy
metadata: {name: checkout}
spec:
  workload: deployment/checkout
  strategy: {canary: {steps: [5%, 50%], hold: 5m}}
`

const environments = `  environments:
    staging: {namespace: staging, strategy: {canary: {steps: [50%], hold: null}}}
    production: {namespace: shop}
`

// load is the only service of a text, which must be free of problems.
func load(t *testing.T, text string, o Options) Deploy {
	t.Helper()
	f, err := Load([]byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Deploys) != 1 {
		t.Fatalf("%d services, want 1", len(f.Deploys))
	}
	return f.Deploys[0]
}

// TestAnyEnvironment: where the name says only whom to tell, a spec without environments takes any, and one with
// environments is as strict as ever.
func TestAnyEnvironment(t *testing.T) {
	if _, err := Load([]byte(head), Options{Environment: "staging", AnyEnvironment: true}); err != nil {
		t.Error(err)
	}
	if _, err := Load([]byte(head+environments), Options{Environment: "stagin", AnyEnvironment: true}); err == nil {
		t.Error("an unknown environment beside known ones was taken")
	}
}

func TestLoadEnvironment(t *testing.T) {
	tests := []struct {
		name, text, environment string
		want                    string // of the error
	}{
		{name: "none defined, none chosen", text: head},
		{name: "one chosen", text: head + environments, environment: "staging"},
		{name: "none chosen", text: head + environments,
			want: "tidegate.yaml:8:5: spec.environments: no environment was chosen. Choose one with --environment: `production` or `staging`."},
		{name: "unknown", text: head + environments, environment: "stagin",
			want: "tidegate.yaml:8:5: spec.environments: unknown environment `stagin`: did you mean `staging`? It must be `production` or `staging`."},
		{name: "none defined", text: head, environment: "staging",
			want: "tidegate.yaml:1:1: the environment `staging` was asked for, and none is defined. Leave --environment out, or add spec.environments.staging: {}."},
		{name: "other mistakes are said too", text: head + "  urk: 1\n" + environments,
			want: "tidegate.yaml:7:3: spec.urk: unknown field `urk`: did you mean `url`?\n" +
				"tidegate.yaml:9:5: spec.environments: no environment was chosen. Choose one with --environment: `production` or `staging`."},
		{name: "another one's mistakes do not matter", text: head + environments + "    test: {deadline: 5}\n", environment: "staging"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load([]byte(tt.text), Options{Environment: tt.environment})
			if got := fmt.Sprint(err); got != tt.want && (err != nil || tt.want != "") {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			var problems Problems
			if err != nil && !errors.As(err, &problems) {
				t.Errorf("the error is a %T, not Problems", err)
			}
		})
	}
}

func TestLoadMerges(t *testing.T) {
	staging := load(t, head+environments, Options{Environment: "staging"})
	production := load(t, head+environments, Options{Environment: "production"})
	if staging.Environment != "staging" || staging.Spec.Namespace != "staging" || len(staging.Spec.Strategy.Canary.Steps) != 1 {
		t.Errorf("staging: %+v", staging)
	}
	if hold := staging.Spec.Strategy.Canary.Hold; hold != 0 {
		t.Errorf("hold is %s, the overlay removed it", hold)
	}
	if production.Spec.Namespace != "shop" || len(production.Spec.Strategy.Canary.Steps) != 2 {
		t.Errorf("production: %+v", production)
	}
}

func TestLoadName(t *testing.T) {
	other := strings.ReplaceAll(head, "checkout", "cart")
	d := load(t, head+"---\n"+other, Options{Name: "cart"})
	if d.Spec.Workload.Name != "cart" {
		t.Errorf("got %s", d.Spec.Workload)
	}
	_, err := Load([]byte(head+"---\n"+other), Options{Name: "chekout"})
	want := "tidegate.yaml:1:1: no service is called `chekout`: did you mean `checkout`? The file has `checkout`, `cart`."
	if fmt.Sprint(err) != want {
		t.Errorf("got %v", err)
	}
}

func TestCheckEveryEnvironment(t *testing.T) {
	files, err := Check([]byte(head+environments), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 2 || files[0].Deploys[0].Environment != "production" || files[1].Deploys[0].Environment != "staging" {
		t.Errorf("got %+v", files)
	}
	_, err = Check([]byte(head+environments+"    test: {deadline: 5}\n"), Options{})
	if want := "tidegate.yaml:10:22: spec.environments.test.deadline: 5 has no unit. Write 5s."; fmt.Sprint(err) != want {
		t.Errorf("got %v", err)
	}
	if _, err = Check([]byte(head+environments+"    test: {deadline: 5}\n"), Options{Environment: "staging"}); err != nil {
		t.Errorf("only staging was asked for: %v", err)
	}
}

func TestSizeLimit(t *testing.T) {
	_, err := Load([]byte(head+"# "+strings.Repeat("x", MaxSize)), Options{})
	if err == nil || !strings.Contains(err.Error(), "more than the 1048576 of a spec") {
		t.Errorf("got %v", err)
	}
}

func TestBigFilesAreBounded(t *testing.T) {
	many := head + "  environments:\n"
	for i := range maxEnvironments + 1 {
		many += fmt.Sprintf("    e%d: {}\n", i)
	}
	if _, err := Check([]byte(many), Options{}); err == nil || !strings.Contains(err.Error(), "more than 100 environments") {
		t.Errorf("got %v", err)
	}
}

func TestFind(t *testing.T) {
	file := &fstest.MapFile{}
	tests := []struct {
		name string
		repo fstest.MapFS
		want string
	}{
		{"root", fstest.MapFS{"tidegate.yaml": file}, "tidegate.yaml"},
		{"github", fstest.MapFS{".github/tidegate.yaml": file}, ".github/tidegate.yaml"},
		{"both", fstest.MapFS{"tidegate.yaml": file, ".github/tidegate.yaml": file}, "tidegate.yaml"},
		{"folder", fstest.MapFS{"tidegate.yaml/x": file}, ""},
		{"none", fstest.MapFS{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Find(tt.repo)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q, %v", got, err)
			}
			if err != nil && !strings.Contains(err.Error(), "--spec") {
				t.Errorf("no hint in %v", err)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	digest := func(text string) string { return load(t, text, Options{}).Digest() }
	same := digest(head)
	if !strings.HasPrefix(same, "sha256:") || len(same) != 71 {
		t.Errorf("got %s", same)
	}
	for _, addition := range []string{"", "  deadline: 2h\n", "  context: other\n", "  url: https://x.example.com\n", "  concurrency: queue\n", "# text\n"} {
		if digest(head+addition) != same {
			t.Errorf("%q changes the target", addition)
		}
	}
	for _, addition := range []string{"  namespace: x\n", "  deadline: 3h\n", "  container: app\n",
		"  metrics: {a: {prometheus: {url: \"https://${X}\"}}}\n", "  metrics: {a: {prometheus: {url: \"https://${Y}\"}}}\n"} {
		if got := digest(head + addition); got == same {
			t.Errorf("%q does not change the target", addition)
		} else {
			same = got
		}
	}
}

func TestDigestIsOverTheMergedSpec(t *testing.T) {
	alone := load(t, strings.Replace(head, "spec:\n", "spec:\n  namespace: shop\n", 1), Options{})
	merged := load(t, head+environments, Options{Environment: "production"})
	if alone.Digest() != merged.Digest() {
		t.Error("the way a target was written changes its digest")
	}
}

func TestNames(t *testing.T) {
	d := load(t, head+`  metrics:
    used: {prometheus: {url: "https://${HOST}/${PATH_}", username: "${USER_}", password: "${PASS}", headers: {A: "${HEADER} $${NOT}"}}}
    unused: {prometheus: {url: "https://${UNUSED}"}}
  gates:
    - {name: a, threshold: {from: used, query: up, pass: result > 0}}
`, Options{})
	if got, want := strings.Join(d.Names(), " "), "HEADER HOST PASS PATH_ USER_"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := d.MetricsInUse(); len(got) != 1 || got[0] != "used" {
		t.Errorf("got %v", got)
	}
	if got := (File{Deploys: []Deploy{d, d}}).Names(); len(got) != 5 {
		t.Errorf("got %v", got)
	}
}

func TestKinds(t *testing.T) {
	d := load(t, head+`  traffic: {gatewayAPI: {httpRoute: checkout}}
  metrics: {prom: {prometheus: {url: "https://a.example.com"}}}
  gates:
    - {name: a, threshold: {query: up, pass: result > 0}}
`, Options{})
	got := []string{d.Spec.Traffic.Kind(), d.Spec.Strategy.Kind(), d.Spec.Metrics["prom"].Kind(), d.Spec.Gates[0].Kind(), Strategy{}.Kind()}
	if want := "gatewayAPI canary prometheus threshold "; strings.Join(got, " ") != want {
		t.Errorf("got %q", got)
	}
	routes := d.Spec.Traffic.GatewayAPI.AllRoutes("shop")
	if len(routes) != 1 || routes[0] != (RouteRef{KindHTTPRoute, "checkout", "shop"}) {
		t.Errorf("got %+v", routes)
	}
	if from := d.Spec.Gates[0].Threshold.From; from != "prom" {
		t.Errorf("from is %q, want the only entry", from)
	}
}

// TestWaitAllowsApprovals: an approval where users are on the new version is a mistake unless a job stays, or the spec says
// that nobody has to.
func TestWaitAllowsApprovals(t *testing.T) {
	for _, tt := range []struct {
		name, steps string
		wait, good  bool
	}{
		{"before the first share", "{approve: {message: Go}}, 5%", false, true},
		{"behind it", "5%, {approve: {message: Go}}", false, false},
		{"behind it, and a job stays", "5%, {approve: {message: Go}}", true, true},
		{"behind it, unattended", "5%, {approve: {message: Go, unattended: true}}", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := "apiVersion: tidegate.dev/v1\nkind: Deploy\nmetadata: {name: checkout}\nspec:\n  workload: deployment/checkout\n" +
				"  strategy: {canary: {steps: [" + tt.steps + "]}}\n"
			if _, err := Load([]byte(text), Options{Wait: tt.wait}); (err == nil) != tt.good {
				t.Errorf("error %v", err)
			}
		})
	}
}
