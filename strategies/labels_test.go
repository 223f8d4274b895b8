package strategies

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tidegate/tidegate/internal/plan"
)

func TestChooseLabels(t *testing.T) {
	type labels = map[string]string
	policy := func(key, value string) string {
		return fmt.Sprintf("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {matchLabels: {%s: %q}}}}", key, value)
	}
	expression := "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: p}, spec: {selector: {matchExpressions: [{key: app, operator: In, values: [x, shop]}]}}}"
	for _, tc := range []struct {
		name                string
		deployment, service labels
		others              []string
		want                string // or part of the error
		fails               bool
	}{
		{"one in both", labels{"app": "shop", "tier": "web"}, labels{"app": "shop"}, nil, "map[app:[shop shop-candidate]]", false},
		{"of several the first by name", labels{"b": "1", "a": "2"}, labels{"a": "2", "b": "1"}, nil, "map[a:[2 2-candidate]]", false},
		{"the one with fewest references", labels{"app": "shop", "tier": "web"}, labels{"app": "shop", "tier": "web"}, []string{policy("app", "shop")}, "map[tier:[web web-candidate]]", false},
		{"references by expressions count", labels{"app": "shop", "tier": "web"}, labels{"app": "shop", "tier": "web"}, []string{expression}, "map[tier:[web web-candidate]]", false},
		{"references to other values do not", labels{"app": "shop", "tier": "web"}, labels{"app": "shop", "tier": "web"}, []string{policy("app", "cart")}, "map[app:[shop shop-candidate]]", false},
		{"more references lose", labels{"app": "shop", "tier": "web"}, labels{"app": "shop", "tier": "web"},
			[]string{policy("app", "shop"), policy("tier", "web"), policy("tier", "web")}, "map[app:[shop shop-candidate]]", false},
		{"none in both: one of each", labels{"app": "shop"}, labels{"role": "front"}, nil, "map[app:[shop shop-candidate] role:[front front-candidate]]", false},
		{"none in both, several", labels{"b": "1", "c": "2"}, labels{"e": "3", "d": "4"}, []string{policy("d", "4")}, "map[b:[1 1-candidate] e:[3 3-candidate]]", false},
		{"the Deployment's is empty", nil, labels{"app": "shop"}, nil, "matchLabels of the Deployment is empty", true},
		{"the Service's is empty", labels{"app": "shop"}, nil, nil, "the Service has no selector", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for range 20 { // maps have no order, plans do
				got, err := chooseLabels(tc.deployment, tc.service, list(t, tc.others...))
				switch {
				case tc.fails && (err == nil || !strings.Contains(err.Error(), tc.want)):
					t.Fatalf("error %v, want %q", err, tc.want)
				case !tc.fails && (err != nil || fmt.Sprint(got) != tc.want):
					t.Fatalf("got %v, %v; want %s", got, err, tc.want)
				}
			}
		})
	}
}

// TestSuffixed: values and names stay valid, different, and stable.
func TestSuffixed(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"a", "checkout", strings.Repeat("a", 53), strings.Repeat("a", 54), strings.Repeat("a", 63), strings.Repeat("a", 62) + "b",
		strings.Repeat("a", 45) + "-" + strings.Repeat("b", 17), strings.Repeat("a", 44) + "--" + strings.Repeat("b", 17)} {
		got := CandidateName(name)
		if problems := append(validation.IsDNS1123Label(got), validation.IsValidLabelValue(got)...); len(problems) > 0 {
			t.Errorf("%s becomes %s: %v", name, got, problems)
		}
		if !strings.HasSuffix(got, Suffix) || got != CandidateName(name) || seen[got] != "" {
			t.Errorf("%s becomes %s, as does %q", name, got, seen[got])
		}
		seen[got] = name
	}
}

// TestRewrite changes selectors of the old value wherever they are, and nothing else.
func TestRewrite(t *testing.T) {
	r := relabel{"app": {"shop", "shop-candidate"}}
	for _, tc := range []struct {
		name, before, after string
	}{
		{"matchLabels", "{podSelector: {matchLabels: {app: shop, tier: web}}}", "{podSelector: {matchLabels: {app: shop-candidate, tier: web}}}"},
		{"selector", "{selector: {app: shop}}", "{selector: {app: shop-candidate}}"},
		{"matchExpressions In", "{s: {matchExpressions: [{key: app, operator: In, values: [a, shop]}]}}", "{s: {matchExpressions: [{key: app, operator: In, values: [a, shop-candidate]}]}}"},
		{"matchExpressions NotIn", "{s: {matchExpressions: [{key: app, operator: NotIn, values: [shop]}]}}", ""},
		{"matchExpressions of another key", "{s: {matchExpressions: [{key: tier, operator: In, values: [shop]}]}}", ""},
		{"matchExpressions Exists", "{s: {matchExpressions: [{key: app, operator: Exists}]}}", ""},
		{"another value", "{podSelector: {matchLabels: {app: cart}}}", ""},
		{"another label", "{podSelector: {matchLabels: {name: shop}}}", ""},
		{"a text that is no selector", "{name: shop, labels: {app: shop}}", ""},
		{"empty", "{podSelector: {}}", ""},
		{"deep in lists", "{ingress: [{from: [{podSelector: {matchLabels: {app: shop}}}, {ipBlock: {cidr: 10.0.0.0/8}}]}]}",
			"{ingress: [{from: [{podSelector: {matchLabels: {app: shop-candidate}}}, {ipBlock: {cidr: 10.0.0.0/8}}]}]}"},
		{"several", "{a: {matchLabels: {app: shop}}, b: [{matchLabels: {app: shop}}]}", "{a: {matchLabels: {app: shop-candidate}}, b: [{matchLabels: {app: shop-candidate}}]}"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o, want := object(t, tc.before), tc.after
			if want == "" {
				want = tc.before
			}
			if changed := r.rewrite(o); changed != (tc.after != "") || plan.Digest(o) != plan.Digest(object(t, want)) {
				t.Errorf("changed %t: %v", changed, o)
			}
		})
	}
}

// TestApply adds no label.
func TestApply(t *testing.T) {
	r := relabel{"app": {"shop", "shop-candidate"}}
	before := map[string]string{"app": "shop", "x": "y"}
	if got := r.apply(before); got["app"] != "shop-candidate" || got["x"] != "y" || before["app"] != "shop" {
		t.Errorf("%v from %v", got, before)
	}
	if got := r.apply(map[string]string{"app": "cart"}); got["app"] != "cart" {
		t.Errorf("%v", got)
	}
	if got := r.apply(nil); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
