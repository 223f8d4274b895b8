package actuate

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// roll brings one version to the workload, template and pace in one write so that the cluster finishes by itself whatever
// becomes of us, and waits until all its pods run it.
func (a *Actuator) roll(ctx context.Context, op plan.Op) error {
	if op.Pace.Recreate && a.objects.Workload.Kind != kube.Deployment {
		return a.exchange(ctx, op.Version)
	}
	var left *engine.LeftError
	stored, err := a.client.Modify(ctx, a.objects.Workload, func(o *unstructured.Unstructured) (bool, error) {
		if left = a.foreign(o, op.Version); left != nil {
			return false, nil
		}
		return a.bring(o, op.Version, func(own kube.Pace) kube.Pace { return a.paced(own, op.Pace) })
	})
	if err != nil {
		return fmt.Errorf("roll %s: %w", a.objects.Workload, err)
	}
	if left != nil {
		return a.leave(ctx, left)
	}
	w := a.allOf(op.Version, stored)
	if op.Version == plan.Base && a.objects.Workload.Kind == kube.StatefulSet {
		w.tend = a.clearStuck()
	}
	return a.podsReady(ctx, w)
}

// allOf describes the wait until every pod of the workload runs a version.
func (a *Actuator) allOf(version plan.Side, stored *unstructured.Unstructured) wanted {
	other := plan.Base
	if version == plan.Base {
		other = plan.Candidate
	}
	w := a.workload(version, stored)
	w.done = func(r kube.Rollout) bool {
		// The pods come by a watch of their own: the gates must see them, too.
		return r.Done() && len(a.Pods(other)) == 0 && ready(a.Pods(version)) >= r.Desired
	}
	return w
}

// paced is the user's own pace with what an op asks for.
func (a *Actuator) paced(own kube.Pace, p plan.Pace) kube.Pace {
	switch kind := a.objects.Workload.Kind; {
	case kind == kube.StatefulSet:
		own = own.Partition(0)
	case kind == kube.DaemonSet && p.MaxSurge != "":
		own = own.Daemon(amount(p.MaxSurge), amount(p.MaxUnavailable))
	case kind == kube.DaemonSet && own.IsOnDelete():
		own = own.Daemon(int64(0), int64(1)) // the defaults of Kubernetes
	case kind == kube.DaemonSet:
	case p.Recreate:
		own = own.Recreate()
	case p.MaxSurge != "":
		own = own.Rolling(amount(p.MaxSurge), amount(p.MaxUnavailable))
	}
	if p.MinReady > 0 {
		own = own.MinReady(int64(time.Duration(p.MinReady) / time.Second))
	}
	return own
}

// amount is a number of pods or a percentage as Kubernetes has it.
func amount(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	return text
}

// bring gives the workload the template of a version, and the pace that is made of its user's own. What it was before the
// rollout is kept in an annotation.
func (a *Actuator) bring(o *unstructured.Unstructured, version plan.Side, pace func(own kube.Pace) kube.Pace) (bool, error) {
	same, err := a.hasTemplate(o, version)
	if err != nil {
		return false, err
	}
	mark := kube.OriginalMark(a.objects.Workload.Name)
	present := kube.ReadPace(o)
	own := present
	kept, marked := a.kept(o)
	if was, ok := KeptPace(kept); ok {
		own = was
	}
	wanted := pace(own)
	if same && plan.Digest(present) == plan.Digest(wanted) {
		return false, nil
	}
	if !marked {
		err := kube.KeepOriginalOf(o, mark, a.rollout, map[string]any{keptTemplate: a.objects.Templates[plan.Base], keptPace: map[string]any(own)})
		if err != nil {
			return false, err
		}
	}
	if err := wanted.Write(o); err != nil {
		return false, fmt.Errorf("%s: %w", a.objects.Workload, err)
	}
	if same {
		return true, nil
	}
	return true, unstructured.SetNestedMap(o.Object, runtime.DeepCopyJSON(a.objects.Templates[version]), "spec", "template")
}

// workload describes the wait for pods of a version of the workload itself.
func (a *Actuator) workload(version plan.Side, stored *unstructured.Unstructured) wanted {
	return wanted{
		what: "the workload", ref: a.objects.Workload, view: a.base, pods: a.basePods, generation: stored.GetGeneration(), patient: true,
		// Pods of the other version may be in trouble without that being this roll's fault.
		mine: func(pod *unstructured.Unstructured) bool { return a.sides()(pod) == version },
	}
}

// A pod that must have been ready for longer than any rollout never counts as available, and a Deployment with this
// deadline never gives up. Kubernetes allows no larger numbers; the deadline has to be above the other.
const (
	neverAvailable = 2_000_000_000
	noDeadline     = math.MaxInt32
)

