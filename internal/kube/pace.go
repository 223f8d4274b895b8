package kube

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Pace is what a Deployment's spec says of how its pods are replaced; a field that it does not set is missing. To change it
// makes no new ReplicaSet: only the pod template does.
type Pace map[string]any

// The fields of a Pace.
const (
	paceStrategy = "strategy"
	paceMinReady = "minReadySeconds"
	paceDeadline = "progressDeadlineSeconds"
)

// ReadPace is the Deployment's pace.
func ReadPace(o *unstructured.Unstructured) Pace {
	p := Pace{}
	for _, field := range []string{paceStrategy, paceMinReady, paceDeadline} {
		if v, found, _ := unstructured.NestedFieldCopy(o.Object, "spec", field); found {
			p[field] = v
		}
	}
	return p
}

// Write gives the pace to a Deployment.
func (p Pace) Write(o *unstructured.Unstructured) error {
	for _, field := range []string{paceStrategy, paceMinReady, paceDeadline} {
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

// Recreate is the pace with which all pods go before the first new one comes.
func (p Pace) Recreate() Pace {
	return p.with(paceStrategy, map[string]any{"type": "Recreate"})
}

// Rolling is the pace with other bounds of the rolling update: whole numbers or percentages.
func (p Pace) Rolling(maxSurge, maxUnavailable any) Pace {
	return p.with(paceStrategy, map[string]any{"type": "RollingUpdate",
		"rollingUpdate": map[string]any{"maxSurge": maxSurge, "maxUnavailable": maxUnavailable}})
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
