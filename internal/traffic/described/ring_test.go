package described

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// route is an HTTPRoute with the rules of a ring, two of them for a cookie.
func route() *spec.Custom {
	return &spec.Custom{
		Object: spec.ObjectRef{APIVersion: "gateway.networking.k8s.io/v1", Kind: "HTTPRoute", Name: "checkout"},
		Weights: spec.SidePaths{Total: 100, Parts: true, Absent: 1,
			Base: "spec.rules[*].backendRefs[name={{.Base}}].weight", Candidate: "spec.rules[*].backendRefs[name={{.Candidate}}].weight"},
		Matches: &spec.MatchesPath{Path: "spec.rules", Header: `
matches: [{headers: [{{range .Headers}}{name: {{.Header}}, value: {{.Value}}}, {{end}}]}]
backendRefs: [{name: {{.Candidate}}, port: 80}]`, Cookie: `
- matches: [{headers: [{type: RegularExpression, name: Cookie, value: {{.Pattern}}}]}]
  backendRefs: [{name: {{.Candidate}}, port: 80}]
- matches: [{path: {type: Exact, value: /old}, headers: [{type: RegularExpression, name: Cookie, value: {{.Pattern}}}]}]
  backendRefs: [{name: {{.Candidate}}, port: 80}]`},
	}
}

func staff() []plan.Match { return []plan.Match{{Header: "X-Staff", Value: "1"}} }

// rings are rings of every sort: some texts would be something else, or break out, if they had no quotes.
func rings() map[string][]plan.Match {
	return map[string][]plan.Match{
		"one":      staff(),
		"two":      {{Header: "X-Staff", Value: "yes"}, {Header: "On", Value: `a"b: {c}, 'd' # \e`}},
		"a cookie": {{Cookie: "staff.id", Value: "1+1"}},
	}
}

func rulesIn(t *testing.T, o *unstructured.Unstructured) []any {
	t.Helper()
	all, ok, err := unstructured.NestedSlice(o.Object, "spec", "rules")
	if err != nil || !ok {
		t.Fatalf("rules: %v, %v", ok, err)
	}
	return all
}

func setRules(t *testing.T, o *unstructured.Unstructured, all []any) {
	t.Helper()
	if err := unstructured.SetNestedSlice(o.Object, all, "spec", "rules"); err != nil {
		t.Fatal(err)
	}
}

func TestRingGolden(t *testing.T) {
	for name, of := range rings() {
		o := load(t, "custom-matches")
		split(t, kindOf(t, objects()["custom-matches"]), o, plan.Split{Weight: 25 * plan.OnePercent, Ring: of})
		golden(t, "custom-matches-ring-"+strings.ReplaceAll(name, " ", "-"), o)
	}
}

// TestRingLaws: a ring comes, stays while the weights change, goes, and leaves nothing; the share is that of the others.
func TestRingLaws(t *testing.T) {
	for name, of := range rings() {
		t.Run(name, func(t *testing.T) {
			k, o, want := kindOf(t, objects()["custom-matches"]), load(t, "custom-matches"), load(t, "custom-matches")
			for _, s := range []plan.Split{{Ring: of}, {Weight: 5 * plan.OnePercent, Ring: of}, {Weight: plan.All, Ring: of}, {Weight: 50 * plan.OnePercent}, {Weight: 25 * plan.OnePercent, Ring: of}} {
				split(t, k, o, s)
				if changed, err := k.Split(o, shop, mark, s); changed || err != nil {
					t.Errorf("%s again: changed %v, %v", s, changed, err)
				}
				if got := k.Share(o.Object, shop); got != s.Weight || !k.Reaches(o.Object, shop) {
					t.Errorf("%s: the share is %s", s, got)
				}
				if got := len(rulesIn(t, o)) > len(rulesIn(t, want)); got != (len(s.Ring) > 0) {
					t.Errorf("%s: there are rules of a ring: %v", s, got)
				}
			}
			forgotten := o.DeepCopy()
			if changed, err := k.Restore(o, shop, mark, nil); err != nil || !changed {
				t.Fatalf("restore: changed %v, %v", changed, err)
			}
			equal(t, o, want)
			forgotten.SetAnnotations(want.GetAnnotations())
			again := forgotten.DeepCopy()
			if _, err := k.Restore(forgotten, shop, mark, want.Object); err != nil {
				t.Fatal(err)
			}
			equal(t, forgotten, want)
			split(t, k, again, plan.Split{Weight: plan.OnePercent})
			if got, want := len(rulesIn(t, again)), len(rulesIn(t, want)); got != want {
				t.Errorf("a ring that nobody remembers stays: %d rules, not %d", got, want)
			}
		})
	}
}

