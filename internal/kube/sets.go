package kube

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// statefulRollout reads the state of a StatefulSet. One that is updated to the last pod goes on with the old revision for
// the pods below a partition until its controller has made the new one current; before that it does not count as updated.
func statefulRollout(o *unstructured.Unstructured) Rollout {
	r := Rollout{
		Desired:   integer(o, 1, "spec", "replicas"),
		Updated:   integer(o, 0, "status", "updatedReplicas"),
		Ready:     integer(o, 0, "status", "readyReplicas"),
		Available: integer(o, 0, "status", "availableReplicas"),
		Total:     integer(o, 0, "status", "replicas"),
		Current:   observed(o),
	}
	present, _, _ := unstructured.NestedString(o.Object, "status", "currentRevision")
	next, _, _ := unstructured.NestedString(o.Object, "status", "updateRevision")
	r.Unsettled = present != next && r.Updated == r.Desired && !isOnDelete(o)
	return r
}

// daemonRollout reads the state of a DaemonSet. It wants as many pods as there are nodes for them.
func daemonRollout(o *unstructured.Unstructured) Rollout {
	return Rollout{
		Desired:   integer(o, 0, "status", "desiredNumberScheduled"),
		Updated:   integer(o, 0, "status", "updatedNumberScheduled"),
		Ready:     integer(o, 0, "status", "numberReady"),
		Available: integer(o, 0, "status", "numberAvailable"),
		Total:     integer(o, 0, "status", "currentNumberScheduled"),
		Current:   observed(o),
	}
}

// observed tells whether the controller has seen the present spec.
func observed(o *unstructured.Unstructured) bool {
	return int64(integer(o, 0, "status", "observedGeneration")) >= o.GetGeneration()
}

func isOnDelete(o *unstructured.Unstructured) bool {
	kind, _, _ := unstructured.NestedString(o.Object, "spec", "updateStrategy", "type")
	return kind == onDelete
}

// RevisionLabel is the pod label by which StatefulSets and DaemonSets tell the versions of their pods apart.
const RevisionLabel = "controller-revision-hash"

// PodRevisions are the names that the ControllerRevision of a workload's pod may have: a StatefulSet writes the whole name
// into the pod's label, a DaemonSet only what follows its own name.
func PodRevisions(workload string, pod *unstructured.Unstructured) []string {
	label := pod.GetLabels()[RevisionLabel]
	if label == "" {
		return nil
	}
	return []string{label, workload + "-" + label}
}

// RevisionTemplate is the pod template that a ControllerRevision keeps.
func RevisionTemplate(o *unstructured.Unstructured) map[string]any {
	template, _, _ := unstructured.NestedMap(o.Object, "data", "spec", "template")
	return template
}
