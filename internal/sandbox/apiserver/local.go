package apiserver

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Create stores an object for the sandbox's own controllers: it is completed, but neither validated nor are its fields
// owned. namespace and name come from the object, which the server keeps.
func (s *Server) Create(gvr schema.GroupVersionResource, object map[string]any) (*unstructured.Unstructured, error) {
	q, err := s.local("create", gvr, Key{Namespace: stringAt(object, "metadata", "namespace")})
	if err != nil {
		return nil, err
	}
	s.store.writing.Lock()
	defer s.store.writing.Unlock()
	if _, _, err := s.create(q, object); err != nil {
		return nil, err
	}
	return &unstructured.Unstructured{Object: s.store.item(q.res.GR(), q.key).object}, nil
}

// Mutate changes an object, its status included, under the write lock; nothing is written when change leaves it as it
// was. It is false when the object does not exist. change may set keys of the object, its metadata and its spec; what is
// below belongs to the stored version and is to be replaced, not changed.
func (s *Server) Mutate(gvr schema.GroupVersionResource, key Key, change func(map[string]any)) (bool, error) {
	q, err := s.local("update", gvr, key)
	if err != nil {
		return false, err
	}
	s.store.writing.Lock()
	defer s.store.writing.Unlock()
	cur := s.store.item(q.res.GR(), key)
	if cur == nil {
		return false, nil
	}
	next := shallow(cur.object)
	for _, part := range []string{"metadata", "spec"} {
		if m := mapAt(next, part); m != nil {
			next[part] = shallow(m)
		}
	}
	change(next)
	_, _, err = s.replace(q, cur, next)
	return true, err
}

// Delete ends an object as a client's DELETE does. grace is in seconds; below 0 means the object's own.
func (s *Server) Delete(gvr schema.GroupVersionResource, key Key, grace int64) error {
	q, err := s.local("delete", gvr, key)
	if err != nil {
		return err
	}
	s.store.writing.Lock()
	defer s.store.writing.Unlock()
	cur := s.store.item(q.res.GR(), key)
	if cur == nil {
		return nil
	}
	asked := &grace
	if grace < 0 {
		asked = nil
	}
	_, _, err = s.end(q, cur, asked)
	return err
}

func (s *Server) local(verb string, gvr schema.GroupVersionResource, key Key) (*request, error) {
	r := s.resource(gvr.Group, gvr.Version, gvr.Resource)
	if r == nil {
		return nil, fmt.Errorf("the server has no %s", gvr)
	}
	return &request{verb: verb, res: r, key: key}, nil
}

// Lookup finds the resource of a kind, and whether it is cluster-wide.
func (s *Server) Lookup(gvk schema.GroupVersionKind) (gvr schema.GroupVersionResource, cluster, ok bool) {
	for i := range s.table {
		if s.table[i].GVK() == gvk {
			return s.table[i].GVR(), s.table[i].Cluster, true
		}
	}
	return schema.GroupVersionResource{}, false, false
}

// Has is true when the server serves a resource.
func (s *Server) Has(gvr schema.GroupVersionResource) bool {
	return s.resource(gvr.Group, gvr.Version, gvr.Resource) != nil
}
