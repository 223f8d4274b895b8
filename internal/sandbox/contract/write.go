package contract

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

func testCreate(t *testing.T, s suite) {
	o := s.create(t, configMaps(), configMap("one", map[string]any{"k": "v"}))
	if o.GetUID() == "" || o.GetResourceVersion() == "" || o.GetCreationTimestamp().Time.IsZero() {
		t.Errorf("the server left out metadata: %v", o.Object["metadata"])
	}
	_, err := s.on(configMaps()).Create(t.Context(), configMap("one", nil), metav1.CreateOptions{})
	wantStatus(t, err, 409, metav1.StatusReasonAlreadyExists)
	_, err = s.client.Resource(configMaps()).Namespace("no-such").Create(t.Context(), configMap("two", nil), metav1.CreateOptions{})
	wantStatus(t, err, 404, metav1.StatusReasonNotFound)
	stale := configMap("two", nil)
	stale.SetResourceVersion("1")
	_, err = s.on(configMaps()).Create(t.Context(), stale, metav1.CreateOptions{})
	if err == nil {
		t.Error("an object with a resourceVersion was created")
	}
}

func testGenerateName(t *testing.T, s suite) {
	o := configMap("", nil)
	o.SetName("")
	o.SetGenerateName("made-")
	a, b := s.create(t, configMaps(), o.DeepCopy()), s.create(t, configMaps(), o.DeepCopy())
	if !strings.HasPrefix(a.GetName(), "made-") || a.GetName() == b.GetName() {
		t.Errorf("names are %q and %q", a.GetName(), b.GetName())
	}
}

func testNotFound(t *testing.T, s suite) {
	_, err := s.on(configMaps()).Get(t.Context(), "none", metav1.GetOptions{})
	wantStatus(t, err, 404, metav1.StatusReasonNotFound)
	err = s.on(configMaps()).Delete(t.Context(), "none", metav1.DeleteOptions{})
	wantStatus(t, err, 404, metav1.StatusReasonNotFound)
	_, err = s.on(configMaps()).Patch(t.Context(), "none", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{})
	wantStatus(t, err, 404, metav1.StatusReasonNotFound)
	none := configMaps()
	none.Resource = "nothings"
	_, err = s.on(none).List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("an unknown resource: %v", err)
	}
}

