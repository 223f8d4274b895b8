package actuate

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// keepOriginal writes what the object was into its annotation, compressed: a pod template may be long, annotations may
// not exceed 256 KiB.
func keepOriginal(o *unstructured.Unstructured, mark string, kept map[string]any) error {
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

// readOriginal reads what keepOriginal wrote. A mark that cannot be read keeps nothing.
func readOriginal(o *unstructured.Unstructured, mark string) (map[string]any, bool) {
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
	var kept map[string]any
	const limit = 4 << 20
	if err := json.NewDecoder(io.LimitReader(z, limit)).Decode(&kept); err != nil {
		return nil, true
	}
	return kept, true
}
