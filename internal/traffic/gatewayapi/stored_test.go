package gatewayapi

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

// TestStored: what a server makes of a split route, with the defaults that it fills in, is still that split, and the way back
// leads to what it made of the user's.
func TestStored(t *testing.T) {
	mirror := plan.Split{Mirror: 10 * plan.OnePercent}
	both := four(2)
	both.Ring = staff()
	for _, tc := range []struct {
		name, route string
		s           plan.Split
	}{
		{"cohorts", webText, four(1)},
		{"cohorts and a ring", webText, both},
		{"a mirror", webText, mirror},
		{"a mirror of calls", grpcText(), mirror},
		{"weights and a ring of calls", grpcText(), plan.Split{Weight: 10 * plan.OnePercent, Ring: staff()}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := apiserver.New(apiserver.Options{})
			t.Cleanup(s.Close)
			create(t, s, schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, plan.Object{"metadata": map[string]any{"name": "shop"}})
			client, err := dynamic.NewForConfig(&rest.Config{Host: "http://embedded", Transport: s.RoundTripper(), QPS: -1})
			if err != nil {
				t.Fatal(err)
			}
			r := route(t, tc.route)
			routes := client.Resource(schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: strings.ToLower(r.GetKind()) + "s"}).Namespace("shop")
			stored, err := routes.Create(t.Context(), r, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			before := jsonOf(stored.Object["spec"])
			store := func(o *unstructured.Unstructured) *unstructured.Unstructured {
				stored, err := routes.Update(t.Context(), o, metav1.UpdateOptions{})
				if err != nil {
					t.Fatal(err)
				}
				return stored
			}
			if changed, err := split(stored, shop, mark, tc.s); !changed || err != nil {
				t.Fatalf("changed %v, %v", changed, err)
			}
			stored = store(stored)
			if what := (Kind{}).Differs(stored, shop, mark, tc.s); what != "" {
				t.Errorf("drift: %s", what)
			}
			if changed, err := split(stored, shop, mark, tc.s); changed || err != nil {
				t.Errorf("again: changed %v, %v", changed, err)
			}
			if _, err := restore(stored, shop, mark, nil); err != nil {
				t.Fatal(err)
			}
			stored = store(stored)
			if got := jsonOf(stored.Object["spec"]); got != before || len(stored.GetAnnotations()) != 0 {
				t.Errorf("restored to %s, want %s", got, before)
			}
		})
	}
}

// webText leaves out what a server fills in.
const webText = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec:
  parentRefs: [{name: web, namespace: gateways}]
  rules:
  - backendRefs: [{name: checkout, port: 80, filters: [{type: RequestMirror, requestMirror: {backendRef: {name: audit, port: 80}, percent: 5}}]}, {name: legacy, port: 80}]
  - {name: query, matches: [{queryParams: [{name: v, value: '2'}]}], backendRefs: [{name: other, port: 80}]}
`

// TestCohortsAmongOthers: rules and backends that somebody adds in the middle of a rollout stay, wherever they are put, and
// two rollouts that share a route leave each other's alone.
func TestCohortsAmongOthers(t *testing.T) {
	cart := plan.Traffic{Namespace: "shop", Base: "cart", Candidate: "cart-candidate"}
	const others = "tidegate.dev/original.cart"
	r := route(t, ruleOf(mine+", "+query+", {name: cart, matches: [{path: {type: PathPrefix, value: /cart}}], backendRefs: [{name: cart, port: 80, weight: 1}]}"))
	for range 2 {
		if _, err := split(r, shop, mark, four(2)); err != nil {
			t.Fatal(err)
		}
		if _, err := split(r, cart, others, four(1)); err != nil {
			t.Fatal(err)
		}
	}
	for _, of := range []struct {
		t    plan.Traffic
		mark string
		s    plan.Split
	}{{shop, mark, four(2)}, {cart, others, four(1)}} {
		if changed, err := split(r, of.t, of.mark, of.s); changed || err != nil || (Kind{}).Share(r.Object, of.t) != of.s.Weight {
			t.Errorf("%s: changed %v, %v; share %s", of.t.Base, changed, err, Kind{}.Share(r.Object, of.t))
		}
	}
	rules, _ := readRules(r)
	added := map[string]any{"name": "new", "backendRefs": []any{map[string]any{"name": "other", "port": int64(80), "weight": int64(7)}}}
	rules[0] = withBackends(rules[0], append(backends(rules[0]), map[string]any{"name": "extra", "port": int64(80), "weight": int64(2)}))
	rules = append([]map[string]any{added}, rules...)
	list := make([]any, len(rules))
	for i := range rules {
		list[len(rules)-1-i] = rules[i]
	}
	r.Object["spec"].(map[string]any)["rules"] = list
	for _, of := range []struct {
		t    plan.Traffic
		mark string
	}{{cart, others}, {shop, mark}} {
		if changed, err := restore(r, of.t, of.mark, nil); !changed || err != nil {
			t.Errorf("%s: changed %v, %v", of.t.Base, changed, err)
		}
	}
	const want = "cart /cart > cart:1; query / ?v=2 > other:1; main / > checkout:1,extra:2; new / > other:7"
	if got := told(t, r); got != want || len(r.GetAnnotations()) != 0 {
		t.Errorf("restored to\n%s, want\n%s", got, want)
	}
}
