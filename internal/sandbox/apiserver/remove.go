package apiserver

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// delete ends an object: at once, or when its finalizers are gone, or for a running pod when its node says so.
func (s *Server) delete(q *request, data []byte) (document, int, error) {
	o, err := deleteOptions(q, data)
	if err != nil {
		return nil, 0, err
	}
	cur := s.store.item(q.res.GR(), q.key)
	if cur == nil {
		return nil, 0, apierrors.NewNotFound(q.res.GR(), q.key.Name)
	}
	if err := expected(q, cur, o.Preconditions); err != nil {
		return nil, 0, err
	}
	if q.dryRun {
		return cur, http.StatusOK, nil
	}
	if o.PropagationPolicy != nil && *o.PropagationPolicy == metav1.DeletePropagationOrphan {
		s.orphan(stringAt(cur.object, "metadata", "uid"))
	}
	return s.end(q, cur, o.GracePeriodSeconds)
}

func deleteOptions(q *request, data []byte) (metav1.DeleteOptions, error) {
	var o metav1.DeleteOptions
	if len(data) > 0 {
		if err := json.Unmarshal(data, &o); err != nil {
			return o, apierrors.NewBadRequest("delete options: " + err.Error())
		}
	}
	if len(o.DryRun) > 0 {
		q.dryRun = true
	}
	if p := metav1.DeletionPropagation(q.query.Get("propagationPolicy")); p != "" && o.PropagationPolicy == nil {
		o.PropagationPolicy = &p
	}
	return o, nil
}

func expected(q *request, cur *item, p *metav1.Preconditions) error {
	meta := mapAt(cur.object, "metadata")
	if p == nil {
		return nil
	}
	if p.UID != nil && string(*p.UID) != stringAt(meta, "uid") {
		return apierrors.NewConflict(q.res.GR(), q.key.Name, errors.New("Precondition failed: UID in precondition: "+string(*p.UID)+", UID in object meta: "+stringAt(meta, "uid")))
	}
	if p.ResourceVersion != nil && *p.ResourceVersion != stringAt(meta, "resourceVersion") {
		return apierrors.NewConflict(q.res.GR(), q.key.Name, errors.New("Precondition failed: ResourceVersion in precondition: "+*p.ResourceVersion+", ResourceVersion in object meta: "+stringAt(meta, "resourceVersion")))
	}
	return nil
}

// end marks an object as deleted and removes it when nothing holds it.
func (s *Server) end(q *request, cur *item, asked *int64) (document, int, error) {
	next := shallow(cur.object)
	meta := shallow(mapAt(cur.object, "metadata"))
	next["metadata"] = meta
	grace := graceOf(q.res, cur.object, asked)
	before, marked := meta["deletionGracePeriodSeconds"].(int64)
	if marked && grace > 0 && grace >= before {
		return cur, http.StatusOK, nil
	}
	if !marked {
		meta["deletionTimestamp"] = s.clock.Now().Add(time.Duration(grace) * time.Second).UTC().Format(time.RFC3339)
		if q.res.Generation {
			n, _ := meta["generation"].(int64)
			meta["generation"] = n + 1
		}
	}
	meta["deletionGracePeriodSeconds"] = grace
	if finished(next) {
		return s.remove(q, cur.object)
	}
	return s.store.commit(q.res, q.verb, q.key, next), http.StatusOK, nil
}

// graceOf are the seconds that a pod on a node gets to stop; other objects get none.
func graceOf(r *Resource, object map[string]any, asked *int64) int64 {
	if r.Plural != "pods" || stringAt(object, "spec", "nodeName") == "" {
		return 0
	}
	if phase := stringAt(object, "status", "phase"); phase == "Failed" || phase == "Succeeded" {
		return 0
	}
	if asked != nil {
		return *asked
	}
	if n, ok := mapAt(object, "spec")["terminationGracePeriodSeconds"].(int64); ok {
		return n
	}
	return 30
}

