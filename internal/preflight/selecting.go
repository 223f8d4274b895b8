package preflight

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// readSelecting finds the policies and Services of the namespace that speak of the workload's pods by their labels.
func (o *Observed) readSelecting(ctx context.Context, r *reader, _ spec.Deploy) error {
	pod := podLabels(o.workload)
	for _, q := range []question{
		{apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy"}, {apiVersion: "policy/v1", kind: "PodDisruptionBudget"},
	} {
		list, err := r.may(ctx, q, o.namespace)
		if err != nil {
			return fmt.Errorf("read the objects of kind %s of namespace %s: %w", q.kind, o.namespace, err)
		}
		o.policies = append(o.policies, list...)
	}
	for _, p := range o.policies {
		if !ours(p) && speaksOf(p, pod) {
			o.Baseline.Selecting = append(o.Baseline.Selecting, anonymous(p))
		}
	}
	for _, s := range o.services {
		if !ours(s) && serves(s, pod) && nameOf(s) != nameOf(o.service) {
			o.Baseline.Selecting = append(o.Baseline.Selecting, anonymous(s))
		}
	}
	return nil
}

// speaksOf tells whether a policy selects the pods, or (a NetworkPolicy of their peers) lets them in or out.
func speaksOf(policy plan.Object, pod labels.Set) bool {
	if textAt(policy, "kind") == "PodDisruptionBudget" {
		return selects(at(policy, "spec", "selector"), pod)
	}
	if selector := at(policy, "spec", "podSelector"); selector == nil || selects(selector, pod) {
		return true
	}
	for _, way := range [][2]string{{"ingress", "from"}, {"egress", "to"}} {
		for _, rule := range listAt(policy, "spec", way[0]) {
			for _, peer := range listAt(rule, way[1]) {
				if selects(peer["podSelector"], pod) {
					return true
				}
			}
		}
	}
	return false
}
