package contract

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// suite is what each test gets: a client for the namespace, which exists.
type suite struct {
	client    dynamic.Interface
	namespace string
}

func configMaps() schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
}

func services() schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: "services"}
}

func deployments() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
}

func leases() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}
}

func routes() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}
}

// Run proves the server of each config that connect gives. The namespace is made when it is not there.
func Run(t *testing.T, connect func(t *testing.T) *rest.Config, namespace string) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*testing.T, suite)
	}{
		{"create", testCreate}, {"generate name", testGenerateName}, {"not found", testNotFound},
		{"stale update", testStaleUpdate}, {"stale patch", testStalePatch}, {"json patch test", testJSONPatchTest},
		{"no-op", testNoOp}, {"generation", testGeneration}, {"dry run", testDryRun}, {"defaults", testDefaults},
		{"strategic merge", testStrategicMerge}, {"merge patch", testMergePatch}, {"status", testStatus},
		{"apply conflict", testApplyConflict}, {"apply prunes", testApplyPrunes}, {"apply atomic list", testApplyAtomic},
		{"update ownership", testUpdateOwnership}, {"clear managed fields", testClearManagedFields},
		{"edit managed fields", testEditManagedFields}, {"route defaults", testRouteDefaults}, {"route update needs version", testRouteUnconditional},
		{"selector immutable", testSelectorImmutable}, {"invalid", testInvalid}, {"recreate strategy", testRecreate},
		{"delete preconditions", testDeletePreconditions}, {"finalizer", testFinalizer}, {"owner", testOwner},
		{"watch selector", testWatchSelector}, {"watch name", testWatchName}, {"watch list", testWatchList},
		{"watch from version", testWatchFrom}, {"list selectors", testListSelectors}, {"lease", testLease}, {"access", testAccess},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, err := dynamic.NewForConfig(connect(t))
			if err != nil {
				t.Fatal(err)
			}
			s := suite{client: client, namespace: namespace}
			s.prepare(t)
			test.run(t, s)
		})
	}
}

func (s suite) prepare(t *testing.T) {
	t.Helper()
	ns := object("v1", "Namespace", s.namespace, nil)
	_, err := s.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Create(t.Context(), ns, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	s.sweep(t, t.Context())
	t.Cleanup(func() { s.sweep(t, context.WithoutCancel(t.Context())) })
}

// sweep deletes what tests leave, and waits until it is gone.
func (s suite) sweep(t *testing.T, ctx context.Context) {
	t.Helper()
	for _, gvr := range []schema.GroupVersionResource{configMaps(), services(), deployments(), leases(), routes()} {
		r := s.on(gvr)
		list, err := r.List(ctx, metav1.ListOptions{LabelSelector: "contract=true"})
		if err != nil {
			t.Fatal(err)
		}
		for i := range list.Items {
			err := r.Delete(ctx, list.Items[i].GetName(), metav1.DeleteOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				t.Fatal(err)
			}
		}
	}
}

func (s suite) on(gvr schema.GroupVersionResource) dynamic.ResourceInterface {
	return s.client.Resource(gvr).Namespace(s.namespace)
}

func (s suite) create(t *testing.T, gvr schema.GroupVersionResource, o *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	created, err := s.on(gvr).Create(t.Context(), o, metav1.CreateOptions{FieldManager: "contract"})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

func (s suite) get(t *testing.T, gvr schema.GroupVersionResource, name string) *unstructured.Unstructured {
	t.Helper()
	o, err := s.on(gvr).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// object has the label by which sweep finds it.
func object(version, kind, name string, more map[string]any) *unstructured.Unstructured {
	o := map[string]any{"apiVersion": version, "kind": kind, "metadata": map[string]any{
		"name": name, "labels": map[string]any{"contract": "true"},
	}}
	for k, v := range more {
		o[k] = v
	}
	return &unstructured.Unstructured{Object: o}
}

func configMap(name string, data map[string]any) *unstructured.Unstructured {
	return object("v1", "ConfigMap", name, map[string]any{"data": data})
}

// deployment has no replicas, so that no cluster has to run it.
func deployment(name string) *unstructured.Unstructured {
	labels := map[string]any{"app": name}
	return object("apps/v1", "Deployment", name, map[string]any{"spec": map[string]any{
		"replicas": int64(0), "selector": map[string]any{"matchLabels": labels},
		"template": map[string]any{
			"metadata": map[string]any{"labels": labels},
			"spec": map[string]any{"containers": []any{
				map[string]any{"name": "app", "image": "example.com/app:1"},
				map[string]any{"name": "side", "image": "example.com/side:1"},
			}},
		},
	}}).DeepCopy()
}

func route(name string) *unstructured.Unstructured {
	rule := func(path, service string) any {
		return map[string]any{
			"matches":     []any{map[string]any{"path": map[string]any{"type": "PathPrefix", "value": path}}},
			"backendRefs": []any{map[string]any{"name": service, "port": int64(80)}},
		}
	}
	return object("gateway.networking.k8s.io/v1", "HTTPRoute", name, map[string]any{"spec": map[string]any{
		"parentRefs": []any{map[string]any{"name": "edge"}}, "rules": []any{rule("/a", "a"), rule("/b", "b")},
	}})
}

func jsonOf(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// field is the value at a path, or nil.
func field(o *unstructured.Unstructured, path ...string) any {
	v, _, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
	return v
}

func wantField(t *testing.T, o *unstructured.Unstructured, want any, path ...string) {
	t.Helper()
	if got := field(o, path...); got != want {
		t.Errorf("%s %s: %v = %v, want %v", o.GetKind(), o.GetName(), path, got, want)
	}
}

func wantStatus(t *testing.T, err error, code int32, reason metav1.StatusReason) {
	t.Helper()
	status, ok := err.(apierrors.APIStatus)
	if !ok || status.Status().Code != code || status.Status().Reason != reason {
		t.Errorf("error is %#v, want %d %s", err, code, reason)
	}
}

// patience bounds every wait of the suite.
const patience = 10 * time.Second
