package preflight

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/spec"
)

// laden has everything that costs a call.
func laden(t *testing.T) *world {
	w := newWorld(t)
	claim("ReadWriteMany")(w)
	nodes(9, apart("{app: checkout}"))(w)
	w.patch("workload", `{status: {readyReplicas: 3, availableReplicas: 3}}`)
	w.add(hpa("checkout", "keda"))
	w.add(scaledObject)
	w.add(policy("own", `{podSelector: {matchLabels: {app: checkout}}}`))
	return w
}

func TestCallsAreBounded(t *testing.T) {
	for _, test := range []struct {
		name  string
		world func(*testing.T) *world
		limit int
	}{
		{"healthy", newWorld, 14},
		{"autoscaler", func(t *testing.T) *world { w := newWorld(t); w.add(hpa("checkout", "")); return w }, 13},
		{"laden", laden, MaxCalls},
		{"route of another namespace", func(t *testing.T) *world { w := newWorld(t); fromFront(`{kind: Service}`)(w); return w }, MaxCalls + 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := test.world(t)
			if _, err := w.check(Options{Force: true}); err != nil {
				t.Fatal(err)
			}
			if n := w.calls(); n > test.limit {
				t.Errorf("%d calls, %d are allowed: %v", n, test.limit, w.server.Calls())
			}
			for call := range w.server.Calls() {
				verb, resource, _ := strings.Cut(call, " ")
				if verb == "update" || verb == "delete" || verb == "create" && !strings.HasPrefix(resource, "selfsubject") {
					t.Errorf("preflight writes: %s", call)
				}
			}
		})
	}
}

func TestNothingIsWritten(t *testing.T) {
	w := laden(t)
	w.start()
	before := w.server.Store().Version()
	if _, err := w.check(Options{Force: true}); err != nil {
		t.Fatal(err)
	}
	if after := w.server.Store().Version(); after != before {
		t.Errorf("the store went from version %d to %d", before, after)
	}
}

func TestWhatIsLeftOutIsSaid(t *testing.T) {
	found, err := laden(t).check(Options{Force: true})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(found, func(f Finding) bool { return f.Name == "not-looked-at" })
	if i < 0 || !strings.Contains(found[i].Message, "no more than 15 calls") {
		t.Errorf("found %v", []Finding(found))
	}
}

type rule = func(verb, group, resource, namespace, name string) bool

func denies(verbs, resource string) rule {
	return func(verb, _, r, _, _ string) bool { return strings.Contains(verbs, verb) && r == resource }
}

func TestPermissions(t *testing.T) {
	for _, test := range []struct {
		name   string
		deny   rule
		change func(*world)
		want   string
		says   []string
	}{
		{"several at once", func(verb, _, r, _, _ string) bool {
			return verb == "delete" && r == "deployments" || r == "leases" || r == "pods/log"
		}, nil, "permissions", []string{"delete deployments", "create, update, patch leases", "get pods/log", "kind: Role",
			`apiGroups: ["coordination.k8s.io"]`, "resources: [leases]"}},
		{"route", denies("update", "httproutes"), nil, "permissions", []string{"update httproutes"}},
		{"autoscaler unused", denies("update", "horizontalpodautoscalers"), nil, "", nil},
		{"autoscaler in use", denies("update", "horizontalpodautoscalers"), adding(hpa("checkout", "")), "permissions", []string{"update horizontalpodautoscalers"}},
		{"scaled object in use", denies("list get update", "scaledobjects"), adding(hpa("checkout", "keda")), "permissions", []string{"list, get, update scaledobjects"}},
		{"policies without copies", denies("create", "networkpolicies"), adding(policy("all", `{podSelector: {}}`)), "", nil},
		{"policies to copy", denies("create", "networkpolicies"), adding(policy("own", `{podSelector: {matchLabels: {app: checkout}}}`)), "permissions", []string{"create networkpolicies"}},
		{"policies not listed", denies("list", "networkpolicies"), nil, "permissions", []string{"list networkpolicies"}},
		{"events", denies("create", "events"), nil, "no-events", []string{"create events"}},
		{"quotas", denies("list", "resourcequotas"), nil, "not-looked-at", []string{"whether a quota has room", "may not be listed"}},
		{"nodes", denies("list", "nodes"), nodes(0, apart("{app: checkout}")), "not-looked-at", []string{"enough nodes"}},
		{"classes", denies("list", "gatewayclasses"), nil, "not-looked-at", []string{"beyond the core"}},
		{"vertical autoscalers", denies("list", "verticalpodautoscalers"), nil, "not-looked-at", []string{"VerticalPodAutoscaler"}},
		{"no review", denies("create", "selfsubjectrulesreviews"), nil, "permissions-unknown", []string{"does not say"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			if test.change != nil {
				test.change(w)
			}
			w.start()
			w.server.Deny(test.deny)
			found, err := w.check(Options{})
			if err != nil {
				t.Fatal(err)
			}
			expect(t, found, test.want, test.says)
		})
	}
}

