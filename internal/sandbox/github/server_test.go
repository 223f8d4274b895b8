package github_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	client "github.com/google/go-github/v60/github"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/sandbox/github"
)

func TestDescription(t *testing.T) {
	d := newDouble(t, github.Options{})
	if err := d.Description().Validate(t.Context()); err != nil {
		t.Error(err)
	}
	if err := d.Unanswered(); err != nil {
		t.Error(err)
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options github.Options
		want    string
	}{
		{"no repository", github.Options{Clock: clock.Real{}}, "no repository"},
		{"half a repository", github.Options{Clock: clock.Real{}, Repository: "acme/"}, `no repository "acme/"`},
		{"too much of a repository", github.Options{Clock: clock.Real{}, Repository: "a/b/c"}, `no repository "a/b/c"`},
		{"no clock", github.Options{Repository: "a/b"}, "no clock"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := github.New(tt.options); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestViolations: what the description does not allow is refused and kept.
func TestViolations(t *testing.T) {
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		problem                  string
	}{
		{"a field is missing", "POST", "/deployments", `{}`, 422, `property "ref" is missing`},
		{"a field is of another type", "POST", "/deployments", `{"ref":"main","auto_merge":"no"}`, 422, "auto_merge: value must be a boolean"},
		{"a value is not among those that are", "POST", "/deployments/1/statuses", `{"state":"done"}`, 422, "state: value is not one of"},
		{"a commit status has states of its own", "POST", "/statuses/" + sha, `{"state":"in_progress"}`, 422, "state: value is not one of"},
		{"the body is no JSON", "POST", "/deployments", `{`, 422, "POST /repos/acme/shop/deployments: "},
		{"there is no body", "POST", "/deployments", ``, 422, "POST /repos/acme/shop/deployments: "},
		{"a number is none", "GET", "/deployments/last", ``, 422, `parameter "deployment_id" in path`},
		{"a parameter is none", "GET", "/deployments?page=x", ``, 422, `parameter "page" in query`},
		{"a parameter is not known", "GET", "/deployments?env=production", ``, 200, "the parameter env is not in"},
		{"a field is not known", "POST", "/deployments", `{"ref":"main","auto_merge":false,"required_contexts":[],"enviroment":"x","payload":{"any":1}}`, 201,
			"the field enviroment is not in"},
		{"a field deep down is not known", "POST", "/check-runs",
			`{"name":"x","head_sha":"` + sha + `","output":{"title":"t","summary":"s","annotations":[{"path":"a","start_line":1,"end_line":1,"annotation_level":"notice","message":"m","colour":"red"}]}}`, 201,
			"the field output/annotations/0/colour is not in"},
		{"the path is not known", "GET", "/deployment", ``, 404, "there is no such operation"},
		{"the method is not known", "DELETE", "/deployments/1", ``, 404, "there is no such operation"},
		{"a name is not escaped", "GET", "/environments/preview/pr-1", ``, 404, "needs escaping"},
		{"too many annotations", "POST", "/check-runs", `{"name":"x","head_sha":"` + sha + `","output":{"title":"t","summary":"s","annotations":[` +
			strings.TrimSuffix(strings.Repeat(`{"path":"a","start_line":1,"end_line":1,"annotation_level":"notice","message":"m"},`, 51), ",") + `]}}`, 422, "output/annotations: "},
		{"too long a summary", "POST", "/check-runs", `{"name":"x","head_sha":"` + sha + `","output":{"title":"t","summary":"` + strings.Repeat("x", 65536) + `"}}`, 422,
			"output/summary: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDouble(t, github.Options{})
			d.allowed = true
			if a := d.do(tt.method, tt.path, tt.body); a.status != tt.status {
				t.Errorf("answered %d: %s", a.status, a.body)
			}
			if p := d.Problems(); len(p) != 1 || !strings.Contains(p[0], tt.problem) || len(p[0]) > 300 {
				t.Errorf("problems %q", p)
			}
		})
	}
}

func TestContentType(t *testing.T) {
	d := newDouble(t, github.Options{})
	d.allowed = true
	if a := d.do("POST", "/deployments", `{"ref":"main"}`, "Content-Type", "text/plain"); a.status != 422 || len(d.Problems()) != 1 {
		t.Errorf("answered %d, problems %q", a.status, d.Problems())
	}
}

func TestAuthorization(t *testing.T) {
	for _, tt := range []struct {
		name, authorization, path string
		status                    int
		message                   string
	}{
		{"as bearer", "Bearer " + token, "/deployments", 200, ""},
		{"as token", "token " + token, "/deployments", 200, ""},
		{"another", "Bearer other", "/deployments", 401, "Bad credentials"},
		{"another way", "Basic " + token, "/deployments", 401, "Bad credentials"},
		{"none", "", "/deployments", 401, "Bad credentials"},
		{"another repository", "Bearer " + token, "/repos/acme/other/deployments", 404, "Not Found"},
		{"the same repository in capitals", "Bearer " + token, "/repos/Acme/SHOP/deployments", 200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newDouble(t, github.Options{}).do("GET", tt.path, "", "Authorization", tt.authorization)
			if a.status != tt.status || a.field(t, "message") != tt.message {
				t.Errorf("answered %d: %s", a.status, a.body)
			}
		})
	}
}

