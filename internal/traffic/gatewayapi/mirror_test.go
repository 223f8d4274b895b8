package gatewayapi

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/plan"
)

func TestMirror(t *testing.T) {
	own := func(filters string) string {
		return ruleOf("{name: main, matches: [{path: {type: PathPrefix, value: /}}], " + filters + "backendRefs: [{group: '', kind: Service, name: checkout, port: 8080, weight: 1}]}, " + query)
	}
	const theirs = "{type: RequestMirror, requestMirror: {backendRef: {group: '', kind: Service, name: audit, port: 80}, percent: 5}}"
	for _, tc := range []struct {
		name, route string
		share       plan.Share
		want        string
	}{
		{"a tenth", own(""), 10 * plan.OnePercent, `[{"requestMirror":{"backendRef":{"group":"","kind":"Service","name":"checkout-candidate","port":8080},"percent":10},"type":"RequestMirror"}]`},
		{"everything", own(""), plan.All, `[{"requestMirror":{"backendRef":{"group":"","kind":"Service","name":"checkout-candidate","port":8080}},"type":"RequestMirror"}]`},
		{"beside another", own("filters: [" + theirs + "], "), plan.OnePercent,
			`[{"requestMirror":{"backendRef":{"group":"","kind":"Service","name":"audit","port":80},"percent":5},"type":"RequestMirror"},` +
				`{"requestMirror":{"backendRef":{"group":"","kind":"Service","name":"checkout-candidate","port":8080},"percent":1},"type":"RequestMirror"}]`},
		{"an empty list", own("filters: [], "), plan.All, `[{"requestMirror":{"backendRef":{"group":"","kind":"Service","name":"checkout-candidate","port":8080}},"type":"RequestMirror"}]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, before := route(t, tc.route), route(t, tc.route)
			whole(r.Object)
			s := plan.Split{Mirror: tc.share}
			if changed, err := split(r, shop, mark, s); !changed || err != nil {
				t.Fatalf("changed %v, %v", changed, err)
			}
			rules, _ := readRules(r)
			if got := jsonOf(rules[0]["filters"]); got != tc.want {
				t.Errorf("filters %s, want %s", got, tc.want)
			}
			if _, ok := rules[1]["filters"]; ok || told(t, r) != told(t, before) {
				t.Errorf("users are sent elsewhere: %s", told(t, r))
			}
			if changed, err := split(r, shop, mark, s); changed || err != nil {
				t.Errorf("again: changed %v, %v", changed, err)
			}
			if (Kind{}).Share(r.Object, shop) != 0 || !(Kind{}).Reaches(r.Object, shop) || (Kind{}).Differs(r, shop, mark, s) != "" {
				t.Errorf("share %s, drift %q", Kind{}.Share(r.Object, shop), Kind{}.Differs(r, shop, mark, s))
			}
			if got := (Kind{}).Differs(r, shop, mark, plan.Split{Mirror: 33 * plan.OnePercent}); !strings.Contains(got, "rule main copies "+tc.share.String()+" to checkout-candidate, not 33%") {
				t.Errorf("drift %q", got)
			}
			if _, err := restore(r, shop, mark, nil); err != nil || jsonOf(r.Object) != jsonOf(before.Object) {
				t.Errorf("restored to %s, want %s (%v)", jsonOf(r.Object), jsonOf(before.Object), err)
			}
		})
	}
	if _, err := split(route(t, own("")), shop, mark, plan.Split{Mirror: 500}); err == nil || !strings.Contains(err.Error(), "whole percents") {
		t.Errorf("half a percent: %v", err)
	}
}

func TestServicesOfCohorts(t *testing.T) {
	base := route(t, `{apiVersion: v1, kind: Service, metadata: {name: checkout, namespace: shop, labels: {team: pay, app.kubernetes.io/instance: checkout},
		annotations: {traefik.ingress.kubernetes.io/service.serversscheme: h2c, meta.helm.sh/release-name: x}},
		spec: {type: LoadBalancer, clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1], selector: {app: checkout}, loadBalancerClass: x,
		ports: [{name: web, port: 80, targetPort: 8080, nodePort: 30000, appProtocol: kubernetes.io/h2c}]}, status: {a: b}}`)
	whole(base.Object)
	b := plan.Baseline{Service: base.Object}
	to := shop
	made, err := Kind{}.Make(&to, b, four(2))
	if err != nil || len(made) != 4 || len(to.Own) != 0 {
		t.Fatalf("made %v, %v", made, err)
	}
	want := `{"apiVersion":"v1","kind":"Service","metadata":{"annotations":{"traefik.ingress.kubernetes.io/service.serversscheme":"h2c"},"labels":{"team":"pay"},` +
		`"name":"checkout-candidate-cohort-3","namespace":"shop"},"spec":{"ports":[{"appProtocol":"kubernetes.io/h2c","name":"web","port":80,"targetPort":8080}],` +
		`"selector":{"app":"checkout"},"type":"ClusterIP"}}`
	if got := jsonOf(made[2]); got != want {
		t.Errorf("made\n%s, want\n%s", got, want)
	}
	if text(maplist(base.Object["spec"].(map[string]any), "ports")[0], "name") != "web" || maplist(base.Object["spec"].(map[string]any), "ports")[0]["nodePort"] == nil {
		t.Error("the base's Service was changed")
	}
	if made, err := (Kind{}).Make(&to, b, plan.Split{Weight: plan.All, Ring: staff()}); err != nil || len(made) != 0 {
		t.Errorf("without cohorts: %v, %v", made, err)
	}
	if got := strings.Join(Services(shop, four(0)), " "); !strings.HasPrefix(got, "checkout-candidate checkout-candidate-cohort-1 ") {
		t.Errorf("services %s", got)
	}
}