// TestRingMeanwhile: what the API or somebody else does to the rules of a ring.
func TestRingMeanwhile(t *testing.T) {
	s := plan.Split{Weight: 25 * plan.OnePercent, Ring: staff()}
	for _, tc := range []struct {
		name   string
		change func(all []any) []any
		drift  bool
	}{
		{"defaults", func(all []any) []any {
			rule := all[0].(map[string]any)
			rule["backendRefs"].([]any)[0].(map[string]any)["kind"] = "Service"
			rule["matches"].([]any)[0].(map[string]any)["path"] = map[string]any{"type": "PathPrefix", "value": "/"}
			return all
		}, false},
		{"another value", func(all []any) []any {
			match := all[0].(map[string]any)["matches"].([]any)[0].(map[string]any)
			match["headers"].([]any)[0].(map[string]any)["value"] = "2"
			return all
		}, true},
		{"last", func(all []any) []any { return append(all[1:], all[0]) }, true},
		{"gone", func(all []any) []any { return all[1:] }, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k, o, want := kindOf(t, objects()["custom-matches"]), load(t, "custom-matches"), load(t, "custom-matches")
			split(t, k, o, s)
			setRules(t, o, tc.change(rulesIn(t, o)))
			restored := o.DeepCopy()
			if _, err := k.Restore(restored, shop, mark, nil); err != nil {
				t.Fatal(err)
			}
			equal(t, restored, want)
			if changed, err := k.Split(o, shop, mark, s); changed != tc.drift || err != nil {
				t.Errorf("drift %v, want %v, %v", changed, tc.drift, err)
			}
			if changed, err := k.Split(o, shop, mark, s); changed || err != nil {
				t.Errorf("put right, and still: %v, %v", changed, err)
			}
			if first, err := encode(rulesIn(t, o)[0]); err != nil || !strings.Contains(first, `"value":"1"`) {
				t.Errorf("the first rule is %s, %v", first, err)
			}
		})
	}
}

// TestRingBaseTakenOut: a rule of the user's that somebody took the base out of is not taken for one of the ring.
func TestRingBaseTakenOut(t *testing.T) {
	k, o := kindOf(t, objects()["custom-matches"]), load(t, "custom-matches")
	split(t, k, o, plan.Split{Weight: 25 * plan.OnePercent, Ring: staff()})
	all := rulesIn(t, o)
	rule := all[2].(map[string]any)
	rule["backendRefs"] = slices.DeleteFunc(rule["backendRefs"].([]any), func(b any) bool { return b.(map[string]any)["name"] == "checkout" })
	setRules(t, o, all)
	if _, err := k.Restore(o, shop, mark, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, o, load(t, "custom-matches"))
}

// TestTwoRings: the rollouts of two workloads that share an object leave each other's rules, and their order, alone.
func TestTwoRings(t *testing.T) {
	k, o, want := kindOf(t, objects()["custom-matches"]), load(t, "custom-matches"), load(t, "custom-matches")
	other, otherMark := plan.Traffic{Namespace: "shop", Base: "cdn", Candidate: "cdn-candidate"}, "tidegate.dev/original.cdn"
	s := plan.Split{Weight: 25 * plan.OnePercent, Ring: staff()}
	split(t, k, o, s)
	if changed, err := k.Split(o, other, otherMark, s); !changed || err != nil {
		t.Fatalf("the other: %v, %v", changed, err)
	}
	for range 2 {
		if changed, err := k.Split(o, shop, mark, s); changed || err != nil {
			t.Errorf("the first again: %v, %v", changed, err)
		}
		if changed, err := k.Split(o, other, otherMark, s); changed || err != nil {
			t.Errorf("the other again: %v, %v", changed, err)
		}
	}
	if _, err := k.Restore(o, shop, mark, nil); err != nil {
		t.Fatal(err)
	}
	if k.Reaches(o.Object, shop) || !k.Reaches(o.Object, other) {
		t.Error("one was restored, and the other has to stay")
	}
	if _, err := k.Restore(o, other, otherMark, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, o, want)
}

