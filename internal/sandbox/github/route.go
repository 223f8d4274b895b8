package github

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	description "github.com/tidegate/tidegate/testdata/github"
)

// route is one operation of the description. The routers of kin-openapi do not know parameters that hold slashes, which
// GitHub marks with x-multi-segment.
type route struct {
	routers.Route
	pattern *regexp.Regexp
	names   []string
	words   int // segments that are no parameter
}

// published reads the description. The more of a path is fixed, the earlier it is tried.
func published() ([]route, error) {
	doc, err := openapi3.NewLoader().LoadFromData(description.Schema())
	if err != nil {
		return nil, fmt.Errorf("GitHub's description cannot be read: make it anew with testdata/github/prune.mjs: %w", err)
	}
	var all []route
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			r := route{Route: routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op}}
			r.compile()
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b route) int {
		return cmp.Or(cmp.Compare(b.words, a.words), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	return all, nil
}

func (r *route) compile() {
	var pattern strings.Builder
	for segment := range strings.SplitSeq(r.Path[1:], "/") {
		pattern.WriteByte('/')
		name, isParameter := strings.CutPrefix(segment, "{")
		if !isParameter {
			r.words++
			pattern.WriteString(regexp.QuoteMeta(segment))
			continue
		}
		name = strings.TrimSuffix(name, "}")
		r.names = append(r.names, name)
		if p := r.Operation.Parameters.GetByInAndName("path", name); p != nil && p.Extensions["x-multi-segment"] == true {
			pattern.WriteString(`(.+)`)
		} else {
			pattern.WriteString(`([^/]+)`)
		}
	}
	r.pattern = regexp.MustCompile("^" + pattern.String() + "$")
}

// find is the route of a request, or nil.
func (s *Server) find(c *call) (*route, map[string]string) {
	path, ok := strings.CutPrefix(c.URL.EscapedPath(), c.prefix)
	if !ok {
		return nil, nil
	}
	for i, r := range s.routes {
		m := r.pattern.FindStringSubmatch(path)
		if m == nil || r.Method != c.Method {
			continue
		}
		params := map[string]string{}
		for n, name := range r.names {
			value, err := url.PathUnescape(m[n+1])
			if err != nil {
				return nil, nil
			}
			params[name] = value
		}
		return &s.routes[i], params
	}
	return nil, nil
}

// input is a request as kin-openapi wants it. Defaults are not filled in: what is recorded is what was sent.
func input(c *call, r *route) *openapi3filter.RequestValidationInput {
	c.Body = io.NopCloser(bytes.NewReader(c.raw))
	return &openapi3filter.RequestValidationInput{
		Request: c.Request, PathParams: c.params, Route: &r.Route,
		Options: &openapi3filter.Options{SkipSettingDefaults: true, RejectWhenRequestBodyNotSpecified: true},
	}
}

// validate holds a request against the description. Its error names the field and what is wrong with it, without the
// schema, which nobody could read.
func validate(c *call, r *route) error {
	err := openapi3filter.ValidateRequest(c.Context(), input(c, r))
	var wrong *openapi3.SchemaError
	if errors.As(err, &wrong) {
		where := strings.Join(wrong.JSONPointer(), "/")
		var request *openapi3filter.RequestError
		if errors.As(err, &request) && request.Parameter != nil {
			where = request.Parameter.Name
		}
		return fmt.Errorf("%s: %s", cmp.Or(where, "the body"), wrong.Reason)
	}
	return err
}

// unknown is what a request says that the description does not know, which a validator lets pass.
func unknown(c *call, r *route) []string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(c.URL.Query())) {
		if r.Operation.Parameters.GetByInAndName("query", name) == nil {
			found = append(found, "the parameter "+name)
		}
	}
	if body := r.Operation.RequestBody; body != nil && c.Method != http.MethodGet {
		var value any
		if err := json.Unmarshal(c.raw, &value); err == nil {
			found = append(found, strangers(body.Value.Content["application/json"].Schema.Value, value, "")...)
		}
	}
	return found
}

// strangers are the fields of a value, at a path, that its schema does not name.
func strangers(schema *openapi3.Schema, value any, at string) []string {
	var found []string
	switch value := value.(type) {
	case []any:
		if schema.Items == nil {
			return nil
		}
		for i, item := range value {
			found = append(found, strangers(schema.Items.Value, item, fmt.Sprintf("%s/%d", at, i))...)
		}
	case map[string]any:
		if free(schema) {
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if known := schema.Properties[name]; known != nil {
				found = append(found, strangers(known.Value, value[name], at+"/"+name)...)
			} else {
				found = append(found, "the field "+strings.TrimPrefix(at+"/"+name, "/"))
			}
		}
	}
	return found
}

// free tells whether an object may have any field: it says so, or it says nothing of fields itself, as GitHub's
// payload of a deployment, which is an object or a text.
func free(schema *openapi3.Schema) bool {
	return len(schema.Properties) == 0 || (schema.AdditionalProperties.Has != nil && *schema.AdditionalProperties.Has)
}