func expect(t *testing.T, found Findings, want string, says []string) {
	t.Helper()
	if want == "" {
		if len(found) > 0 {
			t.Errorf("found %v", []Finding(found))
		}
		return
	}
	if len(found) != 1 || found[0].Name != want {
		t.Fatalf("found %v", []Finding(found))
	}
	for _, s := range says {
		if !strings.Contains(found[0].String(), s) {
			t.Errorf("%q is not in: %v", s, found[0])
		}
	}
	if stops := found.Err() != nil; stops != (found[0].Level == Error) {
		t.Errorf("stops: %v", stops)
	}
}

func TestForbiddenToReadSaysAllThatIsMissing(t *testing.T) {
	for _, resource := range []string{"deployments", "services", "httproutes"} {
		t.Run(resource, func(t *testing.T) {
			w := newWorld(t)
			w.start()
			w.server.Deny(func(verb, group, r, ns, name string) bool { return verb == "list" && r == resource || r == "leases" })
			_, err := w.observe()
			var found Findings
			if !errors.As(err, &found) {
				t.Fatalf("error is %v", err)
			}
			for _, says := range []string{"list " + resource, "leases", "kind: Role", "namespace: shop"} {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%q is not in: %v", says, err)
				}
			}
		})
	}
}

// vague answers rules reviews as a server does whose authorizer cannot list its rules.
type vague struct{ http.RoundTripper }

func (v vague) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/selfsubjectrulesreviews") {
		return v.RoundTripper.RoundTrip(r)
	}
	body := `{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectRulesReview","status":{"incomplete":true,"nonResourceRules":[],
"resourceRules":[{"verbs":["*"],"apiGroups":[""],"resources":["*"]}]}}`
	return &http.Response{StatusCode: http.StatusCreated, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func TestIncompleteRulesAreAskedOneByOne(t *testing.T) {
	doubtful := 0 // verbs outside the core group, which is all that the rules list
	for _, p := range Needed(Use{Namespace: "shop", Routes: []plan.Ref{{APIVersion: kube.GatewayVersion, Kind: "HTTPRoute", Namespace: "shop", Name: "checkout"}}}) {
		if p.Group != "" && p.Namespace != "" {
			doubtful += len(p.Verbs)
		}
	}
	for _, test := range []struct {
		name    string
		deny    rule
		reviews int
		want    string
	}{
		{"everything is allowed", nil, 1, ""},
		{"one is not", func(verb, group, r, _, _ string) bool { return group == "*" || verb == "delete" && r == "deployments" }, 1 + doubtful, "permissions"},
		{"enough is", func(_, group, _, _, _ string) bool { return group == "*" }, 1 + doubtful, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.start()
			w.connect(vague{w.server.RoundTripper()})
			w.server.Deny(test.deny)
			found, err := w.check(Options{})
			if err != nil {
				t.Fatal(err)
			}
			expect(t, found, test.want, []string{"delete deployments"})
			if n := w.server.Calls()["create selfsubjectaccessreviews"]; n != test.reviews {
				t.Errorf("%d access reviews, expected %d", n, test.reviews)
			}
		})
	}
}