func testStaleUpdate(t *testing.T, s suite) {
	old := s.create(t, configMaps(), configMap("one", map[string]any{"k": "1"}))
	next := old.DeepCopy()
	next.Object["data"] = map[string]any{"k": "2"}
	if _, err := s.on(configMaps()).Update(t.Context(), next, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	old.Object["data"] = map[string]any{"k": "3"}
	_, err := s.on(configMaps()).Update(t.Context(), old, metav1.UpdateOptions{})
	wantStatus(t, err, 409, metav1.StatusReasonConflict)
	wantField(t, s.get(t, configMaps(), "one"), "2", "data", "k")
	old.SetResourceVersion("")
	old.SetUID("another")
	_, err = s.on(configMaps()).Update(t.Context(), old, metav1.UpdateOptions{})
	wantStatus(t, err, 409, metav1.StatusReasonConflict)
}

func testStalePatch(t *testing.T, s suite) {
	old := s.create(t, configMaps(), configMap("one", map[string]any{"k": "1"}))
	s.patch(t, configMaps(), "one", types.MergePatchType, `{"data":{"k":"2"}}`)
	body := jsonOf(t, map[string]any{"metadata": map[string]any{"resourceVersion": old.GetResourceVersion()}, "data": map[string]any{"k": "3"}})
	for _, kind := range []types.PatchType{types.MergePatchType, types.StrategicMergePatchType} {
		_, err := s.on(configMaps()).Patch(t.Context(), "one", kind, body, metav1.PatchOptions{})
		wantStatus(t, err, 409, metav1.StatusReasonConflict)
	}
	wantField(t, s.get(t, configMaps(), "one"), "2", "data", "k")
}

func testJSONPatchTest(t *testing.T, s suite) {
	s.create(t, configMaps(), configMap("one", map[string]any{"k": "1"}))
	o := s.patch(t, configMaps(), "one", types.MergePatchType, `{"metadata":{"annotations":{"a/b":"x"}}}`)
	guarded := func(rv, value string) []byte {
		return jsonOf(t, []any{
			map[string]any{"op": "test", "path": "/metadata/resourceVersion", "value": rv},
			map[string]any{"op": "replace", "path": "/data/k", "value": value},
			map[string]any{"op": "remove", "path": "/metadata/annotations/a~1b"},
		})
	}
	_, err := s.on(configMaps()).Patch(t.Context(), "one", types.JSONPatchType, guarded("1", "2"), metav1.PatchOptions{})
	wantStatus(t, err, 422, metav1.StatusReasonInvalid)
	got, err := s.on(configMaps()).Patch(t.Context(), "one", types.JSONPatchType, guarded(o.GetResourceVersion(), "2"), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantField(t, got, "2", "data", "k")
	wantField(t, got, nil, "metadata", "annotations", "a/b")
	_, err = s.on(configMaps()).Patch(t.Context(), "one", types.JSONPatchType, []byte(`[{"op":"remove","path":"/data/none"}]`), metav1.PatchOptions{})
	wantStatus(t, err, 422, metav1.StatusReasonInvalid)
}

func testNoOp(t *testing.T, s suite) {
	o := s.create(t, configMaps(), configMap("one", map[string]any{"k": "1"}))
	same := s.patch(t, configMaps(), "one", types.MergePatchType, `{"data":{"k":"1"}}`)
	if same.GetResourceVersion() != o.GetResourceVersion() {
		t.Error("a patch that changes nothing made a new version")
	}
	same, err := s.on(configMaps()).Update(t.Context(), o, metav1.UpdateOptions{FieldManager: "contract"})
	if err != nil || same.GetResourceVersion() != o.GetResourceVersion() {
		t.Errorf("an update that changes nothing made a new version (%v)", err)
	}
	first := s.apply(t, "me", configMap("two", map[string]any{"k": "1"}), false)
	if again := s.apply(t, "me", configMap("two", map[string]any{"k": "1"}), false); again.GetResourceVersion() != first.GetResourceVersion() {
		t.Error("an apply that changes nothing made a new version")
	}
}

func testDryRun(t *testing.T, s suite) {
	all := []string{metav1.DryRunAll}
	o, err := s.on(deployments()).Create(t.Context(), deployment("dry"), metav1.CreateOptions{DryRun: all})
	if err != nil {
		t.Fatal(err)
	}
	wantField(t, o, int64(600), "spec", "progressDeadlineSeconds")
	_, err = s.on(deployments()).Get(t.Context(), "dry", metav1.GetOptions{})
	wantStatus(t, err, 404, metav1.StatusReasonNotFound)

	s.create(t, configMaps(), configMap("one", map[string]any{"k": "1"}))
	got, err := s.on(configMaps()).Patch(t.Context(), "one", types.MergePatchType, []byte(`{"data":{"k":"2"}}`), metav1.PatchOptions{DryRun: all})
	if err != nil {
		t.Fatal(err)
	}
	wantField(t, got, "2", "data", "k")
	if err := s.on(configMaps()).Delete(t.Context(), "one", metav1.DeleteOptions{DryRun: all}); err != nil {
		t.Fatal(err)
	}
	wantField(t, s.get(t, configMaps(), "one"), "1", "data", "k")
}

func testMergePatch(t *testing.T, s suite) {
	s.create(t, deployments(), deployment("one"))
	o := s.patch(t, deployments(), "one", types.MergePatchType,
		`{"metadata":{"annotations":{"a":"b"}},"spec":{"template":{"spec":{"containers":[{"name":"app","image":"example.com/app:2"}]}}}}`)
	if n := len(field(o, "spec", "template", "spec", "containers").([]any)); n != 1 {
		t.Errorf("a merge patch replaces lists, there are %d containers", n)
	}
	if o = s.patch(t, deployments(), "one", types.MergePatchType, `{"metadata":{"annotations":{"a":null}}}`); o.GetAnnotations()["a"] != "" {
		t.Error("null does not remove")
	}
}

func testStrategicMerge(t *testing.T, s suite) {
	s.create(t, deployments(), deployment("one"))
	o := s.patch(t, deployments(), "one", types.StrategicMergePatchType,
		`{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"example.com/side:2"}]}}}}`)
	containers := field(o, "spec", "template", "spec", "containers").([]any)
	if len(containers) != 2 {
		t.Fatalf("there are %d containers", len(containers))
	}
	for _, c := range containers {
		if c := c.(map[string]any); c["name"] == "side" && c["image"] != "example.com/side:2" {
			t.Errorf("image is %v", c["image"])
		}
	}
	s.create(t, routes(), route("r"))
	_, err := s.on(routes()).Patch(t.Context(), "r", types.StrategicMergePatchType, []byte(`{}`), metav1.PatchOptions{})
	wantStatus(t, err, 415, metav1.StatusReasonUnsupportedMediaType)
}

func (s suite) patch(t *testing.T, gvr gvr, name string, kind types.PatchType, body string) *unstructured.Unstructured {
	t.Helper()
	o, err := s.on(gvr).Patch(t.Context(), name, kind, []byte(body), metav1.PatchOptions{FieldManager: "contract"})
	if err != nil {
		t.Fatal(err)
	}
	return o
}
