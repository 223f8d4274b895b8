package kube

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// Disown takes our entry out of the object's managedFields and gives the entries that original had for its spec and
// metadata back to their managers. Without it the user's next `kubectl apply --server-side` of unchanged files would
// fail with a conflict with us. It reports whether anything changed. original may be nil.
func Disown(o *unstructured.Unstructured, original plan.Object) bool {
	present := o.GetManagedFields()
	if !slices.ContainsFunc(present, ours) {
		return false
	}
	kept := slices.DeleteFunc(slices.Clone(present), ours)
	for _, old := range (&unstructured.Unstructured{Object: original}).GetManagedFields() {
		if ours(old) || old.Subresource != "" {
			continue
		}
		same := func(e metav1.ManagedFieldsEntry) bool {
			return e.Manager == old.Manager && e.Operation == old.Operation && e.Subresource == "" && e.APIVersion == old.APIVersion
		}
		if i := slices.IndexFunc(kept, same); i < 0 {
			kept = append(kept, old) // every field of its was ours meanwhile
		} else if kept[i].Time.Equal(old.Time) {
			kept[i] = old // untouched by its manager since: what it lost, it lost to us
		}
	}
	o.SetManagedFields(kept)
	return true
}

func ours(e metav1.ManagedFieldsEntry) bool { return e.Manager == Manager && e.Subresource == "" }
