package apiserver

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Key names an object within its resource.
type Key struct{ Namespace, Name string }

// Write is one change that was stored. Object is nil after a deletion, Old before a creation. Both are shared: a hook
// reads them and copies what it keeps.
type Write struct {
	Verb      string // create, update, patch, delete
	Resource  schema.GroupVersionResource
	Namespace string
	Name      string
	Object    *unstructured.Unstructured
	Old       *unstructured.Unstructured
}

// Store holds every object with the log of its changes. Its exported methods only read and return copies.
type Store struct {
	writing sync.Mutex // held through read, change, store and hooks
	hooks   []func(Write)

	mu     sync.RWMutex // guards all below
	rv     int64
	tables map[schema.GroupResource]*table
	keep   int // changes that a table's log holds before it is cut in half
}

type table struct {
	resource *Resource
	objects  map[Key]*item
	log      []change
	floor    int64         // changes up to this resourceVersion are forgotten
	changed  chan struct{} // closed and replaced at each change
}

// item is one version of an object. It is never modified; its JSON is made when somebody asks for it.
type item struct {
	object map[string]any
	rv     int64
	encode sync.Once
	text   []byte
}

func (it *item) json() []byte {
	it.encode.Do(func() {
		// What was decoded from JSON or built by the sandbox can be encoded.
		it.text, _ = json.Marshal(it.object)
	})
	return it.text
}

// change is an entry of the log: old or new may be nil. A removal's old carries the removal's resourceVersion.
type change struct {
	rv       int64
	old, new *item
}

func newStore(resources []Resource, keep int) *Store {
	s := &Store{tables: map[schema.GroupResource]*table{}, keep: keep, rv: 1}
	for i := range resources {
		r := resources[i]
		s.tables[r.GR()] = &table{resource: &r, objects: map[Key]*item{}, changed: make(chan struct{}), floor: s.rv}
	}
	return s
}

// Get returns a copy of an object, or nil.
func (s *Store) Get(gr schema.GroupResource, namespace, name string) *unstructured.Unstructured {
	it := s.item(gr, Key{namespace, name})
	if it == nil {
		return nil
	}
	return (&unstructured.Unstructured{Object: it.object}).DeepCopy()
}

// Peek is Get without a copy, for readers that change nothing.
func (s *Store) Peek(gr schema.GroupResource, namespace, name string) *unstructured.Unstructured {
	it := s.item(gr, Key{namespace, name})
	if it == nil {
		return nil
	}
	return &unstructured.Unstructured{Object: it.object}
}

// List returns copies of the objects of a namespace ("" for all) that selector takes (nil for all), ordered by name.
func (s *Store) List(gr schema.GroupResource, namespace string, selector labels.Selector) []*unstructured.Unstructured {
	items, _ := s.items(gr, namespace)
	var list []*unstructured.Unstructured
	for _, it := range items {
		u := &unstructured.Unstructured{Object: it.object}
		if selector == nil || selector.Matches(labels.Set(u.GetLabels())) {
			list = append(list, u.DeepCopy())
		}
	}
	return list
}

// View is List without copies, for readers that change nothing.
func (s *Store) View(gr schema.GroupResource, namespace string) []*unstructured.Unstructured {
	items, _ := s.items(gr, namespace)
	list := make([]*unstructured.Unstructured, len(items))
	for i, it := range items {
		list[i] = &unstructured.Unstructured{Object: it.object}
	}
	return list
}

// Version is the resourceVersion of the last write.
func (s *Store) Version() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rv
}

// Compact forgets the log: a watch that wants to go on from an earlier resourceVersion is answered 410.
func (s *Store) Compact() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tables {
		t.log, t.floor = nil, s.rv
	}
}

func (s *Store) item(gr schema.GroupResource, key Key) *item {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.tables[gr]; t != nil {
		return t.objects[key]
	}
	return nil
}

// items are a resource's objects, ordered, with the resourceVersion at which this was so.
func (s *Store) items(gr schema.GroupResource, namespace string) ([]*item, int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tables[gr]
	if t == nil {
		return nil, s.rv
	}
	keys := make([]Key, 0, len(t.objects))
	for k := range t.objects {
		if namespace == "" || k.Namespace == namespace {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b Key) int {
		if c := strings.Compare(a.Namespace, b.Namespace); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	list := make([]*item, len(keys))
	for i, k := range keys {
		list[i] = t.objects[k]
	}
	return list, s.rv
}

// since are the changes after rv, and a channel that is closed at the next one. ok is false when they are forgotten.
func (s *Store) since(gr schema.GroupResource, rv int64) (changes []change, next <-chan struct{}, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tables[gr]
	if rv < t.floor {
		return nil, nil, false
	}
	first, _ := slices.BinarySearchFunc(t.log, rv+1, func(c change, rv int64) int { return int(c.rv - rv) })
	return slices.Clone(t.log[first:]), t.changed, true
}

// commit stores object under key (nil removes it) and tells the hooks. The caller holds s.writing.
func (s *Store) commit(r *Resource, verb string, key Key, object map[string]any) *item {
	s.mu.Lock()
	t := s.tables[r.GR()]
	old := t.objects[key]
	s.rv++
	entry := change{rv: s.rv, old: old}
	if object == nil {
		entry.old = seal(old.object, s.rv)
		delete(t.objects, key)
	} else {
		entry.new = seal(object, s.rv)
		t.objects[key] = entry.new
	}
	t.append(entry, s.keep)
	s.mu.Unlock()
	s.tell(r, verb, key, entry, old)
	if entry.new == nil {
		return entry.old
	}
	return entry.new
}

func (t *table) append(c change, keep int) {
	t.log = append(t.log, c)
	if len(t.log) > keep {
		cut := len(t.log) / 2
		t.floor = t.log[cut-1].rv
		t.log = slices.Clone(t.log[cut:])
	}
	close(t.changed)
	t.changed = make(chan struct{})
}

func (s *Store) tell(r *Resource, verb string, key Key, c change, old *item) {
	w := Write{Verb: verb, Resource: r.GVR(), Namespace: key.Namespace, Name: key.Name}
	if c.new != nil {
		w.Object = &unstructured.Unstructured{Object: c.new.object}
	}
	if old != nil {
		w.Old = &unstructured.Unstructured{Object: old.object}
	}
	for _, hook := range s.hooks {
		hook(w)
	}
}

// seal makes the stored version of an object: a shallow copy with its resourceVersion.
func seal(object map[string]any, rv int64) *item {
	sealed := shallow(object)
	meta := shallow(mapAt(object, "metadata"))
	meta["resourceVersion"] = strconv.FormatInt(rv, 10)
	sealed["metadata"] = meta
	return &item{object: sealed, rv: rv}
}
