package istio

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

const root = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: root, namespace: shop}
spec:
  hosts: [shop.example]
  http:
  - {match: [{uri: {prefix: /pay}}], delegate: {name: pay}}
  - {match: [{uri: {prefix: /far}}], delegate: {name: far, namespace: elsewhere}}
  - {delegate: {name: rest, namespace: shop}}
`

func delegate(name, host string) string {
	return `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: ` + name + `, namespace: shop},
		spec: {http: [{route: [{destination: {host: ` + host + `}}]}]}}`
}

func rule(name, host string) string {
	return `{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: ` + name + `, namespace: shop, labels: {argocd.argoproj.io/instance: a}},
		spec: {host: ` + host + `, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}, outlierDetection: {consecutive5xxErrors: 3}},
		subsets: [{name: v1, labels: {v: "1"}, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 9}}}, {name: v2}]}}`
}

func all(t *testing.T, texts ...string) []plan.Object {
	t.Helper()
	var list []plan.Object
	for _, text := range texts {
		list = append(list, read(t, text).Object)
	}
	return list
}

func names(list []plan.Object) string {
	var names []string
	for _, o := range list {
		names = append(names, plan.RefOf(o).String())
	}
	return strings.Join(names, " ")
}

func block(t *testing.T, name string, rules, subsets []string) spec.Traffic {
	t.Helper()
	return spec.Traffic{Istio: &spec.Istio{VirtualService: name, Routes: rules, Subsets: subsets}}
}

// planned is the plan's traffic over what is found from a named VirtualService, and what is made for it.
func planned(t *testing.T, name string, rules, subsets []string, objects []plan.Object) (plan.Traffic, []plan.Object, []plan.Object, error) {
	t.Helper()
	conf := block(t, name, rules, subsets)
	routes := []plan.Object{object(objects, Kind{}.Routes(conf, "shop")[0])}
	further, err := Kind{}.Find(conf, routes, objects)
	if err != nil {
		t.Fatal(err)
	}
	routes = append(routes, further...)
	to := shop
	to.Routes, to.Rules, to.Subsets = nil, conf.RuleNames(), conf.SubsetNames()
	for _, o := range routes {
		to.Routes = append(to.Routes, plan.RefOf(o))
	}
	made, err := Kind{}.Make(&to, plan.Baseline{Routes: routes}, plan.Split{})
	return to, routes, made, err
}

func TestDelegates(t *testing.T) {
	objects := all(t, root, delegate("pay", "payments"), delegate("rest", "checkout"), delegate("stranger", "checkout"),
		rule("a", "checkout"), rule("b", "cdn"), rule("c", "checkout.shop.svc.cluster.local"))
	to, routes, made, err := planned(t, "root", nil, nil, objects)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(routes); got != "VirtualService/root VirtualService/pay VirtualService/rest DestinationRule/a DestinationRule/c" {
		t.Errorf("found are %s", got)
	}
	if len(to.Routes) != 1 || to.Routes[0].Name != "rest" {
		t.Errorf("the plan has the routes %v", to.Routes)
	}
	for _, o := range routes {
		u := read(t, root)
		u.Object = o
		changed, err := Kind{}.Split(u, to, mark, plan.Split{Weight: plan.All})
		if err != nil || changed != (u.GetName() == "rest") {
			t.Errorf("%s: changed %v, error %v", plan.RefOf(o), changed, err)
		}
		if changed, err := (Kind{}).Restore(u, to, mark, nil); err != nil || changed != (u.GetName() == "rest") {
			t.Errorf("restore %s: changed %v, error %v", plan.RefOf(o), changed, err)
		}
	}
	if got := names(made); got != "DestinationRule/checkout-candidate DestinationRule/checkout-candidate-2" {
		t.Errorf("made are %s", got)
	}
	var texts []string
	for _, p := range (Kind{}).Problems(routes, objects, to, plan.Baseline{}, plan.Split{Cohorts: cohorts(0)}) {
		if !p.Warning || p.Remedy == "" {
			t.Errorf("it is no warning with a remedy: %+v", p)
		}
		texts = append(texts, p.Object.Name+": "+p.Text)
	}
	text := strings.Join(texts, "\n")
	for _, want := range []string{"root: it delegates to VirtualService/far of namespace elsewhere", "rest: it is a delegate", "stranger: it sends to Service/checkout too"} {
		if !strings.Contains(text, want) || len(texts) != 3 {
			t.Errorf("the problems are\n%s\nwithout %q", text, want)
		}
	}
}

func TestCopiesOfDestinationRules(t *testing.T) {
	for _, tc := range []struct {
		name, route, host string
		errors            int64
		want              string
	}{
		{"a short host", "{host: checkout}", "checkout", 3, "checkout-candidate"},
		{"a whole name", "{host: checkout.shop.svc.cluster.local, subset: v2}", "checkout.shop.svc.cluster.local", 3, "checkout-candidate.shop.svc.cluster.local"},
		{"the policy of the only subset", "{host: checkout, subset: v1}", "checkout.shop.svc", 9, "checkout-candidate.shop.svc"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, made, err := planned(t, "checkout", nil, nil, all(t, head+`  - route: [{destination: `+tc.route+`}]`, rule("a", tc.host)))
			if err != nil || len(made) != 1 {
				t.Fatalf("made are %v, error %v", made, err)
			}
			spec := mapAt(made[0], "spec")
			if spec["host"] != tc.want || spec["subsets"] != nil || mapAt(made[0], "metadata")["labels"] != nil {
				t.Errorf("the copy is %v", made[0])
			}
			if got, _ := number(mapAt(spec, "trafficPolicy", "outlierDetection")["consecutive5xxErrors"]); got != tc.errors || mapAt(spec, "trafficPolicy", "tls")["mode"] != "ISTIO_MUTUAL" {
				t.Errorf("its policy is %v", spec["trafficPolicy"])
			}
		})
	}
}

func TestNoBase(t *testing.T) {
	const tcp = `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: checkout, namespace: shop},
		spec: {hosts: [a], tcp: [{route: [{destination: {host: checkout}}]}]}}`
	const far = `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: checkout, namespace: shop},
		spec: {hosts: [a], http: [{delegate: {name: far, namespace: elsewhere}}]}}`
	for _, tc := range []struct {
		name, text     string
		rules, subsets []string
		want           string
	}{
		{"another Service", head + `  - route: [{destination: {host: cdn}}]`, nil, nil, "name the Service in spec.service"},
		{"connections", tcp, nil, nil, "only tls or tcp routes"},
		{"a delegate elsewhere", far, nil, nil, "elsewhere/far"},
		{"another name", head + `  - {name: a, route: [{destination: {host: checkout}}]}`, []string{"b"}, nil, "spec.traffic.istio.routes"},
		{"another subset", head + `  - route: [{destination: {host: checkout, subset: v1}}]`, nil, []string{"v2"}, "spec.traffic.istio.subsets"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, _, err := planned(t, "checkout", tc.rules, tc.subsets, all(t, tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "VirtualService/checkout") {
				t.Errorf("the error is %v, without %q", err, tc.want)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	other := strings.NewReplacer("name: checkout", "name: second").Replace(head) + `  - route: [{destination: {host: checkout}}]`
	objects := all(t, head+`
  - {name: a, route: [{destination: {host: checkout, subset: v1}}]}
  - {name: b, route: [{destination: {host: checkout, subset: v1}}]}
  tls: [{route: [{destination: {host: checkout, subset: v1}}]}]`, other, delegate("quiet", "cdn"))
	to, routes, _, err := planned(t, "checkout", []string{"a", "gone"}, []string{"v1", "v9"}, objects)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{ // what is said, and whether it is only a warning
		"its HTTP route b sends to Service/checkout too":                              true,
		"it has tls or tcp routes to Service/checkout too":                            true,
		"by the name gone of spec.traffic.istio.routes":                               false,
		"by the name v9 of spec.traffic.istio.subsets":                                false,
		"it has the host shop.example in common with VirtualService/checkout, and at": true,
	}
	problems := Kind{}.Problems(routes, objects, to, plan.Baseline{}, plan.Split{Weight: plan.All})
	to.Subsets = nil
	problems = append(problems, within(objects[1], to).besides(objects[1], routes)...)
	for text, warning := range want {
		found := false
		for _, p := range problems {
			found = found || strings.Contains(p.Text, text) && p.Warning == warning && p.Remedy != ""
		}
		if !found {
			t.Errorf("nothing says %q (a warning: %v) in %+v", text, warning, problems)
		}
	}
	if len(problems) != len(want) {
		t.Errorf("there are %d problems: %+v", len(problems), problems)
	}
}

func TestNotAccepted(t *testing.T) {
	for _, tc := range []struct{ name, status, want string }{
		{"nothing is said", `{}`, ""},
		{"a warning", `{observedGeneration: 4, validationMessages: [{level: WARNING, type: {name: X, code: IST0001}}]}`, ""},
		{"an error", `{observedGeneration: "4", validationMessages: [{level: INFO}, {level: ERROR, type: {name: ReferencedResourceNotFound, code: IST0101}}]}`, "ReferencedResourceNotFound (IST0101)"},
		{"an error of an older generation", `{observedGeneration: "3", validationMessages: [{level: ERROR, type: {name: X, code: IST0001}}]}`, ""},
		{"an error of no generation", `{validationMessages: [{level: ERROR, type: {name: X, code: IST0001}}]}`, "IST0001"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := read(t, `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: checkout, generation: 4}, status: `+tc.status+`}`)
			got := Kind{}.NotAccepted(o.Object)
			if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("it says %q, not %q", got, tc.want)
			}
		})
	}
}

func TestFullName(t *testing.T) {
	for host, want := range map[string]string{
		"checkout": "checkout.shop", "checkout.shop": "checkout.shop", "checkout.other": "checkout.other", "checkout.shop.svc": "checkout.shop",
		"checkout.shop.svc.cluster.local": "checkout.shop", "checkout.shop.svc.corp.example": "checkout.shop", "a.b.example": "a.b.example",
	} {
		if got := fullName(host, "shop"); got != want {
			t.Errorf("%s is %s, not %s", host, got, want)
		}
	}
}
