package controllers

import (
	"fmt"
	"maps"
	"reflect"
	"time"

	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

type object = map[string]any

// at is the map at a path, or nil.
func at(o object, path ...string) object {
	for _, p := range path {
		o, _ = o[p].(object)
	}
	return o
}

// str is the string at a path, or "".
func str(o object, path ...string) string {
	s, _ := at(o, path[:len(path)-1]...)[path[len(path)-1]].(string)
	return s
}

// num is the whole number at a path, or 0.
func num(o object, path ...string) int64 {
	n, _ := at(o, path[:len(path)-1]...)[path[len(path)-1]].(int64)
	return n
}

// isTrue is the boolean at a path, or false.
func isTrue(o object, path ...string) bool {
	b, _ := at(o, path[:len(path)-1]...)[path[len(path)-1]].(bool)
	return b
}

// entries are the maps of the list at a path.
func entries(o object, path ...string) []object {
	list, _ := at(o, path[:len(path)-1]...)[path[len(path)-1]].([]any)
	var out []object
	for _, e := range list {
		if m, ok := e.(object); ok {
			out = append(out, m)
		}
	}
	return out
}

func anys(list []object) []any {
	out := make([]any, len(list))
	for i, m := range list {
		out[i] = m
	}
	return out
}

// view are the stored objects themselves: read only.
func (c *Controllers) view(plural, namespace string) []object {
	stored := c.api.Store().View(gvr(plural).GroupResource(), namespace)
	list := make([]object, len(stored))
	for i, u := range stored {
		list[i] = u.Object
	}
	return list
}

// get is the stored object itself, or nil: read only.
func (c *Controllers) get(r ref) object {
	u := c.api.Store().Peek(gvr(r.plural).GroupResource(), r.Namespace, r.Name)
	if u == nil {
		return nil
	}
	return u.Object
}

// mutate changes an object. Its errors are the sandbox's own faults and cannot be repaired by waiting: they go to an
// event that a person finds.
func (c *Controllers) mutate(r ref, change func(object)) {
	if _, err := c.api.Mutate(gvr(r.plural), r.Key, change); err != nil {
		c.event(r, "", "Warning", "SandboxError", err.Error())
	}
}

func (c *Controllers) setStatus(r ref, status object) {
	if o := c.get(r); o == nil || reflect.DeepEqual(o["status"], status) {
		return
	}
	c.mutate(r, func(o object) { o["status"] = status })
}

func (c *Controllers) annotate(r ref, more object) {
	c.mutate(r, func(o object) {
		annotations := cloned(at(o, "metadata", "annotations"))
		maps.Copy(annotations, more)
		at(o, "metadata")["annotations"] = annotations
	})
}

// ownerOf is the owner reference of an object's controller, or nil.
func ownerOf(o object) object {
	for _, r := range entries(o, "metadata", "ownerReferences") {
		if r["controller"] == true {
			return r
		}
	}
	return nil
}

// owned are the objects that uid controls.
func (c *Controllers) owned(plural, namespace, uid string) []object {
	var list []object
	for _, o := range c.view(plural, namespace) {
		if owner := ownerOf(o); owner != nil && owner["uid"] == uid {
			list = append(list, o)
		}
	}
	return list
}

func controllerRef(o object, apiVersion, kind string) []any {
	return []any{object{
		"apiVersion": apiVersion, "kind": kind, "name": str(o, "metadata", "name"), "uid": str(o, "metadata", "uid"),
		"controller": true, "blockOwnerDeletion": true,
	}}
}

func refTo(plural string, o object) ref {
	return ref{plural, apiserver.Key{Namespace: str(o, "metadata", "namespace"), Name: str(o, "metadata", "name")}}
}

func deleted(o object) bool { return at(o, "metadata")["deletionTimestamp"] != nil }

// selects is true when a plain map selector takes an object; an empty one takes none.
func selects(selector object, o object) bool {
	has := at(o, "metadata", "labels")
	for k, v := range selector {
		if has[k] != v {
			return false
		}
	}
	return len(selector) > 0
}

// stamp is a moment as objects have it: whole seconds.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func moment(s string) time.Time {
	t, _ := time.Parse(time.RFC3339, s)
	return t
}

// condition makes a condition, or returns the one that is there when only times differ.
func condition(list []object, now time.Time, kind, status, reason, message string) object {
	fresh := object{
		"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": stamp(now),
	}
	for _, old := range list {
		if old["type"] != kind {
			continue
		}
		if old["status"] == status {
			fresh["lastTransitionTime"] = old["lastTransitionTime"]
		}
	}
	return fresh
}

func named(list []object, key, value string) object {
	for _, o := range list {
		if o[key] == value {
			return o
		}
	}
	return nil
}

// event tells of something that happened to an object, or counts it again.
func (c *Controllers) event(about ref, uid, kind, reason, message string) {
	name := fmt.Sprintf("%s.%x", about.Name, hash(about.plural+reason+message))
	now := stamp(c.o.Clock.Now())
	r := ref{"events", apiserver.Key{Namespace: about.Namespace, Name: name}}
	found, err := c.api.Mutate(gvr("events"), r.Key, func(o object) {
		o["count"], o["lastTimestamp"] = num(o, "count")+1, now
	})
	if found || err != nil || about.Namespace == "" {
		return
	}
	kinds := map[string]string{"pods": "Pod", "deployments": "Deployment", "replicasets": "ReplicaSet", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet"}
	versions := map[string]string{"pods": "v1", "deployments": "apps/v1", "replicasets": "apps/v1", "statefulsets": "apps/v1", "daemonsets": "apps/v1"}
	_, _ = c.api.Create(gvr("events"), object{
		"metadata": object{"name": name, "namespace": about.Namespace},
		"involvedObject": object{
			"kind": kinds[about.plural], "apiVersion": versions[about.plural], "namespace": about.Namespace, "name": about.Name, "uid": uid,
		},
		"type": kind, "reason": reason, "message": message, "count": int64(1), "firstTimestamp": now, "lastTimestamp": now,
		"source": object{"component": "sandbox"}, "reportingComponent": "sandbox", "reportingInstance": "",
	})
}

func cloned(o object) object {
	if o == nil {
		return object{}
	}
	return maps.Clone(o)
}
