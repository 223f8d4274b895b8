package kube_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/kube"
)

// TestWorkloadRollout reads the state of StatefulSets and DaemonSets as `kubectl rollout status` would judge it.
func TestWorkloadRollout(t *testing.T) {
	const stateful, daemon = "StatefulSet", "DaemonSet"
	for _, tt := range []struct {
		name, kind, spec, status string
		done, current            bool
		want                     string
	}{
		{"a whole StatefulSet", stateful, `"replicas":3`,
			`"observedGeneration":2,"replicas":3,"updatedReplicas":3,"readyReplicas":3,"availableReplicas":3,"currentRevision":"a","updateRevision":"a"`, true, true,
			"3 of 3 pods are updated, 3 ready, 3 in all"},
		{"one pod by default", stateful, ``,
			`"observedGeneration":2,"replicas":1,"updatedReplicas":1,"readyReplicas":1,"availableReplicas":1`, true, true, "1 of 1 pods are updated, 1 ready, 1 in all"},
		{"one that is held by its partition", stateful, `"replicas":3,"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":2}}`,
			`"observedGeneration":2,"replicas":3,"updatedReplicas":1,"readyReplicas":3,"availableReplicas":3,"currentRevision":"a","updateRevision":"b"`, false, true,
			"1 of 3 pods are updated, 3 ready, 3 in all"},
		{"one whose new revision is not the current one yet", stateful, `"replicas":3,"updateStrategy":{"type":"RollingUpdate"}`,
			`"observedGeneration":2,"replicas":3,"updatedReplicas":3,"readyReplicas":3,"availableReplicas":3,"currentRevision":"a","updateRevision":"b"`, false, true,
			"3 of 3 pods are updated, 3 ready, 3 in all"},
		{"one where it never will be", stateful, `"replicas":3,"updateStrategy":{"type":"OnDelete"}`,
			`"observedGeneration":2,"replicas":3,"updatedReplicas":3,"readyReplicas":3,"availableReplicas":3,"currentRevision":"a","updateRevision":"b"`, true, true,
			"3 of 3 pods are updated, 3 ready, 3 in all"},
		{"a StatefulSet that its controller has not seen", stateful, `"replicas":3`,
			`"observedGeneration":1,"replicas":3,"updatedReplicas":3,"readyReplicas":3,"availableReplicas":3`, false, false, "3 of 3 pods are updated, 3 ready, 3 in all"},
		{"a whole DaemonSet", daemon, ``,
			`"observedGeneration":2,"desiredNumberScheduled":4,"currentNumberScheduled":4,"updatedNumberScheduled":4,"numberReady":4,"numberAvailable":4`, true, true,
			"4 of 4 pods are updated, 4 ready, 4 in all"},
		{"a DaemonSet with a pod that is not available", daemon, ``,
			`"observedGeneration":2,"desiredNumberScheduled":4,"currentNumberScheduled":4,"updatedNumberScheduled":4,"numberReady":4,"numberAvailable":3`, false, true,
			"4 of 4 pods are updated, 4 ready, 4 in all"},
		{"a DaemonSet with a node that has no pod", daemon, ``,
			`"observedGeneration":2,"desiredNumberScheduled":4,"currentNumberScheduled":3,"updatedNumberScheduled":3,"numberReady":3,"numberAvailable":3`, false, true,
			"3 of 4 pods are updated, 3 ready, 3 in all"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := kube.WorkloadRollout(decoded(t, `{"apiVersion":"apps/v1","kind":"`+tt.kind+`","metadata":{"name":"shop","generation":2},"spec":{`+tt.spec+`},"status":{`+tt.status+`}}`))
			if r.Done() != tt.done || r.Current != tt.current || r.String() != tt.want {
				t.Errorf("done %t, current %t, %s", r.Done(), r.Current, r)
			}
		})
	}
}

// TestSetPace: what a StatefulSet or DaemonSet says of its own is given back as it was.
func TestSetPace(t *testing.T) {
	for _, tt := range []struct {
		name, before string
		change       func(kube.Pace) kube.Pace
		after        string
	}{
		{"a partition beside the user's own bounds", `{"replicas":3,"updateStrategy":{"rollingUpdate":{"maxUnavailable":2,"partition":3},"type":"RollingUpdate"}}`,
			func(p kube.Pace) kube.Pace { return p.Partition(1) },
			`{"replicas":3,"updateStrategy":{"rollingUpdate":{"maxUnavailable":2,"partition":1},"type":"RollingUpdate"}}`},
		{"a partition instead of OnDelete", `{"updateStrategy":{"type":"OnDelete"}}`,
			func(p kube.Pace) kube.Pace { return p.Partition(0).MinReady(5) },
			`{"minReadySeconds":5,"updateStrategy":{"rollingUpdate":{"partition":0},"type":"RollingUpdate"}}`},
		{"OnDelete", `{"updateStrategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":"10%"},"type":"RollingUpdate"}}`,
			kube.Pace.OnDelete, `{"updateStrategy":{"type":"OnDelete"}}`},
		{"bounds of a DaemonSet", `{"updateStrategy":{"type":"OnDelete"}}`,
			func(p kube.Pace) kube.Pace { return p.Daemon(int64(0), "50%") },
			`{"updateStrategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":"50%"},"type":"RollingUpdate"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := decoded(t, `{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"shop"},"spec":`+tt.before+`}`)
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

// TestPodRevisions: the name of a pod's ControllerRevision, by what each kind writes into the label.
func TestPodRevisions(t *testing.T) {
	pod := &unstructured.Unstructured{Object: map[string]any{}}
	if got := kube.PodRevisions("shop", pod); len(got) > 0 {
		t.Errorf("a pod without the label has %v", got)
	}
	for _, tt := range []struct{ name, label, want string }{
		{"StatefulSet", "shop-7f9c", "shop-7f9c"}, {"DaemonSet", "7f9c", "shop-7f9c"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pod.SetLabels(map[string]string{kube.RevisionLabel: tt.label})
			found := false
			for _, name := range kube.PodRevisions("shop", pod) {
				found = found || name == tt.want
			}
			if !found {
				t.Errorf("%s is not among %v", tt.want, kube.PodRevisions("shop", pod))
			}
		})
	}
}
