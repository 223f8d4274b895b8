package strategies

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/plan"
)

// TrackLabel tells the candidate's pods from the base's where they share all other labels. Its value is [TrackCandidate].
const (
	TrackLabel     = "tidegate.dev/track"
	TrackCandidate = string(plan.Candidate)
)

// Follows is how long whoever sends to the Service gets to hear of new pods before others stop.
const Follows = 2 * time.Second

// Follow is the op that lets that time pass.
func Follow() plan.Op { return plan.Op{Kind: plan.Wait, For: plan.Duration(Follows), Serving: true} }

// Alongside describes a candidate without a Service of its own: its pods have all labels of the base's, so that whatever
// selects the base's pods (the Service, policies) selects them, too, and one label more by which they are told apart.
func Alongside(in Input) (plan.Objects, error) {
	objects, err := InPlace(in)
	if err != nil {
		return plan.Objects{}, err
	}
	base := objects.Selectors[plan.Base]
	if _, taken := base[TrackLabel]; taken || len(base) == 0 {
		return plan.Objects{}, fmt.Errorf("%s: spec.selector.matchLabels has to name at least one label, and not %s, by which "+
			"the candidate's pods are told from the base's; a Deployment's selector cannot be changed, so make the Deployment anew with another one",
			objects.Workload, TrackLabel)
	}
	if _, taken := stringMap(wrap(objects.Templates[plan.Candidate]), "metadata", "labels")[TrackLabel]; taken {
		return plan.Objects{}, fmt.Errorf("%s: the pod template has the label %s, by which the candidate's pods are told from the base's; "+
			"take it out of the template", objects.Workload, TrackLabel)
	}
	objects.Apart = TrackLabel
	objects.Selectors[plan.Candidate] = tracked(base)
	objects.Create = []plan.Object{alongside(in.Baseline.Workload, objects.Templates[plan.Candidate])}
	if in.Baseline.Scaler != nil {
		if err := sleepless(in.Baseline.Scaler); err != nil {
			return plan.Objects{}, err
		}
		ref := plan.RefOf(in.Baseline.Scaler)
		objects.Scaler = &ref
		objects.Originals = append(objects.Originals, in.Baseline.Scaler)
	}
	return objects, nil
}

// alongside is the candidate's Deployment: the base's with the new template and the label more.
func alongside(workload, template plan.Object) plan.Object {
	o := stripped(wrap(workload))
	unstructured.RemoveNestedField(o, "spec", "replicas")
	unstructured.RemoveNestedField(o, "spec", "paused")
	pod := runtime.DeepCopyJSON(template)
	set(pod, tracked(stringMap(wrap(pod), "metadata", "labels")), "metadata", "labels")
	set(o, tracked(stringMap(wrap(workload), "spec", "selector", "matchLabels")), "spec", "selector", "matchLabels")
	_ = unstructured.SetNestedMap(o, pod, "spec", "template") // spec is a map: the API server says so
	return o
}

func tracked(labels map[string]string) map[string]string {
	all := maps.Clone(labels)
	if all == nil {
		all = map[string]string{}
	}
	all[TrackLabel] = TrackCandidate
	return all
}

// Tracked tells whether a Deployment is a candidate that [Alongside] described.
func Tracked(workload plan.Object) bool {
	return stringMap(wrap(workload), "spec", "selector", "matchLabels")[TrackLabel] == TrackCandidate
}

// sleepless refuses a ScaledObject that is not paused. A HorizontalPodAutoscaler leaves a workload of no pods alone, but
// KEDA starts pods of it again, which brings the old version back while the candidate carries everything.
func sleepless(scaler plan.Object) error {
	ref := plan.RefOf(scaler)
	if ref.Kind != "ScaledObject" {
		return nil
	}
	const pause = "autoscaling.keda.sh/paused"
	annotations := stringMap(wrap(scaler), "metadata", "annotations")
	if value, there := annotations[pause]; there && !strings.EqualFold(value, "false") {
		return nil
	}
	return fmt.Errorf("%s: a canary by replicas takes all pods of the base away before it settles, and KEDA would start them again; "+
		"give the ScaledObject the annotation %s: \"true\" for the time of the rollout, or divide the requests by a route (spec.traffic)", ref, pause)
}
