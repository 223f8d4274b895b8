package actuate

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/routine"
)

// outage measures for how long the workload had no pod that is ready and stays.
type outage struct {
	mu     sync.Mutex
	sum    time.Duration // of those that are over
	since  time.Time     // when the present one began; zero while pods are ready
	begun  bool          // there was a look
	before time.Time     // when the step that is carried on was begun by another run; zero for none
}

// Outage is for how long, since the actuator began, no pod of the workload was ready. An outage that goes on does not count
// until it is over. It is measured where one Service has all pods, of both versions: behind a route a side without pods may have no
// requests.
func (a *Actuator) Outage() time.Duration {
	a.outage.mu.Lock()
	defer a.outage.mu.Unlock()
	return a.outage.sum
}

// watchOutage looks at every change until the scene ends.
func (a *Actuator) watchOutage(ctx context.Context) {
	routine.Go(func() {
		_ = a.scene.Wait(ctx, 0, func() (bool, error) { // a watch that is refused ends the ops, too
			a.lookForOutage()
			return false, nil
		})
	})
}

func (a *Actuator) lookForOutage() {
	if !a.base.Synced() || !a.basePods.Synced() {
		return
	}
	all := a.basePods.List()
	if a.objects.ByReplicas() {
		if !a.candidatePods.Synced() {
			return
		}
		all = append(all, a.candidatePods.List()...)
	}
	serving, first := 0, time.Time{}
	for _, o := range all {
		p := kube.ReadPod(o)
		if !p.Ready || p.Terminating {
			continue
		}
		serving++
		if first.IsZero() || p.ReadySince.Before(first) {
			first = p.ReadySince
		}
	}
	a.outage.look(serving, first, a.base.One(), a.haltKept(), a.clock.Now())
}

// haltKept tells whether this is a rollout that stops the workload, where the cluster has no type for that.
func (a *Actuator) haltKept() bool {
	o := a.base.One()
	if o == nil {
		return false
	}
	kept, _ := a.kept(o)
	return KeptHalt(kept)
}

// look takes in how many pods are ready, and since when the first of them is.
// halt says that the workload is of a kind that a rollout stops and starts, and that this one does.
func (t *outage) look(serving int, first time.Time, workload *unstructured.Unstructured, halt bool, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case serving == 0 && t.since.IsZero():
		t.since = now
		if began := unavailableSince(workload); !t.begun && !began.IsZero() && began.Before(now) {
			t.since = began // it began before this run did
		} else if !t.begun && halt && !t.before.IsZero() {
			t.since = t.before // likewise; the step begins with it
		}
	case serving > 0 && !t.since.IsZero():
		t.sum += now.Sub(t.since)
		t.since = time.Time{}
	case serving > 0 && !t.begun && !t.before.IsZero() && first.After(t.before) && workload != nil && (halt || kube.ReadPace(workload).IsRecreate()):
		t.sum = first.Sub(t.before) // it was over before this run began
	}
	t.begun = true
}

// unavailableSince is since when the Deployment's controller has missed pods, in whole seconds; zero when it misses none.
func unavailableSince(o *unstructured.Unstructured) time.Time {
	if o == nil {
		return time.Time{}
	}
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		m, _ := c.(map[string]any)
		if m["type"] == "Available" && m["status"] == "False" {
			text, _ := m["lastTransitionTime"].(string)
			since, _ := time.Parse(time.RFC3339, text)
			return since
		}
	}
	return time.Time{}
}
