package gatewayapi

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/tidegate/tidegate/internal/plan"
)

const mark = "tidegate.dev/original.checkout"

var shop = plan.Traffic{Namespace: "shop", Base: "checkout", Candidate: "checkout-candidate"}

func route(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
		t.Fatal(err)
	}
	return u
}

const plain = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: checkout, namespace: shop, annotations: {team: red}}
spec:
  hostnames: [checkout.example.com]
  rules:
  - name: static
    matches: [{path: {type: PathPrefix, value: /static}}]
    backendRefs: [{group: "", kind: Service, name: cdn, port: 80, weight: 1}]
  - name: api
    matches: [{path: {type: PathPrefix, value: /}}]
    filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-A, value: b}]}}]
    timeouts: {request: 10s}
    futureField: {kept: true}
    backendRefs: [{group: "", kind: Service, name: checkout, port: 80, weight: 1}]
`

// weights lists name=weight of every backend of a rule.
func weights(t *testing.T, route *unstructured.Unstructured, rule int) map[string]int64 {
	t.Helper()
	rules, err := readRules(route)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, ref := range backends(rules[rule]) {
		got[ref["name"].(string)] = weightOf(ref)
	}
	return got
}

func TestSplitSetsWeights(t *testing.T) {
	for _, tc := range []struct {
		name            string
		share           plan.Share
		base, candidate int64
	}{
		{"a tenth", 10 * plan.OnePercent, 90, 10},
		{"everything", plan.All, 0, 100},
		{"a fraction", 12*plan.OnePercent + 500, 7, 1},
		{"a small fraction", 500, 199, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := route(t, plain)
			if changed, err := split(r, shop, mark, plan.Split{Weight: tc.share}); err != nil || !changed {
				t.Fatalf("changed %v, err %v", changed, err)
			}
			got := weights(t, r, 1)
			if got["checkout"] != tc.base || got["checkout-candidate"] != tc.candidate {
				t.Errorf("weights %v, want %d to %d", got, tc.base, tc.candidate)
			}
			if other := weights(t, r, 0); len(other) != 1 || other["cdn"] != 1 {
				t.Errorf("the rule that is not ours became %v", other)
			}
		})
	}
}

func TestSplitTwiceIsSplitOnce(t *testing.T) {
	r := route(t, plain)
	if _, err := split(r, shop, mark, plan.Split{Weight: 10 * plan.OnePercent}); err != nil {
		t.Fatal(err)
	}
	if changed, err := split(r, shop, mark, plan.Split{Weight: 10 * plan.OnePercent}); changed || err != nil {
		t.Errorf("the same split again: changed %v, err %v", changed, err)
	}
}

func TestRestoreGivesTheRouteBack(t *testing.T) {
	for _, tc := range []struct{ name, text string }{
		{"one backend", plain},
		{"neighbours", `
metadata: {name: r, namespace: shop}
spec:
  rules:
  - backendRefs: [{name: checkout, port: 80, weight: 3}, {name: legacy, port: 80, weight: 1}]
`},
		{"two rules", `
metadata: {name: r, namespace: shop}
spec:
  rules:
  - matches: [{path: {value: /a}}]
    backendRefs: [{name: checkout, port: 80, weight: 1}]
  - matches: [{path: {value: /b}}]
    backendRefs: [{name: checkout, port: 81, weight: 5, filters: [{type: X}]}]
`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, want := route(t, tc.text), route(t, tc.text)
			for _, share := range []plan.Share{10 * plan.OnePercent, 500, 50 * plan.OnePercent, plan.All} {
				if _, err := split(r, shop, mark, plan.Split{Weight: share}); err != nil {
					t.Fatal(err)
				}
			}
			if changed, err := restore(r, shop, mark, nil); err != nil || !changed {
				t.Fatalf("changed %v, err %v", changed, err)
			}
			if plan.Digest(r.Object) != plan.Digest(want.Object) {
				t.Errorf("restored to\n%v\nwant\n%v", r.Object, want.Object)
			}
		})
	}
}

func TestNeighboursKeepTheirShare(t *testing.T) {
	r := route(t, `
metadata: {name: r, namespace: shop}
spec:
  rules:
  - backendRefs: [{name: checkout, port: 80, weight: 3}, {name: legacy, port: 80, weight: 1}]