func TestGrantedByNames(t *testing.T) {
	p := Permission{Group: "apps", Resource: "deployments", Names: []string{"checkout", "checkout-candidate"}}
	for _, test := range []struct {
		name, rules, verb string
		want              bool
	}{
		{"all", `[{verbs: ["*"], apiGroups: ["*"], resources: ["*"]}]`, "patch", true},
		{"exact", `[{verbs: [get, patch], apiGroups: [apps], resources: [deployments]}]`, "patch", true},
		{"other verb", `[{verbs: [get], apiGroups: [apps], resources: [deployments]}]`, "patch", false},
		{"other group", `[{verbs: [patch], apiGroups: [extensions], resources: [deployments]}]`, "patch", false},
		{"subresource only", `[{verbs: [patch], apiGroups: [apps], resources: [deployments/scale]}]`, "patch", false},
		{"both names", `[{verbs: [patch], apiGroups: [apps], resources: [deployments], resourceNames: [checkout, checkout-candidate]}]`, "patch", true},
		{"both names in two rules", `[{verbs: [patch], apiGroups: [apps], resources: [deployments], resourceNames: [checkout]},
  {verbs: [patch], apiGroups: [apps], resources: [deployments], resourceNames: [checkout-candidate]}]`, "patch", true},
		{"one name", `[{verbs: [patch], apiGroups: [apps], resources: [deployments], resourceNames: [checkout]}]`, "patch", false},
		{"names do not allow to list", `[{verbs: [list], apiGroups: [apps], resources: [deployments], resourceNames: [checkout, checkout-candidate]}]`, "list", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := granted(listAt(parse(t, "{rules: "+test.rules+"}"), "rules"), p, test.verb); got != test.want {
				t.Errorf("granted: %v", got)
			}
		})
	}
	if !granted(listAt(parse(t, `{rules: [{verbs: [get], apiGroups: [""], resources: ["*/log"]}]}`), "rules"), Permission{Resource: "pods/log"}, "get") {
		t.Error("*/log does not cover pods/log")
	}
}

func TestDryRun(t *testing.T) {
	deployments := schema.GroupResource{Group: "apps", Resource: "deployments"}
	for _, test := range []struct {
		name   string
		answer error
		want   string
		says   []string
	}{
		{"policy", apierrors.NewForbidden(deployments, "checkout-candidate", errors.New(`admission webhook "k.example" denied the request: no owner label`)), "refused", []string{"no owner label"}},
		{"bad request", apierrors.NewBadRequest(`admission webhook "k.example" denied the request: latest is not a tag`), "refused", []string{"latest is not a tag"}},
		{"no dry run", apierrors.NewBadRequest(`admission webhook "k.example" does not support dry run`), "dry-run-unsupported", []string{"k.example"}},
		{"no permission", apierrors.NewForbidden(deployments, "checkout-candidate", errors.New(`User "ci" cannot patch resource "deployments"`)), "permissions", []string{"Grant patch of deployments"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.start()
			w.server.Intercept(func(r *http.Request) *apiserver.Fault {
				if r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/deployments/") {
					return &apiserver.Fault{Answer: test.answer}
				}
				return nil
			})
			found, err := w.check(Options{})
			if err != nil {
				t.Fatal(err)
			}
			expect(t, found, test.want, test.says)
		})
	}
}

func TestServerRefusesTheCandidate(t *testing.T) {
	w := newWorld(t)
	o, in, p := w.compiled()
	mapAt(p.Objects.Create[0], "spec", "selector", "matchLabels")["app"] = "else" // no longer the template's
	found, err := Check(t.Context(), w.client, o, in, p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, found, "refused", []string{"does not match template"})
}

