package gatewayapi

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

func staff() []plan.Match { return []plan.Match{{Header: "X-Staff", Value: "1"}} }

func ruleOf(text string) string {
	return "{metadata: {name: r, namespace: shop}, spec: {rules: [" + text + "]}}"
}

// told writes rules in short: name: path headers → backends.
func told(t *testing.T, r *unstructured.Unstructured) string {
	t.Helper()
	rules, err := readRules(r)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, rule := range rules {
		var matches, refs []string
		for _, m := range within(r, shop).matchesOf(rule) {
			text := strings.TrimPrefix(pathOf(m), "PathPrefix ")
			for _, h := range maplist(m, "headers") {
				text += fmt.Sprintf(" %v=%v", h["name"], h["value"])
			}
			for _, q := range maplist(m, "queryParams") {
				text += fmt.Sprintf(" ?%v=%v", q["name"], q["value"])
			}
			matches = append(matches, text)
		}
		for _, ref := range backends(rule) {
			refs = append(refs, fmt.Sprintf("%v:%d", ref["name"], weightOf(ref)))
		}
		lines = append(lines, strings.TrimPrefix(fmt.Sprint(rule["name"]), ringPrefix+"checkout-")+" "+strings.Join(matches, " | ")+" > "+strings.Join(refs, ","))
	}
	return strings.Join(lines, "; ")
}

const (
	mine  = "{name: main, matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{name: checkout, port: 80, weight: 1}]}"
	beta  = "{name: beta, matches: [{path: {type: PathPrefix, value: /}, headers: [{type: Exact, name: X-Beta, value: b}]}], backendRefs: [{name: beta, port: 80, weight: 1}]}"
	query = "{name: query, matches: [{path: {type: PathPrefix, value: /}, queryParams: [{type: Exact, name: v, value: '2'}]}], backendRefs: [{name: other, port: 80, weight: 1}]}"
)

func TestRingRules(t *testing.T) {
	two := []plan.Match{{Header: "X-A", Value: "1"}, {Header: "X-B", Value: "2"}}
	match := func(name, headers, service string) string {
		return "{name: " + name + ", matches: [{path: {type: PathPrefix, value: /}, headers: [" + headers + "]}], backendRefs: [{name: " + service + ", port: 80, weight: 1}]}"
	}
	for _, tc := range []struct {
		name, rules string
		ring        []plan.Match
		want        string // before the user's rules
	}{
		{"one rule", mine, staff(), "1 / X-Staff=1 > checkout-candidate:1"},
		{"two headers", mine, two, "1 / X-A=1 X-B=2 > checkout-candidate:1"},
		{"no matches", "{name: main, backendRefs: [{name: checkout, port: 80, weight: 1}]}", staff(), "1 / X-Staff=1 > checkout-candidate:1"},
		{"two matches", "{name: main, matches: [{path: {type: Exact, value: /a}}, {path: {type: PathPrefix, value: /b}}], backendRefs: [{name: checkout, port: 80, weight: 1}]}",
			staff(), "1 Exact /a X-Staff=1 | /b X-Staff=1 > checkout-candidate:1"},
		{"neighbours keep their weight", "{name: main, matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{name: checkout, port: 80, weight: 3}, {name: legacy, port: 80, weight: 1}]}",
			staff(), "1 / X-Staff=1 > checkout-candidate:3,legacy:1"},
		{"a header of the user's is repeated", mine + "," + beta, staff(), "1 / X-Beta=b X-Staff=1 > beta:1; 2 / X-Staff=1 > checkout-candidate:1"},
		{"a query is repeated", mine + "," + query, staff(), "1 / X-Staff=1 ?v=2 > other:1; 2 / X-Staff=1 > checkout-candidate:1"},
		{"a longer path wins anyway", mine + ", {name: long, matches: [{path: {type: PathPrefix, value: /long}}], backendRefs: [{name: other, port: 80, weight: 1}]}",
			staff(), "1 / X-Staff=1 > checkout-candidate:1"},
		{"what loses today may lose", mine + ", {name: dup, matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{name: other, port: 80, weight: 1}]}",
			staff(), "1 / X-Staff=1 > checkout-candidate:1"},
		{"what wins by its place keeps it", "{name: dup, matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{name: other, port: 80, weight: 1}]}, " + mine,
			staff(), "1 / X-Staff=1 > other:1; 2 / X-Staff=1 > checkout-candidate:1"},
		{"the ring's header of the user's, other value", mine + "," + match("no", "{type: Exact, name: x-staff, value: '0'}", "other"), staff(),
			"1 / X-Staff=1 > checkout-candidate:1"},
		{"the ring's header of the user's, same value", mine + "," + match("same", "{type: Exact, name: x-staff, value: '1'}", "other"), staff(),
			"1 / X-Staff=1 > other:1; 2 / X-Staff=1 > checkout-candidate:1"},
		{"the ring's header by an expression", match("any", "{type: RegularExpression, name: X-Staff, value: '[0-9]'}", "checkout"), staff(),
			"1 / X-Staff=1 > checkout-candidate:1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, want := route(t, ruleOf(tc.rules)), route(t, ruleOf(tc.rules))
			user := told(t, want)
			for range 2 { // the second time nothing is to be done
				if _, err := split(r, shop, mark, plan.Split{Ring: tc.ring}); err != nil {
					t.Fatal(err)
				}
				if got := told(t, r); got != tc.want+"; "+user {
					t.Fatalf("the rules are\n%s, want\n%s", got, tc.want+"; "+user)
				}
			}
			if changed, err := split(r, shop, mark, plan.Split{Ring: tc.ring}); changed || err != nil {
				t.Errorf("the same again: changed %v, %v", changed, err)
			}
			if (Kind{}).Share(r.Object, shop) != 0 || !(Kind{}).Reaches(r.Object, shop) {
				t.Errorf("share %s, splits %v", Kind{}.Share(r.Object, shop), Kind{}.Reaches(r.Object, shop))
			}
			if _, err := split(r, shop, mark, plan.Split{Weight: 25 * plan.OnePercent, Ring: tc.ring}); err != nil || (Kind{}).Share(r.Object, shop) != 25*plan.OnePercent {
				t.Errorf("share %s of 25%%, %v", Kind{}.Share(r.Object, shop), err)
			}
			if got := told(t, r); !strings.HasPrefix(got, tc.want+"; ") {
				t.Errorf("with a weight the rules are\n%s", got)
			}
			if changed, err := restore(r, shop, mark, nil); err != nil || !changed || plan.Digest(r.Object) != plan.Digest(want.Object) {
				t.Errorf("restored to %s (%v), want %s", told(t, r), err, user)
			}
		})
	}
}

