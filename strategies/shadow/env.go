package shadow

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// isolated gives the containers of a pod template that get an image the environment of a shadow: the overrides, and the
// variable by which the process can know. A variable that is there keeps its place, for others may refer to it.
func isolated(template plan.Object, images map[string]string, overrides []spec.EnvVar) (plan.Object, error) {
	overrides = append(slices.Clone(overrides), spec.EnvVar{Name: spec.ShadowVariable, Value: "true"})
	containers, _, _ := unstructured.NestedSlice(template, "spec", "containers")
	for _, item := range containers {
		c, _ := item.(map[string]any)
		name, _ := c["name"].(string)
		if _, ours := images[name]; !ours {
			continue
		}
		env, _ := c["env"].([]any)
		for _, v := range overrides {
			env = with(env, v)
		}
		c["env"] = env
	}
	return template, unstructured.SetNestedSlice(template, containers, "spec", "containers")
}

// with sets one variable.
func with(env []any, v spec.EnvVar) []any {
	entry := map[string]any{"name": v.Name}
	switch from := v.ValueFrom; {
	case from == nil:
		entry["value"] = v.Value
	case from.SecretKeyRef != nil:
		entry["valueFrom"] = map[string]any{"secretKeyRef": reference(*from.SecretKeyRef)}
	case from.ConfigMapKeyRef != nil:
		entry["valueFrom"] = map[string]any{"configMapKeyRef": reference(*from.ConfigMapKeyRef)}
	}
	at := slices.IndexFunc(env, func(item any) bool {
		present, _ := item.(map[string]any)
		return present["name"] == v.Name
	})
	if at < 0 {
		return append(env, entry)
	}
	env[at] = entry
	return env
}

func reference(r spec.KeyRef) map[string]any { return map[string]any{"name": r.Name, "key": r.Key} }
