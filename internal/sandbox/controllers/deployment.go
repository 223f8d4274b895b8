package controllers

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/rand"
)

const (
	hashLabel   = "pod-template-hash"
	revisionKey = "deployment.kubernetes.io/revision"
	desiredKey  = "deployment.kubernetes.io/desired-replicas"
	maxKey      = "deployment.kubernetes.io/max-replicas"
)

// rollout is one look at a Deployment with its ReplicaSets.
type rollout struct {
	c       *Controllers
	r       ref
	d       object
	want    int64
	surge   int64
	missing int64  // maxUnavailable
	next    object // the ReplicaSet of the template, nil when there is none yet
	old     []object
	made    bool // next was created just now
}

func (c *Controllers) deployment(r ref) {
	d := c.get(r)
	if d == nil || deleted(d) {
		return
	}
	o := c.observe(r, d)
	switch {
	case isTrue(d, "spec", "paused"):
		o.scaleAll()
	case o.resized():
		o.scaleAll()
	case str(d, "spec", "strategy", "type") == "Recreate":
		o.recreate()
	default:
		o.roll()
	}
	o.status()
}

func (c *Controllers) observe(r ref, d object) *rollout {
	o := &rollout{c: c, r: r, d: d, want: num(d, "spec", "replicas")}
	o.surge, o.missing = bounds(d)
	for _, rs := range c.owned("replicasets", r.Namespace, str(d, "metadata", "uid")) {
		if o.next == nil && sameTemplate(d, rs) {
			o.next = rs
		} else if !deleted(rs) {
			o.old = append(o.old, rs)
		}
	}
	slices.SortStableFunc(o.old, func(a, b object) int { return int(revision(a) - revision(b)) })
	return o
}

// bounds are maxSurge and maxUnavailable as numbers of pods: surge rounds up, unavailability down, and where both are
// zero one pod may be missing. Recreate has neither.
func bounds(d object) (surge, missing int64) {
	rolling := at(d, "spec", "strategy", "rollingUpdate")
	if rolling == nil {
		return 0, 0
	}
	want := num(d, "spec", "replicas")
	surge, missing = scaled(rolling["maxSurge"], want, true), scaled(rolling["maxUnavailable"], want, false)
	if surge == 0 && missing == 0 {
		missing = 1
	}
	return surge, min(missing, want)
}

func scaled(v any, of int64, up bool) int64 {
	value := intstr.FromInt32(0)
	switch v := v.(type) {
	case int64:
		value = intstr.FromInt32(int32(min(v, 1<<30)))
	case string:
		value = intstr.Parse(v)
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(&value, int(of), up)
	if err != nil {
		return 0
	}
	return int64(n)
}

func revision(rs object) int64 {
	n, _ := strconv.ParseInt(str(rs, "metadata", "annotations", revisionKey), 10, 64)
	return n
}

func sameTemplate(d, rs object) bool {
	return reflect.DeepEqual(at(d, "spec", "template"), withoutHash(at(rs, "spec", "template")))
}

func withoutHash(template object) object {
	template = cloned(template)
	meta := cloned(at(template, "metadata"))
	labels := cloned(at(meta, "labels"))
	delete(labels, hashLabel)
	meta["labels"], template["metadata"] = labels, meta
	return template
}

func hash(text string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(text))
	return h.Sum32()
}

// prepare makes sure that the template's ReplicaSet exists and that its revision is the highest.
func (o *rollout) prepare() {
	highest := int64(0)
	for _, rs := range o.old {
		highest = max(highest, revision(rs))
	}
	if o.next == nil {
		o.next = o.create(highest + 1)
		if o.made = o.next != nil; !o.made {
			return
		}
	}
	rev := max(highest+1, revision(o.next))
	text := strconv.FormatInt(rev, 10)
	if revision(o.next) != rev {
		o.c.annotate(refTo("replicasets", o.next), object{revisionKey: text})
	}
	o.copyAnnotations()
	if str(o.d, "metadata", "annotations", revisionKey) != text {
		o.c.annotate(o.r, object{revisionKey: text})
	}
}

// copyAnnotations gives the template's ReplicaSet what the Deployment carries. Nothing is ever taken off again: the set
// keeps an annotation that the Deployment has lost, and kubectl rollout undo brings it back.
func (o *rollout) copyAnnotations() {
	missing, has := object{}, at(o.next, "metadata", "annotations")
	for k, v := range copied(o.d) {
		if has[k] != v {
			missing[k] = v
		}
	}
	if len(missing) > 0 {
		o.c.annotate(refTo("replicasets", o.next), missing)
	}
}

// copied are the Deployment's annotations that its ReplicaSets get.
func copied(deployment object) object {
	all := object{}
	for k, v := range at(deployment, "metadata", "annotations") {
		if !strings.HasPrefix(k, "deployment.kubernetes.io/") && k != "kubectl.kubernetes.io/last-applied-configuration" {
			all[k] = v
		}
	}
	return all
}

