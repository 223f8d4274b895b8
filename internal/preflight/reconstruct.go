package preflight

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
	"github.com/tidegate/tidegate/strategies"
)

// Found is a rollout without a record, as far as its marks tell.
type Found struct {
	// Baseline is what it started from.
	Baseline plan.Baseline
	// CandidateImages are the images that it brought, by container; nil when nothing runs them any more.
	CandidateImages map[string]string
	BaseChanged     bool // the base carries our mark: it was about to take the new version over, or has
	RouteChanged    bool // a route is split, or carries our mark
}

// Reconstruct makes the baseline anew from the marks of a rollout whose record is lost: the original parts that the
// changed objects carry are put back.
func Reconstruct(o Observed) (Found, error) {
	f := Found{Baseline: o.Baseline}
	mark := traffic.Original(nameOf(o.workload))
	objects, err := strategies.Beside(strategies.Input{Baseline: o.Baseline})
	if err != nil {
		return Found{}, err
	}
	if f.Baseline.Workload, f.BaseChanged, err = original(o.Baseline.Workload, mark, putTemplate); err != nil {
		return Found{}, err
	}
	if f.Baseline.Scaler, _, err = original(o.Baseline.Scaler, mark, putMinimum(minimumPath(o.scaler.Kind))); err != nil {
		return Found{}, err
	}
	candidate := nameOf(objects.Create[1])
	f.Baseline.Routes = nil
	for _, route := range o.Baseline.Routes {
		before, changed := o.originalRoute(route, mark, candidate)
		f.Baseline.Routes = append(f.Baseline.Routes, before)
		f.RouteChanged = f.RouteChanged || changed
	}
	if d := o.find(plan.RefOf(objects.Create[0])); d != nil && ours(d) {
		f.CandidateImages = strategies.WorkloadImages(d)
	} else if f.BaseChanged {
		f.CandidateImages = strategies.WorkloadImages(o.workload)
	}
	return f, nil
}

// original is an object as it was before the rollout, and whether it carries the mark.
func original(object plan.Object, mark string, put func(o, kept plan.Object) error) (plan.Object, bool, error) {
	text, marked := mapAt(object, "metadata", "annotations")[mark]
	if !marked {
		return object, false, nil
	}
	o := runtime.DeepCopyJSON(object)
	unmark(o, mark)
	s, _ := text.(string)
	kept, err := unpack(s)
	if err == nil {
		err = put(o, kept)
	}
	if err != nil {
		return nil, false, invalid(fmt.Sprintf("Bring the object back as it is in your repository, without the annotation %s, and deploy again", mark),
			"%s was changed by a rollout whose record is lost, and its annotation %s cannot be read: %v", about(object), mark, err)
	}
	return o, true, nil
}

func unmark(o plan.Object, mark string) {
	annotations := wrap(o).GetAnnotations()
	delete(annotations, mark)
	if len(annotations) == 0 {
		annotations = nil
	}
	wrap(o).SetAnnotations(annotations)
}

func putTemplate(o, kept plan.Object) error {
	template := mapAt(kept, "template")
	if template == nil {
		return errors.New("it holds no pod template")
	}
	return unstructured.SetNestedMap(o, template, "spec", "template")
}

func minimumPath(kind string) []string {
	if kind == "ScaledObject" {
		return []string{"spec", "minReplicaCount"}
	}
	return []string{"spec", "minReplicas"}
}

func putMinimum(path []string) func(o, kept plan.Object) error {
	return func(o, kept plan.Object) error {
		if n, ok := numberAt(kept, "min"); ok {
			return unstructured.SetNestedField(o, n, path...)
		}
		unstructured.RemoveNestedField(o, path...)
		return nil
	}
}

// unpack reads the original part that the actuator keeps in an annotation: JSON, compressed, in base64.
func unpack(text string) (plan.Object, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	const limit = 4 << 20 // annotations hold 256 KiB, compressed
	data, err := io.ReadAll(io.LimitReader(z, limit))
	if err != nil {
		return nil, err
	}
	var kept plan.Object
	return kept, utiljson.Unmarshal(data, &kept) // whole numbers as int64, as in objects of the cluster
}

// memo is what the router keeps in the annotation of a route: the weights of each rule by its digest, by backend.
type memo struct {
	Rules map[string]struct {
		Weights map[string]int64 `json:"weights"`
	} `json:"rules"`
}

// originalRoute is a route before the split. Weights of which nothing is known are 1, the default of the Gateway API.
func (o Observed) originalRoute(route plan.Object, mark, candidate string) (plan.Object, bool) {
	text, marked := labelsAt(route, "metadata", "annotations")[mark]
	if !marked && !o.sendsAnywhere(route, candidate) {
		return route, false
	}
	var kept memo
	_ = json.Unmarshal([]byte(text), &kept) // what cannot be read is not known
	before := runtime.DeepCopyJSON(route)
	unmark(before, mark)
	for _, rule := range listAt(before, "spec", "rules") {
		if !o.sends(route, rule, candidate) {
			continue
		}
		weights := kept.Rules[plan.Digest([]any{rule["name"], rule["matches"]})].Weights
		refs := slices.DeleteFunc(listAt(rule, "backendRefs"), func(ref plan.Object) bool { return o.refers(route, ref, candidate) })
		list := make([]any, len(refs))
		for i, ref := range refs {
			key := fmt.Sprintf("%v/%v/%v/%v", ref["kind"], ref["namespace"], ref["name"], ref["port"])
			if w, ok := weights[key]; ok {
				ref["weight"] = w
			} else if len(weights) == 0 {
				ref["weight"] = int64(1)
			}
			list[i] = ref
		}
		rule["backendRefs"] = list
	}
	return before, true
}
