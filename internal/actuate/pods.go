package actuate

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// Pods are the pods of one side as the watch last told, those that are being deleted left out. In a rollout in place both
// sides are pods of the workload.
func (a *Actuator) Pods(side plan.Side) []kube.Pod {
	view, belongs := a.basePods, func(*unstructured.Unstructured) bool { return true }
	switch {
	case a.objects.InPlace():
		of := a.sides()
		belongs = func(pod *unstructured.Unstructured) bool { return of(pod) == side }
	case side == plan.Candidate:
		view = a.candidatePods
	}
	if view == nil {
		return nil
	}
	var pods []kube.Pod
	for _, o := range view.List() {
		if p := kube.ReadPod(o); !p.Terminating && belongs(o) {
			pods = append(pods, p)
		}
	}
	return pods
}

// sides tells which version a pod of the workload runs: that whose pod template the ReplicaSet or the ControllerRevision has
// that made it. Where it has neither's to the letter, for something in the cluster changes templates, the images tell, and
// the pod's own only while what made it is not known yet: what changes pods on their way in (a mirror of images) leaves
// those alone.
func (a *Actuator) sides() func(pod *unstructured.Unstructured) plan.Side {
	base, candidate := essence(a.objects.Templates[plan.Base]), essence(a.objects.Templates[plan.Candidate])
	old := imagesOf(a.objects.Templates[plan.Base])
	byImages := func(o plan.Object) plan.Side {
		if runs(imagesOf(o), old) {
			return plan.Base
		}
		return plan.Candidate
	}
	sets := map[string]plan.Side{}
	for _, o := range a.sets.List() {
		template, _, _ := unstructured.NestedMap(o.Object, "spec", "template")
		if a.objects.Workload.Kind != kube.Deployment {
			template = kube.RevisionTemplate(o)
		}
		switch essence(template) {
		case base:
			sets[o.GetName()] = plan.Base
		case candidate:
			sets[o.GetName()] = plan.Candidate
		default:
			sets[o.GetName()] = byImages(template)
		}
	}
	return func(pod *unstructured.Unstructured) plan.Side {
		for _, name := range a.makers(pod) {
			if side, known := sets[name]; known {
				return side
			}
		}
		return byImages(pod.Object)
	}
}

// essence identifies a pod template, without what controllers add to their copies of it.
func essence(template plan.Object) string {
	template = runtime.DeepCopyJSON(template)
	delete(template, "$patch")
	if metadata, ok := template["metadata"].(map[string]any); ok {
		delete(metadata, "creationTimestamp")
		if labels, ok := metadata["labels"].(map[string]any); ok {
			delete(labels, "pod-template-hash")
		}
	}
	return plan.Digest(template)
}

// makers are the names that the ReplicaSet or the ControllerRevision of a pod may have.
func (a *Actuator) makers(pod *unstructured.Unstructured) []string {
	if a.objects.Workload.Kind != kube.Deployment {
		return kube.PodRevisions(a.objects.Workload.Name, pod)
	}
	var names []string
	for _, owner := range pod.GetOwnerReferences() {
		if owner.Kind == "ReplicaSet" {
			names = append(names, owner.Name)
		}
	}
	return names
}

// owned tells whether a pod is one of the StatefulSet's or DaemonSet's own.
func (a *Actuator) owned(pod *unstructured.Unstructured) bool {
	for _, owner := range pod.GetOwnerReferences() {
		if owner.Kind == a.objects.Workload.Kind && owner.Name == a.objects.Workload.Name {
			return true
		}
	}
	return false
}

// ready counts the pods that are.
func ready(pods []kube.Pod) int {
	n := 0
	for _, p := range pods {
		if p.Ready {
			n++
		}
	}
	return n
}

// runs tells whether the pod's containers run these images; containers that were injected into the pod do not count.
func runs(pod, images map[string]string) bool {
	for container, image := range images {
		if pod[container] != image {
			return false
		}
	}
	return true
}

// imagesOf are the images by container of a pod or a pod template.
func imagesOf(o plan.Object) map[string]string {
	images := map[string]string{}
	containers, _, _ := unstructured.NestedSlice(o, "spec", "containers")
	for _, c := range containers {
		m, _ := c.(map[string]any)
		name, _ := m["name"].(string)
		images[name], _ = m["image"].(string)
	}
	return images
}
