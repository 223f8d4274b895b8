package ingressnginx

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// other is an Ingress with one path of shop.example.
func other(t *testing.T, name, annotations, path, service string, more string) plan.Object {
	t.Helper()
	return read(t, `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: `+name+`, namespace: shop, annotations: {`+annotations+`}}, spec: {ingressClassName: nginx,
  rules: [{host: shop.example, http: {paths: [{path: `+path+`, pathType: Prefix, backend: {service: {name: `+service+`, port: {number: 80}}}}]}}]`+more+`}}`).Object
}

func TestProblems(t *testing.T) {
	const isCanary = `nginx.ingress.kubernetes.io/canary: "true"`
	edited := func(change func(u *unstructured.Unstructured)) plan.Object {
		u := read(t, users)
		change(u)
		return u.Object
	}
	annotated := func(key, value string) plan.Object {
		return edited(func(u *unstructured.Unstructured) { u.SetAnnotations(map[string]string{key: value}) })
	}
	class := func(value any) plan.Object {
		return edited(func(u *unstructured.Unstructured) { u.Object["spec"].(map[string]any)["ingressClassName"] = value })
	}
	usual := read(t, users).Object
	for name, tc := range map[string]struct {
		route    plan.Object
		others   []plan.Object
		most     plan.Split
		headless bool
		object   string
		want     string // "" for nothing to say
		warning  bool
	}{
		"nothing":               {route: usual},
		"itself a canary":       {route: annotated(keyCanary, "true"), object: "web", want: "canary itself"},
		"affinity":              {route: annotated(keyAffinity, "cookie"), object: "web", want: "neither a step nor a rollback"},
		"passthrough":           {route: annotated(keyPassthrough, "true"), object: "web", want: "ssl-passthrough"},
		"another class":         {route: class("alb"), object: "web", want: `its class is "alb"`, warning: true},
		"no class":              {route: class(nil), object: "web", want: "names no class", warning: true},
		"a class that says so":  {route: class("internal-nginx")},
		"default too":           {route: edited(func(u *unstructured.Unstructured) { setDefault(u, "checkout") }), object: "web", want: "defaultBackend", warning: true},
		"another canary":        {route: usual, others: []plan.Object{other(t, "mine", isCanary, "/", "checkout-next", "")}, object: "mine", want: "canary of Service/checkout at shop.example/ already"},
		"a canary of another":   {route: usual, others: []plan.Object{other(t, "mine", isCanary, "/static", "cdn-next", "")}},
		"ours":                  {route: usual, others: []plan.Object{other(t, "web-candidate", isCanary, "/", "checkout-candidate", "")}},
		"the same Service":      {route: usual, others: []plan.Object{other(t, "two", "", "/two", "checkout", "")}, object: "two", want: "divides whatever goes there", warning: true},
		"another Service":       {route: usual, others: []plan.Object{other(t, "two", "", "/two", "cart", "")}},
		"a ring":                {route: usual, most: plan.Split{Ring: header}, object: "web", want: "at shop.example/static", warning: true},
		"a ring without others": {route: plain(t, "").Object, most: plan.Split{Ring: header}},
		"copies":                {route: plain(t, "").Object, most: plan.Split{Mirror: plan.All}, object: "web", want: "mirror-target", warning: true},
		"copies, headless":      {route: plain(t, "").Object, most: plan.Split{Mirror: plan.All}, headless: true, object: "checkout", want: "headless"},
		"copies, their mirror":  {route: plain(t, theirs).Object, most: plan.Split{Mirror: plan.All}, object: "web", want: "https://audit.example", warning: true},
	} {
		t.Run(name, func(t *testing.T) {
			routes := []plan.Object{tc.route}
			b := plan.Baseline{Service: plan.Object{"kind": "Service", "metadata": plan.Object{"name": "checkout"}, "spec": plan.Object{}}}
			if tc.headless {
				at(b.Service, "spec")["clusterIP"] = "None"
			}
			found := Kind{}.Problems(routes, append(routes, tc.others...), shop(&unstructured.Unstructured{Object: tc.route}), b, tc.most)
			if tc.want == "" {
				if len(found) > 0 {
					t.Errorf("found %v", found)
				}
				return
			}
			for _, p := range found {
				if p.Object.Name == tc.object && strings.Contains(p.Text, tc.want) && p.Warning == tc.warning && p.Remedy != "" {
					return
				}
			}
			t.Errorf("found %v", found)
		})
	}
}

func setDefault(u *unstructured.Unstructured, service string) {
	at(u.Object, "spec")["defaultBackend"] = plan.Object{"service": plan.Object{"name": service, "port": plan.Object{"number": int64(80)}}}
}

func TestTogether(t *testing.T) {
	route := read(t, users)
	for name, tc := range map[string]struct {
		other plan.Object
		want  bool
	}{
		"same port":      {other(t, "two", "", "/", "checkout", ""), true},
		"not the base":   {other(t, "two", "", "/", "cart", ""), false},
		"and by default": {other(t, "two", "", "/", "checkout", ", defaultBackend: {service: {name: checkout, port: {number: 80}}}"), false},
		"another port":   {read(t, strings.ReplaceAll(strings.ReplaceAll(users, "number: 80", "number: 81"), "name: web", "name: two")).Object, false},
		"another class":  {read(t, strings.ReplaceAll(strings.ReplaceAll(users, "ClassName: nginx", "ClassName: alb"), "name: web", "name: two")).Object, false},
	} {
		if got := Together(tc.other, []plan.Object{route.Object}, shop(route)); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