// finished is true for an object that was deleted and that nothing holds any more.
func finished(object map[string]any) bool {
	meta := mapAt(object, "metadata")
	grace, _ := meta["deletionGracePeriodSeconds"].(int64)
	return meta["deletionTimestamp"] != nil && grace == 0 && len(listAt(meta, "finalizers")) == 0
}

// remove takes an object out of the store, then what it alone owned.
func (s *Server) remove(q *request, last map[string]any) (document, int, error) {
	s.store.commit(q.res, "delete", q.key, nil)
	uid := stringAt(last, "metadata", "uid")
	if err := s.collect(uid); err != nil {
		return nil, 0, err
	}
	if q.res.Plural == "namespaces" {
		if err := s.empty(q.key.Name); err != nil {
			return nil, 0, err
		}
	}
	body, err := json.Marshal(success(q.res, q.key.Name, uid))
	return text(body), http.StatusOK, err
}

// owned are the objects that name uid as an owner.
func (s *Server) owned(uid string, each func(*Resource, *item) error) error {
	for i := range s.table {
		items, _ := s.store.items(s.table[i].GR(), "")
		for _, it := range items {
			for _, ref := range mapsIn(listAt(it.object, "metadata", "ownerReferences")) {
				if ref["uid"] == uid {
					if err := each(&s.table[i], it); err != nil {
						return err
					}
					break
				}
			}
		}
	}
	return nil
}

// collect deletes what has lost its last owner.
func (s *Server) collect(uid string) error {
	return s.owned(uid, func(r *Resource, it *item) error {
		for _, ref := range mapsIn(listAt(it.object, "metadata", "ownerReferences")) {
			if other := stringAt(ref, "uid"); other != uid && s.exists(other) {
				return nil
			}
		}
		return s.endItem(r, it)
	})
}

func (s *Server) endItem(r *Resource, it *item) error {
	key := Key{stringAt(it.object, "metadata", "namespace"), stringAt(it.object, "metadata", "name")}
	if cur := s.store.item(r.GR(), key); cur != nil {
		_, _, err := s.end(&request{verb: "delete", res: r, key: key}, cur, nil)
		return err
	}
	return nil
}

func (s *Server) exists(uid string) bool {
	for i := range s.table {
		items, _ := s.store.items(s.table[i].GR(), "")
		for _, it := range items {
			if stringAt(it.object, "metadata", "uid") == uid {
				return true
			}
		}
	}
	return false
}

// orphan takes an owner out of all that name it.
func (s *Server) orphan(uid string) {
	_ = s.owned(uid, func(r *Resource, it *item) error {
		next := runtime.DeepCopyJSON(it.object)
		meta := mapAt(next, "metadata")
		var left []any
		for _, ref := range mapsIn(listAt(meta, "ownerReferences")) {
			if ref["uid"] != uid {
				left = append(left, ref)
			}
		}
		meta["ownerReferences"] = left
		s.store.commit(r, "update", Key{stringAt(meta, "namespace"), stringAt(meta, "name")}, next)
		return nil
	})
}

// empty deletes all objects of a namespace that was deleted.
func (s *Server) empty(namespace string) error {
	for i := range s.table {
		if s.table[i].Cluster {
			continue
		}
		items, _ := s.store.items(s.table[i].GR(), namespace)
		for _, it := range items {
			if err := s.endItem(&s.table[i], it); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Server) deleteCollection(q *request, data []byte) (document, int, error) {
	match, err := q.selector()
	if err != nil {
		return nil, 0, err
	}
	if _, err := deleteOptions(q, data); err != nil {
		return nil, 0, err
	}
	items, _ := s.store.items(q.res.GR(), q.key.Namespace)
	for _, it := range items {
		if match(it) && !q.dryRun {
			if err := s.endItem(q.res, it); err != nil {
				return nil, 0, err
			}
		}
	}
	body, err := json.Marshal(success(q.res, "", ""))
	return text(body), http.StatusOK, err
}
