package istio

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/tidegate/tidegate/internal/plan"
)

const mark = "tidegate.dev/original.checkout"

var shop = plan.Traffic{
	Router: Name, Namespace: "shop", Base: "checkout", Candidate: "checkout-candidate",
	Routes: []plan.Ref{{APIVersion: apiVersion, Kind: virtualService, Namespace: "shop", Name: "checkout"}},
}

// read is an object as the API gives it: whole numbers are int64.
func read(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return u
}

// stored is the object after it went to the API and came back.
func stored(t *testing.T, u *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	data, err := u.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	back := &unstructured.Unstructured{}
	if err := back.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return back
}

const head = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: checkout, namespace: shop, annotations: {team: red}, labels: {a: b}}
spec:
  hosts: [shop.example]
  futureField: {kept: [1, 2.5]}
  http:
`

// objects are VirtualServices of different kinds, all of which every split fits.
func objects() map[string]string {
	return map[string]string{
		"alone":         head + `  - route: [{destination: {host: checkout}}]`,
		"with a weight": head + `  - route: [{destination: {host: checkout, port: {number: 80}}, weight: 100}]`,
		"beside others": head + `
  - name: static
    match: [{uri: {prefix: /static}}]
    route: [{destination: {host: cdn}}]
  - name: api
    match: [{uri: {prefix: /api}, headers: {x-team: {prefix: sh}}}, {uri: {exact: /}, method: {exact: GET}}]
    timeout: 3s
    retries: {attempts: 2}
    route:
    - {destination: {host: other.shop.svc.cluster.local}, weight: 25}
    - {destination: {host: checkout.shop.svc.cluster.local, subset: v1, port: {number: 8080}}, weight: 60, headers: {response: {set: {Cache-Control: no-store, X-A: b}}}}
    - {destination: {host: checkout.shop.svc.cluster.local, subset: v2, port: {number: 8080}}, weight: 15, headers: {request: {add: {x-v: "2"}}, response: {}}}
  - redirect: {uri: /lost}`,
		"mirrored":                  head + `  - {mirror: {host: audit}, mirrorPercentage: {value: 12.5}, route: [{destination: {host: checkout.shop}}]}`,
		"mirrored by an old field":  head + `  - {mirror: {host: audit}, mirrorPercent: 40, route: [{destination: {host: checkout.shop.svc}}]}`,
		"mirrored to several":       head + `  - {mirrors: [{destination: {host: audit}}, {destination: {host: archive}, percentage: {value: 3}}], route: [{destination: {host: checkout}}]}`,
		"a percentage of no mirror": head + `  - {mirrorPercentage: {value: 7}, route: [{destination: {host: checkout}}]}`,
		"twice":                     head + `  - route: [{destination: {host: checkout}, weight: 3}]` + "\n" + `  - route: [{destination: {host: checkout}}]`,
		"a delegate":                strings.Replace(head, "  hosts: [shop.example]\n", "", 1) + `  - route: [{destination: {host: checkout}}]`,
	}
}

func cohorts(moved int) *plan.Cohorts {
	return &plan.Cohorts{
		Odds: []plan.Share{5 * plan.OnePercent, 20 * plan.OnePercent, 25 * plan.OnePercent, 50 * plan.OnePercent}, Moved: moved, Draw: "R1",
		Cookie: plan.Cookie{Name: "tidegate-checkout", Path: "/100%", MaxAge: plan.Duration(time.Hour), SameSite: "Lax"},
	}
}

func staff() []plan.Match { return []plan.Match{{Header: "X-Staff", Value: "1"}} }

func splits() []plan.Split {
	return []plan.Split{
		{Ring: staff()},
		{Ring: []plan.Match{{Cookie: "staff", Value: "a.b"}}, Weight: 10 * plan.OnePercent},
		{Weight: 12*plan.OnePercent + 500},
		{Cohorts: cohorts(0), Ring: staff()},
		{Cohorts: cohorts(1), Weight: 5 * plan.OnePercent, Ring: staff()},
		{Cohorts: cohorts(3), Weight: 50 * plan.OnePercent},
		{Cohorts: cohorts(4), Weight: plan.All},
		{Mirror: 30 * plan.OnePercent},
		{Mirror: plan.OnePercent / 2},
		{Weight: plan.All},
	}
}

func set(t *testing.T, vs *unstructured.Unstructured, s plan.Split) {
	t.Helper()
	if _, err := (Kind{}).Split(vs, shop, mark, s); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
}

func equal(t *testing.T, what string, got, want *unstructured.Unstructured) {
	t.Helper()
	a, err := json.MarshalIndent(got.Object, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.MarshalIndent(want.Object, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Errorf("%s is\n%s\nand not\n%s", what, a, b)
	}
}

// Whatever splits an object went through, in whatever order: each is found as it was set, and nothing is left at the end.
func TestThereAndBack(t *testing.T) {
	for name, text := range objects() {
		t.Run(name, func(t *testing.T) {
			for from, first := range splits() {
				for _, second := range splits()[from:] {
					vs := read(t, text)
					for _, s := range []plan.Split{first, second, first} {
						set(t, vs, s)
						vs = stored(t, vs)
						if changed, err := (Kind{}).Split(vs, shop, mark, s); err != nil || changed {
							t.Fatalf("%s again: changed %v, error %v", s, changed, err)
						}
						if what := (Kind{}).Differs(vs, shop, mark, s); what != "" {
							t.Fatalf("%s differs at once: %s", s, what)
						}
						if !(Kind{}).Reaches(vs.Object, shop) && len(s.Ring)+int(s.Weight)+int(s.Mirror) > 0 {
							t.Fatalf("after %s nothing reaches the candidate", s)
						}
						if got := (Kind{}).Share(vs.Object, shop); got != s.Weight {
							t.Fatalf("after %s the share is %s", s, got)
						}
					}
					lost := vs.DeepCopy()
					if changed, err := (Kind{}).Restore(vs, shop, mark, nil); err != nil || !changed {
						t.Fatalf("restore: changed %v, error %v", changed, err)
					}
					equal(t, fmt.Sprintf("what is left of %s and %s", first, second), vs, read(t, text))
					if changed, err := (Kind{}).Restore(vs, shop, mark, nil); err != nil || changed {
						t.Fatalf("restore again: changed %v, error %v", changed, err)
					}
					unstructured.RemoveNestedField(lost.Object, "metadata", "annotations", mark)
					if _, err := (Kind{}).Restore(lost, shop, mark, read(t, text).Object); err != nil {
						t.Fatal(err)
					}
					equal(t, "what the original makes of one without a mark", lost, read(t, text))
				}
			}
		})
	}
}

// weights are host/subset=weight of every destination of a route.
func weights(vs *unstructured.Unstructured, route int) string {
	var all []string
	for _, e := range destinations(httpOf(vs.Object)[route]) {
		to := mapAt(e, "destination")
		all = append(all, fmt.Sprintf("%s/%s=%d", textAt(to, "host"), textAt(to, "subset"), weightOf(e)))
	}
	return strings.Join(all, " ")
}

func TestWeights(t *testing.T) {
	alone, others := objects()["alone"], objects()["beside others"]
	many := head + `  - route: [{destination: {host: checkout}, weight: 2000000000}, {destination: {host: cdn}, weight: 100000000}]`
	for _, tc := range []struct {
		name, text string
		weight     plan.Share
		route      int
		want       string
	}{
		{"a tenth", alone, 10 * plan.OnePercent, 0, "checkout/=90 checkout-candidate/=10"},
		{"everything", alone, plan.All, 0, "checkout/=0 checkout-candidate/=100"},
		{"a fraction", alone, 500, 0, "checkout/=199 checkout-candidate/=1"},
		{"others", others, 50 * plan.OnePercent, 1, "other.shop.svc.cluster.local/=2500 checkout.shop.svc.cluster.local/v1=3000 checkout-candidate.shop.svc.cluster.local/=3000 " +
			"checkout.shop.svc.cluster.local/v2=750 checkout-candidate.shop.svc.cluster.local/=750"},
		{"not ours", others, plan.All, 0, "cdn/=0"},
		{"great weights", many, 50 * plan.OnePercent, 0, "checkout/=10 checkout-candidate/=10 cdn/=1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			vs := read(t, tc.text)
			set(t, vs, plan.Split{Weight: tc.weight})
			if got := weights(vs, tc.route); got != tc.want {
				t.Errorf("the weights are %s, not %s", got, tc.want)
			}
		})
	}
}

func TestOnlyWhatIsNamed(t *testing.T) {
	vs := read(t, objects()["beside others"])
	to := shop
	to.Subsets = []string{"v2"}
	if _, err := (Kind{}).Split(vs, to, mark, plan.Split{Weight: 20 * plan.OnePercent}); err != nil {
		t.Fatal(err)
	}
	if got := weights(vs, 1); !strings.Contains(got, "/v1=6000 checkout.shop.svc.cluster.local/v2=1200 checkout-candidate.shop.svc.cluster.local/=300") {
		t.Errorf("the weights are %s", got)
	}
	vs = read(t, head+`
  - {name: a, match: [{uri: {prefix: /a}}], route: [{destination: {host: checkout}}]}
  - {name: b, route: [{destination: {host: checkout}}]}
  - {route: [{destination: {host: checkout.elsewhere.svc.cluster.local}}]}`)
	to = shop
	to.Rules = []string{"b"}
	if _, err := (Kind{}).Split(vs, to, mark, plan.Split{Weight: 20 * plan.OnePercent}); err != nil {
		t.Fatal(err)
	}
	if got := weights(vs, 0) + " " + weights(vs, 1) + " " + weights(vs, 2); got != "checkout/=0 checkout/=80 checkout-candidate/=20 checkout.elsewhere.svc.cluster.local/=0" {
		t.Errorf("the weights are %s", got)
	}
	foreign := read(t, strings.Replace(objects()["alone"], "name: checkout", "name: other", 1))
	if changed, err := (Kind{}).Split(foreign, shop, mark, plan.Split{Weight: plan.All}); err != nil || changed {
		t.Errorf("an object that is not in the plan: changed %v, error %v", changed, err)
	}
}

// What somebody does meanwhile stays, and what we did goes.
func TestSomebodyChangesIt(t *testing.T) {
	const two = head + `
  - {name: a, match: [{uri: {prefix: /a}}], route: [{destination: {host: checkout}, headers: {response: {set: {x: v}}}}]}
  - {name: b, route: [{destination: {host: checkout}, weight: 70}, {destination: {host: cdn}, weight: 30}]}`
	http := func(u *unstructured.Unstructured) []map[string]any { return httpOf(u.Object) }
	write := func(u *unstructured.Unstructured, all []map[string]any) {
		if err := unstructured.SetNestedSlice(u.Object, anylist(all), "spec", "http"); err != nil {
			t.Fatal(err)
		}
	}
	extra := map[string]any{"name": "new", "route": []any{map[string]any{"destination": map[string]any{"host": "new"}}}}
	for _, tc := range []struct {
		name         string
		split        plan.Split
		change, want func(u *unstructured.Unstructured)
	}{
		{"a route is added before, and the order turned round", plan.Split{Cohorts: cohorts(1), Weight: 5 * plan.OnePercent, Ring: staff()}, func(u *unstructured.Unstructured) {
			all := http(u)
			for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
				all[i], all[j] = all[j], all[i]
			}
			write(u, append([]map[string]any{extra}, all...))
		}, func(u *unstructured.Unstructured) {
			all := http(u)
			write(u, []map[string]any{extra, all[1], all[0]})
		}},
		{"headers of a draw get one more", plan.Split{Cohorts: cohorts(0)}, func(u *unstructured.Unstructured) {
			all := http(u)
			for _, r := range all {
				for _, e := range destinations(r) {
					if cookieOf(e) != "" {
						mapAt(e, "headers", "response", "add")["x-new"] = "1"
					}
				}
			}
			write(u, all)
		}, func(u *unstructured.Unstructured) {
			all := http(u)
			for i, r := range all {
				e := destinations(r)[0]
				headers := map[string]any{"response": map[string]any{"add": map[string]any{"x-new": "1"}}}
				if i == 0 {
					headers = map[string]any{"response": map[string]any{"set": map[string]any{"x": "v"}, "add": map[string]any{"x-new": "1"}}}
				}
				e["headers"] = headers
			}
			write(u, all)
		}},
		{"a destination is added to one that was alone", plan.Split{Weight: 40 * plan.OnePercent}, func(u *unstructured.Unstructured) {
			all := http(u)
			all[0] = withDestinations(all[0], append(destinations(all[0]), map[string]any{"destination": map[string]any{"host": "new"}, "weight": int64(20)}))
			write(u, all)
		}, func(u *unstructured.Unstructured) {
			all := http(u)
			all[0] = withDestinations(all[0], append([]map[string]any{withWeight(destinations(all[0])[0], 100)},
				map[string]any{"destination": map[string]any{"host": "new"}, "weight": int64(20)}))
			write(u, all)
		}},
		{"the base is taken out", plan.Split{Weight: 40 * plan.OnePercent}, func(u *unstructured.Unstructured) {
			all := http(u)
			all[0] = withDestinations(all[0], destinations(all[0])[1:])
			write(u, all)
		}, func(*unstructured.Unstructured) {}},
		{"the user's fields", plan.Split{Weight: 40 * plan.OnePercent}, func(u *unstructured.Unstructured) {
			u.SetAnnotations(map[string]string{"team": "blue", mark: u.GetAnnotations()[mark]})
			_ = unstructured.SetNestedStringSlice(u.Object, []string{"new.example"}, "spec", "hosts")
		}, func(u *unstructured.Unstructured) {
			u.SetAnnotations(map[string]string{"team": "blue"})
			_ = unstructured.SetNestedStringSlice(u.Object, []string{"new.example"}, "spec", "hosts")
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			vs, want := read(t, two), read(t, two)
			set(t, vs, tc.split)
			tc.change(vs)
			tc.want(want)
			again := vs.DeepCopy()
			if _, err := (Kind{}).Restore(vs, shop, mark, nil); err != nil {
				t.Fatal(err)
			}
			equal(t, "the object", vs, want)
			set(t, again, tc.split)
			if changed, err := (Kind{}).Split(stored(t, again), shop, mark, tc.split); err != nil || changed {
				t.Errorf("when the split was set again it does not hold: changed %v, error %v", changed, err)
			}
			if _, err := (Kind{}).Restore(again, shop, mark, nil); err != nil {
				t.Fatal(err)
			}
			equal(t, "the object after the split was set again", again, want)
		})
	}
}

// The user's own cookie on a destination is nobody's draw.
func TestTheUsersCookieStays(t *testing.T) {
	const text = head + `  - route: [{destination: {host: checkout}, headers: {response: {add: {set-cookie: "s=a.1; Path=/; Max-Age=60; HttpOnly"}}}}]`
	vs := read(t, text)
	set(t, vs, plan.Split{Weight: 10 * plan.OnePercent})
	if got := weights(vs, 0); got != "checkout/=90 checkout-candidate/=10" {
		t.Errorf("the weights are %s", got)
	}
	if _, err := (Kind{}).Restore(vs, shop, mark, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, "the object", vs, read(t, text))
}

func TestWhatDoesNotFit(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"a cookie is asked already", `  - {match: [{headers: {Cookie: {regex: .*}}}], route: [{destination: {host: checkout}}]}`, "each header once"},
		{"a destination sets a cookie", `  - route: [{destination: {host: checkout}, headers: {response: {add: {Set-Cookie: a=b}}}}]`, "no room for the cohort's"},
		{"a destination takes cookies out", `  - route: [{destination: {host: checkout}, headers: {response: {remove: [SET-COOKIE]}}}]`, "no room for the cohort's"},
		{"the route sets a cookie", `  - {headers: {response: {set: {Set-Cookie: a=b}}}, route: [{destination: {host: checkout}}]}`, "no user would keep a cohort"},
		{"the same destination twice", `  - route: [{destination: {host: checkout}, weight: 1}, {destination: {host: checkout}, weight: 2}]`, "checkout//<nil> twice"},
		{"weights that are too great", `  - route: [{destination: {host: checkout}, weight: 1999999999}, {destination: {host: cdn}, weight: 1}]`, "use smaller weights"},
		{"no base", `  - route: [{destination: {host: cdn}}]`, "no HTTP route that sends to Service checkout"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			vs := read(t, head+tc.text)
			before := vs.DeepCopy()
			_, err := (Kind{}).Split(vs, shop, mark, plan.Split{Cohorts: cohorts(1), Weight: 5 * plan.OnePercent})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("the error is %v, without %q", err, tc.want)
			}
			equal(t, "the object", vs, before)
		})
	}
}

func TestDiffers(t *testing.T) {
	s := plan.Split{Ring: staff(), Weight: 20 * plan.OnePercent}
	for _, tc := range []struct {
		name   string
		change func(u *unstructured.Unstructured)
		want   string
	}{
		{"a weight", func(u *unstructured.Unstructured) { destinations(httpOf(u.Object)[1])[0]["weight"] = int64(1) }, "its HTTP route 2 does not send 20%"},
		{"a route of ours", func(u *unstructured.Unstructured) {
			mapAt(maplist(httpOf(u.Object)[0], "match")[0], "headers")["x"] = map[string]any{}
		},
			"HTTP route tidegate-internal-checkout-1 is not there"},
		{"the order", func(u *unstructured.Unstructured) {
			all := httpOf(u.Object)
			_ = unstructured.SetNestedSlice(u.Object, anylist([]map[string]any{all[1], all[0]}), "spec", "http")
		}, "order"},
		{"the mark", func(u *unstructured.Unstructured) { u.SetAnnotations(nil) }, "annotation"},
		{"the base", func(u *unstructured.Unstructured) { _ = unstructured.SetNestedSlice(u.Object, []any{}, "spec", "http") }, "no HTTP route"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			vs := read(t, objects()["alone"])
			set(t, vs, s)
			tc.change(vs)
			if got := (Kind{}).Differs(vs, shop, mark, s); !strings.Contains(got, tc.want) {
				t.Errorf("it says %q, without %q", got, tc.want)
			}
		})
	}
}
