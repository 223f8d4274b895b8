package traffic

import (
	"encoding/json"
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// Remember keeps what a kind needs to go back in an annotation of the object, as JSON; without anything to keep the annotation
// goes.
func Remember[M any](o *unstructured.Unstructured, mark string, m *M) error {
	annotations := maps.Clone(o.GetAnnotations())
	delete(annotations, mark)
	if m != nil {
		data, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("%s: keep what it was: %w", plan.RefOf(o.Object), err)
		}
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[mark] = string(data)
	}
	if len(annotations) == 0 {
		annotations = nil
	}
	o.SetAnnotations(annotations)
	return nil
}