// exactly is a pace under which the Deployment's controller comes to rest at a number of new pods. None of them ever counts
// as available, so that surge and unavailability are numbers of pods that it may start and stop, and not a speed.
func exactly(surge, missing int) func(kube.Pace) kube.Pace {
	return func(own kube.Pace) kube.Pace {
		return own.Rolling(int64(surge), int64(missing)).MinReady(neverAvailable).Deadline(noDeadline)
	}
}

// rollPods comes to op.Pods new pods in two writes. The first lets the new pods start beside all that are there: of N new
// ones, From of them before, the surge is N-From and as many as before may be unavailable. When N are ready the second
// takes the surplus of old ones away: no surge, N unavailable. Which of the two was written is told by the Deployment
// itself, so that a run that was killed anywhere goes on from there.
func (a *Actuator) rollPods(ctx context.Context, op plan.Op) error {
	if a.objects.Workload.Kind == kube.DaemonSet {
		return a.rollNodes(ctx, op)
	}
	if err := a.sized(ctx); err != nil {
		return err
	}
	if a.objects.Workload.Kind == kube.StatefulSet {
		return a.rollOrdinals(ctx, op)
	}
	beside, instead := exactly(op.Pods-op.From, op.From), exactly(0, op.Pods)
	settled := false
	stored, err := a.client.Modify(ctx, a.objects.Workload, func(o *unstructured.Unstructured) (bool, error) {
		same, err := a.hasTemplate(o, plan.Candidate)
		if settled = same && plan.Digest(kube.ReadPace(o)) == plan.Digest(instead(kube.ReadPace(o))); settled || err != nil {
			return false, err
		}
		return a.bring(o, plan.Candidate, beside)
	})
	if err != nil {
		return fmt.Errorf("roll %s to %d new pods: %w", a.objects.Workload, op.Pods, err)
	}
	if !settled {
		if err := a.newPodsReady(ctx, op, stored); err != nil {
			return err
		}
		stored, err = a.client.Modify(ctx, a.objects.Workload, func(o *unstructured.Unstructured) (bool, error) {
			return a.bring(o, plan.Candidate, instead)
		})
		if err != nil {
			return fmt.Errorf("roll %s to %d new pods: %w", a.objects.Workload, op.Pods, err)
		}
	}
	w := a.workload(plan.Candidate, stored)
	w.size = a.objects.Size
	w.done = func(r kube.Rollout) bool {
		fresh := a.Pods(plan.Candidate)
		return r.Current && r.Updated == op.Pods && r.Total == w.size && len(fresh) == op.Pods && ready(fresh) == op.Pods &&
			len(a.Pods(plan.Base)) == w.size-op.Pods
	}
	return a.podsReady(ctx, w)
}

// newPodsReady waits until op.Pods new pods are ready, and have been for as long as they must.
func (a *Actuator) newPodsReady(ctx context.Context, op plan.Op, stored *unstructured.Unstructured) error {
	w := a.workload(plan.Candidate, stored)
	w.size = a.objects.Size
	if op.Pace.MinReady > 0 {
		w.recheck = time.Second
	}
	var since time.Time
	w.done = func(r kube.Rollout) bool {
		now := a.clock.Now()
		if !r.Current || r.Updated < op.Pods || ready(a.Pods(plan.Candidate)) < op.Pods {
			since = time.Time{}
			return false
		}
		if since.IsZero() {
			since = now
		}
		return now.Sub(since) >= time.Duration(op.Pace.MinReady)
	}
	return a.podsReady(ctx, w)
}

// sized waits until the workload has the size that the plan counts with: a scaler that was just pinned may still have to
// bring it there. Without a scaler nobody will.
func (a *Actuator) sized(ctx context.Context) error {
	bounded, cancel := a.client.Bounded(ctx, a.progress, errSlow)
	defer cancel()
	return a.scene.Wait(bounded, 0, func() (bool, error) {
		now := a.base.One()
		if now == nil {
			return false, nil
		}
		desired := kube.WorkloadRollout(now).Desired
		if desired != a.objects.Size && a.objects.Scaler == nil {
			return false, a.scaled(desired)
		}
		return desired == a.objects.Size, nil
	})
}

// scaled is the error for a workload that somebody scaled: the pauses count its pods.
func (a *Actuator) scaled(desired int) error {
	return &engine.StepError{
		Reason: fmt.Sprintf("somebody scaled %s from %d to %d pods during the rollout, whose pauses count on its size", a.objects.Workload, a.objects.Size, desired),
		Hint:   "Deploy again: the pauses are then counted anew. Scale between rollouts, or by an autoscaler, which is held meanwhile.",
	}
}
