package actuate

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
)

// left is what ops leave the cluster in, as far as somebody else may change it.
type left struct {
	split     *plan.Split
	template  plan.Side
	candidate bool
	held      bool     // the scaler
	pods      *plan.Op // the last RollPods, while it is the last word on the workload
	size      *int     // of the base, where an op gave it one
}

func leftBy(done []plan.Op) left {
	l := left{template: plan.Base}
	for _, op := range done {
		switch op.Kind {
		case plan.EnsureCandidate:
			l.candidate = true
		case plan.RemoveCandidate:
			l.candidate = false
		case plan.SetSplit:
			split := op.Split()
			l.split = &split
		case plan.HoldScaler:
			l.held = true
		case plan.ReleaseScaler:
			l.held = false
		case plan.RollBase, plan.Roll:
			l.template, l.pods = op.Version, nil
		case plan.RollPods:
			l.template, l.pods = plan.Candidate, &op
		case plan.ScaleBase:
			l.template, l.size = op.Version, &op.Pods
		}
	}
	return l
}

// Drift tells what is not as these ops left it, by what the watches have told and without a call. It may be asked whenever no
// op is being applied.
func (a *Actuator) Drift(done []plan.Op) []engine.Drift {
	l := leftBy(done)
	list := a.splitDrift(l)
	list = append(list, a.workloadDrift(l)...)
	if l.candidate {
		list = append(list, a.candidateDrift()...)
	}
	if l.held {
		list = append(list, a.scalerDrift()...)
	}
	return list
}

const gitOpsRemedy = "If a GitOps tool did it, tell it to ignore "

// othersRemedy is for somebody who changes or deletes what the rollout made.
const othersRemedy = gitOpsRemedy + "what a rollout makes (the label app.kubernetes.io/managed-by: tidegate), and deploy again."

func (a *Actuator) splitDrift(l left) []engine.Drift {
	router, ok := a.router.(traffic.Watcher)
	if !ok || l.split == nil || l.split.Nothing() {
		return nil
	}
	remedy := gitOpsRemedy + "what divides the requests while a rollout runs, or have the split put back by spec.traffic.drift: correct."
	if a.objects.Traffic.BySelector() {
		remedy = gitOpsRemedy + "spec.selector of the Service while a rollout runs."
	}
	var list []engine.Drift
	for _, text := range router.Drift(*a.objects.Traffic, a.drawn(*l.split)) {
		list = append(list, engine.Drift{Text: text, Judged: true, Split: true, Remedy: remedy})
	}
	return list
}

func (a *Actuator) workloadDrift(l left) []engine.Drift {
	if !a.base.Synced() {
		return nil
	}
	now, ref := a.base.One(), a.objects.Workload
	if now == nil {
		return []engine.Drift{{Text: fmt.Sprintf("%s is gone: somebody deleted it", ref), Judged: true, Remedy: "Apply it again."}}
	}
	var list []engine.Drift
	if want := a.objects.Templates[l.template]; a.strange(now, l.template) {
		present, _, _ := unstructured.NestedMap(now.Object, "spec", "template")
		what := fmt.Sprintf("it runs %s, not %s", imageList(present), imageList(want))
		if imageList(present) == imageList(want) {
			what = "it has other settings with the same images"
		}
		list = append(list, engine.Drift{Judged: true, Text: fmt.Sprintf("somebody changed spec.template of %s%s: %s", ref, by(now), what),
			Remedy: gitOpsRemedy + "spec.template while a rollout runs, and set the image in one place only."})
	}
	state := kube.WorkloadRollout(now)
	if state.Paused {
		list = append(list, engine.Drift{Text: fmt.Sprintf("somebody paused %s%s (spec.paused): it takes no new version over", ref, by(now)),
			Remedy: fmt.Sprintf("Resume it: kubectl rollout resume %s -n %s.", kube.Arg(ref), ref.Namespace)})
	}
	size := a.objects.Size
	if l.size != nil {
		size = *l.size
	}
	if state.Desired != size && ref.Kind != kube.DaemonSet && (l.pods != nil || a.objects.Scaler == nil) {
		list = append(list, engine.Drift{Text: fmt.Sprintf("somebody scaled %s%s: spec.replicas is %d, not %d", ref, by(now), state.Desired, size),
			Remedy: "Scale between rollouts, or by an autoscaler, which is held meanwhile."})
	}
	return list
}

// strange tells whether the workload has another template than the one that was left. The old one is known by every detail.
// The new one is known by its images: what the cluster itself changes in a template that it is given is not drift.
func (a *Actuator) strange(now *unstructured.Unstructured, side plan.Side) bool {
	present, _, _ := unstructured.NestedMap(now.Object, "spec", "template")
	want := a.objects.Templates[side]
	if plan.Digest(present) == plan.Digest(want) {
		return false
	}
	return side == plan.Base && !a.marked(now) || !pinned(imagesOf(present), imagesOf(want))
}

func (a *Actuator) candidateDrift() []engine.Drift {
	if a.candidate == nil || !a.candidate.Synced() {
		return nil
	}
	ref, _ := a.objects.CandidateRef()
	now := a.candidate.One()
	if now == nil || now.GetDeletionTimestamp() != nil {
		return []engine.Drift{{Text: fmt.Sprintf("%s is gone: somebody deleted it", ref), Judged: true, Remedy: othersRemedy}}
	}
	var list []engine.Drift
	present, _, _ := unstructured.NestedMap(now.Object, "spec", "template")
	if want := a.objects.Templates[plan.Candidate]; !pinned(imagesOf(present), imagesOf(want)) {
		list = append(list, engine.Drift{Judged: true, Remedy: othersRemedy,
			Text: fmt.Sprintf("somebody changed spec.template of %s%s: it runs %s, not %s", ref, by(now), imageList(present), imageList(want))})
	}
	if desired, had := kube.WorkloadRollout(now).Desired, int(a.readied.Load()); desired < had {
		list = append(list, engine.Drift{Judged: true, Remedy: othersRemedy,
			Text: fmt.Sprintf("somebody scaled %s%s: spec.replicas is %d, and its share of the requests needs %d", ref, by(now), desired, had)})
	}
	return list
}

func (a *Actuator) scalerDrift() []engine.Drift {
	if a.scaler == nil || !a.scaler.Synced() {
		return nil
	}
	ref, now := *a.objects.Scaler, a.scaler.One()
	if now == nil {
		return []engine.Drift{{Text: fmt.Sprintf("%s is gone: somebody deleted it", ref), Remedy: "Nothing holds the size of the base meanwhile."}}
	}
	var list []engine.Drift
	for _, text := range kube.ScalerDrift(now, kube.OriginalMark(a.objects.Workload.Name)) {
		list = append(list, engine.Drift{Text: fmt.Sprintf("somebody changed %s%s: %s", ref, by(now), text),
			Remedy: "It stays as it is now, also when the rollout is over."})
	}
	return list
}
