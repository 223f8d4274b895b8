package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/catalog"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/routine"
	"github.com/tidegate/tidegate/internal/state/cluster"
	"github.com/tidegate/tidegate/strategies"
)

// Status tells where the rollout of the workload stands, from its record and from what the cluster says now.
func Status(ctx context.Context, o Options) (report.StatusView, error) {
	s, err := connect(o)
	if err != nil {
		return report.StatusView{}, err
	}
	rec, err := s.store.Load(ctx)
	if err != nil {
		return report.StatusView{}, fmt.Errorf("read the record of %s: %w", s.workload, err)
	}
	return s.view(ctx, rec), nil
}

// Watch sends the status now and after every change of the record, until ctx ends. The channel is closed then.
func Watch(ctx context.Context, o Options) (<-chan report.StatusView, error) {
	s, err := connect(o)
	if err != nil {
		return nil, err
	}
	views := make(chan report.StatusView)
	records := s.store.WatchRecord(ctx)
	routine.Go(func() {
		defer close(views)
		for rec := range records {
			select {
			case views <- s.view(ctx, rec):
			case <-ctx.Done():
				return
			}
		}
	})
	return views, nil
}

func (s *session) view(ctx context.Context, rec *engine.Record) report.StatusView {
	v := report.StatusView{
		Name: s.Deploy.Metadata.Name, Namespace: s.namespace, Workload: strings.ToLower(s.workload.Kind) + "/" + s.workload.Name,
		Record: rec, Now: s.now(), Zone: time.Local,
	}
	s.holderFacts(ctx, &v.Facts)
	base := s.podFacts(ctx, &v.Facts, plan.Base, s.workload)
	var candidate *unstructured.Unstructured
	if s.workload.Kind == kube.Deployment { // no other has one
		candidate = s.podFacts(ctx, &v.Facts, plan.Candidate, kube.DeploymentRef(s.namespace, strategies.CandidateName(s.workload.Name)))
	}
	s.splitFacts(ctx, &v.Facts, rec)
	inFlight := rec != nil && rec.Rollout != nil && rec.Rollout.Phase.InFlight()
	if !inFlight && candidate != nil {
		v.Facts.Problems = append(v.Facts.Problems, fmt.Sprintf(
			"Deployment/%s of an earlier rollout is there, but no record of it: run `tidegate deploy`, which takes it back first", candidate.GetName()))
	}
	if base != nil && !inFlight {
		mark := kube.OriginalMark(s.workload.Name)
		if _, marked := base.GetAnnotations()[mark]; marked && !rec.HasEnded(kube.MarkedBy(base, mark)) {
			v.Facts.Problems = append(v.Facts.Problems, fmt.Sprintf("%s carries the mark of a rollout that has no record: run `tidegate deploy`, which takes it back first", s.workload))
		}
	}
	return v
}

// holderFacts reads who holds the lock. By the machine's clock that is only nearly right, which does for a display.
func (s *session) holderFacts(ctx context.Context, f *report.Facts) {
	lease, err := s.free.Get(ctx, plan.Ref{APIVersion: "coordination.k8s.io/v1", Kind: "Lease", Namespace: s.namespace, Name: cluster.Name(s.workload)})
	if err != nil {
		if !apierrors.IsNotFound(err) {
			f.Problems = append(f.Problems, "the lock could not be read: "+err.Error())
		}
		return
	}
	at := func(field string) time.Time {
		text, _, _ := unstructured.NestedString(lease.Object, "spec", field)
		t, _ := time.Parse(time.RFC3339Nano, text)
		return t
	}
	holder, _, _ := unstructured.NestedString(lease.Object, "spec", "holderIdentity")
	alive := holder != "" && s.now().Sub(at("renewTime")) < cluster.LeaseDuration+cluster.RenewEvery
	f.Alive, f.Since = &alive, at("acquireTime")
	f.Holder, _, _ = strings.Cut(holder, "#")
}

func (s *session) podFacts(ctx context.Context, f *report.Facts, side plan.Side, ref plan.Ref) *unstructured.Unstructured {
	o, err := s.free.Get(ctx, ref)
	if err != nil {
		if side == plan.Base || !apierrors.IsNotFound(err) {
			f.Problems = append(f.Problems, fmt.Sprintf("%s could not be read: %v", ref, err))
		}
		return nil
	}
	state := kube.WorkloadRollout(o)
	f.Pods = append(f.Pods, report.Pods{Side: side, Ready: state.Ready, Want: state.Desired})
	return o
}

func (s *session) splitFacts(ctx context.Context, f *report.Facts, rec *engine.Record) {
	if rec == nil || rec.Rollout == nil || rec.Rollout.Plan.Objects.Traffic == nil {
		return
	}
	t := *rec.Rollout.Plan.Objects.Traffic
	var share plan.Share
	for _, ref := range slices.Concat(t.Routes, t.Own) {
		route, err := s.free.Get(ctx, ref)
		switch {
		case apierrors.IsNotFound(err) && slices.Contains(t.Own, ref):
		case err != nil:
			f.Problems = append(f.Problems, fmt.Sprintf("%s could not be read: %v", ref, err))
			return
		default:
			share = max(share, catalog.Share(route.Object, t))
		}
		if share > 0 {
			break
		}
	}
	f.Split = &share
}
