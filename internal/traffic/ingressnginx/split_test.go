package ingressnginx

import (
	"maps"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/strategies"
)

const mark = "tidegate.dev/original.checkout"

func read(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
		t.Fatal(err)
	}
	plan.Whole(u.Object)
	return u
}

const users = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
  uid: 0b1d
  labels: {app.kubernetes.io/managed-by: Helm}
  annotations:
    cert-manager.io/cluster-issuer: le
    nginx.ingress.kubernetes.io/proxy-body-size: 8m
    nginx.ingress.kubernetes.io/canary-note: mine
spec:
  ingressClassName: nginx
  tls: [{hosts: [shop.example], secretName: shop-tls}]
  futureField: {kept: true}
  rules:
  - host: shop.example
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: checkout, port: {number: 80}}}}
      - {path: /static, pathType: Prefix, backend: {service: {name: cdn, port: {number: 80}}}}
      - {path: /api, pathType: Exact, futureField: 1, backend: {service: {name: checkout, port: {name: http}}}}
  - host: static.example
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: cdn, port: {number: 80}}}}]}
`

// made is the traffic of the user's Ingress with the one that is made beside it.
func made(t *testing.T, user *unstructured.Unstructured) (plan.Traffic, *unstructured.Unstructured) {
	t.Helper()
	traffic := shop(user)
	objects, err := Kind{}.Make(&traffic, plan.Baseline{Routes: []plan.Object{user.Object}}, plan.Split{Weight: plan.All})
	if err != nil || len(objects) != 1 || len(traffic.Own) != 1 || traffic.Own[0] != plan.RefOf(objects[0]) {
		t.Fatalf("made %v with own %v, err %v", objects, traffic.Own, err)
	}
	return traffic, &unstructured.Unstructured{Object: objects[0]}
}

func shop(user *unstructured.Unstructured) plan.Traffic {
	return plan.Traffic{Router: Name, Namespace: "shop", Base: "checkout", Candidate: "checkout-candidate", Routes: []plan.Ref{plan.RefOf(user.Object)}}
}

func TestMakeStandsBesideTheUsers(t *testing.T) {
	user := read(t, users)
	before := plan.Digest(user.Object)
	_, beside := made(t, user)
	want := read(t, `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web-candidate
  namespace: shop
  annotations: {nginx.ingress.kubernetes.io/canary: "true", nginx.ingress.kubernetes.io/proxy-body-size: 8m}
spec:
  ingressClassName: nginx
  tls: [{hosts: [shop.example], secretName: shop-tls}]
  rules:
  - host: shop.example
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: checkout-candidate, port: {number: 80}}}}
      - {path: /api, pathType: Exact, futureField: 1, backend: {service: {name: checkout-candidate, port: {name: http}}}}
