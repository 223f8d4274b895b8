package controllers

import (
	"cmp"
	"slices"
	"strings"
)

// daemon is one look at a DaemonSet with its pods.
type daemon struct {
	c      *Controllers
	r      ref
	set    object
	hash   string   // of the template's revision
	update object   // that ControllerRevision
	nodes  []string // in order
	wanted map[string]bool
	pods   map[string][]object // by node, the oldest first
}

func (c *Controllers) daemonSet(r ref) {
	set := c.get(r)
	if set == nil || deleted(set) {
		return
	}
	d := c.observeDaemon(r, set)
	if d == nil {
		return
	}
	d.place()
	if str(set, "spec", "updateStrategy", "type") != "OnDelete" {
		if surge := d.bound("maxSurge", true); surge > 0 {
			d.surge(surge)
		} else {
			d.replace(d.bound("maxUnavailable", true))
		}
	}
	if d = c.observeDaemon(r, c.get(r)); d != nil {
		d.status()
	}
}

func (c *Controllers) observeDaemon(r ref, set object) *daemon {
	d := &daemon{c: c, r: r, set: set, wanted: map[string]bool{}, pods: map[string][]object{}}
	if d.update = c.revisionOf(r, set, "DaemonSet"); d.update == nil {
		return nil
	}
	d.hash = strings.TrimPrefix(str(d.update, "metadata", "name"), r.Name+"-")
	for _, node := range c.view("nodes", "") {
		name := str(node, "metadata", "name")
		d.nodes = append(d.nodes, name)
		selector := at(set, "spec", "template", "spec", "nodeSelector")
		d.wanted[name] = len(selector) == 0 || selects(selector, node)
	}
	slices.Sort(d.nodes)
	for _, p := range c.owned("pods", r.Namespace, str(set, "metadata", "uid")) {
		d.pods[nodeOf(p)] = append(d.pods[nodeOf(p)], p)
	}
	for _, pods := range d.pods {
		slices.SortStableFunc(pods, func(a, b object) int {
			return cmp.Or(cmp.Compare(str(a, "metadata", "creationTimestamp"), str(b, "metadata", "creationTimestamp")),
				cmp.Compare(flag(d.fresh(a)), flag(d.fresh(b))))
		})
	}
	return d
}

// nodeOf is the node that a pod runs on, or is meant for.
func nodeOf(p object) string {
	if name := str(p, "spec", "nodeName"); name != "" {
		return name
	}
	for _, term := range entries(p, "spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms") {
		for _, field := range entries(term, "matchFields") {
			if values, _ := field["values"].([]any); field["key"] == "metadata.name" && len(values) == 1 {
				name, _ := values[0].(string)
				return name
			}
		}
	}
	return ""
}

func (d *daemon) fresh(p object) bool { return str(p, "metadata", "labels", revisionLabel) == d.hash }

func (d *daemon) bound(field string, up bool) int64 {
	of := int64(0)
	for _, wanted := range d.wanted {
		of += flag(wanted)
	}
	return scaled(at(d.set, "spec", "updateStrategy", "rollingUpdate")[field], of, up)
}

// place makes the pods that nodes miss, when the one before is gone, and takes away those that nodes should not have.
func (d *daemon) place() {
	for _, node := range d.nodes {
		pods := d.pods[node]
		switch {
		case d.wanted[node] && len(pods) == 0:
			d.create(node)
		case !d.wanted[node]:
			for _, p := range pods {
				if !deleted(p) {
					d.c.removePod(p)
				}
			}
		default:
			for _, p := range pods {
				if over(p) && !deleted(p) {
					d.c.removePod(p)
				}
			}
		}
	}
}

func (d *daemon) create(node string) {
	d.c.createSetPod(d.r, d.set, d.update, "DaemonSet", object{"generateName": d.r.Name + "-"}, object{revisionLabel: d.hash}, func(spec object) {
		affinity := cloned(at(spec, "affinity"))
		affinity["nodeAffinity"] = object{"requiredDuringSchedulingIgnoredDuringExecution": object{"nodeSelectorTerms": []any{object{
			"matchFields": []any{object{"key": "metadata.name", "operator": "In", "values": []any{node}}},
		}}}}
		spec["affinity"] = affinity
	})
}

// pair is a node's pod of the template's revision and its one of another, nil for none.
func (d *daemon) pair(node string) (fresh, old object) {
	for _, p := range d.pods[node] {
		if d.fresh(p) {
			fresh = p
		} else {
			old = p
		}
	}
	return fresh, old
}

func (d *daemon) serves(p object) bool { return p != nil && !deleted(p) && d.c.serves(d.r, d.set, p) }

// replace deletes old pods: those that do not serve, and of the others as many as may be missing.
func (d *daemon) replace(missing int64) {
	var candidates []object
	for _, node := range d.nodes {
		if !d.wanted[node] {
			continue
		}
		fresh, old := d.pair(node)
		switch {
		case old == nil && d.serves(fresh):
		case fresh == nil && d.serves(old):
			candidates = append(candidates, old)
		default:
			missing--
			if old != nil && !deleted(old) {
				d.c.removePod(old)
			}
		}
	}
	for _, p := range candidates[:max(0, min(missing, int64(len(candidates))))] {
		d.c.removePod(p)
	}
}

// surge makes new pods beside old ones, and deletes the old ones when the new ones serve.
func (d *daemon) surge(most int64) {
	var candidates []string
	for _, node := range d.nodes {
		fresh, old := d.pair(node)
		switch {
		case !d.wanted[node] || old == nil:
		case fresh == nil && (deleted(old) || !d.serves(old)):
			d.create(node)
		case fresh == nil:
			candidates = append(candidates, node)
		case d.serves(fresh):
			if !deleted(old) {
				d.c.removePod(old)
			}
		default:
			most--
		}
	}
	for _, node := range candidates[:max(0, min(most, int64(len(candidates))))] {
		d.create(node)
	}
}

func (d *daemon) status() {
	n := map[string]int64{"desiredNumberScheduled": 0, "currentNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0}
	for _, node := range d.nodes {
		pods := d.pods[node]
		if !d.wanted[node] {
			n["numberMisscheduled"] += flag(len(pods) > 0)
			continue
		}
		n["desiredNumberScheduled"]++
		if len(pods) == 0 {
			continue
		}
		n["currentNumberScheduled"]++
		n["numberReady"] += flag(isReady(pods[0]))
		n["numberAvailable"] += flag(d.c.serves(d.r, d.set, pods[0]))
		n["updatedNumberScheduled"] += flag(d.fresh(pods[0]))
	}
	n["numberUnavailable"] = n["desiredNumberScheduled"] - n["numberAvailable"]
	status := object{"observedGeneration": num(d.set, "metadata", "generation")}
	for field, count := range n {
		if _, always := map[string]bool{"desiredNumberScheduled": true, "currentNumberScheduled": true, "numberMisscheduled": true, "numberReady": true}[field]; always || count > 0 {
			status[field] = count
		}
	}
	d.c.setStatus(d.r, status)
}
