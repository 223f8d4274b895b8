package preflight

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic/selector"
)

// readService finds the workload's Service: the named one, or the only one that selects its pods.
func (o *Observed) readService(ctx context.Context, r *reader, d spec.Deploy) (err error) {
	if o.services, err = r.must(ctx, question{apiVersion: "v1", kind: "Service"}, o.namespace); err != nil {
		return fmt.Errorf("read the Services of namespace %s: %w", o.namespace, err)
	}
	o.cleanServices(d)
	if o.service, err = chooseService(d, o.namespace, o.services, podLabels(o.workload)); err != nil || o.service == nil {
		return err
	}
	if o.Baseline.Service = anonymous(o.service); d.Spec.MovesService() {
		o.Baseline.Service = slim(o.service) // it changes: who manages its fields gets them back
	}
	return nil
}

// cleanServices gives Services that an earlier rollout of the workload switched the selector that they had. As they are they
// would not be known as the workload's.
func (o *Observed) cleanServices(d spec.Deploy) {
	for i, s := range o.services {
		cleaned, touched := selector.Cleaned(s, d.Spec.Workload.Name)
		if touched {
			o.services[i] = cleaned
			o.switched = append(o.switched, plan.RefOf(s))
			o.Switched = o.Switched || plan.Digest(at(s, "spec", "selector")) != plan.Digest(at(cleaned, "spec", "selector"))
		}
	}
}

// anonymous is an object that is only copied, never changed: who manages its fields does not matter.
func anonymous(object plan.Object) plan.Object {
	o := slim(object)
	delete(mapAt(o, "metadata"), "managedFields")
	return o
}

func chooseService(d spec.Deploy, namespace string, services []plan.Object, pod labels.Set) (plan.Object, error) {
	var selecting []plan.Object
	for _, s := range services {
		if serves(s, pod) && !ours(s) {
			selecting = append(selecting, s)
		}
	}
	workload := kube.WorkloadKind(d.Spec.Workload.Kind) + "/" + d.Spec.Workload.Name
	if name := d.Spec.Service; name != "" {
		return namedService(name, namespace, workload, services, selecting, pod)
	}
	switch {
	case len(selecting) == 1:
		return selecting[0], nil
	case d.Spec.Strategy.InPlace() || d.Spec.Traffic == nil && !d.Spec.MovesService():
		return nil, nil // nothing is done to it
	case len(selecting) > 1:
		return nil, invalid("Name the one that the route sends to in spec.service",
			"%s of namespace %s select the pods of %s: %s", count(len(selecting), "Service"), namespace, workload, several(names(selecting)))
	}
	return nil, invalid(fmt.Sprintf("Make a Service with the selector %s, or check the labels in the pod template", labels.FormatLabels(pod)),
		"no Service of namespace %s selects the pods of %s", namespace, workload)
}

func namedService(name, namespace, workload string, services, selecting []plan.Object, pod labels.Set) (plan.Object, error) {
	s := named(services, name)
	remedy := fmt.Sprintf("The Services that select its pods: %s. Correct spec.service", several(names(selecting)))
	switch {
	case s == nil:
		return nil, invalid(remedy, "namespace %s has no Service %s (spec.service)", namespace, name)
	case textAt(s, "spec", "type") == "ExternalName":
		return nil, invalid(remedy, "Service/%s is an alias of another host (type ExternalName): no pods stand behind it", name)
	case len(labelsAt(s, "spec", "selector")) == 0:
		return nil, invalid("Give it a selector. "+remedy,
			"Service/%s has no selector: its endpoints are made by something else, which Tidegate cannot steer", name)
	case !serves(s, pod):
		return nil, invalid(remedy, "Service/%s does not select the pods of %s: it wants %s, the pods have %s", name, workload,
			labels.FormatLabels(labelsAt(s, "spec", "selector")), labels.FormatLabels(pod))
	}
	return s, nil
}

// nearest sorts names so that those like the wanted one come first.
func nearest(wanted string, all []string) []string {
	var like, rest []string
	for _, name := range all {
		if strings.Contains(name, wanted) || strings.Contains(wanted, name) || alike(wanted, name) {
			like = append(like, name)
		} else {
			rest = append(rest, name)
		}
	}
	return append(like, rest...)
}

// alike tells whether two names begin or end the same for the most part: "chekout" is like "checkout".
func alike(a, b string) bool {
	front := 0
	for front < min(len(a), len(b)) && a[front] == b[front] {
		front++
	}
	back := 0
	for back < min(len(a), len(b))-front && a[len(a)-1-back] == b[len(b)-1-back] {
		back++
	}
	return 4*(front+back) >= 3*max(len(a), len(b))
}
