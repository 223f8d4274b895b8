package gatewayapi

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
)

// four are cohorts of 5, 20, 25 and 50 % of the users, of which some have moved.
func four(moved int) plan.Split {
	pc := plan.OnePercent
	c := &plan.Cohorts{Odds: []plan.Share{5 * pc, 20 * pc, 25 * pc, 50 * pc}, Moved: moved, Draw: "R1",
		Cookie: plan.Cookie{Name: "tidegate-shop.app", Path: "/", MaxAge: plan.Duration(7 * 24 * time.Hour), SameSite: "Lax"}}
	return plan.Split{Weight: []plan.Share{0, 5 * pc, 25 * pc, 50 * pc, plan.All - 1}[moved], Cohorts: c}
}

func TestCohortsOfOneRule(t *testing.T) {
	const drawn = "checkout-candidate-cohort-1:1,checkout-candidate-cohort-2:4,checkout-candidate-cohort-3:5,checkout-candidate-cohort-4:10"
	cookie := func(numbers string) string {
		return `/ Cookie=^(.*;[ ]*)?tidegate-shop\.app=R1\.(` + numbers + `)([ ]*;.*)?$`
	}
	moved := func(i int, numbers, to string) string {
		return fmt.Sprintf("; tidegate-cohort-checkout-%d %s > %s", i, cookie(numbers), to)
	}
	r, before := route(t, ruleOf(mine)), route(t, ruleOf(mine))
	for i, want := range []string{
		moved(1, "1|2|3|4", "checkout:1"),
		moved(1, "1", "checkout-candidate:1") + moved(2, "2|3|4", "checkout:1"),
		moved(1, "1|2", "checkout-candidate:1") + moved(2, "3|4", "checkout:1"),
		moved(1, "1|2|3", "checkout-candidate:1") + moved(2, "4", "checkout:1"),
		moved(1, "1|2|3|4", "checkout-candidate:1"),
	} {
		if changed, err := split(r, shop, mark, four(i)); err != nil || !changed {
			t.Fatalf("%d moved: changed %v, %v", i, changed, err)
		}
		if got := told(t, r); got != "main / > "+drawn+want {
			t.Errorf("%d moved:\n%s, want\n%s", i, got, "main / > "+drawn+want)
		}
		if changed, err := split(r, shop, mark, four(i)); err != nil || changed {
			t.Errorf("%d moved, again: changed %v, %v", i, changed, err)
		}
		if share, want := (Kind{}).Share(r.Object, shop), []plan.Share{0, 5, 25, 50, 100}[i]*plan.OnePercent; share != want || !(Kind{}).Reaches(r.Object, shop) {
			t.Errorf("%d moved: share %s, want %s", i, share, want)
		}
	}
	all := four(4)
	all.Weight = plan.All
	if _, err := split(r, shop, mark, all); err != nil || told(t, r) != "main / > checkout:0,checkout-candidate:100" {
		t.Errorf("everything: %s, %v", told(t, r), err)
	}
	if _, err := split(r, shop, mark, four(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := restore(r, shop, mark, nil); err != nil || plan.Digest(r.Object) != plan.Digest(before.Object) {
		t.Errorf("restored to %s, %v", told(t, r), err)
	}
}

// TestCookieOfACohort: cookies of this draw are taken wherever they stand, those of others, forged and broken ones never.
func TestCookieOfACohort(t *testing.T) {
	asks := cohortAsks(*four(2).Cohorts, 1, 2)
	expression := regexp.MustCompile(text(asks[0].header, "value"))
	const name = "tidegate-shop.app"
	for value, want := range map[string]bool{
		name + "=R1.1": true, name + "=R1.2": true, "a=b; " + name + "=R1.2; c=d": true, "a=b;" + name + "=R1.1 ;c=d": true,
		"session=x; " + name + "=R1.4; " + name + "=R1.1": true, // two headers, joined
		name + "=R1.3": false, name + "=R1.12": false, name + "=R1.01": false, name + "=R1.1.1": false, name + "=R1.": false, name + "=R1": false,
		name + "=R2.1": false, name + "=r1.1": false, name + "=R1x1": false, name + "=XR1.1": false, name + "=": false, "": false,
		"tidegate-shopXapp=R1.1": false, "x" + name + "=R1.1": false, "x=" + name + "=R1.1": false, name + "=R1.1,2": false, name + "=\"R1.1\"": false,
		name + "=R1.1\nx": false, name + "=(1|2)": false, name + "=R1.(1|2)": false, name + "=R1.1%3B": false, name + " =R1.1": false,
	} {
		if got := expression.MatchString(value); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
	if _, drawn, err := narrow(map[string]any{}, asks); err != nil || !drawn {
		t.Errorf("narrowed: %v, %v", drawn, err)
	}
}

// TestDrawGivesCookies: with the modifier that the user has already, and nothing of it changed.
func TestDrawGivesCookies(t *testing.T) {
	r := route(t, ruleOf(`{name: main, matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{name: checkout, port: 80, weight: 1, filters: [
		{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-A, value: b}]}},
		{type: ResponseHeaderModifier, responseHeaderModifier: {add: [{name: X-B, value: c}], set: [{name: cache-control, value: 'max-age=60'}], remove: [X-C]}}]}]}`))
	before := r.DeepCopy()
	if _, err := split(r, shop, mark, four(1)); err != nil {
		t.Fatal(err)
	}
	rules, _ := readRules(r)
	for i, ref := range backends(rules[0]) {
		got, _ := json.Marshal(ref["filters"])
		want := fmt.Sprintf(`[{"requestHeaderModifier":{"set":[{"name":"X-A","value":"b"}]},"type":"RequestHeaderModifier"},`+
			`{"responseHeaderModifier":{"add":[{"name":"X-B","value":"c"},{"name":"Set-Cookie","value":"tidegate-shop.app=R1.%d; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax"},`+
			`{"name":"Cache-Control","value":"private"}],"remove":["X-C"]},"type":"ResponseHeaderModifier"}]`, i+1)
		if string(got) != want {
			t.Errorf("filters of cohort %d are\n%s, want\n%s", i+1, got, want)
		}
	}
	if _, err := restore(r, shop, mark, nil); err != nil || plan.Digest(r.Object) != plan.Digest(before.Object) {
		t.Errorf("restored to %v, %v", r.Object, err)
	}
}

// TestCohortsAreFoundAgain: without names of rules, without the annotation, or without both.
func TestCohortsAreFoundAgain(t *testing.T) {
	for _, tc := range []struct {
		name             string
		names, annotated bool
		rules            string
	}{
		{"annotation", false, true, mine + "," + query},
		{"names", true, false, mine + "," + query},
		{"neither", false, false, mine},
	} {
		for _, known := range []bool{true, false} {
			t.Run(fmt.Sprint(tc.name, known), func(t *testing.T) {
				r, before := route(t, ruleOf(tc.rules)), route(t, ruleOf(tc.rules))
				if _, err := split(r, shop, mark, four(2)); err != nil {
					t.Fatal(err)
				}
				if !tc.names {
					for _, o := range []plan.Object{r.Object, before.Object} {
						for _, rule := range maplist(o["spec"].(map[string]any), "rules") {
							delete(rule, "name")
						}
					}
				}
				if !tc.annotated {
					r.SetAnnotations(nil)
				}
				was := plan.Object(nil)
				if known {
					was = before.Object
				}
				if _, err := restore(r, shop, mark, was); err != nil {
					t.Fatal(err)
				}
				if got, _ := json.Marshal(r.Object["spec"]); string(got) != jsonOf(before.Object["spec"]) {
					t.Errorf("restored to %s, want %s", got, jsonOf(before.Object["spec"]))
				}
			})
		}
	}
}

func jsonOf(v any) string { data, _ := json.Marshal(v); return string(data) }

func TestCohortsWithoutRoom(t *testing.T) {
	own := "{matches: [{path: {type: PathPrefix, value: /N}}], backendRefs: [{name: checkout, port: 80, weight: 1}]}"
	many := func(n int, rule string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = strings.ReplaceAll(rule, "N", fmt.Sprint(i))
		}
		return ruleOf(strings.Join(list, ","))
	}
	with := func(more string) string {
		return ruleOf("{name: main, matches: [{path: {type: PathPrefix, value: /}}], " + more + "}")
	}
	modifier := func(what string) string {
		return "filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {" + what + "}}]"
	}
	const one = "backendRefs: [{name: checkout, port: 80, weight: 1}]"
	var others []string
	for i := range 13 {
		others = append(others, fmt.Sprintf("{name: o%d, port: 80, weight: 1}", i))
	}
	for _, tc := range []struct{ name, route, want string }{
		{"fits", many(5, own), ""},
		{"rules", many(6, own), "6 rules and needs 12 more"},
		{"backends", with("backendRefs: [{name: checkout, port: 80, weight: 1}, " + strings.Join(others, ", ") + "]"), "17 backends"},
		{"weights", with("backendRefs: [{name: checkout, port: 80, weight: 999983}, {name: o, port: 80, weight: 1}]"), "limit of 1000000"},
		{"the user's Cookie", ruleOf("{name: main, matches: [{headers: [{type: Exact, name: cookie, value: a=b}]}], " + one + "}"), "rule main: it matches by the header Cookie already"},
		{"the rule sets Set-Cookie", with(one + ", " + modifier("set: [{name: set-cookie, value: a}]")), "set the header Set-Cookie"},
		{"the rule removes Set-Cookie", with(one + ", " + modifier("remove: [Set-Cookie]")), "remove the header Set-Cookie"},
		{"the rule adds Set-Cookie", with(one + ", " + modifier("add: [{name: Set-Cookie, value: a}]")), ""},
		{"the rule lets caches keep", with(one + ", " + modifier("set: [{name: Cache-Control, value: max-age=60}]")), "set the header Cache-Control"},
		{"the rule lets none keep", with(one + ", " + modifier("set: [{name: Cache-Control, value: no-store}]")), ""},
		{"the backend adds Set-Cookie", with("backendRefs: [{name: checkout, port: 80, weight: 1, " + modifier("add: [{name: Set-Cookie, value: a}]") + "}]"), "backend checkout add the header"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := NoRoom(route(t, tc.route).Object, shop, four(3))
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("problem %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDriftOfCohorts(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(rules []any) []any
		want   string
	}{
		{"nothing", func(rules []any) []any { return rules }, ""},
		{"the draw's odds", func(rules []any) []any {
			rules[0].(map[string]any)["backendRefs"].([]any)[0].(map[string]any)["weight"] = int64(7)
			return rules
		}, "rule main does not draw users into cohorts of 5%, 20%, 25%, 50%"},
		{"a cookie", func(rules []any) []any {
			delete(rules[0].(map[string]any)["backendRefs"].([]any)[0].(map[string]any), "filters")
			return rules
		}, "rule main does not draw users"},
		{"a rule of ours", func(rules []any) []any { return rules[:2] }, "users with the cookie tidegate-shop.app find their version are not there"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := route(t, ruleOf(mine))
			if _, err := split(r, shop, mark, four(2)); err != nil {
				t.Fatal(err)
			}
			s := r.Object["spec"].(map[string]any)
			s["rules"] = tc.change(s["rules"].([]any))
			if got := (Kind{}).Differs(r, shop, mark, four(2)); tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("drift %q, want %q", got, tc.want)
			}
		})
	}
}

// TestUsersOfManyRoutes makes routes up, and asks the embedded gateway where requests go: each comes to the rule of the
// user's to which it came without a rollout, and there to the version of its user. What the split leaves is exact.
func TestUsersOfManyRoutes(t *testing.T) {
	divided := 0
	for seed := range uint64(120) {
		random := rand.New(rand.NewPCG(seed, 1))
		text, to := madeUp(random)
		s := four(random.IntN(5))
		switch random.IntN(3) {
		case 0:
			s.Ring = staff()
		case 1:
			s.Ring = []plan.Match{{Cookie: "staff", Value: "1"}}
		}
		r, before := route(t, text), route(t, text)
		whole(r.Object)
		whole(before.Object)
		if NoRoom(r.Object, to, s) != "" {
			continue
		}
		divided++
		if _, err := split(r, to, mark, s); err != nil {
			t.Fatalf("%d: %v\n%s", seed, err, text)
		}
		first := plan.Digest(r.Object)
		if changed, err := split(r, to, mark, s); changed || err != nil || plan.Digest(r.Object) != first {
			t.Errorf("%d: again: changed %v, %v", seed, changed, err)
		}
		if got, want := (Kind{}).Share(r.Object, to), []plan.Share{0, 5, 25, 50, 100}[s.Cohorts.Moved]*plan.OnePercent; got != want {
			t.Errorf("%d: share %s, want %s", seed, got, want)
		}
		withinLimits(t, r.Object)
		exactDraws(t, before.Object, r.Object, to)
		old, now := edge(t, before.Object), edge(t, r.Object)
		for _, q := range requests() {
			was := ask(old, q, "")
			for user, cookie := range map[string]string{
				"new": "", "stale": "tidegate-shop.app=R0.1", "forged": "tidegate-shop.app=R1.9; x=(1|2)", "first": "tidegate-shop.app=R1.1", "last": "a=b; tidegate-shop.app=R1.4",
				"both": "tidegate-shop.app=R1.4; tidegate-shop.app=R1.1",
			} {
				if s.Ring != nil && s.Ring[0].Cookie != "" && q.staff {
					cookie = strings.Trim("staff=1; "+cookie, "; ")
				}
				is := ask(now, q, cookie)
				inRing := s.Ring != nil && q.staff
				if problem := wrong(was, is, user, inRing, s.Cohorts.Moved, to); problem != "" {
					t.Fatalf("%d: %s of %s with %s: %s\n%s\n%s", seed, q.method+" "+q.path, user, q.header, problem, told(t, before), told(t, r))
				}
			}
		}
		if _, err := restore(r, to, mark, nil); err != nil || jsonOf(r.Object) != jsonOf(before.Object) {
			t.Fatalf("%d: restored to\n%s, want\n%s", seed, jsonOf(r.Object), jsonOf(before.Object))
		}
	}
	if divided < 60 {
		t.Errorf("only %d routes had room", divided)
	}
}

// wrong says what of an answer is not as it should be for a user.
func wrong(was, is answer, user string, inRing bool, moved int, to plan.Traffic) string {
	if was.rule != is.rule || was.status != is.status {
		return fmt.Sprintf("rule %s (%d) became %s (%d)", was.rule, was.status, is.rule, is.status)
	}
	if was.status != http.StatusOK {
		return ""
	}
	if is.service == "legacy" { // a neighbour
		return ""
	}
	want := to.Base
	switch {
	case strings.HasPrefix(was.rule, "other"):
		want = "other"
	case strings.HasPrefix(was.rule, "kept"):
	case inRing:
		want = to.Candidate
	case user == "first" || user == "both":
		if moved > 0 {
			want = to.Candidate
		}
	case user == "last":
		if moved == 4 {
			want = to.Candidate
		}
	default:
		want = to.Candidate + "-cohort-" + strings.TrimPrefix(is.cohort(), "R1.")
		if is.cohort() == "" || is.cache != "private" {
			return fmt.Sprintf("it was not drawn: cookie %q, cache %q", is.cookie, is.cache)
		}
	}
	if is.service != want {
		return fmt.Sprintf("%s answered, not %s", is.service, want)
	}
	if strings.Contains(want, "-cohort-") == (is.cookie == "") {
		return fmt.Sprintf("%s gave the cookie %q", want, is.cookie)
	}
	return ""
}

// madeUp is a route with up to four rules, some of which send to the base.
func madeUp(random *rand.Rand) (string, plan.Traffic) {
	to := plan.Traffic{Namespace: "shop", Base: "checkout", Candidate: "checkout-candidate"}
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	queries := random.IntN(2) == 0 // a rule for the ring's own header gains nothing by it, and one by query would win over it
	var rules []string
	for i := range 1 + random.IntN(4) {
		var matches []string
		for range 1 + random.IntN(2) {
			m := "path: {type: " + pick("PathPrefix, value: /", "PathPrefix, value: /", "PathPrefix, value: /api", "Exact, value: /api") + "}"
			m += pick("", "", ", method: GET")
			if queries {
				m += pick("", ", headers: [{type: Exact, name: X-Beta, value: b}]") + pick("", ", queryParams: [{type: Exact, name: v, value: '2'}]")
			} else {
				m += pick("", ", headers: [{type: Exact, name: X-Beta, value: b}]", ", headers: [{type: Exact, name: X-Staff, value: '1'}]")
			}
			matches = append(matches, "{"+m+"}")
		}
		ref := func(name, weight string) string {
			return "{group: '', kind: Service, name: " + name + ", port: 80, weight: " + weight + pick("", "", ", filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {add: [{name: X-Own, value: a}]}}]") + "}"
		}
		role, refs := "part", []string{ref("checkout", pick("1", "3"))}
		if i > 0 && random.IntN(3) == 0 {
			role, refs = "other", []string{ref("other", "1")}
		} else if random.IntN(3) == 0 {
			refs = append(refs, ref("legacy", "2"))
		}
		if role == "part" && i > 0 && random.IntN(4) == 0 {
			role = "kept" // it sends to the base, but is not named
			to.Rules = append(to.Rules, "")
		}
		rules = append(rules, fmt.Sprintf("{name: %s%d, matches: [%s], filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: X-Rule, value: %s%d}]}}], backendRefs: [%s]}",
			role, i, strings.Join(matches, ", "), role, i, strings.Join(refs, ", ")))
	}
	if len(to.Rules) > 0 {
		to.Rules = []string{"part0", "part1", "part2", "part3"}
	}
	return "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: r, namespace: shop}, spec: {rules: [" + strings.Join(rules, ", ") + "]}}", to
}

func withinLimits(t *testing.T, r plan.Object) {
	t.Helper()
	rules := maplist(r["spec"].(map[string]any), "rules")
	matches := 0
	for _, rule := range rules {
		matches += len(maplist(rule, "matches"))
		for _, ref := range backends(rule) {
			if weightOf(ref) > maxWeight || len(backends(rule)) > maxBackends {
				t.Errorf("%d backends, weight %d", len(backends(rule)), weightOf(ref))
			}
		}
	}
	if len(rules) > maxRules || matches > maxMatches {
		t.Errorf("%d rules, %d matches", len(rules), matches)
	}
}

// exactDraws: the cohorts have their odds of what the base had, and neighbours keep what they had.
func exactDraws(t *testing.T, before, after plan.Object, to plan.Traffic) {
	t.Helper()
	olds, rules := maplist(before["spec"].(map[string]any), "rules"), maplist(after["spec"].(map[string]any), "rules")
	for _, old := range olds {
		i := slices.IndexFunc(rules, func(r map[string]any) bool { return r["name"] == old["name"] })
		sum, was := int64(0), int64(0)
		for _, ref := range backends(rules[i]) {
			sum += weightOf(ref)
		}
		for _, ref := range backends(old) {
			was += weightOf(ref)
		}
		for _, ref := range backends(rules[i]) {
			name, own, odds := text(ref, "name"), int64(0), int64(100)
			if n, ok := strings.CutPrefix(name, "checkout-candidate-cohort-"); ok {
				name, odds = "checkout", map[string]int64{"1": 5, "2": 20, "3": 25, "4": 50}[n]
			}
			for _, o := range backends(old) {
				if o["name"] == name {
					own = weightOf(o)
				}
			}
			if weightOf(ref)*was*100 != own*odds*sum {
				t.Errorf("%s of %s has %d of %d; it had %d of %d", ref["name"], old["name"], weightOf(ref), sum, own, was)
			}
		}
	}
}
