package preflight

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// API versions of autoscalers.
const (
	hpaVersion  = "autoscaling/v2"
	kedaVersion = "keda.sh/v1alpha1"
)

// readScaler finds what sizes the workload: its HorizontalPodAutoscaler, or the ScaledObject that owns that one (KEDA
// would write it over). A paused ScaledObject has no autoscaler, so it is looked for when there is none.
func (o *Observed) readScaler(ctx context.Context, r *reader, d spec.Deploy) error {
	hpas, err := r.may(ctx, question{apiVersion: hpaVersion, kind: "HorizontalPodAutoscaler"}, o.namespace)
	if err != nil {
		return fmt.Errorf("read the autoscalers of namespace %s: %w", o.namespace, err)
	}
	hpa := targeting(hpas, d.Spec.Workload)
	owner := ""
	for _, ref := range listAt(hpa, "metadata", "ownerReferences") {
		if textAt(ref, "kind") == "ScaledObject" {
			owner = textAt(ref, "name")
		}
	}
	if hpa != nil && owner == "" {
		o.setScaler(hpa)
		return nil
	}
	q := question{apiVersion: kedaVersion, kind: "ScaledObject"}
	if owner == "" {
		q.unknown = "whether KEDA sizes the workload"
	}
	scaled, err := r.may(ctx, q, o.namespace)
	if err != nil {
		return fmt.Errorf("read the ScaledObjects of namespace %s: %w", o.namespace, err)
	}
	if so := targeting(scaled, d.Spec.Workload); so != nil {
		o.setScaler(so)
	} else if owner != "" { // may not be read: the permission is what the user has to hear of
		o.scaler = plan.Ref{APIVersion: kedaVersion, Kind: "ScaledObject", Namespace: o.namespace, Name: owner}
	}
	return nil
}

func (o *Observed) setScaler(scaler plan.Object) {
	o.Baseline.Scaler, o.scaler = slim(scaler), plan.RefOf(scaler)
}

// targeting is the scaler of a workload; KEDA's default kind is Deployment.
func targeting(scalers []plan.Object, workload spec.Workload) plan.Object {
	wanted := kube.WorkloadKind(workload.Kind)
	for _, s := range scalers {
		kind := textAt(s, "spec", "scaleTargetRef", "kind")
		if (kind == wanted || kind == "" && wanted == kube.Deployment) && textAt(s, "spec", "scaleTargetRef", "name") == workload.Name {
			return s
		}
	}
	return nil
}
