package github_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	client "github.com/google/go-github/v60/github"

	"github.com/tidegate/tidegate/internal/sandbox/github"
)

func TestDeploymentIsCreated(t *testing.T) {
	d := newDouble(t, github.Options{})
	made := d.deploy("preview/pr-1", false, true)
	if made.GetID() != 1 || made.GetSHA() != sha || made.GetEnvironment() != "preview/pr-1" || made.GetTask() != "deploy" || made.GetCreator().GetLogin() != "github-actions[bot]" {
		t.Errorf("created %v", made)
	}
	got := d.Deployments()[0]
	if got.Production || !got.Transient || string(got.Payload) != `{"plan":"p1"}` || got.CreatedAt != start || got.State() != "" {
		t.Errorf("recorded %+v", got)
	}
	again, _, err := d.Client.Repositories.GetDeployment(t.Context(), owner, repo, 1)
	if err != nil || again.GetURL() != made.GetURL() || string(again.Payload) != string(made.Payload) {
		t.Errorf("read %v: %v", again, err)
	}
	if a := d.do("GET", "/deployments/2", ""); a.status != 404 {
		t.Errorf("another: %d", a.status)
	}
	if a := d.do("GET", "/environments/preview%2Fpr-1", ""); a.status != 200 || a.field(t, "name") != "preview/pr-1" {
		t.Errorf("environment: %d %s", a.status, a.body)
	}
	if a := d.do("GET", "/environments/production", ""); a.status != 404 {
		t.Errorf("environment that nobody used: %d", a.status)
	}
}

func TestDeploymentDefaults(t *testing.T) {
	d := newDouble(t, github.Options{})
	for _, body := range []string{`{"ref":"main"`, `{"ref":"refs/heads/main","environment":"qa"`, `{"ref":"main","environment":"live","production_environment":true,"payload":"text"`} {
		if a := d.do("POST", "/deployments", body+`,"auto_merge":false,"required_contexts":[]}`); a.status != 201 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	all := d.Deployments()
	if !all[0].Production || all[0].Environment != "production" || string(all[0].Payload) != `""` || len(all[0].SHA) != 40 {
		t.Errorf("recorded %+v", all[0])
	}
	if all[1].Production || all[1].SHA != all[0].SHA || !all[2].Production || string(all[2].Payload) != `"text"` {
		t.Errorf("recorded %+v", all[1:])
	}
}

// TestDeploymentIsNotCreated: the ways that the description tells of in prose, if at all.
func TestDeploymentIsNotCreated(t *testing.T) {
	tests := []struct {
		name     string
		statuses []string // "context state"
		body     string
		status   int
		message  string
	}{
		{"merged, because nobody said not to", nil, `"required_contexts":[]`, 202, "Auto-merged main into main on deployment."},
		{"merged, as was said", nil, `"auto_merge":true,"required_contexts":[]`, 202, "Auto-merged main into main on deployment."},
		{"nothing was reported", nil, `"auto_merge":false`, 409, "Conflict: Commit status checks failed for main."},
		{"something is pending", []string{"ci success", "lint pending"}, `"auto_merge":false`, 409, "Conflict: Commit status checks failed for main."},
		{"it was pending", []string{"lint pending", "lint success"}, `"auto_merge":false`, 201, ""},
		{"what is asked for is missing", []string{"ci success"}, `"auto_merge":false,"required_contexts":["lint"]`, 409, "Conflict: Commit status checks failed for main."},
		{"what is asked for is there", []string{"ci failure", "lint success"}, `"auto_merge":false,"required_contexts":["lint"]`, 201, ""},
		{"nothing is asked for", []string{"ci failure"}, `"auto_merge":false,"required_contexts":[]`, 201, ""},
		{"there is no such ref", nil, `"auto_merge":false,"required_contexts":[],"ref":"gone"`, 422, "No ref found for: gone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDouble(t, github.Options{})
			d.AddRef("main", sha)
			for _, s := range tt.statuses {
				context, state, _ := strings.Cut(s, " ")
				d.do("POST", "/statuses/"+sha, fmt.Sprintf(`{"context":%q,"state":%q}`, context, state))
			}
			a := d.do("POST", "/deployments", `{"ref":"main",`+tt.body+`}`)
			if a.status != tt.status || a.field(t, "message") != tt.message {
				t.Errorf("answered %d: %s", a.status, a.body)
			}
			if a.status == 409 && a.field(t, "errors", "field") != "required_contexts" {
				t.Errorf("answered %s", a.body)
			}
			if created := len(d.Deployments()) == 1; created != (tt.status == 201) {
				t.Errorf("created: %t", created)
			}
		})
	}
}

