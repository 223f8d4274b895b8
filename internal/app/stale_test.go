package app_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

// kubectlUndo does what kubectl rollout undo does: the template of an old ReplicaSet, and its annotations but for those of
// the Deployment's controller, which stay.
func (w *world) kubectlUndo(image string) {
	w.t.Helper()
	for _, set := range w.cluster.API().Store().View(schema.GroupResource{Group: "apps", Resource: "replicasets"}, "shop") {
		containers, _, _ := unstructured.NestedSlice(set.Object, "spec", "template", "spec", "containers")
		if containers[0].(map[string]any)["image"] != image || set.GetLabels()["app"] != "checkout" {
			continue
		}
		old := set.DeepCopy()
		unstructured.RemoveNestedField(old.Object, "spec", "template", "metadata", "labels", "pod-template-hash")
		if _, marked := old.GetAnnotations()[kube.OriginalMark("checkout")]; !marked {
			w.t.Fatal("the ReplicaSet carries no mark: there is nothing to bring back")
		}
		_, err := w.cluster.API().Mutate(deployments, apiserver.Key{Namespace: "shop", Name: "checkout"}, func(o map[string]any) {
			d := (&unstructured.Unstructured{Object: o}).DeepCopy()
			annotations := map[string]string{}
			for k, v := range d.GetAnnotations() {
				if strings.HasPrefix(k, "deployment.kubernetes.io/") {
					annotations[k] = v
				}
			}
			for k, v := range old.GetAnnotations() {
				if !strings.HasPrefix(k, "deployment.kubernetes.io/") {
					annotations[k] = v
				}
			}
			d.SetAnnotations(annotations)
			spec, template := d.Object["spec"].(map[string]any), old.Object["spec"].(map[string]any)["template"]
			spec["template"] = template
			o["metadata"], o["spec"] = d.Object["metadata"], spec
			o["metadata"].(map[string]any)["generation"] = d.GetGeneration() + 1
		})
		if err != nil {
			w.t.Fatal(err)
		}
		return
	}
	w.t.Fatalf("no ReplicaSet of %s", image)
}

// TestMarkBroughtBack: the mark of a rollout that is long over, brought back by kubectl rollout undo, is no leftover: nothing
// is restored by it, nobody is warned, and the next rollout takes it off.
func TestMarkBroughtBack(t *testing.T) {
	for name, k := range map[string]kind{"canary": canary(), "rolling": rolling(), "recreate": recreate()} {
		for _, next := range []string{"checkout:v1", "checkout:v2"} {
			t.Run(name+", then "+next, func(t *testing.T) {
				k.inWorld(t, func(w *world) {
					for _, image := range []string{"checkout:v2", "checkout:v3"} {
						if r, err := app.Deploy(w.t.Context(), w.options(image, nil)); err != nil || r.Result != report.Succeeded {
							t.Fatalf("%s: %+v, %v", image, r, err)
						}
					}
					w.relax() // kubectl rolls in its own way
					w.kubectlUndo("checkout:v2")
					if v, err := app.Status(w.t.Context(), w.caller("reader")); err != nil || len(v.Facts.Problems) > 0 {
						t.Errorf("status: %v, %v", v.Facts.Problems, err)
					}
					if p, err := app.Plan(w.t.Context(), w.options("checkout:v1", nil)); err != nil || len(p.Leftovers) > 0 || p.Plan.Target.From["app"] != "checkout:v2" {
						t.Errorf("plan: leftovers %v, from %v, %v", p.Leftovers, p.Plan.Target.From, err)
					}
					o := w.options(next, nil)
					o.Force = true // some pods may still be on their way
					warned := ""
					o.Warn = func(text string) { warned += text }
					want := map[string]report.Result{"checkout:v1": report.Succeeded, "checkout:v2": report.Unchanged}[next]
					r, err := app.Deploy(w.t.Context(), o)
					if err != nil || r.Result != want || strings.Contains(warned, "earlier rollout") {
						t.Errorf("%+v, %v; warned %q", r, err, warned)
					}
					w.want(next)
				})
			})
		}
	}
}

// TestMarkBroughtBackInTheMiddle: somebody undoes by kubectl while a rollout is in flight; the mark that comes back with it is
// another rollout's, and its original is not what this one restores.
func TestMarkBroughtBackInTheMiddle(t *testing.T) {
	k := rolling()
	k.strategy = "{rolling: {maxSurge: 1, maxUnavailable: 0, hold: 10m, detach: true}}"
	k.inWorld(t, func(w *world) {
		if r, err := carryLong(w, "checkout:v2"); err != nil || r.Result != report.Succeeded {
			t.Fatalf("%+v, %v", r, err)
		}
		if r, err := app.Deploy(w.t.Context(), w.options("checkout:v3", nil)); err != nil || r.Result != report.Pending {
			t.Fatalf("%+v, %v", r, err)
		}
		w.relax()
		w.kubectlUndo("checkout:v2")
		if r, err := app.Abort(w.t.Context(), w.caller("bob")); err != nil || r.Result != report.Aborted {
			t.Errorf("abort: %+v, %v", r, err)
		}
		if image := w.image(); image != "checkout:v2" {
			t.Errorf("%s runs, but v2 ran before the rollout", image)
		}
	})
}

// carryLong carries a rollout with a hold of ten minutes to its end.
func carryLong(w *world, image string) (app.Result, error) {
	if r, err := app.Deploy(w.t.Context(), w.options(image, nil)); err != nil || r.Result != report.Pending {
		return r, err
	}
	o := w.caller("ann")
	o.Full = true
	return app.Promote(w.t.Context(), o)
}
