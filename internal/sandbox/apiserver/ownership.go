package apiserver

import (
	"maps"
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// ownership keeps a field manager for each resource and subresource that was written to.
type ownership struct {
	mu       sync.Mutex
	managers map[string]*managedfields.FieldManager
}

// of is the field manager of a resource (sub "") or its subresource.
func (o *ownership) of(r *Resource, sub string) (*managedfields.FieldManager, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := r.GVK().String() + "/" + sub
	if m := o.managers[key]; m != nil {
		return m, nil
	}
	m, err := newFieldManager(r, sub)
	if err == nil {
		o.managers[key] = m
	}
	return m, err
}

func newFieldManager(r *Resource, sub string) (*managedfields.FieldManager, error) {
	gvk, plain := r.GVK(), unconverted{}
	reset := map[fieldpath.APIVersion]fieldpath.Filter{}
	switch {
	case sub == "status":
		reset[fieldpath.APIVersion(r.APIVersion())] = fieldpath.NewExcludeSetFilter(fieldpath.NewSet(fieldpath.MakePathOrDie("spec")))
	case r.Status:
		reset[fieldpath.APIVersion(r.APIVersion())] = fieldpath.NewExcludeSetFilter(fieldpath.NewSet(fieldpath.MakePathOrDie("status")))
	}
	if r.builtIn() {
		types := applyconfigurations.NewTypeConverter(scheme.Scheme)
		return managedfields.NewDefaultFieldManager(types, plain, plain, plain, gvk, gvk.GroupVersion(), sub, reset)
	}
	types := managedfields.NewDeducedTypeConverter()
	return managedfields.NewDefaultCRDFieldManager(types, plain, plain, plain, gvk, gvk.GroupVersion(), sub, reset)
}

// unconverted is the conversion of a server that stores each kind in one version only.
type unconverted struct{}

var (
	_ runtime.ObjectConvertor = unconverted{}
	_ runtime.ObjectDefaulter = unconverted{}
	_ runtime.ObjectCreater   = unconverted{}
)

func (unconverted) Convert(in, out, _ any) error {
	in.(*unstructured.Unstructured).DeepCopyInto(out.(*unstructured.Unstructured))
	return nil
}

func (unconverted) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	return in, nil
}

func (unconverted) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

func (unconverted) Default(runtime.Object) {}

func (unconverted) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(kind)
	return u, nil
}

// sameButTimes is true when a and b differ at most in the times of their managedFields (and in resourceVersion): then
// there is nothing to write.
func sameButTimes(a, b map[string]any) bool {
	return reflect.DeepEqual(withoutTimes(a), withoutTimes(b))
}

func withoutTimes(object map[string]any) map[string]any {
	c := shallow(object)
	meta := shallow(mapAt(object, "metadata"))
	delete(meta, "resourceVersion")
	if entries := mapsIn(listAt(meta, "managedFields")); len(entries) > 0 {
		bare := make([]any, len(entries))
		for i, e := range entries {
			e = maps.Clone(e)
			delete(e, "time")
			bare[i] = e
		}
		meta["managedFields"] = bare
	}
	c["metadata"] = meta
	return c
}
