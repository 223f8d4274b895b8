package apiserver

import (
	"net/http"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// write carries out a changing request. The caller holds the store's write lock.
func (s *Server) write(q *request, data []byte) (document, int, error) {
	switch q.verb {
	case "delete":
		return s.delete(q, data)
	case "deletecollection":
		return s.deleteCollection(q, data)
	case "create":
		return s.post(q, data)
	}
	cur := s.store.item(q.res.GR(), q.key)
	switch {
	case q.patch == types.ApplyYAMLPatchType:
		return s.apply(q, cur, data)
	case cur == nil:
		return nil, 0, apierrors.NewNotFound(q.res.GR(), q.key.Name)
	case q.sub == "scale":
		return s.scale(q, cur, data)
	}
	next, err := decode(data)
	if q.verb == "patch" {
		next, err = patched(q, cur.json(), data)
	}
	if err != nil {
		return nil, 0, err
	}
	return s.update(q, cur, next)
}

func (s *Server) post(q *request, data []byte) (document, int, error) {
	object, err := decode(data)
	if err != nil {
		return nil, 0, err
	}
	if q.res.Group == "authorization.k8s.io" {
		return s.review(q, object)
	}
	return s.create(q, object)
}

// create stores a new object. Ownership is not tracked for writers without a name: these are the sandbox's own.
func (s *Server) create(q *request, object map[string]any) (document, int, error) {
	if err := s.christen(q, object); err != nil {
		return nil, 0, err
	}
	object, err := conform(q, object)
	if err != nil {
		return nil, 0, err
	}
	if q.res.Status && q.manager != "" {
		delete(object, "status")
	}
	s.complete(q.res, object, nil)
	if object, err = s.own(q, s.blank(q), object); err != nil {
		return nil, 0, err
	}
	return s.insert(q, object)
}

// insert is the last step of a creation.
func (s *Server) insert(q *request, object map[string]any) (document, int, error) {
	if err := s.validate(q, object, nil); err != nil {
		return nil, 0, err
	}
	meta := mapAt(object, "metadata")
	meta["uid"], meta["creationTimestamp"] = s.nextUID(q), s.now()
	if q.res.Generation {
		meta["generation"] = int64(1)
	}
	return s.put(q, object), http.StatusCreated, nil
}

// update replaces cur by next, or only the part of it that the subresource is.
func (s *Server) update(q *request, cur *item, next map[string]any) (document, int, error) {
	if err := precondition(q, cur, next); err != nil {
		return nil, 0, err
	}
	next, err := conform(q, next)
	if err != nil {
		return nil, 0, err
	}
	next = inherit(q, cur.object, next)
	s.complete(q.res, next, cur.object)
	if next, err = s.own(q, cur.object, next); err != nil {
		return nil, 0, err
	}
	return s.replace(q, cur, next)
}

// replace is the last step of an update: nothing when nothing changed.
func (s *Server) replace(q *request, cur *item, next map[string]any) (document, int, error) {
	if err := s.validate(q, next, cur.object); err != nil {
		return nil, 0, err
	}
	if sameButTimes(cur.object, next) {
		return cur, http.StatusOK, nil
	}
	if q.res.Generation && bumps(q.res, q.manager != "", cur.object, next) {
		n, _ := mapAt(cur.object, "metadata")["generation"].(int64)
		mapAt(next, "metadata")["generation"] = n + 1
	}
	if !q.dryRun && finished(next) {
		return s.remove(q, next)
	}
	return s.put(q, next), http.StatusOK, nil
}

// apply is server-side apply: it creates what is not there.
func (s *Server) apply(q *request, cur *item, data []byte) (document, int, error) {
	if q.manager = q.query.Get("fieldManager"); q.manager == "" {
		return nil, 0, apierrors.NewBadRequest("PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch")
	}
	applied, err := decodeYAML(data)
	if err != nil {
		return nil, 0, err
	}
	if cur == nil && q.sub != "" {
		return nil, 0, apierrors.NewNotFound(q.res.GR(), q.key.Name)
	}
	if err := s.christen(q, applied); err != nil {
		return nil, 0, err
	}
	live := s.blank(q)
	if cur != nil {
		live = cur.object
		if err := precondition(q, cur, applied); err != nil {
			return nil, 0, err
		}
	}
	next, err := s.merge(q, live, applied)
	if err != nil {
		return nil, 0, err
	}
	if cur == nil {
		s.complete(q.res, next, nil)
		return s.insert(q, next)
	}
	next = inherit(q, cur.object, next)
	s.complete(q.res, next, cur.object)
	return s.replace(q, cur, next)
}

// merge asks the field manager for what live and applied make together.
func (s *Server) merge(q *request, live, applied map[string]any) (map[string]any, error) {
	fields, err := s.owns.of(q.res, q.sub)
	if err != nil {
		return nil, err
	}
	force := isTrue(q.query.Get("force"))
	merged, err := fields.Apply(asObject(live), asObject(applied), q.manager, force)
	if apierrors.ReasonForError(err) != "" && apierrors.ReasonForError(err) != "Unknown" {
		return nil, err
	}
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if merged == nil {
		return live, nil
	}
	return runtime.DeepCopyJSON(merged.(*unstructured.Unstructured).Object), nil
}

// own has the field manager note who changed what.
func (s *Server) own(q *request, live, next map[string]any) (map[string]any, error) {
	if q.manager == "" {
		return next, nil
	}
	fields, err := s.owns.of(q.res, q.sub)
	if err != nil {
		return nil, err
	}
	object := asObject(next)
	if meta := mapAt(object.Object, "metadata"); reflect.DeepEqual(meta["managedFields"], mapAt(live, "metadata")["managedFields"]) {
		delete(meta, "managedFields") // saves reading them twice
	}
	return fields.UpdateNoErrors(asObject(live), object, q.manager).(*unstructured.Unstructured).Object, nil
}

// asObject wraps a map so that changes of its metadata do not reach a stored object.
func asObject(object map[string]any) *unstructured.Unstructured {
	object = shallow(object)
	object["metadata"] = shallow(mapAt(object, "metadata"))
	return &unstructured.Unstructured{Object: object}
}

// blank is the object before it exists.
func (s *Server) blank(q *request) map[string]any {
	return map[string]any{"apiVersion": q.res.APIVersion(), "kind": q.res.Kind}
}

// put stores, or for a dry run only shows, an object.
func (s *Server) put(q *request, object map[string]any) *item {
	if q.dryRun {
		rv := int64(0)
		if cur := s.store.item(q.res.GR(), q.key); cur != nil {
			rv = cur.rv
		}
		it := seal(object, rv)
		if rv == 0 {
			delete(mapAt(it.object, "metadata"), "resourceVersion")
		}
		return it
	}
	return s.store.commit(q.res, q.verb, q.key, object)
}

func (s *Server) now() string { return s.clock.Now().UTC().Format(time.RFC3339) }
