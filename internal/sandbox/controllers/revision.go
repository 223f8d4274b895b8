package controllers

import (
	"encoding/json"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/rand"
)

// revisionLabel is the pod label by which StatefulSets and DaemonSets know their pods' version.
const revisionLabel = "controller-revision-hash"

// revisionOf finds or makes the ControllerRevision of a set's template, and gives it the highest number. A template that was
// there before has the same name again.
func (c *Controllers) revisionOf(r ref, set object, kind string) object {
	highest := int64(0)
	var found object
	for _, o := range c.owned("controllerrevisions", r.Namespace, str(set, "metadata", "uid")) {
		highest = max(highest, num(o, "revision"))
		if reflect.DeepEqual(at(o, "data", "spec", "template"), patchOf(set)) {
			found = o
		}
	}
	if found == nil {
		return c.createRevision(r, set, kind, highest+1)
	}
	if num(found, "revision") < highest {
		c.mutate(refTo("controllerrevisions", found), func(o object) { o["revision"] = highest + 1 })
	}
	return found
}

// patchOf is the template as a ControllerRevision keeps it.
func patchOf(set object) object {
	template := runtime.DeepCopyJSON(at(set, "spec", "template"))
	template["$patch"] = "replace"
	return template
}

func (c *Controllers) createRevision(r ref, set object, kind string, n int64) object {
	template := patchOf(set)
	text, _ := json.Marshal(template)
	sum := rand.SafeEncodeString(fmt.Sprint(hash(string(text))))
	labels := cloned(at(template, "metadata", "labels"))
	labels["controller.kubernetes.io/hash"] = sum
	if kind == "DaemonSet" {
		labels[revisionLabel] = sum
	}
	made, err := c.api.Create(gvr("controllerrevisions"), object{
		"metadata": object{
			"name": r.Name + "-" + sum, "namespace": r.Namespace, "labels": labels, "ownerReferences": controllerRef(set, "apps/v1", kind),
		},
		"data": object{"spec": object{"template": template}}, "revision": n,
	})
	if err != nil {
		c.event(r, str(set, "metadata", "uid"), "Warning", "FailedCreate", err.Error())
		return nil
	}
	return made.Object
}

// createSetPod makes a pod of a set from a ControllerRevision.
func (c *Controllers) createSetPod(r ref, set, revision object, kind string, meta, labels object, change func(spec object)) {
	template := runtime.DeepCopyJSON(at(revision, "data", "spec", "template"))
	all := cloned(at(template, "metadata", "labels"))
	for k, v := range labels {
		all[k] = v
	}
	meta["namespace"], meta["labels"], meta["ownerReferences"] = r.Namespace, all, controllerRef(set, "apps/v1", kind)
	if a := at(template, "metadata", "annotations"); a != nil {
		meta["annotations"] = a
	}
	spec := at(template, "spec")
	change(spec)
	if _, err := c.api.Create(gvr("pods"), object{"metadata": meta, "spec": spec, "status": object{"phase": "Pending"}}); err != nil {
		c.event(r, str(set, "metadata", "uid"), "Warning", "FailedCreate", err.Error())
	}
}

func (c *Controllers) removePod(p object) {
	_ = c.api.Delete(gvr("pods"), refTo("pods", p).Key, -1)
}

func over(p object) bool {
	return str(p, "status", "phase") == "Failed" || str(p, "status", "phase") == "Succeeded"
}
