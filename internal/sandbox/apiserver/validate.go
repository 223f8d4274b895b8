package apiserver

import (
	"fmt"
	"reflect"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const maxConfigMap = 1 << 20 // bytes of data

// validate refuses what a real server refuses and a deploy may run into; old is nil for a new object.
func (s *Server) validate(q *request, object, old map[string]any) error {
	if q.manager == "" {
		return nil
	}
	errs := validMeta(q.res, object)
	spec := mapAt(object, "spec")
	path := field.NewPath("spec")
	switch q.res.Plural {
	case "deployments", "replicasets", "statefulsets", "daemonsets":
		errs = append(errs, validWorkload(path, spec, mapAt(old, "spec"))...)
	case "pods":
		errs = append(errs, validContainers(path, spec)...)
	case "services":
		errs = append(errs, validService(path, spec, mapAt(old, "spec"))...)
	case "httproutes", "grpcroutes":
		errs = append(errs, validRoute(path, spec)...)
	case "configmaps":
		errs = append(errs, validSize(object)...)
	}
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(q.res.GVK().GroupKind(), q.key.Name, errs)
}

func validMeta(r *Resource, object map[string]any) (errs field.ErrorList) {
	path, meta := field.NewPath("metadata"), mapAt(object, "metadata")
	name := stringAt(meta, "name")
	if name == "" {
		return field.ErrorList{field.Required(path.Child("name"), "name or generateName is required")}
	}
	for _, problem := range badName(r, name) {
		errs = append(errs, field.Invalid(path.Child("name"), name, problem))
	}
	return append(errs, validLabels(path.Child("labels"), mapAt(meta, "labels"))...)
}

func validLabels(path *field.Path, set map[string]any) (errs field.ErrorList) {
	for k, v := range set {
		for _, problem := range validation.IsQualifiedName(k) {
			errs = append(errs, field.Invalid(path, k, problem))
		}
		text, _ := v.(string)
		for _, problem := range validation.IsValidLabelValue(text) {
			errs = append(errs, field.Invalid(path, text, problem))
		}
	}
	return errs
}

func validWorkload(path *field.Path, spec, old map[string]any) (errs field.ErrorList) {
	selector := mapAt(spec, "selector")
	labels := mapAt(spec, "template", "metadata", "labels")
	if len(selector) == 0 {
		errs = append(errs, field.Required(path.Child("selector"), ""))
	}
	for k, v := range mapAt(selector, "matchLabels") {
		if labels[k] != v {
			errs = append(errs, field.Invalid(path.Child("template", "metadata", "labels"), labels, "`selector` does not match template `labels`"))
			break
		}
	}
	if old != nil && !reflect.DeepEqual(selector, mapAt(old, "selector")) {
		errs = append(errs, field.Invalid(path.Child("selector"), selector, "field is immutable"))
	}
	if n, _ := spec["replicas"].(int64); n < 0 {
		errs = append(errs, field.Invalid(path.Child("replicas"), n, "must be greater than or equal to 0"))
	}
	errs = append(errs, validStrategy(path.Child("strategy"), mapAt(spec, "strategy"))...)
	errs = append(errs, validUpdateStrategy(path.Child("updateStrategy"), mapAt(spec, "updateStrategy"))...)
	errs = append(errs, validDeadline(path, spec)...)
	errs = append(errs, validLabels(path.Child("template", "metadata", "labels"), labels)...)
	return append(errs, validContainers(path.Child("template", "spec"), mapAt(spec, "template", "spec"))...)
}

func validDeadline(path *field.Path, spec map[string]any) field.ErrorList {
	deadline, has := spec["progressDeadlineSeconds"].(int64)
	if ready, _ := spec["minReadySeconds"].(int64); has && deadline <= ready {
		return field.ErrorList{field.Invalid(path.Child("progressDeadlineSeconds"), deadline, "must be greater than minReadySeconds")}
	}
	return nil
}

func validStrategy(path *field.Path, strategy map[string]any) field.ErrorList {
	rolling := mapAt(strategy, "rollingUpdate")
	switch strategy["type"] {
	case nil:
	case "Recreate":
		if rolling != nil {
			return field.ErrorList{field.Forbidden(path.Child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'")}
		}
	case "RollingUpdate":
		if isZero(rolling["maxSurge"]) && isZero(rolling["maxUnavailable"]) {
			return field.ErrorList{field.Invalid(path.Child("rollingUpdate", "maxUnavailable"), rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0")}
		}
	default:
		return field.ErrorList{field.NotSupported(path.Child("type"), strategy["type"], []string{"Recreate", "RollingUpdate"})}
	}
	return nil
}

// validUpdateStrategy: a DaemonSet has exactly one of surge and unavailability, and no kind but OnDelete goes without bounds.
func validUpdateStrategy(path *field.Path, strategy map[string]any) field.ErrorList {
	rolling := mapAt(strategy, "rollingUpdate")
	_, daemon := rolling["maxSurge"]
	switch {
	case strategy["type"] == "OnDelete" && rolling != nil:
		return field.ErrorList{field.Invalid(path.Child("rollingUpdate"), rolling, "only allowed for updateStrategy 'RollingUpdate'")}
	case daemon && isZero(rolling["maxSurge"]) == isZero(rolling["maxUnavailable"]):
		return field.ErrorList{field.Invalid(path.Child("rollingUpdate"), rolling, "exactly one of maxSurge and maxUnavailable may be 0")}
	}
	return nil
}

func isZero(v any) bool { return v == int64(0) || v == "0%" || v == "0" }

func validContainers(path *field.Path, spec map[string]any) (errs field.ErrorList) {
	containers := mapsIn(listAt(spec, "containers"))
	if len(containers) == 0 {
		errs = append(errs, field.Required(path.Child("containers"), ""))
	}
	for i, c := range containers {
		at := path.Child("containers").Index(i)
		if name := stringAt(c, "name"); len(validation.IsDNS1123Label(name)) > 0 {
			errs = append(errs, field.Invalid(at.Child("name"), name, validation.IsDNS1123Label(name)[0]))
		}
		if image := stringAt(c, "image"); strings.TrimSpace(image) == "" {
			errs = append(errs, field.Required(at.Child("image"), ""))
		}
	}
	return errs
}

func validService(path *field.Path, spec, old map[string]any) (errs field.ErrorList) {
	if len(listAt(spec, "ports")) == 0 && spec["type"] != "ExternalName" && spec["clusterIP"] != "None" {
		errs = append(errs, field.Required(path.Child("ports"), ""))
	}
	if was := stringAt(old, "clusterIP"); was != "" && stringAt(spec, "clusterIP") != was && spec["type"] != "ExternalName" {
		errs = append(errs, field.Invalid(path.Child("clusterIPs").Index(0), spec["clusterIP"], "may not change once set"))
	}
	return append(errs, validLabels(path.Child("selector"), mapAt(spec, "selector"))...)
}

// validRoute checks the bounds of the Gateway API's CRD.
func validRoute(path *field.Path, spec map[string]any) (errs field.ErrorList) {
	rules := mapsIn(listAt(spec, "rules"))
	matches := 0
	if len(rules) > 16 {
		errs = append(errs, field.TooMany(path.Child("rules"), len(rules), 16))
	}
	for i, rule := range rules {
		at := path.Child("rules").Index(i)
		matches += len(listAt(rule, "matches"))
		backends := mapsIn(listAt(rule, "backendRefs"))
		if len(backends) > 16 {
			errs = append(errs, field.TooMany(at.Child("backendRefs"), len(backends), 16))
		}
		for j, b := range backends {
			if w, ok := b["weight"].(int64); !ok || w < 0 || w > 1e6 {
				errs = append(errs, field.Invalid(at.Child("backendRefs").Index(j).Child("weight"), b["weight"], "should be in 0 … 1000000"))
			}
			if stringAt(b, "name") == "" {
				errs = append(errs, field.Required(at.Child("backendRefs").Index(j).Child("name"), ""))
			}
			if b["kind"] == "Service" && b["port"] == nil {
				errs = append(errs, field.Required(at.Child("backendRefs").Index(j).Child("port"), "Must have port for Service reference"))
			}
		}
	}
	if matches > 128 {
		errs = append(errs, field.TooMany(path.Child("rules"), matches, 128))
	}
	return errs
}

func validSize(object map[string]any) field.ErrorList {
	size := 0
	for _, kind := range []string{"data", "binaryData"} {
		for _, v := range mapAt(object, kind) {
			size += len(fmt.Sprint(v))
		}
	}
	if size > maxConfigMap {
		return field.ErrorList{field.TooLong(field.NewPath(""), "", maxConfigMap)}
	}
	return nil
}
