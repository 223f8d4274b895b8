package preflight

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// readRest reads what decides whether the candidate fits in, in the order of its importance: when the calls are used up,
// what comes last is left out.
func (o *Observed) readRest(ctx context.Context, r *reader, d spec.Deploy) error {
	template := mapAt(o.workload, "spec", "template")
	for _, look := range []struct {
		into   *[]plan.Object
		wanted bool
		ask    question
	}{
		{&o.pods, !kube.WorkloadRollout(wrap(o.workload)).Done(), question{"v1", "Pod", o.podSelector(), "why the base is not whole"}},
		{&o.quotas, true, question{"v1", "ResourceQuota", "", "whether a quota has room for a second set of pods"}},
		{&o.claims, len(claimNames(template)) > 0, question{"v1", "PersistentVolumeClaim", "", "whether several pods may mount the volumes"}},
		{&o.nodes, exclusive(template), question{"v1", "Node", "", "whether there are enough nodes for pods that must not share one"}},
		{&o.grants, o.elsewhere(), question{gatewayGroup + "/v1beta1", "ReferenceGrant", "",
			"whether the routes of other namespaces may send to the candidate"}},
		{&o.ingresses, o.service != nil && d.Spec.Traffic != nil, question{"networking.k8s.io/v1", "Ingress", "", "whether an Ingress sends to the Service past the split"}},
		{&o.verticals, true, question{"autoscaling.k8s.io/v1", "VerticalPodAutoscaler", "", "whether a VerticalPodAutoscaler restarts pods"}},
	} {
		if !look.wanted {
			continue
		}
		namespace := o.namespace
		if look.ask.kind == "Node" {
			namespace = ""
		}
		list, err := r.may(ctx, look.ask, namespace)
		if err != nil {
			return fmt.Errorf("read the objects of kind %s: %w", look.ask.kind, err)
		}
		*look.into = list
	}
	return nil
}

// elsewhere tells whether a route of the spec is in another namespace.
func (o *Observed) elsewhere() bool {
	return slices.ContainsFunc(o.lists, func(list plan.Ref) bool { return list.Namespace != o.namespace })
}

func (o *Observed) podSelector() string {
	return labels.SelectorFromSet(labelsAt(o.workload, "spec", "selector", "matchLabels")).String()
}
