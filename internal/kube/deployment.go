package kube

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Rollout is the state of a workload, in numbers of pods.
type Rollout struct {
	Desired   int
	Updated   int // of the present template
	Ready     int
	Available int
	Total     int
	Current   bool // the controller has seen the present spec
	Paused    bool
	Unsettled bool   // a StatefulSet has yet to make the revision of all its pods the current one
	Failed    string // why it does not get on, in the controller's words
}

// WorkloadRollout reads the state of a workload of any kind.
func WorkloadRollout(o *unstructured.Unstructured) Rollout {
	switch o.GetKind() {
	case StatefulSet:
		return statefulRollout(o)
	case DaemonSet:
		return daemonRollout(o)
	default:
		return DeploymentRollout(o)
	}
}

// DeploymentRollout reads the state of a Deployment.
func DeploymentRollout(o *unstructured.Unstructured) Rollout {
	return Rollout{
		Desired:   integer(o, 1, "spec", "replicas"),
		Updated:   integer(o, 0, "status", "updatedReplicas"),
		Ready:     integer(o, 0, "status", "readyReplicas"),
		Available: integer(o, 0, "status", "availableReplicas"),
		Total:     integer(o, 0, "status", "replicas"),
		Current:   observed(o),
		Paused:    boolean(o, "spec", "paused"),
		Failed:    failedCondition(o),
	}
}

// Done tells whether every pod that is wanted runs the present template and is available, and no other is left.
func (r Rollout) Done() bool {
	return r.Current && !r.Unsettled && r.Updated == r.Desired && r.Available >= r.Desired && r.Total == r.Desired && r.Ready >= r.Desired
}

// Serving tells whether size pods are ready, whatever their template.
func (r Rollout) Serving(size int) bool { return r.Current && r.Ready >= size }

// String is the state as a person would say it.
func (r Rollout) String() string {
	return fmt.Sprintf("%d of %d pods are updated, %d ready, %d in all", r.Updated, r.Desired, r.Ready, r.Total)
}

func failedCondition(o *unstructured.Unstructured) string {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		m, _ := c.(map[string]any)
		if (m["type"] == "ReplicaFailure" && m["status"] == "True") || (m["type"] == "Progressing" && m["reason"] == "ProgressDeadlineExceeded") {
			return fmt.Sprintf("%v: %v", m["reason"], m["message"])
		}
	}
	return ""
}

func integer(o *unstructured.Unstructured, missing int, path ...string) int {
	v, found, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
	if !found {
		return missing
	}
	switch n := v.(type) {
	case int64:
		return int(n)
	case int:
		return n
	case float64:
		return int(n)
	}
	return missing
}

func boolean(o *unstructured.Unstructured, path ...string) bool {
	v, _, _ := unstructured.NestedBool(o.Object, path...)
	return v
}