func TestDeploymentsAreListed(t *testing.T) {
	d := newDouble(t, github.Options{})
	d.AddRef("release", sha)
	for i := range 5 {
		d.do("POST", "/deployments", fmt.Sprintf(`{"ref":%q,"task":%q,"environment":%q,"auto_merge":false,"required_contexts":[]}`,
			[]string{sha, "release"}[i%2], []string{"deploy", "undo"}[i/4], []string{"qa", "preview/pr-1"}[i/3]))
	}
	for _, tt := range []struct {
		name string
		opts client.DeploymentsListOptions
		want []int64
	}{
		{"all, newest first", client.DeploymentsListOptions{}, []int64{5, 4, 3, 2, 1}},
		{"of an environment", client.DeploymentsListOptions{Environment: "preview/pr-1"}, []int64{5, 4}},
		{"of a ref", client.DeploymentsListOptions{Ref: "release"}, []int64{4, 2}},
		{"of a commit", client.DeploymentsListOptions{SHA: sha}, []int64{5, 4, 3, 2, 1}},
		{"of a task", client.DeploymentsListOptions{Task: "undo"}, []int64{5}},
		{"of another commit", client.DeploymentsListOptions{SHA: strings.Repeat("0", 40)}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.opts.PerPage = 2
			var got []int64
			for pages := 1; ; pages++ {
				page, resp, err := d.Client.Repositories.ListDeployments(t.Context(), owner, repo, &tt.opts)
				if err != nil || len(page) > 2 {
					t.Fatalf("%d of 2: %v", len(page), err)
				}
				for _, found := range page {
					got = append(got, found.GetID())
				}
				if resp.NextPage == 0 {
					if want := max(1, (len(tt.want)+1)/2); pages != want {
						t.Errorf("%d pages, not %d", pages, want)
					}
					break
				}
				tt.opts.Page = resp.NextPage
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("listed %v", got)
			}
		})
	}
	first := d.do("GET", "/deployments?per_page=2", "").header.Get("Link")
	if !strings.Contains(first, `page=2&per_page=2>; rel="next"`) || !strings.Contains(first, `page=3&per_page=2>; rel="last"`) || strings.Contains(first, "prev") {
		t.Errorf("links of the first page: %s", first)
	}
	last := d.do("GET", "/deployments?per_page=2&page=3", "").header.Get("Link")
	if !strings.Contains(last, `page=2&per_page=2>; rel="prev"`) || !strings.Contains(last, `page=1&per_page=2>; rel="first"`) || strings.Contains(last, "next") {
		t.Errorf("links of the last page: %s", last)
	}
}

func TestDeploymentStatuses(t *testing.T) {
	d := newDouble(t, github.Options{})
	d.deploy("production", true, false)
	request := &client.DeploymentStatusRequest{
		State: client.String("in_progress"), Description: client.String(strings.Repeat("é", 140)), LogURL: client.String("https://example.com/log"),
		EnvironmentURL: client.String("https://shop.example.com"), AutoInactive: client.Bool(false),
	}
	made, resp, err := d.Client.Repositories.CreateDeploymentStatus(t.Context(), owner, repo, 1, request)
	if err != nil || made.GetLogURL() != "https://example.com/log" || made.GetTargetURL() != made.GetLogURL() || made.GetEnvironment() != "production" ||
		made.GetCreator().GetLogin() == "" || resp.Header.Get("Location") != made.GetURL() {
		t.Fatalf("%v: %v", made, err)
	}
	d.clock.Advance(time.Minute)
	d.report(1, "success")
	list, _, err := d.Client.Repositories.ListDeploymentStatuses(t.Context(), owner, repo, 1, nil)
	if err != nil || len(list) != 2 || list[0].GetState() != "success" || list[1].GetState() != "in_progress" {
		t.Errorf("listed %v: %v", list, err)
	}
	got := d.Deployments()[0]
	if got.State() != "success" || len(got.Statuses) != 2 || got.Statuses[0].EnvironmentURL != "https://shop.example.com" || got.Statuses[1].At != start.Add(time.Minute) {
		t.Errorf("recorded %+v", got)
	}
	got.Statuses[0].State = "changed"
	if d.Deployments()[0].Statuses[0].State != "in_progress" {
		t.Error("the record is not a copy")
	}
	if a := d.do("POST", "/deployments/2/statuses", `{"state":"success"}`); a.status != 404 {
		t.Errorf("of another: %d", a.status)
	}
	if a := d.do("GET", "/deployments/2/statuses", ``); a.status != 404 {
		t.Errorf("of another: %d", a.status)
	}
	d.do("POST", "/deployments/1/statuses", `{"state":"success","environment":"live"}`)
	if got := d.Deployments()[0]; got.Environment != "live" || got.Statuses[2].Environment != "live" || got.Statuses[1].Environment != "production" {
		t.Errorf("renamed %+v", got)
	}
}

