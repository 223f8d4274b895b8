package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
	"github.com/tidegate/tidegate/strategies"
)

// MaxCalls is how many calls Observe and Check make together when all routes are in one namespace.
const MaxCalls = 15

// checkCalls are the calls of Check: one rules review and two dry runs.
const checkCalls = 3

// Observed is what was read of the cluster before anything is touched.
type Observed struct {
	Baseline plan.Baseline
	// Leftovers are objects that carry the marks of an earlier rollout: what it made, and what of the user's it changed.
	// Without a record of it they have to be undone first; Check expects none.
	Leftovers []plan.Ref
	// Switched: among the leftovers is the workload's Service, and it points at the candidate.
	Switched bool
	// Made are the leftovers of what was made for a router.
	Made []plan.Object
	// Previews are the leftovers of a preview.
	Previews []plan.Object
	// Unseen is what could not be read.
	Unseen []Unseen

	namespace string
	workload  plan.Object   // status included, as all below
	workloads []plan.Object // of its kind
	service   plan.Object
	services  []plan.Object
	switched  []plan.Ref    // Services that carry the mark of a switch; services has them as they were before it
	routes    []plan.Object // of the spec
	allRoutes []plan.Object // of all namespaces that were read
	rules     []string      // names of the rules to steer
	router    traffic.Kind  // of the spec; nil without one
	lists     []plan.Ref    // the kinds of routes that were read, by namespace
	scaler    plan.Ref      // also when it could not be read
	policies  []plan.Object // NetworkPolicies and PodDisruptionBudgets of the namespace
	pods      []plan.Object // only when the workload is not whole
	quotas    []plan.Object
	claims    []plan.Object
	nodes     []plan.Object
	ingresses []plan.Object
	grants    []plan.Object
	verticals []plan.Object
}

// Observe reads the workload of a deploy spec and all around it that a rollout depends on. namespace is the workload's.
//
// A spec that does not fit the cluster is an *Invalid; missing permissions to read what every rollout needs are
// [Findings] that name all missing permissions at once.
func Observe(ctx context.Context, client *kube.Client, d spec.Deploy, namespace string) (Observed, error) {
	if d.Spec.Strategy.InPlace() {
		d.Spec.Traffic = nil // an overlay may well have another strategy, which needs it
	}
	further := max(len(routeLists(d, namespace))-1, 0)
	r := &reader{client: client, left: MaxCalls - checkCalls + 2*further} // their routes, and the grants
	o, err := observe(ctx, r, d, namespace)
	if apierrors.IsForbidden(err) {
		return Observed{}, explain(ctx, client, d, namespace, err)
	}
	if err != nil {
		return Observed{}, err
	}
	o.Unseen = r.unseen
	return o, nil
}

func observe(ctx context.Context, r *reader, d spec.Deploy, namespace string) (Observed, error) {
	o := Observed{namespace: namespace}
	for _, read := range []func(context.Context, *reader, spec.Deploy) error{
		o.readWorkload, o.readService, o.readRoutes, o.readScaler, o.readSelecting, o.readFeatures, o.readRest,
	} {
		if err := read(ctx, r, d); err != nil {
			return Observed{}, err
		}
	}
	return o, o.readLeftovers(d)
}

// readWorkload reads all workloads of its kind of the namespace: the named one and, of Deployments, the candidate that an
// earlier rollout may have left, and those whose pods are behind the same Service.
func (o *Observed) readWorkload(ctx context.Context, r *reader, d spec.Deploy) (err error) {
	name, kind := d.Spec.Workload.Name, kube.WorkloadKind(d.Spec.Workload.Kind)
	if o.workloads, err = r.must(ctx, question{apiVersion: "apps/v1", kind: kind}, o.namespace); err != nil {
		return fmt.Errorf("read %s/%s: %w", kind, name, err)
	}
	if o.workload = named(o.workloads, name); o.workload == nil {
		return invalid(fmt.Sprintf("Its %ss: %s. Check spec.workload, spec.namespace and spec.context", kind, several(nearest(name, names(o.workloads)))),
			"namespace %s has no %s %s", o.namespace, kind, name)
	}
	o.Baseline.Workload = slim(o.workload)
	o.Baseline.Size = kube.WorkloadRollout(wrap(o.workload)).Desired
	return nil
}

// slim is the object without its status: that is an observation, and changes by itself.
func slim(object plan.Object) plan.Object {
	o := runtime.DeepCopyJSON(object)
	delete(o, "status")
	return o
}

// readLeftovers finds marks of an earlier rollout.
func (o *Observed) readLeftovers(d spec.Deploy) error {
	if d.Spec.Strategy.InPlace() || d.Spec.Traffic == nil && !d.Spec.MovesService() {
		return o.readMarks(d)
	}
	objects, err := strategies.Beside(strategies.Input{Deploy: d, Baseline: o.Baseline})
	if err != nil {
		return &Invalid{Problem: err.Error(), Remedy: "Mend the object and deploy again"}
	}
	for _, made := range objects.Create {
		if found := o.find(plan.RefOf(made)); found != nil && ours(found) {
			o.Leftovers = append(o.Leftovers, plan.RefOf(found))
		}
	}
	candidate := nameOf(objects.Create[1])
	if d.Spec.Traffic == nil {
		if err := o.routedElsewhere(candidate); err != nil {
			return err
		}
	}
	for _, ref := range o.switched {
		if ref.Name != nameOf(o.service) {
			return invalid("Name it in spec.service and deploy once, which takes it back first",
				"an earlier rollout left %s switched to its candidate, and no record of it", ref)
		}
		o.Leftovers = append(o.Leftovers, ref)
	}
	o.Previews = o.previews(d)
	o.Made = o.extras(candidate)
	for _, p := range slices.Concat(o.Previews, o.Made) {
		o.Leftovers = append(o.Leftovers, plan.RefOf(p))
	}
	for _, changed := range append([]plan.Object{o.workload, o.Baseline.Scaler}, o.routes...) {
		if o.marked(changed, d) || o.reaches(changed, candidate) {
			o.Leftovers = append(o.Leftovers, plan.RefOf(changed))
		}
	}
	return nil
}