func TestPermissions(t *testing.T) {
	status := `{"state":"success"}`
	for _, tt := range []struct {
		name                     string
		permissions              map[string]string
		method, path, body, need string
		status                   int
	}{
		{"none are asked for", nil, "POST", "/statuses/" + sha, status, "statuses=write", 201},
		{"none are granted", map[string]string{}, "POST", "/statuses/" + sha, status, "statuses=write", 403},
		{"another is granted", map[string]string{"deployments": "write"}, "POST", "/statuses/" + sha, status, "statuses=write", 403},
		{"it is granted", map[string]string{"statuses": "write"}, "POST", "/statuses/" + sha, status, "statuses=write", 201},
		{"reading is granted", map[string]string{"statuses": "read"}, "POST", "/statuses/" + sha, status, "statuses=write", 403},
		{"reading is enough to read", map[string]string{"deployments": "read"}, "GET", "/deployments", "", "deployments=read", 200},
		{"writing is enough to read", map[string]string{"deployments": "write"}, "GET", "/deployments", "", "deployments=read", 200},
		{"none is said", map[string]string{"deployments": "none"}, "GET", "/deployments", "", "deployments=read", 403},
		{"comments", map[string]string{"pull-requests": "write"}, "POST", "/issues/1/comments", `{"body":"b"}`, "issues=write; pull_requests=write", 201},
		{"comments with what does not help", map[string]string{"issues": "write"}, "POST", "/issues/1/comments", `{"body":"b"}`, "issues=write; pull_requests=write", 403},
		{"environments are of the actions", map[string]string{"deployments": "write"}, "GET", "/environments/x", "", "actions=read", 403},
		{"files", map[string]string{"contents": "read"}, "GET", "/contents/README.md", "", "contents=read", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDouble(t, github.Options{Permissions: tt.permissions})
			a := d.do(tt.method, tt.path, tt.body)
			if a.status != tt.status || a.header.Get("x-accepted-github-permissions") != tt.need {
				t.Errorf("answered %d, needs %q", a.status, a.header.Get("x-accepted-github-permissions"))
			}
			if a.status == 403 && (a.field(t, "message") != "Resource not accessible by integration" || !strings.HasPrefix(a.field(t, "documentation_url"), "https://docs.github.com/rest/")) {
				t.Errorf("answered %s", a.body)
			}
		})
	}
}

func TestEnterprisePrefix(t *testing.T) {
	d := newDouble(t, github.Options{Prefix: "/api/v3"})
	enterprise, err := client.NewClient(nil).WithAuthToken(token).WithEnterpriseURLs(strings.TrimSuffix(d.url, "/api/v3"), "")
	if err != nil {
		t.Fatal(err)
	}
	d.Client = enterprise
	if made := d.deploy("production", true, false); !strings.Contains(made.GetURL(), "/api/v3/repos/acme/shop/deployments/1") {
		t.Errorf("created at %s", made.GetURL())
	}
	if r := d.Requests(); r[0].Path != repository+"/deployments" {
		t.Errorf("recorded %q", r[0].Path)
	}
	d.allowed = true
	d.url = strings.TrimSuffix(d.url, "/api/v3")
	if a := d.do("GET", "/deployments", ""); a.status != 404 || len(d.Problems()) != 1 {
		t.Errorf("without the prefix: %d, %q", a.status, d.Problems())
	}
}

func TestRequestsAreRecorded(t *testing.T) {
	d := newDouble(t, github.Options{})
	d.do("POST", "/issues/7/comments", `{"body":"hello"}`)
	d.clock.Advance(time.Second)
	d.do("GET", "/deployments?environment=a%2Fb", "")
	want := []github.Request{
		{At: start, Method: http.MethodPost, Path: repository + "/issues/7/comments", Body: `{"body":"hello"}`, Status: 201},
		{At: start.Add(time.Second), Method: http.MethodGet, Path: repository + "/deployments?environment=a%2Fb", Status: 200},
	}
	got := d.Requests()
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("recorded %+v", got)
	}
	if got[0].Status = 0; d.Requests()[0].Status != 201 {
		t.Error("the record is not a copy")
	}
}
