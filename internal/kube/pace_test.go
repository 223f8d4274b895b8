package kube_test

import (
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/kube"
)

func decoded(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return u
}

func specOf(t *testing.T, o *unstructured.Unstructured) string {
	t.Helper()
	text, err := json.Marshal(o.Object["spec"])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPace: what a Deployment does not set is taken away again, and everything else of its spec stays.
func TestPace(t *testing.T) {
	for _, tt := range []struct {
		name, before string
		change       func(kube.Pace) kube.Pace
		after        string
	}{
		{"all together", `{"replicas":3}`, kube.Pace.Recreate, `{"replicas":3,"strategy":{"type":"Recreate"}}`},
		{"a rolling update", `{"minReadySeconds":5,"strategy":{"type":"Recreate"}}`,
			func(p kube.Pace) kube.Pace { return p.Rolling(int64(2), "25%").MinReady(9).Deadline(11) },
			`{"minReadySeconds":9,"progressDeadlineSeconds":11,"strategy":{"rollingUpdate":{"maxSurge":2,"maxUnavailable":"25%"},"type":"RollingUpdate"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := decoded(t, `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"shop"},"spec":`+tt.before+`}`)
			own := kube.ReadPace(o)
			if err := tt.change(own).Write(o); err != nil || specOf(t, o) != tt.after {
				t.Errorf("changed to %s, %v", specOf(t, o), err)
			}
			if err := own.Write(o); err != nil || specOf(t, o) != tt.before {
				t.Errorf("given back as %s, %v", specOf(t, o), err)
			}
		})
	}
}

// TestHoldScaler: both bounds or only the lower one are held, and what was not there is taken away again.
func TestHoldScaler(t *testing.T) {
	for _, tt := range []struct {
		name, kind, spec string
		exactly          bool
		held             string // empty: nothing has to change
	}{
		{"at least", "HorizontalPodAutoscaler", `{"maxReplicas":9,"minReplicas":2}`, false, `{"maxReplicas":9,"minReplicas":4}`},
		{"exactly", "HorizontalPodAutoscaler", `{"maxReplicas":9,"minReplicas":2}`, true, `{"maxReplicas":4,"minReplicas":4}`},
		{"exactly, by default", "ScaledObject", `{}`, true, `{"maxReplicaCount":4,"minReplicaCount":4}`},
		{"high enough", "HorizontalPodAutoscaler", `{"maxReplicas":9,"minReplicas":5}`, false, ""},
		{"high enough, but not exactly", "HorizontalPodAutoscaler", `{"maxReplicas":9,"minReplicas":5}`, true, `{"maxReplicas":4,"minReplicas":4}`},
		{"exactly so", "HorizontalPodAutoscaler", `{"maxReplicas":4,"minReplicas":4}`, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mark := kube.OriginalMark("shop")
			o := decoded(t, `{"apiVersion":"v1","kind":"`+tt.kind+`","metadata":{"name":"shop"},"spec":`+tt.spec+`}`)
			changed, err := kube.HoldScaler(o, mark, 4, tt.exactly)
			if err != nil || changed != (tt.held != "") || changed && specOf(t, o) != tt.held {
				t.Fatalf("held as %s (changed: %t), %v", specOf(t, o), changed, err)
			}
			if again, err := kube.HoldScaler(o, mark, 6, tt.exactly); changed && (again || err != nil) {
				t.Errorf("held again: %s, %v", specOf(t, o), err)
			}
			if !changed {
				return
			}
			kept, marked := kube.ReadOriginal(o, mark)
			if err := kube.FreeScaler(o, kept); !marked || err != nil || specOf(t, o) != tt.spec {
				t.Errorf("freed as %s, %v", specOf(t, o), err)
			}
			kube.Unmark(o, mark)
			if len(o.GetAnnotations()) > 0 {
				t.Errorf("annotations %v are left", o.GetAnnotations())
			}
		})
	}
}

// TestPinScaler: a scaler is moved as often as asked, and gets its own bounds back whatever it was moved to.
func TestPinScaler(t *testing.T) {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
		"metadata": map[string]any{"name": "shop"}, "spec": map[string]any{"minReplicas": int64(2), "maxReplicas": int64(8)}}}
	for _, step := range []struct {
		size    int64
		changed bool
	}{{4, true}, {4, false}, {1, true}, {6, true}} {
		changed, err := kube.PinScaler(o, "mark", step.size)
		spec := o.Object["spec"].(map[string]any)
		if err != nil || changed != step.changed || spec["minReplicas"] != step.size || spec["maxReplicas"] != step.size {
			t.Errorf("pinned at %d: %v, changed %t, %v", step.size, spec, changed, err)
		}
	}
	kept, _ := kube.ReadOriginal(o, "mark")
	if err := kube.FreeScaler(o, kept); err != nil {
		t.Fatal(err)
	}
	if spec := o.Object["spec"].(map[string]any); spec["minReplicas"] != int64(2) || spec["maxReplicas"] != int64(8) {
		t.Errorf("free it has %v", spec)
	}
}
