package contract

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

func (s suite) tryApply(t *testing.T, manager string, o *unstructured.Unstructured, force bool) (*unstructured.Unstructured, error) {
	t.Helper()
	var r gvr
	switch o.GetKind() {
	case "Deployment":
		r = deployments()
	case "HTTPRoute":
		r = routes()
	default:
		r = configMaps()
	}
	return s.on(r).Patch(t.Context(), o.GetName(), types.ApplyPatchType, jsonOf(t, o.Object), metav1.PatchOptions{FieldManager: manager, Force: &force})
}

func (s suite) apply(t *testing.T, manager string, o *unstructured.Unstructured, force bool) *unstructured.Unstructured {
	t.Helper()
	got, err := s.tryApply(t, manager, o, force)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// managers are the owners of fields, each as name/operation.
func managers(o *unstructured.Unstructured) string {
	var names []string
	for _, m := range o.GetManagedFields() {
		names = append(names, m.Manager+"/"+string(m.Operation))
	}
	return strings.Join(names, " ")
}

func testApplyConflict(t *testing.T, s suite) {
	s.apply(t, "a", configMap("one", map[string]any{"k": "1"}), false)
	_, err := s.tryApply(t, "b", configMap("one", map[string]any{"k": "2"}), false)
	wantStatus(t, err, 409, metav1.StatusReasonConflict)
	if err != nil && !strings.Contains(err.Error(), `conflict with "a"`) {
		t.Errorf("the conflict does not name its owner: %v", err)
	}
	o := s.apply(t, "b", configMap("one", map[string]any{"k": "2"}), true)
	wantField(t, o, "2", "data", "k")
	_, err = s.tryApply(t, "a", configMap("one", map[string]any{"k": "1"}), false)
	wantStatus(t, err, 409, metav1.StatusReasonConflict)
}

func testApplyPrunes(t *testing.T, s suite) {
	s.apply(t, "a", configMap("one", map[string]any{"k": "1", "gone": "x"}), false)
	s.patch(t, configMaps(), "one", types.MergePatchType, `{"data":{"other":"y"}}`)
	o := s.apply(t, "a", configMap("one", map[string]any{"k": "1"}), false)
	wantField(t, o, nil, "data", "gone")
	wantField(t, o, "y", "data", "other")

	s.apply(t, "a", deployment("d"), false)
	s.patch(t, deployments(), "d", types.StrategicMergePatchType, `{"spec":{"template":{"spec":{"containers":[{"name":"third","image":"example.com/third:1"}]}}}}`)
	o = s.apply(t, "a", deployment("d"), false)
	if n := len(field(o, "spec", "template", "spec", "containers").([]any)); n != 3 {
		t.Errorf("containers are merged by name, there are %d", n)
	}
}

// A route's rules are one atomic list: a partial apply takes all others away.
func testApplyAtomic(t *testing.T, s suite) {
	s.create(t, routes(), route("r"))
	part := route("r")
	part.Object["spec"].(map[string]any)["rules"] = part.Object["spec"].(map[string]any)["rules"].([]any)[:1]
	_, err := s.tryApply(t, "b", part, false)
	wantStatus(t, err, 409, metav1.StatusReasonConflict)
	o := s.apply(t, "b", part, true)
	if n := len(field(o, "spec", "rules").([]any)); n != 1 {
		t.Errorf("%d rules are left", n)
	}
}

func testUpdateOwnership(t *testing.T, s suite) {
	s.apply(t, "files", configMap("one", map[string]any{"k": "1"}), false)
	o := s.patch(t, configMaps(), "one", types.MergePatchType, `{"data":{"k":"2"}}`)
	if got := managers(o); got != "files/Apply contract/Update" {
		t.Errorf("managers are %q", got)
	}
	_, err := s.tryApply(t, "files", configMap("one", map[string]any{"k": "1"}), false)
	wantStatus(t, err, 409, metav1.StatusReasonConflict)
}

func testClearManagedFields(t *testing.T, s suite) {
	s.apply(t, "files", configMap("one", map[string]any{"k": "1"}), false)
	o := s.patch(t, configMaps(), "one", types.MergePatchType, `{"metadata":{"managedFields":[{}]}}`)
	if got := managers(o); got != "" {
		t.Errorf("managers are %q", got)
	}
	s.apply(t, "b", configMap("one", map[string]any{"k": "1"}), false)
}

// What Tidegate does last: it takes its own entry out, so that the user's next apply of unchanged files has no conflict.
func testEditManagedFields(t *testing.T, s suite) {
	s.apply(t, "files", route("r"), false)
	_, err := s.on(routes()).Patch(t.Context(), "r", types.JSONPatchType,
		[]byte(`[{"op":"replace","path":"/spec/rules/0/backendRefs/0/weight","value":5}]`), metav1.PatchOptions{FieldManager: "tidegate"})
	if err != nil {
		t.Fatal(err)
	}
	s.on(routes()).Patch(t.Context(), "r", types.JSONPatchType,
		[]byte(`[{"op":"replace","path":"/spec/rules/0/backendRefs/0/weight","value":1}]`), metav1.PatchOptions{FieldManager: "tidegate"})
	o := s.get(t, routes(), "r")
	for i, m := range o.GetManagedFields() {
		if m.Manager == "tidegate" {
			body := jsonOf(t, []any{map[string]any{"op": "remove", "path": "/metadata/managedFields/" + string(rune('0'+i))}})
			if o, err = s.on(routes()).Patch(t.Context(), "r", types.JSONPatchType, body, metav1.PatchOptions{FieldManager: "tidegate"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := managers(o); strings.Contains(got, "tidegate") {
		t.Errorf("managers are %q", got)
	}
	s.apply(t, "files", route("r"), false)
}

func testLease(t *testing.T, s suite) {
	spec := map[string]any{"holderIdentity": "a", "leaseDurationSeconds": int64(15), "renewTime": "2026-01-01T00:00:00.000000Z"}
	o := s.create(t, leases(), object("coordination.k8s.io/v1", "Lease", "lock", map[string]any{"spec": spec}))
	next := o.DeepCopy()
	_ = unstructured.SetNestedField(next.Object, "b", "spec", "holderIdentity")
	if _, err := s.on(leases()).Update(t.Context(), next, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err := s.on(leases()).Update(t.Context(), o, metav1.UpdateOptions{})
	wantStatus(t, err, 409, metav1.StatusReasonConflict)
}

func testAccess(t *testing.T, s suite) {
	r := s.client.Resource(schema.GroupVersionResource{Group: "authorization.k8s.io", Version: "v1", Resource: "selfsubjectrulesreviews"})
	o, err := r.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": map[string]any{"namespace": s.namespace},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if rules, _ := field(o, "status", "resourceRules").([]any); len(rules) == 0 {
		t.Error("no rules")
	}
}
