package selector_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/sandbox/service"
	"github.com/tidegate/tidegate/internal/traffic/selector"
)

var services = schema.GroupVersionResource{Version: "v1", Resource: "services"}

// objects are both sides, ready, and a Service before the base.
func objects() string {
	text := "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
	for _, app := range []string{"checkout", "checkout-candidate"} {
		text += strings.ReplaceAll(`---
apiVersion: apps/v1
kind: Deployment
metadata: {name: APP, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: APP}}
  template:
    metadata: {labels: {app: APP}}
    spec: {containers: [{name: app, image: "checkout:v1", ports: [{name: http, containerPort: 8080}]}]}
`, "APP", app)
	}
	return text + `---
apiVersion: v1
kind: Service
metadata: {name: checkout, namespace: shop, annotations: {team: red}}
spec: {selector: {app: checkout}, ports: [{name: http, port: 80, targetPort: http}]}
`
}

func split() plan.Traffic {
	return plan.Traffic{Router: selector.Name, Namespace: "shop", Base: "checkout", Candidate: "checkout-candidate",
		Selectors: map[plan.Side]map[string]string{plan.Base: {"app": "checkout"}, plan.Candidate: {"app": "checkout-candidate"}}}
}

type world struct {
	*selector.Router
	t       *testing.T
	cluster *sandbox.Cluster
	before  plan.Object
	writes  int // of the Service
}

func inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cluster, err := sandbox.Start(context.WithoutCancel(t.Context()), sandbox.Options{Images: map[string]service.Config{"checkout:v1": {Version: "v1"}}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := cluster.Close(); err != nil {
				t.Error(err)
			}
		}()
		if err := cluster.Apply(t.Context(), objects()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		d, err := dynamic.NewForConfig(cluster.Config())
		if err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancel(t.Context())
		defer end()
		client := kube.New(d, clock.Real{}, nil)
		w := &world{t: t, cluster: cluster, Router: selector.New(client, client.NewScene(ctx), "checkout", split())}
		w.before = w.service().Object
		cluster.API().OnWrite(func(c apiserver.Write) {
			if c.Resource == services {
				w.writes++
			}
		})
		test(w)
	})
}

func (w *world) service() *unstructured.Unstructured {
	return w.cluster.API().Store().Peek(services.GroupResource(), "shop", "checkout").DeepCopy()
}

func (w *world) pointsAt(app string) {
	w.t.Helper()
	got, _, _ := unstructured.NestedString(w.service().Object, "spec", "selector", "app")
	if got != app {
		w.t.Errorf("the Service stands before %s, want %s", got, app)
	}
}

// endpoints asserts that the data plane knows the pods of an app and no others.
func (w *world) endpoints(app string) {
	w.t.Helper()
	slices := schema.GroupResource{Group: "discovery.k8s.io", Resource: "endpointslices"}
	n := 0
	for _, s := range w.cluster.API().Store().View(slices, "shop") {
		list, _, _ := unstructured.NestedSlice(s.Object, "endpoints")
		for _, e := range list {
			name, _, _ := unstructured.NestedString(e.(map[string]any), "targetRef", "name")
			if n++; strings.Contains(name, "candidate") != strings.Contains(app, "candidate") {
				w.t.Errorf("%s is an endpoint, want those of %s", name, app)
			}
		}
	}
	if n != 2 {
		w.t.Errorf("%d endpoints", n)
	}
}

