package controllers

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stateful is one look at a StatefulSet with its pods.
type stateful struct {
	c         *Controllers
	r         ref
	set       object
	ordered   bool // pods follow one another
	start     int
	replicas  []object // by ordinal, nil where there is none
	condemned []object // those beyond the size, the last one first
	update    object   // the ControllerRevision of the template
	current   object   // that of pods below the partition
}

func (c *Controllers) statefulSet(r ref) {
	set := c.get(r)
	if set == nil || deleted(set) {
		return
	}
	s := c.observeStateful(r, set)
	if s == nil {
		return
	}
	if s.order() && s.shrink() {
		s.replace()
	}
	if s = c.observeStateful(r, c.get(r)); s != nil {
		s.status()
	}
}

func (c *Controllers) observeStateful(r ref, set object) *stateful {
	s := &stateful{c: c, r: r, set: set, ordered: str(set, "spec", "podManagementPolicy") != "Parallel", start: int(num(set, "spec", "ordinals", "start"))}
	if s.update = c.revisionOf(r, set, "StatefulSet"); s.update == nil {
		return nil
	}
	s.current = s.update
	for _, o := range c.owned("controllerrevisions", r.Namespace, str(set, "metadata", "uid")) {
		if str(o, "metadata", "name") == str(set, "status", "currentRevision") {
			s.current = o
		}
	}
	s.replicas = make([]object, num(set, "spec", "replicas"))
	for _, p := range c.owned("pods", r.Namespace, str(set, "metadata", "uid")) {
		if i := ordinal(p) - s.start; i >= 0 && i < len(s.replicas) {
			s.replicas[i] = p
		} else {
			s.condemned = append(s.condemned, p)
		}
	}
	slices.SortFunc(s.condemned, func(a, b object) int { return cmp.Compare(ordinal(b), ordinal(a)) })
	return s
}

func ordinal(p object) int {
	name := str(p, "metadata", "name")
	n, err := strconv.Atoi(name[strings.LastIndex(name, "-")+1:])
	if err != nil {
		return -1
	}
	return n
}

// order makes the pods that are missing. Where they follow one another it stops at the first that is not ready: that is
// how a StatefulSet comes to wait for a pod of a version that it no longer wants.
func (s *stateful) order() (goOn bool) {
	for i, p := range s.replicas {
		switch {
		case p == nil:
			s.create(i)
		case over(p):
			s.c.removePod(p)
		case deleted(p) || !s.serves(p):
		default:
			continue
		}
		if s.ordered {
			return false
		}
	}
	return true
}

// create makes the pod of an ordinal: below the partition one of the current revision, else one of the template's.
func (s *stateful) create(i int) {
	revision := s.update
	if str(s.set, "spec", "updateStrategy", "type") == "RollingUpdate" && i < s.partition() {
		revision = s.current
	}
	n := strconv.Itoa(s.start + i)
	name := s.r.Name + "-" + n
	s.c.createSetPod(s.r, s.set, revision, "StatefulSet", object{"name": name}, object{
		"statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": n, revisionLabel: str(revision, "metadata", "name"),
	}, func(spec object) {
		spec["hostname"], spec["subdomain"] = name, str(s.set, "spec", "serviceName")
	})
}

func (s *stateful) partition() int {
	return int(num(s.set, "spec", "updateStrategy", "rollingUpdate", "partition"))
}

// serves tells whether a pod has been ready for long enough; if it is only a matter of time the set is looked at again.
func (s *stateful) serves(p object) bool { return s.c.serves(s.r, s.set, p) }

// serves tells whether a pod of a set counts as available.
func (c *Controllers) serves(r ref, set, p object) bool {
	if !isReady(p) {
		return false
	}
	since := moment(str(named(entries(p, "status", "conditions"), "type", "Ready"), "lastTransitionTime"))
	ripe := since.Add(time.Duration(num(set, "spec", "minReadySeconds")) * time.Second)
	if num(set, "spec", "minReadySeconds") == 0 || !ripe.After(c.o.Clock.Now()) {
		return true
	}
	c.later(r, ripe)
	return false
}

// shrink takes pods beyond the size away, the last one first. Where they follow one another, one that is not ready goes only
// if it is the first of those.
func (s *stateful) shrink() (goOn bool) {
	var unhealthy object
	for _, p := range slices.Backward(s.condemned) {
		if unhealthy == nil && (!isReady(p) || deleted(p)) {
			unhealthy = p
		}
	}
	for _, p := range s.condemned {
		first := unhealthy != nil && str(unhealthy, "metadata", "uid") == str(p, "metadata", "uid")
		switch {
		case deleted(p):
		case !isReady(p) && s.ordered && !first:
		default:
			s.c.removePod(p)
		}
		if s.ordered {
			return false
		}
	}
	return len(s.condemned) == 0 || !s.ordered
}

// replace deletes the last pod that is not of the template's revision, down to the partition, when all above it are well.
func (s *stateful) replace() {
	if str(s.set, "spec", "updateStrategy", "type") == "OnDelete" {
		return
	}
	for i := len(s.replicas) - 1; i >= s.partition(); i-- {
		p := s.replicas[i]
		if p == nil {
			return
		}
		if str(p, "metadata", "labels", revisionLabel) != str(s.update, "metadata", "name") && !deleted(p) {
			s.c.removePod(p)
			return
		}
		if !isReady(p) || deleted(p) {
			return
		}
	}
}

func (s *stateful) status() {
	next, present := str(s.update, "metadata", "name"), str(s.current, "metadata", "name")
	n := map[string]int64{}
	for _, p := range append(slices.Clone(s.replicas), s.condemned...) {
		if p == nil {
			continue
		}
		n["replicas"]++
		if isReady(p) {
			n["readyReplicas"]++
			n["availableReplicas"] += flag(s.serves(p))
		}
		revision := str(p, "metadata", "labels", revisionLabel)
		n["currentReplicas"] += flag(revision == present && !deleted(p))
		n["updatedReplicas"] += flag(revision == next && !deleted(p))
	}
	want := int64(len(s.replicas))
	if str(s.set, "spec", "updateStrategy", "type") == "RollingUpdate" && n["updatedReplicas"] == want && n["replicas"] == want && n["readyReplicas"] == want {
		present, n["currentReplicas"] = next, n["updatedReplicas"]
	}
	status := object{
		"observedGeneration": num(s.set, "metadata", "generation"), "replicas": n["replicas"], "availableReplicas": n["availableReplicas"],
		"currentRevision": present, "updateRevision": next, "collisionCount": int64(0),
	}
	for _, field := range []string{"readyReplicas", "currentReplicas", "updatedReplicas"} {
		if n[field] > 0 {
			status[field] = n[field]
		}
	}
	s.c.setStatus(s.r, status)
}
