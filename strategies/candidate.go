package strategies

import (
	"fmt"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/plan"
)

// Beside describes the candidate that stands beside the base: its Deployment with the new images, its Service, and
// copies of the policies that select the base's pods, all told from the base's by one label (see chooseLabels).
func Beside(in Input) (plan.Objects, error) {
	b := in.Baseline
	workload, service := wrap(b.Workload), wrap(b.Service)
	selector := stringMap(workload, "spec", "selector", "matchLabels")
	change, err := chooseLabels(selector, stringMap(service, "spec", "selector"), b.Selecting)
	if err != nil {
		return plan.Objects{}, fmt.Errorf("%s: %w", plan.RefOf(b.Workload), err)
	}
	template, err := in.NewTemplate()
	if err != nil {
		return plan.Objects{}, err
	}
	old, _, _ := unstructured.NestedMap(b.Workload, "spec", "template")
	objects := plan.Objects{
		Workload:  plan.RefOf(b.Workload),
		Create:    append([]plan.Object{deployment(workload, template, change), candidateService(service, change)}, copies(b, change)...),
		Templates: map[plan.Side]plan.Object{plan.Base: old, plan.Candidate: template},
		Selectors: map[plan.Side]map[string]string{plan.Base: selector, plan.Candidate: change.apply(selector)},
		Originals: append([]plan.Object{b.Workload}, b.Routes...),
		Size:      b.Size,
	}
	if b.Scaler != nil {
		ref := plan.RefOf(b.Scaler)
		objects.Scaler = &ref
		objects.Originals = append(objects.Originals, b.Scaler)
	}
	return objects, nil
}

// NewTemplate is the workload's pod template with the new images.
func NewTemplate(workload plan.Object, images map[string]string) (plan.Object, error) {
	template, _, err := unstructured.NestedMap(workload, "spec", "template")
	if err != nil {
		return nil, fmt.Errorf("%s: spec.template: %w", plan.RefOf(workload), err)
	}
	left := maps.Clone(images)
	containers, _, _ := unstructured.NestedSlice(template, "spec", "containers")
	var names []string
	for _, item := range containers {
		c, _ := item.(map[string]any)
		name, _ := c["name"].(string)
		names = append(names, name)
		if image, ok := images[name]; ok {
			c["image"] = image
			delete(left, name)
		}
	}
	for name := range left {
		return nil, fmt.Errorf("%s has no container %q; it has %s", plan.RefOf(workload), name, strings.Join(names, ", "))
	}
	return template, unstructured.SetNestedSlice(template, containers, "spec", "containers")
}

// Images are the images by container of a pod template.
func Images(template plan.Object) map[string]string {
	images := map[string]string{}
	containers, _, _ := unstructured.NestedSlice(template, "spec", "containers")
	for _, item := range containers {
		c, _ := item.(map[string]any)
		name, _ := c["name"].(string)
		images[name], _ = c["image"].(string)
	}
	return images
}

// deployment is the candidate's: the base's spec with the new template. The engine sizes it.
func deployment(workload *unstructured.Unstructured, template plan.Object, change relabel) plan.Object {
	o := stripped(workload)
	unstructured.RemoveNestedField(o, "spec", "replicas")
	unstructured.RemoveNestedField(o, "spec", "paused")
	pod := runtime.DeepCopyJSON(template)
	change.rewrite(pod["spec"])
	set(pod, change.apply(stringMap(wrap(pod), "metadata", "labels")), "metadata", "labels")
	set(o, change.apply(stringMap(workload, "spec", "selector", "matchLabels")), "spec", "selector", "matchLabels")
	_ = unstructured.SetNestedMap(o, pod, "spec", "template") // spec is a map: the API server says so
	return o
}

func candidateService(service *unstructured.Unstructured, change relabel) plan.Object {
	o := stripped(service)
	headless := stringAt(service, "spec", "clusterIP") == "None"
	for _, field := range []string{"clusterIP", "clusterIPs", "loadBalancerIP", "externalIPs", "healthCheckNodePort",
		"loadBalancerClass", "allocateLoadBalancerNodePorts", "externalTrafficPolicy", "externalName", "ipFamilies", "ipFamilyPolicy"} {
		unstructured.RemoveNestedField(o, "spec", field)
	}
	_ = unstructured.SetNestedField(o, "ClusterIP", "spec", "type")
	if headless {
		_ = unstructured.SetNestedField(o, "None", "spec", "clusterIP")
	}
	ports, _, _ := unstructured.NestedSlice(o, "spec", "ports")
	for _, p := range ports {
		if m, ok := p.(map[string]any); ok {
			delete(m, "nodePort")
		}
	}
	_ = unstructured.SetNestedSlice(o, ports, "spec", "ports")
	set(o, change.apply(stringMap(service, "spec", "selector")), "spec", "selector")
	return o
}

// copies are the NetworkPolicies and PodDisruptionBudgets that name the base's pods, for the candidate's.
func copies(b plan.Baseline, change relabel) []plan.Object {
	var all []plan.Object
	for _, original := range b.Selecting {
		kind := plan.RefOf(original).Kind
		if kind != "NetworkPolicy" && kind != "PodDisruptionBudget" {
			continue
		}
		if o := stripped(wrap(original)); change.rewrite(o["spec"]) {
			all = append(all, o)
		}
	}
	return all
}

// stripped is a copy of an object under the candidate's name, without status, without what the server fills in, and
// without the labels and annotations by which GitOps tools and Helm own objects: they would prune the copy.
func stripped(u *unstructured.Unstructured) plan.Object {
	spec, _, _ := unstructured.NestedMap(u.Object, "spec")
	o := unstructured.Unstructured{Object: map[string]any{"apiVersion": u.GetAPIVersion(), "kind": u.GetKind(), "spec": spec}}
	o.SetName(CandidateName(u.GetName()))
	o.SetNamespace(u.GetNamespace())
	o.SetLabels(plan.Untracked(u.GetLabels()))
	o.SetAnnotations(plan.Untracked(u.GetAnnotations()))
	return o.Object
}

func wrap(o plan.Object) *unstructured.Unstructured { return &unstructured.Unstructured{Object: o} }

func stringMap(u *unstructured.Unstructured, path ...string) map[string]string {
	m, _, _ := unstructured.NestedStringMap(u.Object, path...)
	return m
}

func stringAt(u *unstructured.Unstructured, path ...string) string {
	s, _, _ := unstructured.NestedString(u.Object, path...)
	return s
}

func set(o plan.Object, m map[string]string, path ...string) {
	_ = unstructured.SetNestedStringMap(o, m, path...) // the path leads through maps: the API server says so
}

// WorkloadImages are the images by container that a workload runs.
func WorkloadImages(workload plan.Object) map[string]string {
	template, _, _ := unstructured.NestedMap(workload, "spec", "template")
	return Images(template)
}

// Containers are the names of a workload's containers, in their order.
func Containers(workload plan.Object) []string {
	var names []string
	containers, _, _ := unstructured.NestedSlice(workload, "spec", "template", "spec", "containers")
	for _, item := range containers {
		c, _ := item.(map[string]any)
		name, _ := c["name"].(string)
		names = append(names, name)
	}
	return names
}