// extras are what an earlier rollout made for its router, beside the candidate: its name begins as the candidate's does.
func (o *Observed) extras(candidate string) []plan.Object {
	var all []plan.Object
	names := []string{candidate}
	for _, route := range o.routes {
		names = append(names, strategies.CandidateName(nameOf(route)))
	}
	for _, list := range [][]plan.Object{o.services, o.allRoutes} {
		for _, object := range list {
			own := func(name string) bool {
				return nameOf(object) == name && textAt(object, "kind") != "Service" || strings.HasPrefix(nameOf(object), name+"-")
			}
			if ours(object) && slices.ContainsFunc(names, own) {
				all = append(all, object)
			}
		}
	}
	return all
}

// reaches tells whether one of the spec's routes sends to the candidate.
func (o *Observed) reaches(route plan.Object, candidate string) bool {
	if o.router == nil || o.route(plan.RefOf(route)) == nil {
		return o.sendsAnywhere(route, candidate)
	}
	return o.router.Reaches(route, plan.Traffic{Router: o.router.Name(), Namespace: o.namespace, Base: nameOf(o.service), Candidate: candidate})
}

// readMarks finds what an earlier rollout in place, or by replicas, changed and made. Another candidate is that of a route:
// only who knows the route can take it back.
func (o *Observed) readMarks(d spec.Deploy) error {
	name := strategies.CandidateName(d.Spec.Workload.Name)
	switch found := named(o.workloads, name); {
	case found == nil || !ours(found):
	case strategies.Tracked(found):
		o.Leftovers = append(o.Leftovers, plan.RefOf(found))
	default:
		return invalid(fmt.Sprintf("Deploy once with the strategy that made it, which takes it back first; or, if no route sends to it, "+
			"kubectl delete deployment,service %s -n %s", name, o.namespace), "an earlier rollout left the candidate %s, and no record of it", about(found))
	}
	if len(o.switched) > 0 {
		return invalid("Deploy once with the strategy that switched it, which takes it back first",
			"an earlier rollout left the selector of %s pointing at its candidate, and no record of it", o.switched[0])
	}
	kept, _ := kube.ReadOriginal(wrap(o.workload), kube.OriginalMark(d.Spec.Workload.Name))
	if size, ok := kube.ReadSize(kept); ok { // that of the base before an earlier rollout by replicas
		o.Baseline.Size = size
	}
	for _, changed := range []plan.Object{o.workload, o.Baseline.Scaler} {
		if o.marked(changed, d) {
			o.Leftovers = append(o.Leftovers, plan.RefOf(changed))
		}
	}
	return nil
}

// previews are what the preview of an earlier rollout of the workload consists of.
func (o *Observed) previews(d spec.Deploy) []plan.Object {
	var all []plan.Object
	for _, list := range [][]plan.Object{o.services, o.allRoutes} {
		for _, object := range list {
			if ours(object) && textAt(object, "metadata", "annotations", strategies.PreviewMark) == d.Spec.Workload.Name {
				all = append(all, object)
			}
		}
	}
	return all
}

// routedElsewhere: without a route in the spec, one that sends to the candidate is an earlier rollout's, by another strategy:
// to remove the candidate now would lose its requests.
func (o *Observed) routedElsewhere(candidate string) error {
	for _, route := range o.allRoutes {
		if !ours(route) && o.sendsAnywhere(route, candidate) {
			return invalid("Deploy once with the strategy and the spec.traffic by which it was divided, which takes it back first",
				"an earlier rollout left %s sending to Service/%s, and no record of it", about(route), candidate)
		}
	}
	return nil
}

func (o *Observed) marked(object plan.Object, d spec.Deploy) bool {
	_, marked := mapAt(object, "metadata", "annotations")[kube.OriginalMark(d.Spec.Workload.Name)]
	return marked
}

// Forgive takes off the workload what is the mark of a rollout that has ended: kubectl rollout undo brings it back with the
// annotations of an old ReplicaSet. It is no leftover, and nothing is restored by it. It tells whether there was one.
func (o *Observed) Forgive(ended func(rollout string) bool) bool {
	mark := kube.OriginalMark(nameOf(o.workload))
	if by := kube.MarkedBy(wrap(o.workload), mark); by == "" || !ended(by) {
		return false
	}
	ref := plan.RefOf(o.workload)
	clean := wrap(runtime.DeepCopyJSON(o.workload))
	kube.Unmark(clean, mark)
	o.workload, o.Baseline.Workload = clean.Object, slim(clean.Object)
	o.Baseline.Size = kube.WorkloadRollout(clean).Desired
	o.Leftovers = slices.DeleteFunc(o.Leftovers, func(left plan.Ref) bool { return left == ref })
	return true
}

// find is an object of the namespace that was read, or nil.
func (o *Observed) find(ref plan.Ref) plan.Object {
	for _, list := range [][]plan.Object{o.workloads, o.services, o.policies, o.allRoutes} {
		for _, object := range list {
			if plan.RefOf(object) == ref {
				return object
			}
		}
	}
	return nil
}

// rolloutLabel marks what a rollout made.
const rolloutLabel = "tidegate.dev/rollout"

func ours(o plan.Object) bool {
	_, ok := mapAt(o, "metadata", "labels")[rolloutLabel]
	return ok
}
