package controllers

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// active are the ReplicaSets that have or should have pods.
func (o *rollout) active() []object {
	return slices.DeleteFunc(slices.Clone(o.all()), func(rs object) bool { return num(rs, "spec", "replicas") == 0 })
}

// resized is true when the Deployment has another size than its ReplicaSets were made for: then it is scaled before
// anything is rolled.
func (o *rollout) resized() bool {
	want := strconv.FormatInt(o.want, 10)
	return slices.ContainsFunc(o.active(), func(rs object) bool {
		was := str(rs, "metadata", "annotations", desiredKey)
		return was != "" && was != want
	})
}

// scaleAll gives the ReplicaSets their shares of the Deployment's size, in proportion to what they have.
func (o *rollout) scaleAll() {
	active := o.active()
	if len(active) == 0 && o.next != nil {
		active = []object{o.next}
	}
	switch {
	case len(active) == 0:
	case len(active) == 1:
		o.put(active[0], o.want)
	case o.saturated():
		for _, rs := range o.old {
			o.put(rs, 0)
		}
	case at(o.d, "spec", "strategy", "rollingUpdate") != nil:
		o.share(active)
	}
}

// saturated is true when the new ReplicaSet had all pods that its size asked for, and all of them serve.
func (o *rollout) saturated() bool {
	if o.next == nil {
		return false
	}
	n := num(o.next, "spec", "replicas")
	return n == o.want && str(o.next, "metadata", "annotations", desiredKey) == strconv.FormatInt(n, 10) && available(o.next) == n
}

// share distributes the difference to the allowed total; the largest takes what rounding leaves.
func (o *rollout) share(active []object) {
	allowed := int64(0)
	if o.want > 0 {
		allowed = o.want + o.surge
	}
	total := replicas(active)
	add := allowed - total
	slices.SortStableFunc(active, func(a, b object) int {
		if c := cmp.Compare(num(b, "spec", "replicas"), num(a, "spec", "replicas")); c != 0 || add < 0 {
			return c
		}
		return cmp.Compare(revision(b), revision(a))
	})
	sizes := make([]int64, len(active))
	given := int64(0)
	for i, rs := range active {
		have := num(rs, "spec", "replicas")
		part := proportion(rs, have, o.want+o.surge, allowed)
		if left := add - given; add > 0 {
			part = min(max(part, 0), left)
		} else {
			part = max(min(part, 0), left)
		}
		sizes[i] = have + part
		given += part
	}
	sizes[0] = max(0, sizes[0]+add-given)
	for i, rs := range active {
		o.put(rs, max(0, sizes[i]))
	}
}

// proportion is what a ReplicaSet of a given share of the former total gets or loses.
func proportion(rs object, have, ceiling, allowed int64) int64 {
	if allowed == 0 {
		return -have
	}
	before, err := strconv.ParseInt(str(rs, "metadata", "annotations", maxKey), 10, 64)
	if err != nil || before == 0 {
		before = ceiling
	}
	return int64(math.Round(float64(have)*float64(ceiling)/float64(before))) - have
}

func (o *rollout) put(rs object, n int64) {
	if num(rs, "spec", "replicas") == n && str(rs, "metadata", "annotations", desiredKey) == strconv.FormatInt(o.want, 10) {
		return
	}
	fresh := o.resize(rs, n)
	if o.next != nil && str(o.next, "metadata", "name") == str(fresh, "metadata", "name") {
		o.next = fresh
		return
	}
	for i := range o.old {
		if str(o.old[i], "metadata", "name") == str(fresh, "metadata", "name") {
			o.old[i] = fresh
		}
	}
}
