package actuate

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
)

// RolloutLabel marks what a rollout made, with the rollout's ID.
const RolloutLabel = "tidegate.dev/rollout"

// ManagedBy marks all that Tidegate makes.
const (
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedBy      = "tidegate"
)

// Actuator applies ops to one workload. It implements engine.Actuator. Ops are applied one at a time; reading pods is
// safe at any time.
type Actuator struct {
	client   *kube.Client
	clock    clock.Clock
	scene    *kube.Scene
	router   traffic.Router // nil without a route
	objects  plan.Objects
	rollout  string
	progress time.Duration
	tell     func(string)

	base, candidate         *kube.View
	scaler                  *kube.View   // nil without one
	readied                 atomic.Int64 // pods of the candidate that were ready last; 0 when that is not known
	basePods, candidatePods *kube.View
	slices                  map[plan.Side]*kube.View // EndpointSlices of the Services that stand before one side only
	previews                map[plan.Ref]*kube.View  // what the preview consists of
	previewSlices           []*kube.View             // EndpointSlices of its Services
	sets                    *kube.View               // what tells the workload's versions apart, in a rollout in place
	outage                  outage
}

var _ engine.Actuator = (*Actuator)(nil)

// Options are what an Actuator needs.
type Options struct {
	Client  *kube.Client
	Clock   clock.Clock
	Scene   *kube.Scene // its views end with the rollout
	Router  traffic.Router
	Objects plan.Objects
	Rollout string // ID
	// Progress bounds every wait for pods: spec.progressDeadline.
	Progress time.Duration
	// Since is when an earlier run, which is gone, began the step that is carried on now; zero for a step of this run's own.
	Since time.Time
	// Tell is called with what is waited for, in a person's words.
	Tell func(string)
}

// New returns an actuator and starts to follow the workload, the candidate and their pods, until ctx ends.
func New(ctx context.Context, o Options) *Actuator {
	a := &Actuator{client: o.Client, clock: o.Clock, scene: o.Scene, router: o.Router, objects: o.Objects,
		rollout: o.Rollout, progress: o.Progress, tell: o.Tell}
	namespace := o.Objects.Workload.Namespace
	if ref := o.Objects.Scaler; ref != nil {
		a.scaler = o.Scene.FollowOne(*ref)
	}
	a.base = o.Scene.FollowOne(o.Objects.Workload)
	a.basePods = o.Scene.Follow("v1", "Pod", namespace, o.Objects.PodSelector(plan.Base))
	if ref, ok := o.Objects.CandidateRef(); ok {
		a.candidate = o.Scene.FollowOne(ref)
		a.candidatePods = o.Scene.Follow("v1", "Pod", namespace, o.Objects.PodSelector(plan.Candidate))
	}
	if o.Objects.InPlace() {
		versions := "ControllerRevision"
		if o.Objects.Workload.Kind == kube.Deployment {
			versions = "ReplicaSet"
		}
		a.sets = o.Scene.Follow("apps/v1", versions, namespace, o.Objects.PodSelector(plan.Base))
		a.outage.before = o.Since
	}
	if o.Objects.InPlace() || o.Objects.ByReplicas() {
		a.watchOutage(ctx)
	}
	if t := o.Objects.Traffic; t != nil {
		follow := func(service string) *kube.View {
			return o.Scene.Follow("discovery.k8s.io/v1", "EndpointSlice", t.Namespace, "kubernetes.io/service-name="+service)
		}
		a.slices = map[plan.Side]*kube.View{plan.Candidate: follow(t.Candidate)}
		if !t.BySelector() { // otherwise they are whichever side's the Service points at, and the router's to follow
			a.slices[plan.Base] = follow(t.Base)
		}
		a.followPreview(follow)
	}
	return a
}

// Apply implements engine.Actuator.
func (a *Actuator) Apply(ctx context.Context, op plan.Op) error {
	switch op.Kind {
	case plan.EnsureCandidate:
		return a.ensureCandidate(ctx, op)
	case plan.ScaleCandidate:
		return a.scaleCandidate(ctx, op)
	case plan.OpenPreview:
		return a.openPreview(ctx)
	case plan.ClosePreview:
		return a.closePreview(ctx)
	case plan.SetSplit:
		return a.setSplit(ctx, op)
	case plan.Wait:
		return clock.Sleep(ctx, a.clock, time.Duration(op.For))
	case plan.HoldScaler:
		return a.holdScaler(ctx, op)
	case plan.ReleaseScaler:
		return a.releaseScaler(ctx)
	case plan.RollBase:
		return a.rollBase(ctx, op.Version)
	case plan.MarkBase:
		return a.markBase(ctx)
	case plan.ScaleBase:
		return a.scaleBase(ctx, op)
	case plan.Roll:
		return a.roll(ctx, op)
	case plan.RollPods:
		return a.rollPods(ctx, op)
	case plan.ReleaseBase:
		return a.releaseBase(ctx)
	case plan.RemoveCandidate:
		return a.removeCandidate(ctx)
	default:
		return fmt.Errorf("this version of Tidegate does not know the op %q; run with the version that wrote the plan", op.Kind)
	}
}
