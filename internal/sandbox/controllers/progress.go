package controllers

import (
	"fmt"
	"time"
)

// status writes what the rollout has come to. Conditions say whether enough pods are available and whether the rollout
// gets on within its deadline.
func (o *rollout) status() {
	d := o.c.get(o.r)
	if d == nil {
		return
	}
	before := at(d, "status")
	after := o.count()
	now := o.c.o.Clock.Now()
	conditions := entries(before, "conditions")
	after["conditions"] = anys([]object{o.availableCondition(conditions, after, now), o.progressCondition(conditions, before, after, now)})
	o.c.setStatus(o.r, after)
}

func (o *rollout) count() object {
	s := object{"observedGeneration": num(o.d, "metadata", "generation")}
	total, ready, serving, updated := int64(0), int64(0), int64(0), int64(0)
	for _, rs := range o.all() {
		total += num(rs, "status", "replicas")
		ready += num(rs, "status", "readyReplicas")
		serving += available(rs)
	}
	if o.next != nil {
		updated = num(o.next, "status", "replicas")
	}
	for k, n := range map[string]int64{
		"replicas": total, "updatedReplicas": updated, "readyReplicas": ready, "availableReplicas": serving,
		"unavailableReplicas": max(0, replicas(o.all())-serving),
	} {
		if n > 0 {
			s[k] = n
		}
	}
	return s
}

func (o *rollout) availableCondition(old []object, after object, now time.Time) object {
	if num(after, "availableReplicas") >= o.want-o.missing {
		return o.timed(old, now, "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
	}
	return o.timed(old, now, "Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
}

// timed keeps lastUpdateTime while nothing but time has changed.
func (o *rollout) timed(old []object, now time.Time, kind, status, reason, message string) object {
	c := condition(old, now, kind, status, reason, message)
	c["lastUpdateTime"] = stamp(now)
	if was := named(old, "type", kind); was != nil && was["status"] == status && was["reason"] == reason {
		c["lastUpdateTime"], c["message"] = was["lastUpdateTime"], was["message"]
	}
	return c
}

func (o *rollout) progressCondition(old []object, before, after object, now time.Time) object {
	name := ""
	if o.next != nil {
		name = str(o.next, "metadata", "name")
	}
	was := named(old, "type", "Progressing")
	complete := num(after, "updatedReplicas") == o.want && num(after, "replicas") == o.want && num(after, "availableReplicas") == o.want
	done := was != nil && was["reason"] == "NewReplicaSetAvailable" && num(after, "replicas") == num(after, "updatedReplicas")
	fresh := func(status, reason, message string) object {
		c := condition(old, now, "Progressing", status, reason, message)
		c["lastUpdateTime"] = stamp(now)
		return c
	}
	switch {
	case isTrue(o.d, "spec", "paused"):
		return o.timed(old, now, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused")
	case o.made:
		o.recheck(fresh("True", "NewReplicaSetCreated", ""))
		return fresh("True", "NewReplicaSetCreated", fmt.Sprintf("Created new replica set %q", name))
	case complete && o.next != nil:
		return o.timed(old, now, "Progressing", "True", "NewReplicaSetAvailable", fmt.Sprintf("ReplicaSet %q has successfully progressed.", name))
	case was == nil || was["reason"] == "DeploymentPaused":
		return o.recheck(fresh("True", "FoundNewReplicaSet", fmt.Sprintf("Found new replica set %q", name)))
	case done:
		return was
	case advanced(before, after):
		return o.recheck(fresh("True", "ReplicaSetUpdated", fmt.Sprintf("ReplicaSet %q is progressing.", name)))
	case was["reason"] == "NewReplicaSetAvailable":
		return o.recheck(fresh("True", "ReplicaSetUpdated", fmt.Sprintf("ReplicaSet %q is progressing.", name)))
	case o.late(was, now):
		return o.timed(old, now, "Progressing", "False", "ProgressDeadlineExceeded", fmt.Sprintf("ReplicaSet %q has timed out progressing.", name))
	}
	return o.recheck(was)
}

// advanced is true when something got on since the last status.
func advanced(before, after object) bool {
	oldPods := func(s object) int64 { return num(s, "replicas") - num(s, "updatedReplicas") }
	return num(after, "updatedReplicas") > num(before, "updatedReplicas") || oldPods(after) < oldPods(before) ||
		num(after, "readyReplicas") > num(before, "readyReplicas") || num(after, "availableReplicas") > num(before, "availableReplicas")
}

func (o *rollout) deadline(c object) time.Time {
	return moment(str(c, "lastUpdateTime")).Add(time.Duration(num(o.d, "spec", "progressDeadlineSeconds"))*time.Second + time.Second)
}

func (o *rollout) late(c object, now time.Time) bool {
	return c["reason"] == "ProgressDeadlineExceeded" || !now.Before(o.deadline(c))
}

// recheck has the Deployment looked at when its deadline is over. The longest deadline means none.
func (o *rollout) recheck(c object) object {
	if n := num(o.d, "spec", "progressDeadlineSeconds"); n < 1<<31-1 {
		o.c.later(o.r, o.deadline(c))
	}
	return c
}
