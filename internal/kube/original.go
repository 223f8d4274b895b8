package kube

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	jsonutil "k8s.io/apimachinery/pkg/util/json"

	"github.com/tidegate/tidegate/internal/plan"
)

// OriginalMark is the name of the annotation in which a user's object keeps its original part while a rollout of the
// workload changes it; one per workload, so that two rollouts may share a route. A long workload name is cut and told
// apart by a digest.
func OriginalMark(workload string) string {
	const limit = 63 - len("original.")
	if len(workload) > limit {
		workload = workload[:limit-9] + "-" + plan.Digest(workload)[:8]
	}
	return "tidegate.dev/original." + workload
}

// keptRollout is the rollout that wrote a mark, beside what the mark keeps.
const keptRollout = "rollout"

// KeepOriginalOf is KeepOriginal of a rollout, by its ID. A Deployment's controller copies annotations to its ReplicaSets, and
// kubectl rollout undo copies them back: a mark may appear again long after its rollout.
func KeepOriginalOf(o *unstructured.Unstructured, mark, rollout string, kept map[string]any) error {
	kept = maps.Clone(kept)
	kept[keptRollout] = rollout
	return KeepOriginal(o, mark, kept)
}

// MarkedBy is the ID of the rollout that wrote the mark; empty when it does not say.
func MarkedBy(o *unstructured.Unstructured, mark string) string {
	kept, _ := ReadOriginal(o, mark)
	id, _ := kept[keptRollout].(string)
	return id
}

// KeepOriginal writes what the object was into its annotation, compressed: a pod template may be long, annotations may
// not exceed 256 KiB.
func KeepOriginal(o *unstructured.Unstructured, mark string, kept map[string]any) error {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := json.NewEncoder(z).Encode(kept); err != nil {
		return fmt.Errorf("keep the original of %s: %w", plan.RefOf(o.Object), err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("keep the original of %s: %w", plan.RefOf(o.Object), err)
	}
	annotations := maps.Clone(o.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[mark] = base64.StdEncoding.EncodeToString(b.Bytes())
	o.SetAnnotations(annotations)
	return nil
}

// ReadOriginal reads what KeepOriginal wrote. A mark that cannot be read keeps nothing.
func ReadOriginal(o *unstructured.Unstructured, mark string) (map[string]any, bool) {
	text, marked := o.GetAnnotations()[mark]
	if !marked {
		return nil, false
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, true
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, true
	}
	const limit = 4 << 20
	data, err := io.ReadAll(io.LimitReader(z, limit))
	if err != nil {
		return nil, true
	}
	var kept map[string]any
	if err := jsonutil.Unmarshal(data, &kept); err != nil {
		return nil, true
	}
	return kept, true
}

// LastWriter is who wrote the object's spec last beside us, by its managedFields; "" when they do not tell.
func LastWriter(o *unstructured.Unstructured) string {
	who, last := "", time.Time{}
	for _, e := range o.GetManagedFields() {
		if e.Manager == Manager || e.Subresource == "status" || e.Time == nil || e.FieldsV1 == nil || !strings.Contains(e.FieldsV1.GetRawString(), `"f:spec"`) {
			continue
		}
		if !e.Time.Time.Before(last) {
			who, last = e.Manager, e.Time.Time
		}
	}
	return who
}

// Unmark takes the annotation off.
func Unmark(o *unstructured.Unstructured, mark string) {
	annotations := maps.Clone(o.GetAnnotations())
	delete(annotations, mark)
	if len(annotations) == 0 {
		annotations = nil
	}
	o.SetAnnotations(annotations)
}

// KeptSize is the name under which a rollout by replicas keeps the workload's number of pods.
const KeptSize = "replicas"

// ReadSize is how many pods the workload ran before a rollout by replicas, by what its annotation keeps; false for any other
// rollout's annotation.
func ReadSize(kept map[string]any) (int, bool) {
	n, ok := kept[KeptSize].(int64)
	return int(n), ok
}