// TestRingAlone: a list that was not there is made, and is not there afterwards.
func TestRingAlone(t *testing.T) {
	c := fieldsOfOwn()
	c.Matches = &spec.MatchesPath{Path: "spec.rules", Header: "{when: [{{range .Headers}}{{.Header}}, {{.Value}}, {{end}}], host: '{{.Candidate}}.{{.Namespace}}.svc'}"}
	k := kindOf(t, spec.Traffic{Custom: c})
	for _, present := range []bool{false, true} {
		o := load(t, "custom-fields")
		if present {
			setRules(t, o, []any{})
		}
		want := o.DeepCopy()
		split(t, k, o, plan.Split{Ring: staff()})
		if len(rulesIn(t, o)) != 1 || !k.Reaches(o.Object, shop) || k.Share(o.Object, shop) != 0 {
			t.Errorf("rules %v", rulesIn(t, o))
		}
		split(t, k, o, plan.Split{Weight: plan.OnePercent})
		split(t, k, o, plan.Split{Weight: plan.OnePercent, Ring: staff()})
		forgotten := o.DeepCopy()
		forgotten.SetAnnotations(want.GetAnnotations())
		for _, back := range []*unstructured.Unstructured{o, forgotten} {
			if _, err := k.Restore(back, shop, mark, want.Object); err != nil {
				t.Fatal(err)
			}
			equal(t, back, want)
		}
	}
}

func TestRingRefused(t *testing.T) {
	matches := func(change func(*spec.MatchesPath)) spec.Traffic {
		c := route()
		change(c.Matches)
		return spec.Traffic{Custom: c}
	}
	for _, tc := range []struct {
		name    string
		traffic spec.Traffic
		ring    []plan.Match
		want    string
	}{
		{"no cookie", matches(func(m *spec.MatchesPath) { m.Cookie = "" }), rings()["a cookie"], "have no cookie"},
		{"both", matches(func(*spec.MatchesPath) {}), append(staff(), rings()["a cookie"]...), "together"},
		{"no place", matches(func(m *spec.MatchesPath) { m.Path = "spec.virtual.rules" }), staff(), "nothing is at spec.virtual.rules"},
		{"no list", matches(func(m *spec.MatchesPath) { m.Path = "spec" }), staff(), "spec is no list"},
		{"no fields", matches(func(m *spec.MatchesPath) { m.Path = "spec.rules[*].matches" }), staff(), "below fields only"},
		{"no object", matches(func(m *spec.MatchesPath) { m.Header = "{{.Candidate}}" }), staff(), "is no object"},
		{"no YAML", matches(func(m *spec.MatchesPath) { m.Header = "{" }), staff(), "is no YAML"},
		{"an unknown value", matches(func(m *spec.MatchesPath) { m.Header = "{{.Header}}" }), staff(), "there are Base, Candidate, Headers"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := load(t, "custom-matches")
			if _, err := kindOf(t, tc.traffic).Split(o, shop, mark, plan.Split{Ring: tc.ring}); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			equal(t, o, load(t, "custom-matches"))
		})
	}
}

// TestRingBefore: a rule that sends to the candidate before the rollout would be lost by it.
func TestRingBefore(t *testing.T) {
	k, o := kindOf(t, objects()["custom-matches"]), load(t, "custom-matches")
	own := map[string]any{"backendRefs": []any{map[string]any{"name": "checkout-candidate"}}}
	setRules(t, o, append(rulesIn(t, o), own))
	problems := k.Problems([]plan.Object{o.Object}, nil, shop, plan.Baseline{}, plan.Split{Ring: staff()})
	if len(problems) != 1 || !strings.Contains(problems[0].Text, "a rule at spec.rules") {
		t.Errorf("%v", problems)
	}
}
