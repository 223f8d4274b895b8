package preflight

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/strategies"
)

// longEnough is an age at which no pod is new any more.
const longEnough = 24 * time.Hour

// Check judges whether the plan can be carried out. It writes nothing. An error is one of the cluster's (or an *Invalid
// for options that make no sense); what was found is in Findings, which may be turned into an error by their Err.
func Check(ctx context.Context, client *kube.Client, o Observed, in strategies.Input, p plan.Plan, opts Options) (Findings, error) {
	if err := opts.valid(); err != nil {
		return nil, err
	}
	all, err := o.reviewed(ctx, client, p)
	if err != nil {
		return nil, err
	}
	forbidden := slices.ContainsFunc(all, func(f Finding) bool { return f.Name == "permissions" })
	if !forbidden { // otherwise the answer is known
		refusals, err := dryRuns(ctx, client, o, in, p)
		if err != nil {
			return nil, err
		}
		all = append(all, refusals...)
	}
	return append(all, Judge(o, p)...).settle(opts), nil
}

// Judge is the part of Check that asks nobody: what the observed objects say about the plan.
func Judge(o Observed, p plan.Plan) Findings {
	var all Findings
	for _, judge := range []func(Observed, plan.Plan) Findings{
		checkBase, checkWorkload, checkGitOps, checkNames, checkPreview, checkTemplate, checkServices, checkRoutes, checkRing, checkMirror, checkGrants, checkIngresses,
		checkQuotas, checkVolumes, checkHostPorts, checkNodes, checkUnseen,
	} {
		all = append(all, judge(o, p)...)
	}
	return besideBase(all, o, p)
}

// reviewed finds missing permissions.
func (o Observed) reviewed(ctx context.Context, client *kube.Client, p plan.Plan) (Findings, error) {
	missing, err := review(ctx, client, Needed(o.use(p)))
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return Findings{finding("permissions-unknown", "Namespace/"+o.namespace, "Grant the user the ClusterRole system:basic-user, which every user has by default",
			"the server does not say what is granted: %v", err)}, nil
	}
	if err != nil {
		return nil, err
	}
	return permissions(missing), nil
}

// use is what the plan deals with.
func (o Observed) use(p plan.Plan) Use {
	u := Use{Namespace: o.namespace, Workload: nameOf(o.workload), Scaler: o.scaler, InPlace: p.Objects.InPlace(), ByReplicas: p.Objects.ByReplicas(), Kind: p.Objects.Workload.Kind}
	if u.InPlace && p.Objects.Scaler == nil {
		u.Scaler = plan.Ref{} // it is left alone
	}
	if ref, ok := p.Objects.CandidateRef(); ok {
		u.Candidate = ref.Name
	}
	for _, r := range o.routes {
		if t := p.Objects.Traffic; t == nil || slices.Contains(t.Routes, plan.RefOf(r)) { // others were only looked at
			u.Routes = append(u.Routes, plan.RefOf(r))
		}
	}
	u.Lists = o.lists
	if p.Objects.Traffic.BySelector() {
		u.Switched = nameOf(o.service)
	}
	for _, made := range p.Objects.Preview {
		u.Previews = append(u.Previews, plan.RefOf(made))
	}
	for _, made := range p.Objects.Create {
		switch ref := plan.RefOf(made); {
		case ref.Kind == "Service" && ref.Name == p.Objects.Traffic.CandidateService(), ref.Kind == "Deployment":
		case ref.Kind == "NetworkPolicy", ref.Kind == "PodDisruptionBudget":
			u.Copies = append(u.Copies, ref.Kind)
		default:
			u.Made = append(u.Made, ref)
		}
	}
	return u
}

// checkUnseen says what is not known, and why.
func checkUnseen(o Observed, _ plan.Plan) Findings {
	var all Findings
	for _, u := range o.Unseen {
		resource := u.Resource
		if u.Group != "" {
			resource += "." + u.Group
		}
		why, remedy := "they may not be listed", "Grant list of "+resource
		if !u.Forbidden {
			why, remedy = fmt.Sprintf("preflight makes no more than %d calls", MaxCalls), "Look for yourself: kubectl get "+resource
		}
		all = append(all, finding("not-looked-at", resource, remedy, "it is not known %s: %s", u.Unknown, why))
	}
	return all
}
