package apiserver

import (
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"
)

// patched is the object that a patch makes of the stored one.
func patched(q *request, stored, patch []byte) (map[string]any, error) {
	object, err := decode(stored)
	if err != nil {
		return nil, err
	}
	switch q.patch {
	case types.JSONPatchType:
		return jsonPatched(object, patch)
	case types.MergePatchType:
		change, err := decode(patch)
		if err != nil {
			return nil, err
		}
		return mergePatched(object, change), nil
	case types.StrategicMergePatchType:
		return strategicPatched(q, object, patch)
	}
	return nil, unsupported(q.patch)
}

func jsonPatched(object map[string]any, patch []byte) (map[string]any, error) {
	var ops []jsonOp
	if err := utiljson.Unmarshal(patch, &ops); err != nil {
		return nil, apierrors.NewBadRequest("the patch is not a JSON patch: " + err.Error())
	}
	result, err := jsonPatch(object, ops)
	if err != nil {
		return nil, apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", emptyGR(), "", err.Error(), 0, false)
	}
	patched, ok := result.(map[string]any)
	if !ok {
		return nil, apierrors.NewBadRequest("the patch leaves no object")
	}
	return patched, nil
}

// mergePatched is RFC 7386.
func mergePatched(target, change map[string]any) map[string]any {
	if target == nil {
		target = map[string]any{}
	}
	for k, v := range change {
		switch v := v.(type) {
		case nil:
			delete(target, k)
		case map[string]any:
			under, _ := target[k].(map[string]any)
			target[k] = mergePatched(under, v)
		default:
			target[k] = v
		}
	}
	return target
}

func strategicPatched(q *request, object map[string]any, patch []byte) (map[string]any, error) {
	if !q.res.builtIn() {
		return nil, unsupported(q.patch)
	}
	change, err := decode(patch)
	if err != nil {
		return nil, err
	}
	typed, err := scheme.Scheme.New(q.res.GVK())
	if err != nil {
		return nil, err
	}
	result, err := strategicpatch.StrategicMergeMapPatch(object, change, typed)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return result, nil
}

func unsupported(t types.PatchType) error {
	return apierrors.NewGenericServerResponse(http.StatusUnsupportedMediaType, "patch", emptyGR(), "",
		fmt.Sprintf("the body of the request was in an unknown format: %q", t), 0, false)
}
