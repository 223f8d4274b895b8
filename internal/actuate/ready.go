package actuate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// recheck is how often a wait looks at the time, for states that only become trouble by lasting.
const recheck = 5 * time.Second

// wanted describes a Deployment that is waited for.
type wanted struct {
	what string // in a person's words
	ref  plan.Ref
	view *kube.View
	pods *kube.View
	done func(kube.Rollout) bool
	// generation is the one that our last write made: older states say nothing.
	generation int64
	// mine tells the pods that are judged; nil means all.
	mine func(*unstructured.Unstructured) bool
	// recheck is how often done is asked without a change; the usual recheck when zero.
	recheck time.Duration
	// patient: the time begins anew as long as the pods get on, since many may have to follow one another.
	patient bool
	// size, if set, is the one that the workload must keep meanwhile.
	size int
	// tend, if set, does what the cluster does not do by itself, at every look that is up to date.
	tend func(ctx context.Context) error
}

// podsReady waits until w is done. Pods that cannot get well end the wait at once.
func (a *Actuator) podsReady(ctx context.Context, w wanted) error {
	p := progress{since: a.clock.Now()}
	for left := a.progress; ; {
		err := a.podsReadyWithin(ctx, w, left, &p)
		if !errors.Is(err, errSlow) {
			return err
		}
		if left = p.since.Add(a.progress).Sub(a.clock.Now()); !w.patient || left <= 0 {
			return a.slow(ctx, w)
		}
	}
}

// progress is the last state that was told, and since when it is the same.
type progress struct {
	said  string
	since time.Time
}

func (a *Actuator) podsReadyWithin(ctx context.Context, w wanted, limit time.Duration, p *progress) error {
	bounded, cancel := a.client.Bounded(ctx, limit, errSlow)
	defer cancel()
	var trouble *kube.Trouble
	err := a.scene.Wait(bounded, cmp.Or(w.recheck, recheck), func() (bool, error) {
		now := w.view.One()
		if now == nil || now.GetGeneration() < w.generation {
			return false, nil
		}
		state := kube.WorkloadRollout(now)
		if w.size > 0 && state.Desired != w.size {
			return false, a.scaled(state.Desired)
		}
		if w.done(state) {
			return true, nil
		}
		if w.tend != nil && state.Current {
			if err := w.tend(bounded); err != nil {
				return false, err
			}
		}
		if line := fmt.Sprintf("%s: %s", w.what, state); state.Current && line != p.said {
			p.said, p.since = line, a.clock.Now()
			a.tell(line)
		}
		if state.Current && state.Failed != "" {
			return false, &engine.StepError{Reason: fmt.Sprintf("%s (%s) does not get on: %s", w.what, w.ref, state.Failed)}
		}
		trouble = a.firstTrouble(w)
		return trouble != nil, nil
	})
	if err == nil && trouble != nil {
		return a.explain(ctx, w, *trouble)
	}
	return err
}

func (a *Actuator) firstTrouble(w wanted) *kube.Trouble {
	for _, o := range w.pods.List() {
		if w.mine != nil && !w.mine(o) {
			continue
		}
		if t := kube.FindTrouble(kube.ReadPod(o), a.clock.Now()); t != nil {
			return t
		}
	}
	return nil
}

// explain adds the container's last words and the pod's events to a trouble.
func (a *Actuator) explain(ctx context.Context, w wanted, t kube.Trouble) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s's pod %s", w.what, t.Pod)
	if t.Container != "" {
		fmt.Fprintf(&b, ", container %s,", t.Container)
	}
	fmt.Fprintf(&b, " %s", t.Reason)
	if t.Crashed {
		if words, err := a.client.LastWords(ctx, a.objects.Workload.Namespace, t.Pod, t.Container); err == nil && words != "" {
			fmt.Fprintf(&b, "\nits last words:\n%s", indent(words))
		}
	}
	b.WriteString(a.events(ctx, t.Pod))
	return &engine.StepError{Reason: b.String(), Hint: t.Hint}
}

// LastWords are the last lines of a container that crashed; "" when they are not to be had.
func (a *Actuator) LastWords(ctx context.Context, pod, container string) string {
	words, err := a.client.LastWords(ctx, a.objects.Workload.Namespace, pod, container)
	if err != nil {
		return "" // they explain; nothing depends on them
	}
	return words
}

// slow says which pods were not ready in time, and what the cluster says of the first of them.
func (a *Actuator) slow(ctx context.Context, w wanted) error {
	var late []string
	for _, o := range w.pods.List() {
		if p := kube.ReadPod(o); !p.Ready && !p.Terminating && (w.mine == nil || w.mine(o)) {
			late = append(late, p.Name)
		}
	}
	slices.Sort(late)
	reason := fmt.Sprintf("%s (%s) was not ready within %s (spec.progressDeadline)", w.what, w.ref, a.progress)
	if len(late) > 0 {
		reason += fmt.Sprintf("; not ready: %s%s", strings.Join(late, ", "), a.events(ctx, late[0]))
	}
	return &engine.StepError{Reason: reason, Hint: "If the version only needs longer to start, raise spec.progressDeadline."}
}

// eventLag is how long events are waited for: they are written beside the state that they explain, not before it.
const eventLag = 300 * time.Millisecond

// events are the last warnings about a pod, one a line.
func (a *Actuator) events(ctx context.Context, pod string) string {
	for range 3 {
		lines, err := a.client.Warnings(ctx, a.objects.Workload.Namespace, pod)
		if err != nil {
			return ""
		}
		if len(lines) > 0 {
			return "\nits events:\n" + indent(strings.Join(lines, "\n"))
		}
		if clock.Sleep(ctx, a.clock, eventLag) != nil {
			return ""
		}
	}
	return ""
}

func indent(text string) string {
	return "  | " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  | ")
}
