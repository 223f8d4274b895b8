package apiserver

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// LastWords is the annotation that holds what `log` of a pod answers.
const LastWords = "sandbox.tidegate.dev/log"

func (s *Server) get(q *request) ([]byte, error) {
	it := s.store.item(q.res.GR(), q.key)
	if it == nil {
		return nil, apierrors.NewNotFound(q.res.GR(), q.key.Name)
	}
	if q.sub == "scale" {
		return scaleOf(q.res, it.object)
	}
	return it.json(), nil
}

func (s *Server) list(q *request) ([]byte, error) {
	match, err := q.selector()
	if err != nil {
		return nil, err
	}
	items, rv := s.store.items(q.res.GR(), q.key.Namespace)
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"kind":%q,"apiVersion":%q,"metadata":{"resourceVersion":"%d"},"items":[`, q.res.Kind+"List", q.res.APIVersion(), rv)
	for i, n := 0, 0; i < len(items); i++ {
		if !match(items[i]) {
			continue
		}
		if n++; n > 1 {
			b.WriteByte(',')
		}
		b.Write(items[i].json())
	}
	b.WriteString("]}\n")
	return b.Bytes(), nil
}

// selector is what the request's label and field selectors and its name take.
func (q *request) selector() (func(*item) bool, error) {
	byLabel, err := labels.Parse(q.query.Get("labelSelector"))
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	byField, err := fields.ParseSelector(q.query.Get("fieldSelector"))
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return func(it *item) bool {
		if q.key.Namespace != "" && stringAt(it.object, "metadata", "namespace") != q.key.Namespace {
			return false
		}
		if q.key.Name != "" && stringAt(it.object, "metadata", "name") != q.key.Name {
			return false
		}
		return byLabel.Matches(labelSet(it.object)) && (byField.Empty() || byField.Matches(fieldSet{it.object}))
	}, nil
}

// labelSet looks labels up in an object.
func labelSet(object map[string]any) labels.Set {
	set := labels.Set{}
	for k, v := range mapAt(object, "metadata", "labels") {
		set[k], _ = v.(string)
	}
	return set
}

// fieldSet looks any field up by its path, which takes in all that real servers know.
type fieldSet struct{ object map[string]any }

var _ fields.Fields = fieldSet{}

func (f fieldSet) Has(path string) bool { return f.Get(path) != "" }

func (f fieldSet) Get(path string) string {
	parts := strings.Split(path, ".")
	switch v := mapAt(f.object, parts[:len(parts)-1]...)[parts[len(parts)-1]].(type) {
	case string:
		return v
	case nil:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

// log answers the last words of a pod; tailLines is obeyed.
func (s *Server) log(w http.ResponseWriter, q *request) {
	it := s.store.item(q.res.GR(), q.key)
	if it == nil {
		writeError(w, apierrors.NewNotFound(q.res.GR(), q.key.Name))
		return
	}
	text := stringAt(it.object, "metadata", "annotations", LastWords)
	if n, err := strconv.Atoi(q.query.Get("tailLines")); err == nil {
		lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
		text = strings.Join(lines[max(0, len(lines)-n):], "")
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte(text))
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }

func isTrue(s string) bool { return s == "true" || s == "1" }

func typesUID(s string) types.UID { return types.UID(s) }

func emptyGR() schema.GroupResource { return schema.GroupResource{} }
