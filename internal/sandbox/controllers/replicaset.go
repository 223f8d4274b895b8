package controllers

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
)

func (c *Controllers) replicaSet(r ref) {
	rs := c.get(r)
	if rs == nil || deleted(rs) {
		return
	}
	pods := slices.DeleteFunc(c.owned("pods", r.Namespace, str(rs, "metadata", "uid")), func(p object) bool {
		return deleted(p) || str(p, "status", "phase") == "Failed" || str(p, "status", "phase") == "Succeeded"
	})
	want := int(num(rs, "spec", "replicas"))
	for range want - len(pods) {
		if p := c.createPod(rs, r); p != nil {
			pods = append(pods, p)
		}
	}
	if surplus := len(pods) - want; surplus > 0 {
		slices.SortStableFunc(pods, c.expendable)
		for _, p := range pods[:surplus] {
			_ = c.api.Delete(gvr("pods"), refTo("pods", p).Key, -1)
		}
		pods = pods[surplus:]
	}
	c.replicaStatus(r, rs, pods)
}

func (c *Controllers) createPod(rs object, r ref) object {
	template := runtime.DeepCopyJSON(at(rs, "spec", "template"))
	meta := object{
		"generateName": r.Name + "-", "namespace": r.Namespace, "labels": at(template, "metadata", "labels"),
		"ownerReferences": controllerRef(rs, "apps/v1", "ReplicaSet"),
	}
	if a := at(template, "metadata", "annotations"); a != nil {
		meta["annotations"] = a
	}
	p, err := c.api.Create(gvr("pods"), object{"metadata": meta, "spec": at(template, "spec"), "status": object{"phase": "Pending"}})
	if err != nil {
		c.event(r, str(rs, "metadata", "uid"), "Warning", "FailedCreate", err.Error())
		return nil
	}
	return p.Object
}

// expendable orders pods by how little is lost with them.
func (c *Controllers) expendable(a, b object) int {
	for _, value := range []func(object) int64{
		func(p object) int64 { return int64(len(str(p, "spec", "nodeName"))) },
		func(p object) int64 { return flag(str(p, "status", "phase") == "Running") },
		func(p object) int64 { return flag(isReady(p)) },
		func(p object) int64 {
			n, _ := strconv.ParseInt(str(p, "metadata", "annotations", "controller.kubernetes.io/pod-deletion-cost"), 10, 32)
			return n
		},
	} {
		if d := cmp.Compare(value(a), value(b)); d != 0 {
			return d
		}
	}
	// The younger goes first.
	return cmp.Compare(str(b, "metadata", "creationTimestamp"), str(a, "metadata", "creationTimestamp"))
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func isReady(p object) bool {
	c := named(entries(p, "status", "conditions"), "type", "Ready")
	return c != nil && c["status"] == "True"
}

func (c *Controllers) replicaStatus(r ref, rs object, pods []object) {
	wait := time.Duration(num(rs, "spec", "minReadySeconds")) * time.Second
	now := c.o.Clock.Now()
	ready, serving := int64(0), int64(0)
	for _, p := range pods {
		if !isReady(p) {
			continue
		}
		ready++
		since := moment(str(named(entries(p, "status", "conditions"), "type", "Ready"), "lastTransitionTime"))
		if at := since.Add(wait); wait == 0 || !at.After(now) {
			serving++
		} else {
			c.later(r, at)
		}
	}
	status := object{"replicas": int64(len(pods)), "observedGeneration": num(rs, "metadata", "generation")}
	for k, n := range map[string]int64{"fullyLabeledReplicas": int64(len(pods)), "readyReplicas": ready, "availableReplicas": serving} {
		if n > 0 {
			status[k] = n
		}
	}
	c.setStatus(r, status)
}
