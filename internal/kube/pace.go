package kube

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Pace is what a workload's spec says of how its pods are replaced; a field that it does not set is missing. To change it
// makes no new ReplicaSet or ControllerRevision: only the pod template does.
type Pace map[string]any

// The fields of a Pace. A Deployment has a strategy, the others have an updateStrategy.
const (
	paceStrategy = "strategy"
	paceUpdate   = "updateStrategy"
	paceMinReady = "minReadySeconds"
	paceDeadline = "progressDeadlineSeconds"
)

func paceFields() []string { return []string{paceStrategy, paceUpdate, paceMinReady, paceDeadline} }

// The type of a strategy by which pods are replaced only when somebody deletes them.
const onDelete = "OnDelete"

// ReadPace is the workload's pace.
func ReadPace(o *unstructured.Unstructured) Pace {
	p := Pace{}
	for _, field := range paceFields() {
		if v, found, _ := unstructured.NestedFieldCopy(o.Object, "spec", field); found {
			p[field] = v
		}
	}
	return p
}

// Write gives the pace to a workload.
func (p Pace) Write(o *unstructured.Unstructured) error {
	for _, field := range paceFields() {
		v, set := p[field]
		if !set {
			unstructured.RemoveNestedField(o.Object, "spec", field)
			continue
		}
		if err := unstructured.SetNestedField(o.Object, runtime.DeepCopyJSONValue(v), "spec", field); err != nil {
			return err
		}
	}
	return nil
}

// Recreate is the pace with which all pods of a Deployment go before the first new one comes.
func (p Pace) Recreate() Pace {
	return p.with(paceStrategy, map[string]any{"type": "Recreate"})
}

// Rolling is a Deployment's pace with other bounds of the rolling update: whole numbers or percentages.
func (p Pace) Rolling(maxSurge, maxUnavailable any) Pace {
	return p.with(paceStrategy, rollingUpdate(map[string]any{"maxSurge": maxSurge, "maxUnavailable": maxUnavailable}))
}

// Daemon is a DaemonSet's pace with other bounds of the rolling update.
func (p Pace) Daemon(maxSurge, maxUnavailable any) Pace {
	return p.with(paceUpdate, rollingUpdate(map[string]any{"maxSurge": maxSurge, "maxUnavailable": maxUnavailable}))
}

// OnDelete is the pace with which a pod is replaced only when somebody deletes it.
func (p Pace) OnDelete() Pace { return p.with(paceUpdate, map[string]any{"type": onDelete}) }

// IsOnDelete tells whether pods are replaced only when somebody deletes them.
func (p Pace) IsOnDelete() bool {
	kind, _, _ := unstructured.NestedString(p, paceUpdate, "type")
	return kind == onDelete
}

// Partition is a StatefulSet's pace with which the pods from this number on are replaced, and those below it are not. What
// else the StatefulSet says of its rolling update stays.
func (p Pace) Partition(n int) Pace {
	own, _, _ := unstructured.NestedMap(p, paceUpdate, "rollingUpdate")
	if own == nil {
		own = map[string]any{}
	}
	own["partition"] = int64(n)
	return p.with(paceUpdate, rollingUpdate(own))
}

func rollingUpdate(bounds map[string]any) map[string]any {
	return map[string]any{"type": "RollingUpdate", "rollingUpdate": bounds}
}

// MinReady is the pace with another time for which a pod must be ready until it counts as available.
func (p Pace) MinReady(seconds int64) Pace { return p.with(paceMinReady, seconds) }

// Deadline is the pace with another time after which a rollout without progress has failed.
func (p Pace) Deadline(seconds int64) Pace { return p.with(paceDeadline, seconds) }

// IsRecreate tells whether all pods go before the first new one comes.
func (p Pace) IsRecreate() bool {
	kind, _, _ := unstructured.NestedString(p, paceStrategy, "type")
	return kind == "Recreate"
}

func (p Pace) with(field string, v any) Pace {
	changed := maps.Clone(p)
	if changed == nil {
		changed = Pace{}
	}
	changed[field] = v
	return changed
}
