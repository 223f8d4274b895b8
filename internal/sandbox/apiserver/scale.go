package apiserver

import (
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// scaleOf is the scale subresource of a workload.
func scaleOf(r *Resource, object map[string]any) ([]byte, error) {
	meta := mapAt(object, "metadata")
	var selector metav1.LabelSelector
	if m := mapAt(object, "spec", "selector"); m != nil {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(m, &selector); err != nil {
			return nil, err
		}
	}
	replicas, _ := mapAt(object, "status")["replicas"].(int64)
	return marshal(map[string]any{
		"apiVersion": "autoscaling/v1", "kind": "Scale",
		"metadata": map[string]any{
			"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
			"resourceVersion": meta["resourceVersion"], "creationTimestamp": meta["creationTimestamp"],
		},
		"spec":   map[string]any{"replicas": mapAt(object, "spec")["replicas"]},
		"status": map[string]any{"replicas": replicas, "selector": metav1.FormatLabelSelector(&selector)},
	})
}

// scale writes replicas through the subresource.
func (s *Server) scale(q *request, cur *item, data []byte) (document, int, error) {
	before, err := scaleOf(q.res, cur.object)
	if err != nil {
		return nil, 0, err
	}
	wanted, err := decode(data)
	if q.verb == "patch" {
		wanted, err = scalePatched(q, before, data)
	}
	if err != nil {
		return nil, 0, err
	}
	if err := precondition(q, cur, wanted); err != nil {
		return nil, 0, err
	}
	n, ok := mapAt(wanted, "spec")["replicas"].(int64)
	if !ok {
		n = 0
	}
	next := runtime.DeepCopyJSON(cur.object)
	mapAt(next, "spec")["replicas"] = n
	if next, err = s.own(q, cur.object, next); err != nil {
		return nil, 0, err
	}
	stored, _, err := s.replace(q, cur, next)
	if err != nil {
		return nil, 0, err
	}
	written, err := decode(stored.json())
	if err != nil {
		return nil, 0, err
	}
	body, err := scaleOf(q.res, written)
	return text(body), http.StatusOK, err
}

func scalePatched(q *request, before, data []byte) (map[string]any, error) {
	if q.patch == "application/strategic-merge-patch+json" {
		q.patch = "application/merge-patch+json"
	}
	if q.patch == "application/apply-patch+yaml" {
		return nil, apierrors.NewBadRequest("server-side apply of a scale is not simulated")
	}
	return patched(q, before, data)
}
