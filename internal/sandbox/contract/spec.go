package contract

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

type gvr = schema.GroupVersionResource

func testGeneration(t *testing.T, s suite) {
	o := s.create(t, routes(), route("r"))
	if o.GetGeneration() != 1 {
		t.Fatalf("generation of a new route is %d", o.GetGeneration())
	}
	if o = s.patch(t, routes(), "r", types.MergePatchType, `{"metadata":{"labels":{"x":"y"}}}`); o.GetGeneration() != 1 {
		t.Error("a label changed the generation")
	}
	if o = s.patch(t, routes(), "r", types.MergePatchType, `{"spec":{"hostnames":["a.example"]}}`); o.GetGeneration() != 2 {
		t.Errorf("generation is %d after a change of the spec", o.GetGeneration())
	}
	s.create(t, deployments(), deployment("d"))
	if o = s.patch(t, deployments(), "d", types.MergePatchType, `{"spec":{"minReadySeconds":1}}`); o.GetGeneration() < 2 {
		t.Errorf("generation of a Deployment is %d after a change of the spec", o.GetGeneration())
	}
	if o = s.create(t, configMaps(), configMap("c", nil)); o.GetGeneration() != 0 {
		t.Error("a ConfigMap has a generation")
	}
}

func testDefaults(t *testing.T, s suite) {
	d := deployment("one")
	o := s.create(t, deployments(), d)
	wantField(t, o, "RollingUpdate", "spec", "strategy", "type")
	wantField(t, o, "25%", "spec", "strategy", "rollingUpdate", "maxSurge")
	wantField(t, o, int64(10), "spec", "revisionHistoryLimit")
	wantField(t, o, "Always", "spec", "template", "spec", "restartPolicy")
	wantField(t, o, int64(30), "spec", "template", "spec", "terminationGracePeriodSeconds")
	c := field(o, "spec", "template", "spec", "containers").([]any)[0].(map[string]any)
	if c["imagePullPolicy"] != "IfNotPresent" || c["terminationMessagePath"] != "/dev/termination-log" {
		t.Errorf("container is %v", c)
	}
	svc := s.create(t, services(), object("v1", "Service", "svc", map[string]any{"spec": map[string]any{
		"selector": map[string]any{"app": "none"}, "ports": []any{map[string]any{"port": int64(80)}},
	}}))
	wantField(t, svc, "ClusterIP", "spec", "type")
	wantField(t, svc, "None", "spec", "sessionAffinity")
	port := field(svc, "spec", "ports").([]any)[0].(map[string]any)
	if port["protocol"] != "TCP" || port["targetPort"] != int64(80) || field(svc, "spec", "clusterIP") == nil {
		t.Errorf("service is %v", svc.Object["spec"])
	}
}

func testRouteDefaults(t *testing.T, s suite) {
	o := s.create(t, routes(), route("r"))
	parent := field(o, "spec", "parentRefs").([]any)[0].(map[string]any)
	rule := field(o, "spec", "rules").([]any)[0].(map[string]any)
	backend := rule["backendRefs"].([]any)[0].(map[string]any)
	if parent["kind"] != "Gateway" || backend["kind"] != "Service" || backend["weight"] != int64(1) || backend["group"] != "" {
		t.Errorf("parent %v, backend %v", parent, backend)
	}
}

func testRouteUnconditional(t *testing.T, s suite) {
	o := s.create(t, routes(), route("r"))
	o.SetResourceVersion("")
	_, err := s.on(routes()).Update(t.Context(), o, metav1.UpdateOptions{})
	wantStatus(t, err, 422, metav1.StatusReasonInvalid)
}

func testStatus(t *testing.T, s suite) {
	o := s.create(t, routes(), withStatus(route("r")))
	if field(o, "status", "parents") != nil && len(field(o, "status", "parents").([]any)) > 0 {
		if p := field(o, "status", "parents").([]any)[0].(map[string]any); p["controllerName"] == "contract.example/none" {
			t.Error("create wrote the status")
		}
	}
	changed := withStatus(o)
	changed.Object["spec"].(map[string]any)["hostnames"] = []any{"b.example"}
	got, err := s.on(routes()).UpdateStatus(t.Context(), changed, metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantField(t, got, nil, "spec", "hostnames")
	if got.GetGeneration() != 1 || len(field(got, "status", "parents").([]any)) != 1 {
		t.Errorf("status write gave generation %d, status %v", got.GetGeneration(), got.Object["status"])
	}
	delete(got.Object, "status")
	got, err = s.on(routes()).Update(t.Context(), got, metav1.UpdateOptions{})
	if err != nil || len(field(got, "status", "parents").([]any)) != 1 {
		t.Errorf("an update without status took it away (%v)", err)
	}
}

func withStatus(o *unstructured.Unstructured) *unstructured.Unstructured {
	o = o.DeepCopy()
	o.Object["status"] = map[string]any{"parents": []any{map[string]any{
		"controllerName": "contract.example/none",
		"parentRef":      map[string]any{"name": "edge", "group": "gateway.networking.k8s.io", "kind": "Gateway"},
		"conditions": []any{map[string]any{
			"type": "Accepted", "status": "True", "reason": "Accepted", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z",
		}},
	}}}
	return o
}

func testSelectorImmutable(t *testing.T, s suite) {
	s.create(t, deployments(), deployment("one"))
	_, err := s.on(deployments()).Patch(t.Context(), "one", types.MergePatchType,
		[]byte(`{"spec":{"selector":{"matchLabels":{"x":"y"}},"template":{"metadata":{"labels":{"x":"y"}}}}}`), metav1.PatchOptions{})
	wantStatus(t, err, 422, metav1.StatusReasonInvalid)
}

func testInvalid(t *testing.T, s suite) {
	d := deployment("one")
	_ = unstructured.SetNestedField(d.Object, "other", "spec", "template", "metadata", "labels", "app")
	_, err := s.on(deployments()).Create(t.Context(), d, metav1.CreateOptions{})
	wantStatus(t, err, 422, metav1.StatusReasonInvalid)
	_, err = s.on(configMaps()).Create(t.Context(), configMap("Upper_Case", nil), metav1.CreateOptions{})
	wantStatus(t, err, 422, metav1.StatusReasonInvalid)
	d = deployment("one")
	_ = unstructured.SetNestedField(d.Object, "three", "spec", "replicas")
	_, err = s.on(deployments()).Create(t.Context(), d, metav1.CreateOptions{})
	wantStatus(t, err, 400, metav1.StatusReasonBadRequest)
	d = deployment("one")
	d.Object["spec"].(map[string]any)["replicaz"] = int64(1)
	_, err = s.on(deployments()).Create(t.Context(), d, metav1.CreateOptions{FieldValidation: "Strict"})
	wantStatus(t, err, 400, metav1.StatusReasonBadRequest)
	o := s.create(t, deployments(), d)
	wantField(t, o, nil, "spec", "replicaz")
}

func testRecreate(t *testing.T, s suite) {
	s.create(t, deployments(), deployment("one"))
	_, err := s.on(deployments()).Patch(t.Context(), "one", types.MergePatchType, []byte(`{"spec":{"strategy":{"type":"Recreate"}}}`), metav1.PatchOptions{})
	wantStatus(t, err, 422, metav1.StatusReasonInvalid)
	o := s.patch(t, deployments(), "one", types.MergePatchType, `{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}`)
	wantField(t, o, "Recreate", "spec", "strategy", "type")
}