func (o *rollout) create(rev int64) object {
	template := runtime.DeepCopyJSON(at(o.d, "spec", "template"))
	text, _ := json.Marshal(template)
	sum := rand.SafeEncodeString(fmt.Sprint(hash(string(text) + str(o.d, "metadata", "uid"))))
	labels := cloned(at(template, "metadata", "labels"))
	labels[hashLabel] = sum
	template["metadata"] = cloned(at(template, "metadata"))
	at(template, "metadata")["labels"] = labels
	selector := runtime.DeepCopyJSON(at(o.d, "spec", "selector"))
	match := cloned(at(selector, "matchLabels"))
	match[hashLabel] = sum
	selector["matchLabels"] = match
	spec := object{"replicas": int64(0), "selector": selector, "template": template}
	if n := num(o.d, "spec", "minReadySeconds"); n > 0 {
		spec["minReadySeconds"] = n
	}
	annotations := o.sizes()
	maps.Copy(annotations, copied(o.d))
	annotations[revisionKey] = strconv.FormatInt(rev, 10)
	rs, err := o.c.api.Create(gvr("replicasets"), object{
		"metadata": object{
			"name": o.r.Name + "-" + sum, "namespace": o.r.Namespace, "labels": cloned(labels), "annotations": annotations,
			"ownerReferences": controllerRef(o.d, "apps/v1", "Deployment"),
		},
		"spec": spec, "status": object{"replicas": int64(0)},
	})
	if err != nil {
		return nil
	}
	return rs.Object
}

// sizes are the annotations by which a ReplicaSet remembers the size that its replicas were meant for.
func (o *rollout) sizes() object {
	return object{desiredKey: strconv.FormatInt(o.want, 10), maxKey: strconv.FormatInt(o.want+o.surge, 10)}
}

// roll is the native rolling update: as many new pods as the surge allows, then as few old ones as availability does.
func (o *rollout) roll() {
	o.prepare()
	if o.next == nil {
		return
	}
	o.settleReady()
	if have := num(o.next, "spec", "replicas"); have > o.want {
		o.next = o.resize(o.next, o.want)
		return
	} else if have < o.want {
		room := max(o.want+o.surge-replicas(o.all()), 0)
		if n := have + min(room, o.want-have); n != have {
			o.next = o.resize(o.next, n)
			return
		}
	}
	if o.shrink() {
		return
	}
	o.tidy()
}

// shrink takes old pods away: unhealthy ones first, then as many as are more than must be available.
func (o *rollout) shrink() bool {
	floor := o.want - o.missing
	waiting := num(o.next, "spec", "replicas") - available(o.next)
	room := replicas(o.all()) - floor - waiting
	if replicas(o.old) == 0 || room <= 0 {
		return false
	}
	changed := false
	for i, rs := range o.old {
		if cut := min(room, num(rs, "spec", "replicas")-available(rs)); cut > 0 {
			o.old[i] = o.resize(rs, num(rs, "spec", "replicas")-cut)
			room, changed = room-cut, true
		}
	}
	spare := -floor
	for _, rs := range o.all() {
		spare += available(rs)
	}
	for i, rs := range o.old {
		if cut := min(spare, num(rs, "spec", "replicas")); cut > 0 {
			o.old[i] = o.resize(rs, num(rs, "spec", "replicas")-cut)
			spare, changed = spare-cut, true
		}
	}
	return changed
}

// recreate starts new pods only when no old one is left, terminating ones included.
func (o *rollout) recreate() {
	if replicas(o.old) > 0 {
		for i, rs := range o.old {
			if num(rs, "spec", "replicas") > 0 {
				o.old[i] = o.resize(rs, 0)
			}
		}
		return
	}
	for _, rs := range o.old {
		if len(o.c.owned("pods", o.r.Namespace, str(rs, "metadata", "uid"))) > 0 {
			return
		}
	}
	o.prepare()
	if o.next == nil {
		return
	}
	o.settleReady()
	if num(o.next, "spec", "replicas") != o.want {
		o.next = o.resize(o.next, o.want)
	}
	o.tidy()
}

// settleReady carries minReadySeconds over to the ReplicaSets, which count availability.
func (o *rollout) settleReady() {
	ready := num(o.d, "spec", "minReadySeconds")
	if num(o.next, "spec", "minReadySeconds") == ready {
		return
	}
	o.c.mutate(refTo("replicasets", o.next), func(rs object) { at(rs, "spec")["minReadySeconds"] = ready })
	if fresh := o.c.get(refTo("replicasets", o.next)); fresh != nil {
		o.next = fresh
	}
}

// tidy deletes old ReplicaSets beyond the history limit once the rollout is complete.
func (o *rollout) tidy() {
	if num(o.next, "status", "availableReplicas") != o.want || replicas(o.old) > 0 {
		return
	}
	var empty []object
	for _, rs := range o.old {
		if num(rs, "status", "replicas") == 0 {
			empty = append(empty, rs)
		}
	}
	for i := range max(0, len(empty)-int(num(o.d, "spec", "revisionHistoryLimit"))) {
		_ = o.c.api.Delete(gvr("replicasets"), refTo("replicasets", empty[i]).Key, -1)
	}
}

func (o *rollout) all() []object {
	if o.next == nil {
		return o.old
	}
	return append(slices.Clone(o.old), o.next)
}

func replicas(list []object) (n int64) {
	for _, rs := range list {
		n += num(rs, "spec", "replicas")
	}
	return n
}

func available(rs object) int64 { return num(rs, "status", "availableReplicas") }

func (o *rollout) resize(rs object, n int64) object {
	before := num(rs, "spec", "replicas")
	sizes := o.sizes()
	o.c.mutate(refTo("replicasets", rs), func(rs object) {
		at(rs, "spec")["replicas"] = n
		annotations := cloned(at(rs, "metadata", "annotations"))
		for k, v := range sizes {
			annotations[k] = v
		}
		at(rs, "metadata")["annotations"] = annotations
	})
	if word := "up"; before != n {
		if n < before {
			word = "down"
		}
		o.c.event(o.r, str(o.d, "metadata", "uid"), "Normal", "ScalingReplicaSet",
			fmt.Sprintf("Scaled %s replica set %s from %d to %d", word, str(rs, "metadata", "name"), before, n))
	}
	fresh := o.c.get(refTo("replicasets", rs))
	if fresh == nil {
		return rs
	}
	return fresh
}
