package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/strategies"
)

// checkNames looks for names and labels of the candidate that cannot be, or that somebody else has.
func checkNames(o Observed, p plan.Plan) Findings {
	var all Findings
	for _, made := range slices.Concat(p.Objects.Create, p.Objects.Preview) {
		ref := plan.RefOf(made)
		if found := o.find(ref); found != nil && !ours(found) {
			all = append(all, finding("name-taken", ref.String(), fmt.Sprintf("Rename it or, if it is not needed, kubectl delete %s %s -n %s",
				strings.ToLower(ref.Kind), ref.Name, ref.Namespace), "it exists and was not made by Tidegate, but the candidate, or its preview, needs its name"))
		}
		problems := validation.IsDNS1123Subdomain(ref.Name)
		if ref.Kind == "Service" {
			problems = validation.IsDNS1035Label(ref.Name)
		}
		for _, problem := range problems {
			all = append(all, finding("name-too-long", ref.String(), "Give the workload and its Service names of at most 53 letters, digits and dashes",
				"the candidate cannot have this name: %s", problem))
		}
	}
	set := candidateLabels(p)
	for _, key := range sortedKeys(set) {
		for _, problem := range validation.IsValidLabelValue(set[key]) {
			all = append(all, finding("name-too-long", about(o.workload), "Use a shorter value in the pod template and the selector",
				"the label %s of the candidate's pods cannot be %q: %s", key, set[key], problem))
		}
	}
	return all
}

// dryRuns asks the server whether it would take the candidate's Deployment, at its greatest size, and its Service.
func dryRuns(ctx context.Context, client *kube.Client, o Observed, in strategies.Input, p plan.Plan) (Findings, error) {
	if p.Objects.InPlace() {
		return dryRoll(ctx, client, o, in, p)
	}
	var all Findings
	for _, made := range p.Objects.Create {
		ref := plan.RefOf(made)
		if ref.Kind != "Deployment" && ref.Kind != "Service" || o.find(ref) != nil {
			continue // policies are copies of what the server took before; what exists is a finding, or ours
		}
		err := client.DryRun(ctx, tried(made, candidatePods(p)))
		f, found := verdict(ref, err)
		switch {
		case found:
			all = append(all, f)
		case err != nil:
			return nil, fmt.Errorf("dry run of %s: %w", ref, err)
		}
	}
	return all, nil
}

// dryRoll asks the server whether it would take the new pod template.
func dryRoll(ctx context.Context, client *kube.Client, o Observed, in strategies.Input, p plan.Plan) (Findings, error) {
	ref := plan.RefOf(o.workload)
	next := wrap(runtime.DeepCopyJSON(o.workload))
	next.SetResourceVersion("") // its status may change meanwhile
	next.SetManagedFields(nil)
	mapAt(next.Object, "spec")["template"] = runtime.DeepCopyJSON(p.Objects.Templates[plan.Candidate])
	err := client.DryUpdate(ctx, next)
	f, found := verdict(ref, err)
	switch {
	case !found && err != nil:
		return nil, fmt.Errorf("dry run of the new version of %s: %w", ref, err)
	case !found:
		return nil, nil
	case in.Deploy.Spec.Strategy.Rolling != nil && in.Deploy.Spec.Strategy.Rolling.Graceful > 0 && strings.Contains(err.Error(), "preStop"):
		f.Remedy = "spec.strategy.rolling.graceful needs Kubernetes 1.30 or newer: leave it out on an older one, and give the container a preStop hook of its own"
	}
	return Findings{f}, nil
}

// tried is an object of the candidate's as it would be made.
func tried(made plan.Object, size int) plan.Object {
	o := wrap(runtime.DeepCopyJSON(made))
	labels := map[string]string{}
	for key, value := range o.GetLabels() {
		labels[key] = value
	}
	labels[rolloutLabel], labels["app.kubernetes.io/managed-by"] = "preflight", kube.Manager
	o.SetLabels(labels)
	if o.GetKind() == "Deployment" {
		mapAt(o.Object, "spec")["replicas"] = int64(size)
	}
	return o.Object
}

// verdict reads the server's answer to a dry run; false when it is nobody's judgement (or no refusal at all). A missing
// permission is another finding's.
func verdict(ref plan.Ref, err error) (Finding, bool) {
	if err == nil {
		return Finding{}, false
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "does not support dry run"):
		return finding("dry-run-unsupported", ref.String(), "Nothing has to be done; give the webhook `sideEffects: None` to have it asked",
			"whether it would be accepted is not known: %s", text), true
	case apierrors.IsForbidden(err) && strings.Contains(text, "cannot "):
		verb, _, _ := strings.Cut(text[strings.Index(text, "cannot ")+len("cannot "):], " ")
		return finding("permissions", ref.String(), fmt.Sprintf("Grant %s of %s in namespace %s", verb, kube.GVR(ref.APIVersion, ref.Kind).Resource, ref.Namespace),
			"the server does not let Tidegate make it: %s", text), true
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsNotAcceptable(err),
		apierrors.IsConflict(err), apierrors.IsRequestEntityTooLargeError(err), refusedByWebhook(err):
		return finding("refused", ref.String(), "Mend what the answer names (an admission policy, a quota, the pod template)",
			"the server refuses the new version: %s", text), true
	}
	return Finding{}, false
}

// refusedByWebhook tells whether an answer is a webhook's no, whatever its code.
func refusedByWebhook(err error) bool {
	return strings.Contains(err.Error(), "admission webhook") && strings.Contains(err.Error(), "denied the request")
}