`)
	if plan.Digest(beside.Object) != plan.Digest(want.Object) {
		t.Errorf("made\n%v\nwant\n%v", beside.Object, want.Object)
	}
	if plan.Digest(user.Object) != before {
		t.Error("the user's Ingress was changed")
	}
}

func TestMakeKeepsAnOldClass(t *testing.T) {
	user := read(t, `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web, namespace: shop, annotations: {kubernetes.io/ingress.class: nginx}},
  spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: checkout, port: {number: 80}}}}]}}]}}`)
	if _, beside := made(t, user); classOf(beside.Object) != "nginx" {
		t.Errorf("class %q", classOf(beside.Object))
	}
}

func TestMakeNothing(t *testing.T) {
	user := read(t, users)
	traffic := shop(user)
	objects, err := Kind{}.Make(&traffic, plan.Baseline{Routes: []plan.Object{user.Object}}, plan.Split{Mirror: plan.All})
	if err != nil || objects != nil || traffic.Own != nil {
		t.Errorf("for copies alone there are %v, own %v, err %v", objects, traffic.Own, err)
	}
	for text, want := range map[string]string{
		`{defaultBackend: {service: {name: checkout, port: {number: 80}}}}`:                                                                 "add a rule with the path /",
		`{rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: cdn, port: {number: 80}}}}]}}, {host: a.example}]}`: "no path that sends to Service checkout",
	} {
		user := read(t, "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web, namespace: shop}, spec: "+text+"}")
		traffic := shop(user)
		_, err := Kind{}.Make(&traffic, plan.Baseline{Routes: []plan.Object{user.Object}}, plan.Split{Weight: plan.All})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "Ingress/web") {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := (Kind{}).Split(user, traffic, mark, plan.Split{Weight: plan.OnePercent}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("split of %s: %v", text, err)
		}
	}
}

// The name is that by which preflight finds what a lost rollout left.
func TestCandidateName(t *testing.T) {
	for _, name := range []string{"web", strings.Repeat("a", 53), strings.Repeat("a", 54), strings.Repeat("a.", 60) + "b", strings.Repeat("a", 45) + ".-" + strings.Repeat("b", 40)} {
		if got, want := candidateName(name), strategies.CandidateName(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

var (
	header = []plan.Match{{Header: "X-Staff", Value: "1"}}
	cookie = []plan.Match{{Cookie: "staff", Value: "always"}}
)

func TestSplitWritesAnnotations(t *testing.T) {
	for _, tc := range []struct {
		name  string
		split plan.Split
		want  map[string]string // beside canary
	}{
		{"a tenth", plan.Split{Weight: 10 * plan.OnePercent}, map[string]string{keyWeight: "10"}},
		{"a fraction", plan.Split{Weight: plan.OnePercent / 2}, map[string]string{keyWeight: "500", keyTotal: "100000"}},
		{"everything", plan.Split{Weight: plan.All}, map[string]string{keyWeight: "100"}},
		{"a ring alone", plan.Split{Ring: header}, map[string]string{keyWeight: "0", keyHeader: "X-Staff", keyValue: "1"}},
		{"a ring and a share", plan.Split{Weight: 25 * plan.OnePercent, Ring: header}, map[string]string{keyWeight: "25", keyHeader: "X-Staff", keyValue: "1"}},
		{"a cookie", plan.Split{Ring: cookie}, map[string]string{keyWeight: "0", keyCookie: "staff"}},
		{"everything, and never", plan.Split{Weight: plan.All, Ring: cookie}, map[string]string{keyWeight: "100"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			user := read(t, users)
			traffic, beside := made(t, user)
			if changed, err := (Kind{}).Split(user, traffic, mark, tc.split); changed || err != nil {
				t.Errorf("the user's Ingress: changed %v, err %v", changed, err)
			}
			if changed, err := (Kind{}).Split(beside, traffic, mark, tc.split); !changed || err != nil {
				t.Fatalf("changed %v, err %v", changed, err)
			}
			got := beside.GetAnnotations()
			delete(got, prefix+"proxy-body-size")
			tc.want[keyCanary] = "true"
			if !maps.Equal(got, tc.want) {
				t.Errorf("annotations %v, want %v", got, tc.want)
			}
			if share := (Kind{}).Share(beside.Object, traffic); share != tc.split.Weight {
				t.Errorf("the share is %s", share)
			}
			if !(Kind{}).Reaches(beside.Object, traffic) {
				t.Error("no request comes to the candidate")
			}
		})
	}
}

// TestSplits: whatever was before, a split is the same, twice is once, and the way back is whole.
func TestSplits(t *testing.T) {
	splits := []plan.Split{{Weight: plan.OnePercent}, {Ring: header}, {Weight: 1234, Ring: header}, {Ring: cookie}, {Weight: plan.All}, {Weight: plan.OnePercent / 2}}
	user := read(t, users)
	traffic, beside := made(t, user)
	original, usersOwn := plan.Digest(beside.Object), plan.Digest(user.Object)
	for i, first := range splits {
		for j, second := range splits {
			direct, around := beside.DeepCopy(), beside.DeepCopy()
			for _, step := range []struct {
				o *unstructured.Unstructured
				s plan.Split
			}{{direct, second}, {around, first}, {around, second}} {
				if _, err := (Kind{}).Split(step.o, traffic, mark, step.s); err != nil {
					t.Fatal(err)
				}
			}
			if plan.Digest(direct.Object) != plan.Digest(around.Object) {
				t.Errorf("%d after %d is\n%v\nnot\n%v", j, i, around.Object, direct.Object)
			}
			if changed, err := (Kind{}).Split(around, traffic, mark, second); changed || err != nil {
				t.Errorf("%d twice: changed %v, err %v", j, changed, err)
			}
			if difference := (Kind{}).Differs(around, traffic, mark, second); difference != "" {
				t.Errorf("%d differs from itself: %s", j, difference)
			}
			if difference := (Kind{}).Differs(around, traffic, mark, first); (difference == "") != (i == j) {
				t.Errorf("%d is not told from %d: %q", j, i, difference)
			}
			if changed, err := (Kind{}).Restore(around, traffic, mark, nil); !changed || err != nil || plan.Digest(around.Object) != original {
				t.Errorf("%d restored (%v, %v) to\n%v", j, changed, err, around.Object)
			}
			if (Kind{}).Reaches(around.Object, traffic) || (Kind{}).Share(around.Object, traffic) != 0 {
				t.Error("requests still come to the candidate")
			}
			if changed, err := (Kind{}).Restore(around, traffic, mark, nil); changed || err != nil {
				t.Errorf("restored again: %v, %v", changed, err)
			}
		}
	}
	if changed, err := (Kind{}).Restore(user, traffic, mark, nil); changed || err != nil || plan.Digest(user.Object) != usersOwn {
		t.Errorf("the user's Ingress: %v, %v", changed, err)
	}
}

func TestSplitTakesBackWhatSomebodyChanged(t *testing.T) {
	traffic, beside := made(t, read(t, users))
	s := plan.Split{Weight: 10 * plan.OnePercent}
	if _, err := (Kind{}).Split(beside, traffic, mark, s); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		key, value, want string // no value: it is removed
	}{
		{keyWeight, "50", `canary-weight is "50", not "10"`},
		{keyCanary, "", `canary: "true" is gone`},
		{keyPattern, ".*", `it has the annotation nginx.ingress.kubernetes.io/canary-by-header-pattern: ".*"`},
	} {
		o := beside.DeepCopy()
		a := o.GetAnnotations()
		if a[tc.key] = tc.value; tc.value == "" {
			delete(a, tc.key)
		}
		o.SetAnnotations(a)
		if got := (Kind{}).Differs(o, traffic, mark, s); !strings.Contains(got, tc.want) {
			t.Errorf("%s: %q", tc.key, got)
		}
		if changed, err := (Kind{}).Split(o, traffic, mark, s); !changed || err != nil || plan.Digest(o.Object) != plan.Digest(beside.Object) {
			t.Errorf("%s: %v, %v, %v", tc.key, changed, err, o.Object)
		}
	}
	if err := unstructured.SetNestedSlice(beside.Object, nil, "spec", "rules"); err != nil {
		t.Fatal(err)
	}
	if got := (Kind{}).Differs(beside, traffic, mark, s); !strings.Contains(got, "no path that sends to Service checkout-candidate any more") {
		t.Errorf("without rules: %q", got)
	}
}

func TestSplitsThatCannotBe(t *testing.T) {
	for name, tc := range map[string]struct {
		split plan.Split
		want  string
	}{
		"two headers":   {plan.Split{Ring: []plan.Match{{Header: "X-A", Value: "1"}, {Header: "X-B", Value: "1"}}}, "one header or one cookie"},
		"a cookie":      {plan.Split{Ring: []plan.Match{{Cookie: "staff", Value: "1"}}}, "write cookie: {staff: always}"},
		"cookie's name": {plan.Split{Ring: []plan.Match{{Cookie: "staff!", Value: "always"}}}, "choose another cookie"},
		"header":        {plan.Split{Ring: []plan.Match{{Header: "X-A", Value: "a b"}}}, "drops the annotation"},
		"no value":      {plan.Split{Ring: []plan.Match{{Header: "X-A"}}}, "drops the annotation"},
		"cohorts":       {plan.Split{Weight: plan.OnePercent, Cohorts: &plan.Cohorts{}}, "sticky"},
		"some copies":   {plan.Split{Mirror: 10 * plan.OnePercent}, "not 10%"},
	} {
		user := read(t, users)
		traffic, _ := made(t, user)
		before := plan.Digest(user.Object)
		if _, err := (Kind{}).Split(user, traffic, mark, tc.split); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "Ingress/web") {
			t.Errorf("%s: %v", name, err)
		}
		if plan.Digest(user.Object) != before {
			t.Errorf("%s: it was changed all the same", name)
		}
	}
}

func TestReachesAnOrdinaryIngress(t *testing.T) {
	user := read(t, strings.ReplaceAll(users, "name: checkout,", "name: checkout-candidate,"))
	if !(Kind{}).Reaches(user.Object, shop(user)) {
		t.Error("an Ingress that sends to the candidate does not reach it")
	}
	if plain := read(t, users); (Kind{}).Reaches(plain.Object, shop(plain)) || (Kind{}).Share(plain.Object, shop(plain)) != 0 {
		t.Error("one that sends to the base does")
	}
}
