package spec

import (
	"reflect"
	"slices"
)

// Names is the environment variables that a rollout of the service needs,
// sorted: those in the providers that its gates ask.
func (d Deploy) Names() []string {
	names := []string{}
	for _, name := range d.MetricsInUse() {
		names = append(names, namesUnder(reflect.ValueOf(d.Spec.Metrics[name]))...)
	}
	d.Spec.Metrics = nil
	names = append(names, namesUnder(reflect.ValueOf(d.Spec))...)
	slices.Sort(names)
	return slices.Compact(names)
}

// Names is the environment variables that the file's services need, sorted.
func (f File) Names() []string {
	names := []string{}
	for _, d := range f.Deploys {
		names = append(names, d.Names()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// namesUnder is the variables in every text below a value that has any.
func namesUnder(v reflect.Value) (names []string) {
	if !v.IsValid() {
		return nil
	}
	if v.CanInterface() {
		if text, ok := v.Interface().(interface{ Names() []string }); ok && v.Kind() == reflect.String {
			return text.Names()
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		return namesUnder(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			names = append(names, namesUnder(v.Field(i))...)
		}
	case reflect.Slice:
		for i := range v.Len() {
			names = append(names, namesUnder(v.Index(i))...)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			names = append(names, namesUnder(v.MapIndex(key))...)
		}
	}
	return names
}
