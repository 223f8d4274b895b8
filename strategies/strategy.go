package strategies

import (
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// Strategy compiles plans.
type Strategy interface {
	// Name is the strategy's block in the spec.
	Name() string
	// Compile writes the plan that carries in.Images to users. Its errors say what of the spec or of the cluster's
	// objects makes that impossible, and what to change.
	Compile(in Input) (plan.Plan, error)
}

// Input is all that a plan is made from.
type Input struct {
	Deploy   spec.Deploy
	Baseline plan.Baseline
	// Images are the new images by container.
	Images map[string]string
	// Template, if set, is the whole pod template to bring, instead of the base's with new images: a rollback restores
	// what ran. Images are then those of it.
	Template plan.Object
	// Make, if set, gives the objects that the spec's router needs beside the candidate for splits that have at most what most
	// has, and adds the routes among them to t.Own.
	Make func(t *plan.Traffic, b plan.Baseline, most plan.Split) ([]plan.Object, error)
	// Restores names the revision of the history that Template is from.
	Restores string
}

// NewTemplate is the pod template that the rollout brings.
func (in Input) NewTemplate() (plan.Object, error) {
	if in.Template != nil {
		return runtime.DeepCopyJSON(in.Template), nil
	}
	return NewTemplate(in.Baseline.Workload, in.Images)
}

// Target describes what is deployed where.
func (in Input) Target(objects plan.Objects) plan.Target {
	from := map[string]string{}
	running := Images(objects.Templates[plan.Base])
	for container := range in.Images {
		from[container] = running[container]
	}
	t := plan.Target{
		Name: in.Deploy.Metadata.Name, Workload: objects.Workload, Namespace: objects.Workload.Namespace,
		Images: in.Images, From: from, SpecHash: in.Deploy.Digest(), URL: in.Deploy.Spec.URL,
		Restores: in.Restores,
	}
	if objects.Traffic != nil {
		t.Service = objects.Traffic.Base
	}
	return t
}

// GateNames are the names of the gates that are asked in a hold with these names: all that name no moment, and those
// that name one of these.
func (in Input) GateNames(moments ...string) []string {
	var names []string
	for _, g := range in.Deploy.Spec.Gates {
		if len(g.At) == 0 || intersect(g.At, moments) {
			names = append(names, g.Name)
		}
	}
	return names
}

// GatesAt are the gates that name one of these moments.
func (in Input) GatesAt(moments ...string) []string {
	var names []string
	for _, g := range in.Deploy.Spec.Gates {
		if intersect(g.At, moments) {
			names = append(names, g.Name)
		}
	}
	return names
}

// PodGate is the gate on the new version's pods. It is always on.
const PodGate = "kubernetes"

// Watching are the gates of a hold with these names: the one on pods, and those of GateNames.
func (in Input) Watching(moments ...string) []string {
	return append([]string{PodGate}, in.GateNames(moments...)...)
}

// AllGates are the gate on pods and all of the spec.
func (in Input) AllGates() []string {
	names := []string{PodGate}
	for _, g := range in.Deploy.Spec.Gates {
		names = append(names, g.Name)
	}
	return names
}

func intersect(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return true
			}
		}
	}
	return false
}