func TestOptions(t *testing.T) {
	w := newWorld(t)
	w.patch("workload", `{spec: {paused: true}, status: {readyReplicas: 3}, metadata: {ownerReferences: [{kind: Website, name: shop, apiVersion: v1, uid: u}]}}`)
	for _, test := range []struct {
		name string
		opts Options
		left []string // names that still stop the rollout
		says string   // in the error of the options
	}{
		{"nothing", Options{}, []string{"base-not-whole", "paused", "owned"}, ""},
		{"accept", Options{Accept: []string{"owned"}}, []string{"base-not-whole", "paused"}, ""},
		{"force", Options{Force: true}, []string{"paused", "owned"}, ""},
		{"both", Options{Force: true, Accept: []string{"owned", "helm"}}, []string{"paused"}, ""},
		{"unknown", Options{Accept: []string{"ownd"}}, nil, "no finding of this name"},
		{"final", Options{Accept: []string{"paused"}}, nil, "cannot be accepted"},
		{"force by name", Options{Accept: []string{"base-not-whole"}}, nil, "needs --force"},
	} {
		t.Run(test.name, func(t *testing.T) {
			found, err := w.check(test.opts)
			if test.says != "" {
				var wrong *Invalid
				if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("error is %v", err)
				}
				return
			}
			var left []string
			for _, f := range found.stopping() {
				left = append(left, f.Name)
			}
			if err != nil || !slices.Equal(left, test.left) {
				t.Errorf("stopped by %v, error %v", left, err)
			}
		})
	}
}

func TestErrorSaysEverything(t *testing.T) {
	w := newWorld(t)
	w.patch("workload", `{spec: {paused: true, revisionHistoryLimit: 0}, status: {readyReplicas: 3}, metadata: {ownerReferences: [{kind: Website, name: shop, apiVersion: v1, uid: u}]}}`)
	found, err := w.check(Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := found.Err().Error()
	for _, says := range []string{"nothing was touched: 3 things", "--accept owned", "--force", "kubectl rollout resume deployment/checkout -n shop", "Set the image where Website/shop gets it from"} {
		if !strings.Contains(text, says) {
			t.Errorf("%q is not in: %s", says, text)
		}
	}
	if strings.Contains(text, "no-revision-history") || strings.Contains(text, "--accept paused") {
		t.Errorf("the error says too much: %s", text)
	}
}

func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kinds() {
		if seen[k.Name] || k.Says == "" || k.Level == "" || k.Final && k.Force {
			t.Errorf("bad row %+v", k)
		}
		seen[k.Name] = true
	}
}

func TestNeededCoversWhatIsCalled(t *testing.T) {
	everything := Needed(Use{Namespace: "shop", Everything: true})
	rules := []any{}
	for _, r := range Rules(everything) {
		rules = append(rules, map[string]any{"verbs": anys(r.Verbs), "apiGroups": anys(r.APIGroups), "resources": anys(r.Resources)})
	}
	role := listAt(map[string]any{"rules": rules}, "rules")
	w := laden(t)
	w.start()
	w.server.Deny(func(verb, group, resource, _, _ string) bool {
		return group != "authorization.k8s.io" && !granted(role, Permission{Group: group, Resource: resource}, verb)
	})
	found, err := w.check(Options{Force: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if f.Name == "permissions" || f.Name == "not-looked-at" && strings.Contains(f.Message, "may not be listed") {
			t.Errorf("the Role that Needed makes is not enough: %v", f)
		}
	}
}

func anys(list []string) []any {
	all := make([]any, len(list))
	for i, s := range list {
		all[i] = s
	}
	return all
}

func TestRouteOfAnotherNamespaceNeedsItsOwnRole(t *testing.T) {
	w := newWorld(t)
	fromFront(`{kind: Service}`)(w)
	w.deploy.Spec.Traffic.GatewayAPI.Routes = append(w.deploy.Spec.Traffic.GatewayAPI.Routes[:0:0], spec.RouteRef{Kind: spec.KindHTTPRoute, Name: "checkout", Namespace: "front"})
	w.start()
	w.server.Deny(func(verb, _, r, ns, _ string) bool { return verb == "update" && r == "httproutes" })
	found, err := w.check(Options{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, found, "permissions", []string{"Namespace/front", "namespace: front", "update httproutes"})
}