func (w *world) change(do func(o *unstructured.Unstructured)) {
	w.t.Helper()
	if _, err := w.cluster.API().Mutate(services, apiserver.Key{Namespace: "shop", Name: "checkout"}, func(o map[string]any) {
		u := (&unstructured.Unstructured{Object: o}).DeepCopy()
		do(u)
		for k, v := range u.Object {
			o[k] = v
		}
	}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestThereAndBack: one write there; one back, and one that takes our marks off. Each, done again, writes nothing.
func TestThereAndBack(t *testing.T) {
	inWorld(t, func(w *world) {
		ctx := w.t.Context()
		w.must(w.InForce(ctx, split()))
		for range 2 {
			w.must(w.Set(ctx, split(), plan.Split{Weight: plan.All}))
			w.must(w.InForce(ctx, split()))
			w.pointsAt("checkout-candidate")
			w.endpoints("checkout-candidate")
		}
		if w.writes != 1 {
			t.Errorf("%d writes there", w.writes)
		}
		if cleaned, touched := selector.Cleaned(w.service().Object, "checkout"); !touched || selector.Share(cleaned, split()) != 0 ||
			selector.Share(w.service().Object, split()) != plan.All {
			t.Errorf("without its record it is known as %v, %t", cleaned, touched)
		}
		for range 2 {
			w.must(w.Restore(ctx, split(), []plan.Object{w.before}))
			w.must(w.InForce(ctx, split()))
			w.pointsAt("checkout")
			w.endpoints("checkout")
		}
		if w.writes != 3 {
			t.Errorf("%d writes there and back", w.writes)
		}
		now := w.service()
		if plan.Digest(now.Object["spec"]) != plan.Digest(w.before["spec"]) || len(now.GetAnnotations()) != 1 {
			t.Errorf("the Service is %v, was %v", now.Object, w.before)
		}
		for _, e := range now.GetManagedFields() {
			if e.Manager == kube.Manager {
				t.Error("we are left in managedFields")
			}
		}
		if _, touched := selector.Cleaned(now.Object, "checkout"); touched {
			t.Error("it still carries the mark")
		}
	})
}

// TestNoShares: a Service cannot divide requests.
func TestNoShares(t *testing.T) {
	inWorld(t, func(w *world) {
		for _, s := range []plan.Split{{Weight: 50 * plan.OnePercent}, {Weight: plan.All, Ring: []plan.Match{{Header: "X-Staff", Value: "1"}}}, {}} {
			if err := w.Set(w.t.Context(), split(), s); err == nil || !strings.Contains(err.Error(), "spec.traffic") {
				t.Errorf("%+v: error %v", s, err)
			}
		}
		if w.writes > 0 {
			t.Errorf("%d writes", w.writes)
		}
	})
}

// TestChangedByOthers: what somebody else made of the selector is not written over.
func TestChangedByOthers(t *testing.T) {
	other := func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedStringMap(o.Object, map[string]string{"app": "other"}, "spec", "selector")
	}
	for _, tc := range []struct {
		name    string
		prepare func(w *world)
		to      plan.Side
		fails   bool
		stands  string
	}{
		{"before the switch", func(w *world) { w.change(other) }, plan.Candidate, true, "other"},
		{"before the switch, back", func(w *world) { w.change(other) }, plan.Base, false, "other"},
		{"after the switch, back", func(w *world) {
			w.must(w.Set(w.t.Context(), split(), plan.Split{Weight: plan.All}))
			w.change(other)
		}, plan.Base, true, "other"},
		{"back by hand", func(w *world) {
			w.must(w.Set(w.t.Context(), split(), plan.Split{Weight: plan.All}))
			w.change(func(o *unstructured.Unstructured) {
				_ = unstructured.SetNestedField(o.Object, "checkout", "spec", "selector", "app")
			})
		}, plan.Base, false, "checkout"},
		{"the mark removed", func(w *world) {
			w.must(w.Set(w.t.Context(), split(), plan.Split{Weight: plan.All}))
			w.change(func(o *unstructured.Unstructured) { o.SetAnnotations(nil) })
		}, plan.Base, false, "checkout"},
		{"a field beside it", func(w *world) {
			w.must(w.Set(w.t.Context(), split(), plan.Split{Weight: plan.All}))
			w.change(func(o *unstructured.Unstructured) { o.SetLabels(map[string]string{"new": "yes"}) })
		}, plan.Base, false, "checkout"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				tc.prepare(w)
				move := func() error { return w.Restore(w.t.Context(), split(), []plan.Object{w.before}) }
				if tc.to == plan.Candidate {
					move = func() error { return w.Set(w.t.Context(), split(), plan.Split{Weight: plan.All}) }
				}
				err := move()
				if (err != nil) != tc.fails || err != nil && !strings.Contains(err.Error(), "somebody changed the selector of Service/checkout during the rollout to app=other") {
					t.Errorf("error %v", err)
				}
				if err == nil {
					w.must(w.InForce(w.t.Context(), split()))
				}
				w.pointsAt(tc.stands)
			})
		})
	}
}

// TestNotFollowed: endpoints that do not come are an error that says where to look, after a bounded time.
func TestNotFollowed(t *testing.T) {
	inWorld(t, func(w *world) {
		w.must(w.Set(w.t.Context(), split(), plan.Split{Weight: plan.All}))
		slice := schema.GroupVersionResource{Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"}
		time.Sleep(time.Second)
		if _, err := w.cluster.API().Mutate(slice, apiserver.Key{Namespace: "shop", Name: "checkout-sandbox"}, func(o map[string]any) {
			o["endpoints"] = []any{}
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		start := time.Now()
		err := w.InForce(w.t.Context(), split())
		if err == nil || !strings.Contains(err.Error(), "kubectl get endpointslices -n shop") || time.Since(start) > 2*time.Minute {
			t.Errorf("error %v after %v", err, time.Since(start))
		}
	})
}
