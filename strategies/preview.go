package strategies

import (
	"maps"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
)

// PreviewMark is the annotation of what was made for a preview, with the name of the workload whose rollout made it: the
// names of these objects are the user's, so that nothing else tells whose they are.
const PreviewMark = "tidegate.dev/preview"

const previewSuffix = "-preview"

// PreviewName is the name of a route's copy for the preview.
func PreviewName(route string) string {
	const limit = 253
	if len(route)+len(previewSuffix) > limit {
		route = strings.TrimRight(route[:limit-len(previewSuffix)-7], "-.") + "-" + plan.Digest(route)[:6]
	}
	return route + previewSuffix
}

// CopyOf is an object under another name, without what the server fills in and without the marks by which other tools own
// the original.
func CopyOf(o plan.Object, name string) plan.Object {
	u := wrap(stripped(wrap(o)))
	u.SetName(name)
	return u.Object
}

// Previewing marks an object, in place, as one of the preview of a workload.
func Previewing(o plan.Object, workload string) plan.Object {
	u := wrap(o)
	annotations := maps.Clone(u.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[PreviewMark] = workload
	u.SetAnnotations(annotations)
	return u.Object
}
