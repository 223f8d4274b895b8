package gatewayapi

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/plan"
)

// calls is a GRPCRoute: the new service first, whose longer name wins anyway, and rules that the ring would overtake.
const calls = `
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: r, namespace: shop}
spec:
  rules:
  - {name: part0, matches: [{method: {type: Exact, service: shop.Cart}}], filters: [FILTER0], backendRefs: [{group: '', kind: Service, name: checkout, port: 80, weight: 1}]}
  - {name: other1, matches: [{method: {type: Exact, service: shop.Cart, method: Get}}], filters: [FILTER1], backendRefs: [{group: '', kind: Service, name: other, port: 80, weight: 1}]}
  - {name: other2, matches: [{method: {type: Exact, service: shop.Cart}, headers: [{type: Exact, name: X-Beta, value: b}]}], filters: [FILTER2], backendRefs: [{group: '', kind: Service, name: other, port: 80, weight: 1}]}
  - {name: part3, filters: [FILTER3], backendRefs: [{group: '', kind: Service, name: checkout, port: 80, weight: 1}]}
`

func grpcText() string {
	text := calls
	for number, rule := range map[string]string{"0": "part0", "1": "other1", "2": "other2", "3": "part3"} {
		text = strings.Replace(text, "FILTER"+number, "{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: X-Rule, value: "+rule+"}]}}", 1)
	}
	return text
}

func TestGRPCRoute(t *testing.T) {
	r, before := route(t, grpcText()), route(t, grpcText())
	whole(r.Object)
	whole(before.Object)
	s := plan.Split{Weight: 25 * plan.OnePercent, Ring: staff()}
	if problem := NoRoom(r.Object, shop, s); problem != "" {
		t.Fatal(problem)
	}
	for range 2 {
		if _, err := split(r, shop, mark, s); err != nil {
			t.Fatal(err)
		}
	}
	rules, _ := readRules(r)
	for _, rule := range rules {
		for _, m := range maplist(rule, "matches") {
			if _, ok := m["path"]; ok {
				t.Errorf("a match of a GRPCRoute has no path: %v", m)
			}
		}
	}
	if changed, err := split(r, shop, mark, s); changed || err != nil || (Kind{}).Share(r.Object, shop) != s.Weight {
		t.Errorf("again: changed %v, %v; share %s", changed, err, Kind{}.Share(r.Object, shop))
	}
	old, now := edge(t, before.Object), edge(t, r.Object)
	for _, path := range []string{"/shop.Cart/Get", "/shop.Cart/Add", "/shop.Other/Get"} {
		for _, header := range []string{"", "X-Beta: b"} {
			for _, isStaff := range []bool{false, true} {
				q := request{"POST", path, header, isStaff}
				was, is := ask(old, q, ""), ask(now, q, "")
				if was.rule != is.rule || was.status != is.status {
					t.Errorf("%v: rule %s became %s\n%s", q, was.rule, is.rule, told(t, r))
				}
				if isStaff && strings.HasPrefix(is.rule, "part") && is.service != "checkout-candidate" {
					t.Errorf("%v: %s answered", q, is.service)
				}
				if strings.HasPrefix(is.rule, "other") && is.service != "other" {
					t.Errorf("%v: %s answered", q, is.service)
				}
			}
		}
	}
	if _, err := split(r.DeepCopy(), shop, mark, four(1)); err == nil || !strings.Contains(err.Error(), "gRPC clients keep no cookies") {
		t.Errorf("cohorts: %v", err)
	}
	if _, err := restore(r, shop, mark, nil); err != nil || jsonOf(r.Object) != jsonOf(before.Object) {
		t.Errorf("restored to %s, %v", jsonOf(r.Object), err)
	}
}

func TestCallsTogether(t *testing.T) {
	call := func(kind, service, method string) map[string]any {
		return map[string]any{"method": map[string]any{"type": kind, "service": service, "method": method}}
	}
	for _, tc := range []struct {
		name string
		a, b map[string]any
		want bool
	}{
		{"the same", call("Exact", "a", "b"), call("Exact", "a", "b"), true},
		{"another service", call("Exact", "a", "b"), call("Exact", "x", "b"), false},
		{"another method", call("Exact", "a", "b"), call("Exact", "a", "x"), false},
		{"an expression", call("RegularExpression", ".", "b"), call("Exact", "a", "b"), true},
		{"every call", map[string]any{}, call("Exact", "a", "b"), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := together(tc.a, tc.b); got != tc.want || together(tc.b, tc.a) != got {
				t.Errorf("together %v", got)
			}
		})
	}
}
