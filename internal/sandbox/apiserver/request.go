package apiserver

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/tidegate/tidegate/internal/clock"
)

const maxBody = 3 << 20 // bytes, as on a real server

// request is what an URL and its headers ask for.
type request struct {
	verb    string
	res     *Resource
	key     Key
	sub     string
	query   url.Values
	patch   types.PatchType
	manager string
	dryRun  bool
	strict  bool // unknown fields are an error
	table   bool // kubectl wants columns
}

// target is the resource as access rules name it.
func (q *request) target() string {
	if q.sub == "" {
		return q.res.Plural
	}
	return q.res.Plural + "/" + q.sub
}

// parse reads /api/v1/… and /apis/<group>/<version>/….
func (s *Server) parse(req *http.Request) (*request, error) {
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	var group string
	switch {
	case len(parts) >= 3 && parts[0] == "api":
		parts = parts[1:]
	case len(parts) >= 4 && parts[0] == "apis":
		group, parts = parts[1], parts[2:]
	default:
		return nil, notServed()
	}
	q := &request{query: req.URL.Query()}
	version, parts := parts[0], parts[1:]
	if parts[0] == "namespaces" && len(parts) >= 3 && parts[2] != "status" {
		q.key.Namespace, parts = parts[1], parts[2:]
	}
	if q.res = s.resource(group, version, parts[0]); q.res == nil {
		return nil, notServed()
	}
	if len(parts) > 1 {
		q.key.Name = parts[1]
	}
	if len(parts) > 2 {
		q.sub = parts[2]
	}
	return q, q.complete(req)
}

func (q *request) complete(req *http.Request) error {
	if q.sub != "" && !contains(q.res.subresources(), q.sub) {
		return notServed()
	}
	if q.verb = verbOf(req.Method, q.key.Name != "", isTrue(q.query.Get("watch"))); q.verb == "" {
		return apierrors.NewMethodNotSupported(q.res.GR(), req.Method)
	}
	if q.verb == "patch" {
		kind, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
		q.patch = types.PatchType(kind)
	}
	q.manager = q.query.Get("fieldManager")
	if q.manager == "" {
		q.manager, _, _ = strings.Cut(req.UserAgent(), "/")
	}
	q.dryRun = q.query.Get("dryRun") == metav1.DryRunAll
	q.strict = q.query.Get("fieldValidation") == metav1.FieldValidationStrict
	q.table = strings.Contains(req.Header.Get("Accept"), "as=Table")
	return nil
}

func verbOf(method string, named, watch bool) string {
	switch method {
	case http.MethodGet:
		switch {
		case watch:
			return "watch"
		case named:
			return "get"
		}
		return "list"
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		if named {
			return "delete"
		}
		return "deletecollection"
	}
	return ""
}

// deadline bounds a request by its ?timeout=. A watch has a timeout of another kind.
func (q *request) deadline(ctx context.Context, c clock.Clock) (context.Context, context.CancelFunc) {
	d, err := time.ParseDuration(q.query.Get("timeout"))
	if err != nil || d <= 0 || q.verb == "watch" {
		return context.WithCancel(ctx)
	}
	return clock.WithTimeout(ctx, c, d, context.DeadlineExceeded)
}

func (s *Server) resource(group, version, plural string) *Resource {
	for i := range s.table {
		r := &s.table[i]
		if r.Plural == plural && r.Group == group && (version == "" || r.Version == version) {
			return r
		}
	}
	return nil
}

func readBody(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	data, err := io.ReadAll(io.LimitReader(req.Body, maxBody+1))
	if err != nil {
		return nil, apierrors.NewBadRequest("the body could not be read: " + err.Error())
	}
	if len(data) > maxBody {
		return nil, apierrors.NewRequestEntityTooLargeError("limit is 3145728")
	}
	if strings.HasPrefix(req.Header.Get("Content-Type"), runtime.ContentTypeProtobuf) {
		return fromProtobuf(data)
	}
	return data, nil
}

// fromProtobuf turns what kubectl's typed clients send into JSON; answers are always JSON, which they take too.
func fromProtobuf(data []byte) ([]byte, error) {
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(data, nil, nil)
	if err != nil {
		return nil, apierrors.NewBadRequest("the body is not protobuf of a known kind: " + err.Error())
	}
	return json.Marshal(object)
}

// decode reads an object, with whole numbers as int64.
func decode(data []byte) (map[string]any, error) {
	var object map[string]any
	if err := utiljson.Unmarshal(data, &object); err != nil {
		return nil, apierrors.NewBadRequest("the body is not a JSON object: " + err.Error())
	}
	if object == nil {
		return nil, apierrors.NewBadRequest("the body is empty")
	}
	return object, nil
}

func writeError(w http.ResponseWriter, err error) {
	var known apierrors.APIStatus
	if !errors.As(err, &known) {
		known = apierrors.NewInternalError(err)
	}
	status := known.Status()
	status.Kind, status.APIVersion = "Status", "v1"
	writeAny(w, int(status.Code), status)
}

func writeAny(w http.ResponseWriter, code int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		code, data = http.StatusInternalServerError, nil
	}
	writeJSON(w, code, data)
}

func writeJSON(w http.ResponseWriter, code int, data []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(data)
}

// notServed is the answer to a path that no resource has.
func notServed() error {
	return apierrors.NewGenericServerResponse(http.StatusNotFound, "", emptyGR(), "", "404 page not found", 0, true)
}

// badName is the error of a name that is not one, or nil.
func badName(r *Resource, name string) []string {
	switch r.GR().String() {
	case "services":
		return validation.IsDNS1035Label(name)
	case "namespaces":
		return validation.IsDNS1123Label(name)
	}
	return validation.IsDNS1123Subdomain(name)
}
