package kube

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// The names under which the bounds of a scaler are kept in its annotation.
const (
	keptMinimum = "min"
	keptMaximum = "max"
	keptHeld    = "held" // what we wrote in their place
)

// HoldScaler raises the scaler's minimum to size, and with exactly brings its maximum there too; what it was is kept in
// the annotation. It says whether anything had to change.
func HoldScaler(o *unstructured.Unstructured, mark string, size int64, exactly bool) (bool, error) {
	if was, marked := ReadOriginal(o, mark); marked {
		return holdAgain(o, was)
	}
	kept := map[string]any{keptHeld: size}
	least, found, _ := unstructured.NestedInt64(o.Object, ScalerMinimum(o.GetKind())...)
	fits := found && least >= size
	if found {
		kept[keptMinimum] = least
	}
	if exactly {
		most, found, _ := unstructured.NestedInt64(o.Object, scalerMaximum(o.GetKind())...)
		fits = fits && least == size && found && most == size
		kept[keptMaximum] = nil
		if found {
			kept[keptMaximum] = most
		}
	}
	if fits {
		return false, nil
	}
	if err := KeepOriginal(o, mark, kept); err != nil {
		return false, err
	}
	if exactly {
		return moveScaler(o, size)
	}
	return true, unstructured.SetNestedField(o.Object, size, ScalerMinimum(o.GetKind())...)
}

// holdAgain holds the bounds of a marked scaler that have the user's values: a release of it may have ended half way.
func holdAgain(o *unstructured.Unstructured, kept map[string]any) (changed bool, err error) {
	held, known := kept[keptHeld].(int64)
	for name, path := range map[string][]string{keptMinimum: ScalerMinimum(o.GetKind()), keptMaximum: scalerMaximum(o.GetKind())} {
		was, bound := kept[name]
		present, found, _ := unstructured.NestedInt64(o.Object, path...)
		own := !found && was == nil || found && was == present
		if !known || !own || found && present == held || !bound && name == keptMaximum {
			continue
		}
		changed = true
		if err := unstructured.SetNestedField(o.Object, held, path...); err != nil {
			return false, fmt.Errorf("%s: %w", plan.RefOf(o.Object), err)
		}
	}
	return changed, nil
}

// PinScaler is HoldScaler with exactly that also moves a scaler which is held already, as often as it is called.
func PinScaler(o *unstructured.Unstructured, mark string, size int64) (bool, error) {
	kept, marked := ReadOriginal(o, mark)
	if _, both := kept[keptMaximum]; marked && both {
		changed, err := moveScaler(o, size)
		if kept[keptHeld] == size || err != nil {
			return changed, err
		}
		kept[keptHeld] = size
		return true, KeepOriginal(o, mark, kept)
	}
	return HoldScaler(o, mark, size, true)
}

// moveScaler brings both bounds to size.
func moveScaler(o *unstructured.Unstructured, size int64) (changed bool, err error) {
	for _, path := range [][]string{ScalerMinimum(o.GetKind()), scalerMaximum(o.GetKind())} {
		if n, found, _ := unstructured.NestedInt64(o.Object, path...); found && n == size {
			continue
		}
		changed = true
		if err := unstructured.SetNestedField(o.Object, size, path...); err != nil {
			return false, fmt.Errorf("%s: %w", plan.RefOf(o.Object), err)
		}
	}
	return changed, nil
}

// FreeScaler gives the scaler the bounds back that HoldScaler kept. A bound that somebody changed meanwhile stays as it is.
func FreeScaler(o *unstructured.Unstructured, kept map[string]any) error {
	give := func(v any, path []string) error {
		if !stillHeld(o, kept, path) {
			return nil
		}
		if n, ok := v.(int64); ok {
			return unstructured.SetNestedField(o.Object, n, path...)
		}
		unstructured.RemoveNestedField(o.Object, path...)
		return nil
	}
	if most, held := kept[keptMaximum]; held {
		if err := give(most, scalerMaximum(o.GetKind())); err != nil {
			return err
		}
	}
	return give(kept[keptMinimum], ScalerMinimum(o.GetKind()))
}

// stillHeld tells whether a bound has the value that HoldScaler wrote.
func stillHeld(o *unstructured.Unstructured, kept map[string]any, path []string) bool {
	held, known := kept[keptHeld].(int64)
	present, found, _ := unstructured.NestedInt64(o.Object, path...)
	return !known || found && present == held
}

// ScalerDrift says which bounds of a held scaler somebody changed: each with what it is and what it is held at. Without a
// mark nothing is held.
func ScalerDrift(o *unstructured.Unstructured, mark string) []string {
	kept, marked := ReadOriginal(o, mark)
	held, known := kept[keptHeld].(int64)
	if !marked || !known {
		return nil
	}
	paths := [][]string{ScalerMinimum(o.GetKind())}
	if _, both := kept[keptMaximum]; both {
		paths = append(paths, scalerMaximum(o.GetKind()))
	}
	var list []string
	for _, path := range paths {
		if !stillHeld(o, kept, path) {
			present, _, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
			list = append(list, fmt.Sprintf("%s is %v, not the %d at which the rollout holds it", path[1], present, held))
		}
	}
	return list
}

// scalerMaximum is where a scaler of this kind keeps its upper bound.
func scalerMaximum(kind string) []string {
	if kind == "ScaledObject" {
		return []string{"spec", "maxReplicaCount"}
	}
	return []string{"spec", "maxReplicas"}
}

// ScalerMinimum is where a scaler of this kind keeps its lower bound.
func ScalerMinimum(kind string) []string {
	if kind == "ScaledObject" {
		return []string{"spec", "minReplicaCount"}
	}
	return []string{"spec", "minReplicas"}
}