// TestRingIsFoundAgain: without names of rules (older clusters drop them), without the annotation, or without both, our rules
// go and the user's stay.
func TestRingIsFoundAgain(t *testing.T) {
	for _, tc := range []struct {
		name             string
		names, annotated bool
		rules, left      string
	}{
		{"both", true, true, mine + "," + beta, ""},
		{"annotation", false, true, mine + "," + beta, ""},
		{"names", true, false, mine + "," + beta, ""},
		{"neither", false, false, mine, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, before := route(t, ruleOf(tc.rules)), route(t, ruleOf(tc.rules))
			if _, err := split(r, shop, mark, plan.Split{Weight: 10 * plan.OnePercent, Ring: staff()}); err != nil {
				t.Fatal(err)
			}
			strip := func(o *unstructured.Unstructured) {
				rules, _, _ := unstructured.NestedSlice(o.Object, "spec", "rules")
				for _, rule := range rules {
					delete(rule.(map[string]any), "name")
				}
				_ = unstructured.SetNestedSlice(o.Object, rules, "spec", "rules")
			}
			if !tc.names {
				strip(r)
				strip(before)
			}
			if !tc.annotated {
				r.SetAnnotations(nil)
			}
			if _, err := restore(r, shop, mark, before.Object); err != nil {
				t.Fatal(err)
			}
			if got := told(t, r); got != told(t, before) {
				t.Errorf("restored to %s, want %s", got, told(t, before))
			}
		})
	}
}