func TestDeploymentStatusIsRefused(t *testing.T) {
	for _, tt := range []struct{ name, body, field, message string }{
		{"a description is too long", `{"state":"success","description":"` + strings.Repeat("é", 141) + `"}`, "description", "description is too long (maximum is 140 characters)"},
		{"a log is no address", `{"state":"success","log_url":"javascript:alert(1)"}`, "log_url", "log_url must use http(s) scheme"},
		{"an environment is no address", `{"state":"success","environment_url":"shop.example.com"}`, "environment_url", "environment_url must use http(s) scheme"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDouble(t, github.Options{})
			d.deploy("production", true, false)
			a := d.do("POST", "/deployments/1/statuses", tt.body)
			if a.status != 422 || a.field(t, "message") != "Validation Failed" || a.field(t, "errors", "field") != tt.field || a.field(t, "errors", "message") != tt.message ||
				a.field(t, "errors", "resource") != "DeploymentStatus" || a.field(t, "errors", "code") != "custom" {
				t.Errorf("answered %d: %s", a.status, a.body)
			}
			if len(d.Deployments()[0].Statuses) != 0 {
				t.Error("it was kept")
			}
		})
	}
	t.Run("there are too many", func(t *testing.T) {
		d := newDouble(t, github.Options{Writes: -1})
		d.deploy("production", true, false)
		for range 100 {
			d.report(1, "in_progress")
		}
		if a := d.do("POST", "/deployments/1/statuses", `{"state":"success"}`); a.status != 422 || !strings.Contains(a.field(t, "errors", "message"), "maximum number of statuses") {
			t.Errorf("answered %d: %s", a.status, a.body)
		}
	})
}

// TestAutoInactive: a success ends what it replaces, unless that is production, transient, elsewhere or no success.
func TestAutoInactive(t *testing.T) {
	d := newDouble(t, github.Options{})
	for _, old := range []struct {
		environment           string
		production, transient bool
		state                 string
	}{
		{"qa", false, false, "success"}, {"qa", false, false, "failure"}, {"qa", true, false, "success"}, {"qa", false, true, "success"}, {"other", false, false, "success"},
	} {
		d.report(d.deploy(old.environment, old.production, old.transient).GetID(), old.state)
	}
	d.deploy("qa", false, false)
	d.deploy("qa", false, false)
	states := func() (all []string) {
		for _, made := range d.Deployments() {
			all = append(all, made.State())
		}
		return all
	}
	d.do("POST", "/deployments/6/statuses", `{"state":"success","auto_inactive":false}`)
	before := []string{"success", "failure", "success", "success", "success", "success", ""}
	if got := states(); !slices.Equal(got, before) {
		t.Errorf("states %q", got)
	}
	d.do("POST", "/deployments/6/statuses", `{"state":"in_progress"}`)
	d.do("POST", "/deployments/6/statuses", `{"state":"success"}`)
	want := []string{"inactive", "failure", "success", "success", "success", "success", ""}
	if got := states(); !slices.Equal(got, want) {
		t.Errorf("states %q", got)
	}
}

func TestPayloadIsCopied(t *testing.T) {
	d := newDouble(t, github.Options{})
	d.deploy("qa", false, false)
	d.Deployments()[0].Payload[0] = 'x'
	if !json.Valid(d.Deployments()[0].Payload) {
		t.Error("the record is not a copy")
	}
}
