package app_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

// TestSameImages: a rollback to a template with the images that run, but other settings, is a rollout like any other: pods are
// told apart by their templates.
func TestSameImages(t *testing.T) {
	for name, k := range map[string]kind{
		"Deployment": rolling(), "StatefulSet": rolling().stateful(), "DaemonSet": rolling().daemon(), "with pauses": pausing(),
	} {
		t.Run(name, func(t *testing.T) {
			k.check = func(*world) {}
			k.inWorld(t, func(w *world) {
				if r, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil)); err != nil || r.Result != report.Succeeded {
					t.Fatalf("%+v, %v", r, err)
				}
				w.want("checkout:v2")
				w.relaxed = true
				_, err := w.cluster.API().Mutate(k.resource(), apiserver.Key{Namespace: "shop", Name: "checkout"}, func(o map[string]any) {
					spec := runtime.DeepCopyJSON(o["spec"].(map[string]any))
					containers, _, _ := unstructured.NestedSlice(spec, "template", "spec", "containers")
					containers[0].(map[string]any)["env"] = []any{map[string]any{"name": "ADDED", "value": "yes"}}
					_ = unstructured.SetNestedSlice(spec, containers, "template", "spec", "containers")
					o["spec"] = spec
				})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				o := w.options("", nil)
				o.Images, o.To = nil, "v2"
				began := time.Now()
				if r, err := app.Rollback(w.t.Context(), o); err != nil || r.Result != report.Succeeded || time.Since(began) > 45*time.Second {
					t.Errorf("%+v, %v after %s", r, err, time.Since(began))
				}
				w.want("checkout:v2")
			})
		})
	}
}
