package ingressnginx

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// plain is an Ingress whose paths all lead to the base.
func plain(t *testing.T, annotations string) *unstructured.Unstructured {
	t.Helper()
	return read(t, `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web, namespace: shop`+annotations+`}, spec: {ingressClassName: nginx,
  rules: [{host: shop.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: checkout, port: {number: 8080}}}}]}}]}}`)
}

const (
	target = "http://checkout-candidate.shop.svc.cluster.local:8080$request_uri"
	theirs = `, annotations: {team: red, nginx.ingress.kubernetes.io/mirror-target: "https://audit.example$request_uri"}`
)

func TestMirror(t *testing.T) {
	for name, annotations := range map[string]string{"bare": "", "with annotations": `, annotations: {team: red}`, "with a mirror": theirs,
		"with a host alone": `, annotations: {nginx.ingress.kubernetes.io/mirror-host: x.example}`} {
		t.Run(name, func(t *testing.T) {
			user := plain(t, annotations)
			before, traffic := user.DeepCopy(), shop(user)
			if changed, err := (Kind{}).Split(user, traffic, mark, plan.Split{Mirror: plan.All}); !changed || err != nil {
				t.Fatalf("changed %v, err %v", changed, err)
			}
			if a := user.GetAnnotations(); a[keyTarget] != target || a[keyHost] != "$host" || a[mark] == "" {
				t.Errorf("annotations %v", a)
			}
			if !(Kind{}).Reaches(user.Object, traffic) {
				t.Error("no copy comes to the candidate")
			}
			if changed, err := (Kind{}).Split(user, traffic, mark, plan.Split{Mirror: plan.All}); changed || err != nil {
				t.Errorf("twice: changed %v, err %v", changed, err)
			}
			weighed := user.DeepCopy()
			if changed, err := (Kind{}).Split(weighed, traffic, mark, plan.Split{Weight: plan.OnePercent}); !changed || err != nil || plan.Digest(weighed.Object) != plan.Digest(before.Object) {
				t.Errorf("with a share instead: %v, %v, %v", changed, err, weighed.Object)
			}
			lost := user.DeepCopy()
			a := lost.GetAnnotations()
			delete(a, mark)
			lost.SetAnnotations(a)
			for _, o := range []*unstructured.Unstructured{user, lost} { // with the mark, and by what is known from before
				if changed, err := (Kind{}).Restore(o, traffic, mark, before.Object); !changed || err != nil || plan.Digest(o.Object) != plan.Digest(before.Object) {
					t.Errorf("restored (%v, %v) to\n%v", changed, err, o.Object)
				}
			}
		})
	}
}

func TestMirrorWithoutItsMark(t *testing.T) {
	user := plain(t, theirs)
	before, traffic := user.DeepCopy(), shop(user)
	if _, err := (Kind{}).Split(user, traffic, mark, plan.Split{Mirror: plan.All}); err != nil {
		t.Fatal(err)
	}
	a := user.GetAnnotations()
	delete(a, mark)
	user.SetAnnotations(a)
	if changed, err := (Kind{}).Split(user, traffic, mark, plan.Split{Mirror: plan.All}); changed || err != nil {
		t.Errorf("our own annotations would be kept as the user's: %v, %v, %v", changed, err, user.GetAnnotations())
	}
	blind := user.DeepCopy()
	if _, err := (Kind{}).Restore(blind, traffic, mark, nil); err != nil || mirrorsTo(blind.GetAnnotations(), traffic) || blind.GetAnnotations()["team"] != "red" {
		t.Errorf("nobody knows what was: %v, %v", err, blind.GetAnnotations())
	}
	if _, err := (Kind{}).Restore(user, traffic, mark, before.Object); err != nil || plan.Digest(user.Object) != plan.Digest(before.Object) {
		t.Errorf("restored to %v, %v", user.Object, err)
	}
}

func TestMirrorKeepsWhatSomebodyElseWrote(t *testing.T) {
	user := plain(t, "")
	traffic := shop(user)
	if _, err := (Kind{}).Split(user, traffic, mark, plan.Split{Mirror: plan.All}); err != nil {
		t.Fatal(err)
	}
	a := user.GetAnnotations()
	a[keyTarget], a["new"] = "https://other.example$request_uri", "1"
	user.SetAnnotations(a)
	if got := (Kind{}).Differs(user, traffic, mark, plan.Split{Mirror: plan.All}); !strings.Contains(got, "other.example") {
		t.Errorf("drift is %q", got)
	}
	if _, err := (Kind{}).Restore(user, traffic, mark, nil); err != nil {
		t.Fatal(err)
	}
	if a := user.GetAnnotations(); a[keyTarget] != "https://other.example$request_uri" || a["new"] != "1" || a[mark] != "" {
		t.Errorf("annotations %v", a)
	}
}

func TestMirrorsThatCannotBe(t *testing.T) {
	const toBase = `{path: /, pathType: Prefix, backend: {service: {name: checkout, port: {number: 80}}}}`
	for name, tc := range map[string]struct{ annotations, paths, more, want string }{
		"another Service":  {"team: red", toBase + `, {path: /s, pathType: Prefix, backend: {service: {name: cdn, port: {number: 80}}}}`, "", "shop.example/s sends to Service cdn"},
		"a default":        {"team: red", toBase, `, defaultBackend: {service: {name: cdn, port: {number: 80}}}`, "its defaultBackend sends to Service cdn"},
		"a port by name":   {"team: red", strings.Replace(toBase, "number: 80", "name: http", 1), "", "number of a port"},
		"two ports":        {"team: red", toBase + `, {path: /b, pathType: Prefix, backend: {service: {name: checkout, port: {number: 81}}}}`, "", "the ports 80, 81"},
		"a rewrite":        {keyRewrite + ": /$1", toBase, "", "rewrite-target"},
		"another protocol": {keyProtocol + ": GRPC", toBase, "", "backend-protocol is GRPC"},
	} {
		user := read(t, "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web, namespace: shop, annotations: {"+tc.annotations+"}}, "+
			"spec: {rules: [{host: shop.example, http: {paths: ["+tc.paths+"]}}]"+tc.more+"}}")
		if _, err := (Kind{}).Split(user, shop(user), mark, plan.Split{Mirror: plan.All}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	secure := plain(t, `, annotations: {nginx.ingress.kubernetes.io/backend-protocol: https}`)
	if _, err := (Kind{}).Split(secure, shop(secure), mark, plan.Split{Mirror: plan.All}); err != nil || !strings.HasPrefix(secure.GetAnnotations()[keyTarget], "https://checkout-candidate.") {
		t.Errorf("%v, %v", err, secure.GetAnnotations())
	}
}
