package app_test

import (
	"maps"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
)

// statefulObjects are the user's objects with a StatefulSet.
func statefulObjects(text string) string {
	text = strings.ReplaceAll(text, "kind: Deployment", "kind: StatefulSet")
	return strings.Replace(text, "  replicas: 3\n", "  replicas: 3\n  serviceName: checkout\n", 1)
}

// daemonObjects are the user's objects with a DaemonSet, which has a pod on each node and no autoscaler.
func daemonObjects(text string) string {
	text = strings.ReplaceAll(text[:strings.LastIndex(text, "---")], "kind: Deployment", "kind: DaemonSet")
	return strings.Replace(text, "  replicas: 3\n", "", 1)
}

func (s kind) stateful() kind {
	s.workload, s.objects = "statefulset", statefulObjects
	return s
}

func (s kind) daemon() kind {
	s.workload, s.objects = "daemonset", daemonObjects
	return s
}

func pausingStateful() kind {
	return kind{strategy: "{rolling: {pauseAt: [1, 50%], hold: 2s, minReady: 1s}}", check: (*world).oneMissing}.stateful()
}

func pausingDaemon() kind {
	return kind{strategy: "{rolling: {pauseAt: [1, 50%], hold: 2s, minReady: 1s}}", check: (*world).oneMissing}.daemon()
}

// sets are the strategies that stop and start pods where they are.
func sets() map[string]kind {
	roll := kind{strategy: "{rolling: {hold: 2s}}", check: (*world).oneMissing}
	exchange := kind{strategy: "{recreate: {hold: 2s, acceptOutageOnCrash: true}}", check: (*world).neverTwoVersions, outage: true}
	surge := kind{strategy: "{rolling: {hold: 2s}}", check: (*world).neverShort}.daemon()
	surge.objects = func(text string) string {
		return strings.Replace(daemonObjects(text), "spec:\n  selector", "spec:\n  updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}\n  selector", 1)
	}
	return map[string]kind{
		"rolling a StatefulSet": roll.stateful(), "pausing a StatefulSet": pausingStateful(), "recreating a StatefulSet": exchange.stateful(),
		"rolling a DaemonSet": roll.daemon(), "pausing a DaemonSet": pausingDaemon(), "recreating a DaemonSet": exchange.daemon(),
		"surging a DaemonSet": surge,
	}
}

// inPlace are all strategies that change the workload itself.
func inPlace() map[string]kind {
	all := kinds()
	maps.Copy(all, sets())
	return all
}

// oneMissing: a pod goes before the one that takes its place comes, and never two at once.
func (w *world) oneMissing() {
	_, _, ready := w.versions()
	sum := 0
	for _, n := range ready {
		sum += n
	}
	if sum < size-1 {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.problem("only %v are ready", ready)
	}
}

// steps are those of the kind's plan.
func (s kind) steps(t *testing.T) (ids []string) {
	s.inWorld(t, func(w *world) {
		p, err := app.Plan(w.t.Context(), w.options("checkout:v2", nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Plan.Steps {
			ids = append(ids, s.ID)
		}
	})
	return ids
}

// TestSetsAbortedAtEachStep: whoever asks, when a step begins or when it is in force, has the old version back.
func TestSetsAbortedAtEachStep(t *testing.T) {
	for name, k := range sets() {
		for _, step := range k.steps(t) {
			for _, moment := range []engine.EventKind{engine.EventStepStarted, engine.EventInForce} {
				t.Run(name+" "+step+" "+string(moment), func(t *testing.T) {
					t.Parallel()
					k.abortedAt(t, step, moment)
				})
			}
		}
	}
}

func (s kind) abortedAt(t *testing.T, step string, moment engine.EventKind) {
	s.inWorld(t, func(w *world) {
		reached := make(chan struct{})
		o := w.options("checkout:v2", nil)
		open := true
		o.Listeners = bound(func(e engine.Event) {
			if e.Kind == moment && e.Step == step && open {
				open = false
				close(reached)
			}
		})
		run := w.begin(o)
		select {
		case <-reached:
		case <-run.done: // nothing comes into force in the last step
			run.end(t, report.Succeeded)
			w.want("checkout:v2")
			return
		}
		if _, err := app.Abort(w.t.Context(), w.options("", nil)); err != nil {
			t.Error(err)
		}
		<-run.done
		if step == "clean-up" && run.result.Result == report.Succeeded {
			w.want("checkout:v2") // it was faster
			return
		}
		run.end(t, report.Aborted)
		w.want("checkout:v1")
	})
}

// TestSetsSuperseded: a newer version takes the place of one in the middle, by way of the old one.
func TestSetsSuperseded(t *testing.T) {
	for name, k := range sets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step := k.steps(t)[0]
			k.inWorld(t, func(w *world) {
				reached := make(chan struct{})
				first := w.options("checkout:v2", nil)
				first.Listeners = append(first.Listeners, at(step, func() { close(reached) }))
				one := w.begin(first)
				<-reached
				two := w.begin(w.options("checkout:v3", nil))
				two.end(t, report.Succeeded)
				one.end(t, report.Superseded)
				w.want("checkout:v3")
			})
		})
	}
}

// TestNoServiceNeeded: a workload that nobody sends requests to is rolled as well.
func TestNoServiceNeeded(t *testing.T) {
	for name, k := range inPlace() {
		t.Run(name, func(t *testing.T) {
			k.outage = true // there is no way for requests
			own := k.objects
			k.objects = func(text string) string {
				if own != nil {
					text = own(text)
				}
				docs := strings.Split(text, "---")
				return docs[0] + "---" + docs[1]
			}
			k.inWorld(t, func(w *world) {
				w.before = map[schema.GroupVersionResource]*unstructured.Unstructured{k.resource(): w.before[k.resource()]}
				o := w.options("checkout:v2", nil)
				o.Deploy.Spec.Traffic = nil
				result, err := app.Deploy(w.t.Context(), o)
				if err != nil || result.Result != report.Succeeded {
					t.Errorf("%+v, %v", result, err)
				}
			})
		})
	}
}
