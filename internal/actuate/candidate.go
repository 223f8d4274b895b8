package actuate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// ensureCandidate applies the candidate's objects and waits until its pods are ready.
func (a *Actuator) ensureCandidate(ctx context.Context, op plan.Op) error {
	size, err := a.candidateSize(ctx, op)
	if err != nil {
		return err
	}
	// What the pods are subject to comes before them: Service and policies first, the Deployment last.
	var deployment *unstructured.Unstructured
	for _, o := range slices.Backward(a.objects.Create) {
		if deployment, err = a.client.Apply(ctx, a.mark(o, size)); err != nil {
			return refused(o, err)
		}
	}
	if err := a.candidateReady(ctx, size, deployment.GetGeneration()); err != nil {
		return err
	}
	return a.known(ctx, plan.Candidate)
}

// mark returns a copy of the object with the rollout's label, and the size if it is the Deployment.
func (a *Actuator) mark(o plan.Object, size int) plan.Object {
	u := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(o)}
	labels := maps.Clone(u.GetLabels())
	if labels == nil {
		labels = map[string]string{}
	}
	labels[RolloutLabel], labels[ManagedByLabel] = a.rollout, ManagedBy
	u.SetLabels(labels)
	if u.GetKind() == "Deployment" {
		_ = unstructured.SetNestedField(u.Object, int64(size), "spec", "replicas") // spec is a map: compiled by us
	}
	return u.Object
}

func (a *Actuator) scaleCandidate(ctx context.Context, op plan.Op) error {
	size, err := a.candidateSize(ctx, op)
	if err != nil {
		return err
	}
	return a.resize(ctx, size, !op.NoWait, func(now int) bool { return now == size })
}

// growCandidate makes sure that the candidate has at least the pods that the op needs, ready.
func (a *Actuator) growCandidate(ctx context.Context, op plan.Op) error {
	size, err := a.candidateSize(ctx, op)
	if err != nil {
		return err
	}
	return a.resize(ctx, size, true, func(now int) bool { return now >= size })
}

func (a *Actuator) resize(ctx context.Context, size int, wait bool, fits func(now int) bool) error {
	ref, _ := a.objects.CandidateRef()
	var generation int64
	if int64(size) < a.readied.Load() {
		a.readied.Store(int64(size))
	}
	if now := a.candidate.One(); now == nil || !fits(kube.WorkloadRollout(now).Desired) {
		stored, err := a.client.Scale(ctx, ref, size)
		if apierrors.IsNotFound(err) {
			return &engine.StepError{Reason: fmt.Sprintf("%s is gone: somebody deleted it", ref), Hint: othersRemedy}
		}
		if err != nil {
			return fmt.Errorf("scale %s to %d: %w", ref, size, err)
		}
		generation = stored.GetGeneration()
	}
	if !wait {
		return nil
	}
	return a.candidateReady(ctx, size, generation)
}

// candidateSize is the number of candidate pods for an op beside the base as it is now.
func (a *Actuator) candidateSize(ctx context.Context, op plan.Op) (int, error) {
	base, err := a.baseNow(ctx)
	if err != nil {
		return 0, err
	}
	return op.PodsFor(max(kube.WorkloadRollout(base).Desired, 1)), nil
}

// errSlow is the cause of a wait for pods that ran out.
var errSlow = errors.New("not ready in time")

// candidateReady waits until size pods are available, or gives up with the reason.
func (a *Actuator) candidateReady(ctx context.Context, size int, generation int64) error {
	ref, _ := a.objects.CandidateRef()
	err := a.podsReady(ctx, wanted{
		what: "the candidate", ref: ref, view: a.candidate, pods: a.candidatePods, generation: generation,
		done: func(r kube.Rollout) bool {
			// The pods come by a watch of their own: the gates must see them, too.
			return r.Current && r.Desired >= size && r.Updated >= size && r.Available >= size && r.Ready >= size &&
				ready(a.Pods(plan.Candidate)) >= size
		},
	})
	if err == nil {
		a.readied.Store(int64(size))
	}
	return err
}

// removeCandidate deletes all that was made for the candidate and waits until none of its pods serves any more.
func (a *Actuator) removeCandidate(ctx context.Context) error {
	for _, o := range slices.Concat(a.objects.Preview, a.objects.Create) {
		if err := a.client.Delete(ctx, plan.RefOf(o)); err != nil {
			return fmt.Errorf("remove %s: %w", plan.RefOf(o), err)
		}
	}
	bounded, cancel := a.client.Bounded(ctx, a.progress, errSlow)
	defer cancel()
	err := a.scene.Wait(bounded, 0, func() (bool, error) {
		gone := a.candidate.Synced() && a.candidatePods.Synced() && a.candidate.One() == nil
		return gone && len(a.Pods(plan.Candidate)) == 0, nil
	})
	if errors.Is(err, errSlow) {
		return fmt.Errorf("the candidate's pods were still there %s after they were deleted; "+
			"look for finalizers: kubectl get pods -n %s -l %s", a.progress, a.objects.Workload.Namespace,
			a.objects.PodSelector(plan.Candidate))
	}
	return err
}

func refused(o plan.Object, err error) error {
	ref := plan.RefOf(o)
	if kube.Transient(err) || errors.Is(err, engine.ErrLockLost) {
		return fmt.Errorf("create %s: %w", ref, err)
	}
	return &engine.StepError{Reason: fmt.Sprintf("the cluster refused %s: %v", ref, err),
		Hint: "Mend what it names (permissions, quota, an admission policy) and deploy again."}
}
