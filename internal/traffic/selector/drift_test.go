package selector_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// TestDrift: a selector that is not the one that was set is noticed without a call, whoever wrote it.
func TestDrift(t *testing.T) {
	inWorld(t, func(w *world) {
		all := plan.Split{Weight: plan.All}
		w.must(w.Set(w.t.Context(), split(), all))
		w.must(w.InForce(w.t.Context(), split()))
		synctest.Wait()
		if drift := w.Drift(split(), all); len(drift) > 0 {
			w.t.Errorf("as it was set: %v", drift)
		}
		w.change(func(o *unstructured.Unstructured) {
			_ = unstructured.SetNestedStringMap(o.Object, map[string]string{"app": "checkout"}, "spec", "selector")
		})
		synctest.Wait()
		drift := w.Drift(split(), all)
		if len(drift) != 1 || !strings.Contains(drift[0], "it is app=checkout, not app=checkout-candidate") {
			w.t.Errorf("put back by somebody: %v", drift)
		}
		if drift := w.Drift(split(), plan.Split{}); len(drift) > 0 {
			w.t.Errorf("with everything on the base: %v", drift)
		}
	})
}
