package apiserver

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// christen checks or makes an object's kind, namespace and name.
func (s *Server) christen(q *request, object map[string]any) error {
	if v, k := stringAt(object, "apiVersion"), stringAt(object, "kind"); v != "" && (v != q.res.APIVersion() || k != q.res.Kind) {
		return apierrors.NewBadRequest(fmt.Sprintf("the object is %s %s, this path serves %s %s", v, k, q.res.APIVersion(), q.res.Kind))
	}
	object["apiVersion"], object["kind"] = q.res.APIVersion(), q.res.Kind
	meta := ensure(object, "metadata")
	if ns := stringAt(meta, "namespace"); ns != "" && ns != q.key.Namespace {
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	if !q.res.Cluster {
		if q.key.Namespace == "" {
			return apierrors.NewBadRequest("an empty namespace may not be set during creation")
		}
		meta["namespace"] = q.key.Namespace
	}
	name := stringAt(meta, "name")
	if prefix := stringAt(meta, "generateName"); name == "" && prefix != "" {
		name = prefix + s.suffix(q.key.Namespace+"/"+prefix)
	}
	if q.key.Name != "" && name != "" && name != q.key.Name {
		return apierrors.NewBadRequest("the name of the object (" + name + ") does not match the name on the URL (" + q.key.Name + ")")
	}
	if q.key.Name == "" {
		q.key.Name = name
	}
	meta["name"] = q.key.Name
	return s.vacant(q, meta)
}

// vacant refuses to create what exists or where nothing can be.
func (s *Server) vacant(q *request, meta map[string]any) error {
	if q.verb != "create" {
		return nil
	}
	if stringAt(meta, "resourceVersion") != "" {
		return apierrors.NewBadRequest("resourceVersion should not be set on objects to be created")
	}
	if s.store.item(q.res.GR(), q.key) != nil {
		return apierrors.NewAlreadyExists(q.res.GR(), q.key.Name)
	}
	namespaces := schema.GroupResource{Resource: "namespaces"}
	if !q.res.Cluster && s.store.item(namespaces, Key{Name: q.key.Namespace}) == nil {
		return apierrors.NewNotFound(namespaces, q.key.Namespace)
	}
	return nil
}

// precondition compares what the client believes with what is stored.
func precondition(q *request, cur *item, next map[string]any) error {
	meta := mapAt(next, "metadata")
	if name := stringAt(meta, "name"); name != "" && name != q.key.Name {
		return apierrors.NewBadRequest("the name of the object (" + name + ") does not match the name on the URL (" + q.key.Name + ")")
	}
	if uid, have := stringAt(meta, "uid"), stringAt(cur.object, "metadata", "uid"); uid != "" && uid != have {
		return apierrors.NewConflict(q.res.GR(), q.key.Name, fmt.Errorf("Precondition failed: UID in precondition: %s, UID in object meta: %s", uid, have))
	}
	rv := stringAt(meta, "resourceVersion")
	if rv == "" && q.verb == "update" && (!q.res.builtIn() || q.res.Plural == "leases") {
		return apierrors.NewInvalid(q.res.GVK().GroupKind(), q.key.Name, field.ErrorList{
			field.Invalid(field.NewPath("metadata", "resourceVersion"), 0, "must be specified for an update"),
		})
	}
	if rv != "" && rv != stringAt(cur.object, "metadata", "resourceVersion") {
		return apierrors.NewConflict(q.res.GR(), q.key.Name, errModified{})
	}
	return nil
}

type errModified struct{}

func (errModified) Error() string {
	return "the object has been modified; please apply your changes to the latest version and try again"
}

// conform reads an object of a known kind as its Go type, which drops or refuses unknown fields and writes quantities
// in their canonical form.
func conform(q *request, object map[string]any) (map[string]any, error) {
	if !q.res.builtIn() || q.manager == "" {
		return object, nil
	}
	typed, err := scheme.Scheme.New(q.res.GVK())
	if err != nil {
		return nil, err
	}
	given := mapAt(object, "metadata")["managedFields"]
	delete(mapAt(object, "metadata"), "managedFields") // as long as all the rest, and checked by the field manager
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object, typed, q.strict); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", q.res.Kind, q.res.Version, q.res.Kind, err))
	}
	canonical, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return nil, err
	}
	if given != nil {
		mapAt(canonical, "metadata")["managedFields"] = given
	}
	delete(mapAt(canonical, "spec", "template", "metadata"), "creationTimestamp")
	return canonical, nil
}

// inherit gives next what a client cannot change.
func inherit(q *request, cur, next map[string]any) map[string]any {
	old, meta := mapAt(cur, "metadata"), ensure(next, "metadata")
	if q.sub == "status" {
		status := next["status"]
		fields := meta["managedFields"]
		next = runtime.DeepCopyJSON(cur)
		next["status"], meta = status, mapAt(next, "metadata")
		if fields != nil {
			meta["managedFields"] = fields
		}
	} else if q.res.Status && q.manager != "" {
		keep(next, cur, "status")
	}
	next["apiVersion"], next["kind"] = cur["apiVersion"], cur["kind"]
	for _, k := range []string{
		"name", "namespace", "uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "generateName",
	} {
		keep(meta, old, k)
	}
	return next
}

// bumps is true when the generation counts the change. A Deployment's counts its annotations too, but not those that
// its controller writes.
func bumps(r *Resource, tracked bool, cur, next map[string]any) bool {
	if tracked && r.Plural == "deployments" && !reflect.DeepEqual(mapAt(cur, "metadata", "annotations"), mapAt(next, "metadata", "annotations")) {
		return true
	}
	return !reflect.DeepEqual(desired(cur), desired(next))
}

func desired(object map[string]any) map[string]any {
	d := shallow(object)
	delete(d, "metadata")
	delete(d, "status")
	return d
}

// suffix are five characters that this server has not given to another name with the prefix. Like uids they depend on
// what was created under that name before, not on what else happened: so runs can be compared.
func (s *Server) suffix(prefix string) string {
	const letters, space = "bcdfghjklmnpqrstvwxz2456789", 27 * 27 * 27 * 27 * 27
	s.given[prefix]++
	start := fnv.New32a()
	_, _ = start.Write([]byte(prefix))
	n, out := (int(start.Sum32())+s.given[prefix]*7368787)%space, make([]byte, 5)
	for i := range out {
		out[i], n = letters[n%27], n/27
	}
	return string(out)
}

func (s *Server) nextUID(q *request) string {
	name := fmt.Sprintf("%s/%s/%s", q.res.GR(), q.key.Namespace, q.key.Name)
	s.given[name]++
	sum := fnv.New128a()
	_, _ = fmt.Fprint(sum, name, s.given[name])
	text := hex.EncodeToString(sum.Sum(nil))
	return text[:8] + "-" + text[8:12] + "-4" + text[13:16] + "-8" + text[17:20] + "-" + text[20:]
}

func decodeYAML(data []byte) (map[string]any, error) {
	asJSON, err := yaml.YAMLToJSON(data)
	if err != nil {
		return nil, apierrors.NewBadRequest("error decoding YAML: " + err.Error())
	}
	return decode(asJSON)
}

func marshal(v any) ([]byte, error) { return json.Marshal(v) }
