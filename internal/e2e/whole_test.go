package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/sandbox/load"
)

// whole asserts that the user's objects are as they were but for the image, that nothing of Tidegate's is left, that the
// user's files can be applied as they are, and that no request was lost.
func (s *shop) whole(version string) {
	s.t.Helper()
	eventually(s.t, 30*time.Second, func() string { return s.onlyPods(version) })
	s.unchanged(version)
	s.noTraces()
	s.applies(version)
	s.nothingLost()
}

// onlyPods says which pods there are beside the ready ones of the version.
func (s *shop) onlyPods(version string) string {
	var others []string
	ready := 0
	for _, p := range s.list(pods, "app!=neighbour") {
		containers, _, _ := unstructured.NestedSlice(p.Object, "spec", "containers")
		running := containers[0].(map[string]any)["image"]
		if running == image(version) && isReady(&p) {
			ready++
		} else {
			others = append(others, fmt.Sprintf("%s with %v", p.GetName(), running))
		}
	}
	if ready != s.size() || len(others) > 0 {
		return fmt.Sprintf("%d ready pods of %s, want %d; others: %v", ready, version, s.size(), others)
	}
	return ""
}

// unchanged compares the user's objects with what they were.
func (s *shop) unchanged(version string) {
	s.t.Helper()
	for gvr, before := range s.before {
		now := s.get(gvr, "checkout")
		if now == nil {
			s.t.Errorf("%s is gone", gvr.Resource)
			continue
		}
		want, got := essence(before), essence(now)
		if gvr == s.workloads() {
			want = essence(withImage(before, image(version)))
		}
		if want != got {
			s.t.Errorf("%s has changed:\n got %s\nwant %s", gvr.Resource, got, want)
		}
		for _, m := range now.GetManagedFields() {
			if strings.Contains(m.Manager, "tidegate") {
				s.t.Errorf("%s: %s is left in managedFields (%s)", gvr.Resource, m.Manager, m.FieldsV1)
			}
		}
	}
}

// essence is the part of an object that is its user's.
func essence(o *unstructured.Unstructured) string {
	annotations := o.GetAnnotations()
	delete(annotations, "deployment.kubernetes.io/revision") // the cluster's count of templates
	delete(annotations, "deprecated.daemonset.template.generation")
	if len(annotations) == 0 {
		annotations = nil
	}
	text, err := json.Marshal(map[string]any{"labels": o.GetLabels(), "annotations": annotations, "spec": o.Object["spec"],
		"owners": o.GetOwnerReferences(), "finalizers": o.GetFinalizers()})
	if err != nil {
		panic(err) // it came as JSON
	}
	return string(text)
}

func withImage(deployment *unstructured.Unstructured, image string) *unstructured.Unstructured {
	o := deployment.DeepCopy()
	containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
	containers[0].(map[string]any)["image"] = image
	_ = unstructured.SetNestedSlice(o.Object, containers, "spec", "template", "spec", "containers")
	return o
}

// noTraces wants nothing of Tidegate's but the record, the inbox and the lock.
func (s *shop) noTraces() {
	s.t.Helper()
	own := s.routing()
	for _, gvr := range slices.Concat([]schema.GroupVersionResource{deployments, services, scalers, policies, budgets, configMaps}, own.resources, own.made) {
		for _, o := range s.list(gvr, "app.kubernetes.io/managed-by=tidegate") {
			if gvr != configMaps || !strings.HasPrefix(o.GetName(), s.record()) {
				s.t.Errorf("%s/%s is left", gvr.Resource, o.GetName())
			}
		}
	}
	for _, gvr := range append([]schema.GroupVersionResource{s.workloads(), services}, own.resources...) {
		if all := s.list(gvr, ""); len(all) != 1 && s.extra == "" {
			s.t.Errorf("there are %d %s, want 1", len(all), gvr.Resource)
		}
	}
}

// record is the name of the record's ConfigMap and the lock's Lease, and the beginning of the inbox's.
func (s *shop) record() string {
	return "tidegate-" + strings.ToLower(or(s.kind, "Deployment")) + "-checkout"
}

// applies applies the user's files: those that were applied at the beginning, as a trial, since they may name another
// version, and then those with the version that runs.
func (s *shop) applies(version string) {
	s.t.Helper()
	files := s.objects(or(s.version, "v1"))
	if out, err := kubectl(context.Background(), files, "apply", "--server-side", "--dry-run=server", "-f", "-"); err != nil {
		s.t.Errorf("the user's own files cannot be applied any more: %v", out)
	}
	s.apply(version)
	s.unchanged(version)
}

// nothingLost reports the requests that were lost since it was asked last.
func (s *shop) nothingLost() {
	s.t.Helper()
	if s.users == nil || s.lossy {
		return
	}
	var lost []load.Answer
	for _, a := range s.users.Snapshot() {
		if a.Lost() && a.At.After(s.reported) {
			lost = append(lost, a)
		}
	}
	if len(lost) == 0 {
		return
	}
	first, last := lost[0], lost[len(lost)-1]
	s.reported = last.At
	s.t.Errorf("%d requests were lost, the first at %s (status %d %s), the last at %s (status %d %s)", len(lost),
		first.At.UTC().Format(clockTime), first.Status, first.Err, last.At.UTC().Format(clockTime), last.Status, last.Err)
}

const clockTime = "15:04:05.000"

// between are the answers to requests sent in this time.
func (s *shop) between(from, to time.Time) []load.Answer {
	var some []load.Answer
	for _, a := range s.users.Snapshot() {
		if !a.At.Before(from) && a.At.Before(to) {
			some = append(some, a)
		}
	}
	return some
}