`)
	if _, err := split(r, shop, mark, plan.Split{Weight: 50 * plan.OnePercent}); err != nil {
		t.Fatal(err)
	}
	got := weights(t, r, 0)
	if got["checkout"] != 150 || got["checkout-candidate"] != 150 || got["legacy"] != 100 {
		t.Errorf("weights %v: legacy must keep a quarter, the rest is halved", got)
	}
}

func TestRestoreKeepsWhatOthersChanged(t *testing.T) {
	r := route(t, plain)
	if _, err := split(r, shop, mark, plan.Split{Weight: 10 * plan.OnePercent}); err != nil {
		t.Fatal(err)
	}
	rules, _ := readRules(r)
	added := route(t, `{r: {name: new, backendRefs: [{name: other, port: 80, weight: 7}]}}`).Object["r"].(map[string]any)
	if err := writeBack(r, append([]map[string]any{added}, rules...), "none", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := restore(r, shop, mark, nil); err != nil {
		t.Fatal(err)
	}
	if got := weights(t, r, 0); got["other"] != 7 {
		t.Errorf("the added rule became %v", got)
	}
	if got := weights(t, r, 2); len(got) != 1 || got["checkout"] != 1 {
		t.Errorf("our rule, which moved, became %v", got)
	}
}

func TestRestoreWithoutAnnotation(t *testing.T) {
	r := route(t, `
metadata: {name: r, namespace: shop}
spec:
  rules:
  - backendRefs: [{name: checkout, port: 80, weight: 3}, {name: legacy, port: 80, weight: 1}]
`)
	before := r.DeepCopy()
	if _, err := split(r, shop, mark, plan.Split{Weight: 10 * plan.OnePercent}); err != nil {
		t.Fatal(err)
	}
	r.SetAnnotations(nil)
	if _, err := restore(r, shop, mark, before.Object); err != nil {
		t.Fatal(err)
	}
	if got := weights(t, r, 0); got["checkout"] != 3 || got["legacy"] != 1 || len(got) != 2 {
		t.Errorf("weights %v, want those before", got)
	}
}

func TestSplitWhenTheServiceIsGoneFromTheRoute(t *testing.T) {
	r := route(t, `{metadata: {name: r, namespace: shop}, spec: {rules: [{backendRefs: [{name: other}]}]}}`)
	if _, err := split(r, shop, mark, plan.Split{Weight: plan.OnePercent}); err == nil {
		t.Error("no error although nothing was split")
	}
}

func TestNotAccepted(t *testing.T) {
	status := func(accepted, resolved string, observed int64) *unstructured.Unstructured {
		r := route(t, plain)
		r.SetGeneration(3)
		_ = unstructured.SetNestedSlice(r.Object, []any{map[string]any{"name": "gw", "namespace": "infra"}}, "spec", "parentRefs")
		condition := func(kind, status string) any {
			return map[string]any{"type": kind, "status": status, "observedGeneration": observed, "reason": "R", "message": "m"}
		}
		_ = unstructured.SetNestedSlice(r.Object, []any{map[string]any{
			"parentRef":  map[string]any{"name": "gw", "namespace": "infra", "group": "gateway.networking.k8s.io"},
			"conditions": []any{condition("Accepted", accepted), condition("ResolvedRefs", resolved)},
		}}, "status", "parents")
		return r
	}
	for _, tc := range []struct {
		name  string
		route *unstructured.Unstructured
		want  bool
	}{
		{"in force", status("True", "True", 3), true},
		{"older generation", status("True", "True", 2), false},
		{"unresolved", status("True", "False", 3), false},
		{"refused", status("False", "True", 3), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := notAccepted(tc.route); (got == "") != tc.want {
				t.Errorf("NotAccepted = %q", got)
			}
		})
	}
}

func TestRouteOfAnotherNamespace(t *testing.T) {
	r := route(t, `
metadata: {name: r, namespace: edge}
spec:
  rules:
  - backendRefs: [{name: checkout, namespace: shop, port: 80, weight: 1}]
  - matches: [{path: {value: /own}}]
    backendRefs: [{name: checkout, port: 80, weight: 1}]
`)
	before := plan.Digest(r.Object)
	if _, err := split(r, shop, mark, plan.Split{Weight: 10 * plan.OnePercent}); err != nil {
		t.Fatal(err)
	}
	if got := weights(t, r, 0); got["checkout"] != 90 || got["checkout-candidate"] != 10 {
		t.Errorf("the rule with our Service has %v", got)
	}
	if got := weights(t, r, 1); len(got) != 1 {
		t.Errorf("the rule with another namespace's Service of the same name has %v", got)
	}
	if _, err := restore(r, shop, mark, nil); err != nil || plan.Digest(r.Object) != before {
		t.Errorf("not restored (%v): %v", err, r.Object)
	}
}
