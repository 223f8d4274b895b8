package actuate_test

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/actuate"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

var (
	open     = plan.Op{Kind: plan.OpenPreview}
	shut     = plan.Op{Kind: plan.ClosePreview}
	ensureBG = plan.Op{Kind: plan.EnsureCandidate, Weight: plan.All, MinPods: 1}
)

const (
	byHost    = "{blueGreen: {preview: {host: next.local}, drain: 2s}}"
	byService = "{blueGreen: {preview: {service: next}, drain: 2s}}"
)

// TestPreview: it is there when the op is done, marked as ours, and gone when it is closed; each op again writes nothing.
func TestPreview(t *testing.T) {
	for _, tc := range []struct {
		name, strategy, object string
		gvr                    schema.GroupVersionResource
	}{{"by host", byHost, "checkout-preview", routes}, {"by Service", byService, "next", services}} {
		t.Run(tc.name, func(t *testing.T) {
			inWorldOf(t, tc.strategy, objects, "checkout:v2", func(t *testing.T, w *world) {
				writes := 0
				w.do(t, ensureBG, open)
				w.cluster.API().OnWrite(func(c apiserver.Write) {
					if c.Resource.Resource == tc.gvr.Resource {
						writes++
					}
				})
				w.do(t, open)
				o := w.get(tc.gvr, tc.object)
				if o == nil || o.GetLabels()[actuate.RolloutLabel] != "one" || o.GetLabels()[actuate.ManagedByLabel] != actuate.ManagedBy {
					t.Fatalf("the preview is %+v", o)
				}
				if got := w.weights(); got != "checkout=1" {
					t.Errorf("users' requests go to %s", got)
				}
				if writes > 0 {
					t.Errorf("open, once more, wrote %d times", writes)
				}
				w.do(t, shut, shut)
				if w.get(tc.gvr, tc.object) != nil || writes != 1 {
					t.Errorf("it is still there, or was written %d times", writes)
				}
				w.do(t, open, remove) // the way back from anywhere takes it along
				time.Sleep(time.Second)
				if w.get(tc.gvr, tc.object) != nil {
					t.Error("it is left without its candidate")
				}
			})
		})
	}
}

// TestPreviewNotAccepted: a gateway that does not take the preview's host is named, and what to look at.
func TestPreviewNotAccepted(t *testing.T) {
	inWorldOf(t, byHost, objects, "checkout:v2", func(t *testing.T, w *world) {
		preview := w.objects.Preview[0]
		spec := preview["spec"].(map[string]any)
		spec["parentRefs"] = []any{map[string]any{"name": "nobody"}}
		w.do(t, ensureBG)
		start := time.Now()
		w.refuses(t, open, "the preview's HTTPRoute/checkout-preview was made, but no controller has answered for gateway nobody", "kubectl describe httproute checkout-preview")
		if took := time.Since(start); took > 2*time.Minute {
			t.Errorf("it took %v", took)
		}
		w.do(t, remove)
	})
}

// TestPreviewStays: one that cannot be removed (a finalizer) is an error that names it.
func TestPreviewStays(t *testing.T) {
	inWorldOf(t, byService, objects, "checkout:v2", func(t *testing.T, w *world) {
		w.do(t, ensureBG, open)
		w.change(t, services, "next", func(o map[string]any) {
			(&unstructured.Unstructured{Object: o}).SetFinalizers([]string{"example.com/stay"})
		})
		if err := w.Apply(t.Context(), shut); err == nil || !strings.Contains(err.Error(), "Service/next was still there") || !strings.Contains(err.Error(), "finalizers") {
			t.Errorf("error %v", err)
		}
	})
}