// TestRingOfAnother: two rollouts that share a route know their own rules.
func TestRingOfAnother(t *testing.T) {
	cart := plan.Traffic{Namespace: "shop", Base: "cart", Candidate: "cart-candidate"}
	text := ruleOf(mine + ", {name: cart, matches: [{path: {type: PathPrefix, value: /cart}}], backendRefs: [{name: cart, port: 80, weight: 1}]}")
	r := route(t, text)
	for _, tr := range []plan.Traffic{shop, cart, shop} {
		if _, err := split(r, tr, "tidegate.dev/original."+tr.Base, plan.Split{Ring: staff()}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := restore(r, shop, "tidegate.dev/original.checkout", nil); err != nil {
		t.Fatal(err)
	}
	if got := told(t, r); !strings.Contains(got, "cart-candidate") || strings.Contains(got, "checkout-candidate") {
		t.Errorf("after checkout's way back: %s", got)
	}
	if _, err := restore(r, cart, "tidegate.dev/original.cart", nil); err != nil || plan.Digest(r.Object) != plan.Digest(route(t, text).Object) {
		t.Errorf("after both: %s, %v", told(t, r), err)
	}
}

// TestCookie: the expression takes the cookie wherever it stands in the header, and no other.
func TestCookie(t *testing.T) {
	h := headerOf(plan.Match{Cookie: "st.aff", Value: "a+b"})
	expression := regexp.MustCompile(h["value"].(string))
	for value, want := range map[string]bool{
		"st.aff=a+b": true, "x=y; st.aff=a+b": true, "st.aff=a+b; x=y": true, "x=y;st.aff=a+b ;z=1": true,
		"stXaff=a+b": false, "st.aff=aab": false, "nost.aff=a+b": false, "st.aff=a+bc": false, "x=st.aff=a+b": false, "": false,
	} {
		if got := expression.MatchString(value); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
	if h["name"] != "Cookie" || h["type"] != "RegularExpression" {
		t.Errorf("header match %v", h)
	}
}

func TestNoRoom(t *testing.T) {
	many := func(n int, rule string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = strings.ReplaceAll(rule, "N", fmt.Sprint(i))
		}
		return ruleOf(strings.Join(list, ","))
	}
	own := "{matches: [{path: {type: PathPrefix, value: /N}}], backendRefs: [{name: checkout, port: 80, weight: 1}]}"
	for _, tc := range []struct{ name, route, want string }{
		{"fits", many(8, own), ""},
		{"too many rules", many(9, own), "9 rules and needs 9 more"},
		{"nobody comes", ruleOf("{matches: [{headers: [{type: Exact, name: X-Staff, value: '0'}]}], backendRefs: [{name: checkout, port: 80, weight: 1}]}"), "no request of the ring"},
		{"too many matches", ruleOf("{matches: [" + strings.TrimSuffix(strings.Repeat("{path: {value: /a}},", 64), ",") + "], backendRefs: [{name: checkout, port: 80, weight: 1}]}"), "128 matches together"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := NoRoom(route(t, tc.route).Object, shop, plan.Split{Ring: staff()})
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("problem %q, want %q", got, tc.want)
			}
		})
	}
	cookie := "{matches: [{headers: [{type: RegularExpression, name: cookie, value: '.*a=b.*'}]}], backendRefs: [{name: checkout, port: 80, weight: 1}]}"
	if got := NoRoom(route(t, ruleOf(cookie)).Object, shop, plan.Split{Ring: []plan.Match{{Cookie: "staff", Value: "1"}}}); !strings.Contains(got, "header Cookie already") {
		t.Errorf("two cookies: %q", got)
	}
}

// TestOvertaken: rules of other routes that requests of the ring would no longer reach.
func TestOvertaken(t *testing.T) {
	at := func(name, created, hosts, rules string) plan.Object {
		return route(t, "{metadata: {name: "+name+", namespace: shop, creationTimestamp: '"+created+"'}, spec: {hostnames: ["+hosts+"], rules: ["+rules+"]}}").Object
	}
	const early, late = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
	own := at("own", early, "shop.example", mine)
	for _, tc := range []struct {
		name  string
		other plan.Object
		want  string
	}{
		{"a query on the same path", at("q", late, "shop.example", query), "[rule query]"},
		{"a header, newer route", at("h", late, "shop.example", beta), "[rule beta]"},
		{"a header, older route", at("h", "2025-01-01T00:00:00Z", "shop.example", beta), "[]"},
		{"another host", at("q", late, "other.example", query), "[]"},
		{"the same rule, newer", at("s", late, "shop.example", mine), "[]"},
		{"the same rule, older", at("s", "2025-01-01T00:00:00Z", "shop.example", mine), "[rule main]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := fmt.Sprint(Overtaken(own, tc.other, shop, plan.Split{Ring: staff()})); got != tc.want {
				t.Errorf("overtaken %s, want %s", got, tc.want)
			}
		})
	}
}
