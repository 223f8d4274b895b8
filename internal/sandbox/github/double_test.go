package github_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	client "github.com/google/go-github/v60/github"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/sandbox/github"
)

const (
	owner, repo = "acme", "shop"
	repository  = "/repos/acme/shop"
	token       = "a-token"
	sha         = "5b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// double is a server of the double, a client of it, and a clock that stands still. Every answer that it gives has to be
// one that GitHub describes.
type double struct {
	*github.Server
	*client.Client
	t       *testing.T
	clock   *clock.Virtual
	url     string
	allowed bool // problems are what the test is about
}

func newDouble(t *testing.T, o github.Options) *double {
	t.Helper()
	d := &double{t: t, clock: clock.NewVirtual(start)}
	if o.Clock == nil {
		o.Clock = d.clock
	}
	o.Repository, o.Token = owner+"/"+repo, token
	var err error
	if d.Server, err = github.New(o); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(d.conforming())
	t.Cleanup(server.Close)
	d.url = server.URL + o.Prefix
	d.Client = d.newClient()
	t.Cleanup(func() {
		if problems := d.Problems(); len(problems) > 0 && !d.allowed {
			t.Errorf("problems: %s", strings.Join(problems, "\n"))
		}
	})
	return d
}

// newClient is one that does not remember the limits that another has met.
func (d *double) newClient() *client.Client {
	c := client.NewClient(nil).WithAuthToken(token)
	c.BaseURL, _ = c.BaseURL.Parse(d.url + "/")
	return c
}

// conforming passes answers on, and holds those of JSON against the description.
func (d *double) conforming() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		d.ServeHTTP(answer, r)
		if answer.Code < 500 && strings.HasPrefix(answer.Header().Get("Content-Type"), "application/json") {
			if err := d.Conforms(r, answer.Code, answer.Header(), answer.Body.Bytes()); err != nil {
				d.t.Errorf("%s %s is answered %d with what GitHub does not: %v", r.Method, r.URL, answer.Code, err)
			}
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

type answer struct {
	status int
	header http.Header
	body   string
}

// field is a text of the answer's JSON, by the names that lead to it.
func (a answer) field(t *testing.T, names ...string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	for _, name := range names {
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		o, _ := v.(map[string]any)
		v = o[name]
	}
	text, _ := v.(string)
	return text
}

// do sends JSON below the repository, with more headers in pairs.
func (d *double) do(method, path, body string, headers ...string) answer {
	d.t.Helper()
	a, err := d.try(method, path, body, headers...)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

func (d *double) try(method, path, body string, headers ...string) (answer, error) {
	if !strings.HasPrefix(path, "/repos/") {
		path = repository + path
	}
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, bytes.NewBufferString(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(text)}, err
}

// deploy creates a deployment as Tidegate does.
func (d *double) deploy(environment string, production, transient bool) *client.Deployment {
	d.t.Helper()
	made, _, err := d.Client.Repositories.CreateDeployment(d.t.Context(), owner, repo, &client.DeploymentRequest{
		Ref: client.String(sha), Environment: &environment, AutoMerge: client.Bool(false), RequiredContexts: &[]string{},
		ProductionEnvironment: &production, TransientEnvironment: &transient, Payload: map[string]string{"plan": "p1"},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return made
}

func (d *double) report(id int64, state string) {
	d.t.Helper()
	_, _, err := d.Client.Repositories.CreateDeploymentStatus(d.t.Context(), owner, repo, id, &client.DeploymentStatusRequest{
		State: &state, Description: client.String(state), AutoInactive: client.Bool(false),
	})
	if err != nil {
		d.t.Fatal(err)
	}
}
