package github_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	client "github.com/google/go-github/v60/github"

	"github.com/tidegate/tidegate/internal/sandbox/github"
)

func TestStory(t *testing.T) {
	d := newDouble(t, github.Options{})
	d.deploy("production", true, false)
	d.do("POST", "/deployments/1/statuses", `{"state":"in_progress","description":"5 % of requests meet v2"}`)
	d.do("POST", "/deployments/1/statuses", `{"state":"success"}`)
	d.do("POST", "/statuses/"+sha, `{"state":"pending","context":"tidegate/production/checkout"}`)
	d.do("POST", "/statuses/"+sha, `{"state":"success","context":"tidegate/production/checkout","description":"0.1 % of requests failed"}`)
	d.do("POST", "/check-runs", `{"name":"errors","head_sha":"`+sha+`","conclusion":"success"}`)
	d.do("POST", "/issues/7/comments", `{"body":"<!-- tidegate -->\n\nDeployed v2.\nAll of it."}`)
	d.deploy("qa", false, false)
	var b strings.Builder
	if err := d.Story(&b); err != nil {
		t.Fatal(err)
	}
	want := `deployment 1  production at 5b1c2d3         in_progress  5 % of requests meet v2
                                            success
deployment 2  qa at 5b1c2d3                 created
status        tidegate/production/checkout  success      0.1 % of requests failed
check         errors                        success
comment       on #7                                      Deployed v2.
8 requests
`
	if b.String() != want {
		t.Errorf("told:\n%s", b.String())
	}
}

// TestEvents: the examples of payloads are what the client takes for those events.
func TestEvents(t *testing.T) {
	for _, tt := range []struct {
		file, event string
		holds       func(any) bool
	}{
		{"push", "push", func(e any) bool {
			p := e.(*client.PushEvent)
			return p.GetRef() == "refs/heads/master" && len(p.GetAfter()) == 40 && !p.GetCreated()
		}},
		{"workflow_dispatch", "workflow_dispatch", func(e any) bool {
			return strings.Contains(string(e.(*client.WorkflowDispatchEvent).Inputs), "production")
		}},
		{"pull_request_opened", "pull_request", pull("opened", false)},
		{"pull_request_synchronize", "pull_request", pull("synchronize", false)},
		{"pull_request_closed", "pull_request", pull("closed", false)},
		{"pull_request_fork", "pull_request", pull("opened", true)},
		{"release_published", "release", func(e any) bool {
			r := e.(*client.ReleaseEvent)
			return r.GetAction() == "published" && r.GetRelease().GetTagName() != ""
		}},
		{"deployment_status", "deployment_status", func(e any) bool {
			s := e.(*client.DeploymentStatusEvent)
			return s.GetDeploymentStatus().GetState() != "" && s.GetDeployment().GetSHA() != ""
		}},
		{"issue_comment_created", "issue_comment", func(e any) bool {
			c := e.(*client.IssueCommentEvent)
			return c.GetAction() == "created" && c.GetIssue().IsPullRequest() && c.GetComment().GetBody() != ""
		}},
		{"workflow_run_completed", "workflow_run", func(e any) bool {
			r := e.(*client.WorkflowRunEvent)
			return r.GetAction() == "completed" && len(r.GetWorkflowRun().GetHeadSHA()) == 40
		}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			text := event(t, tt.file)
			e, err := client.ParseWebHook(tt.event, text)
			if err != nil || !tt.holds(e) {
				t.Errorf("%v: %s", err, text)
			}
			var of struct{ Repository client.Repository }
			if err := json.Unmarshal(text, &of); err == nil && of.Repository.GetFullName() == "" {
				t.Error("it is of no repository")
			}
		})
	}
	t.Run("schedule", func(t *testing.T) {
		var s struct {
			Schedule   string
			Repository struct {
				FullName string `json:"full_name"`
			}
		}
		if err := json.Unmarshal(event(t, "schedule"), &s); err != nil || s.Schedule != "0 3 * * *" || s.Repository.FullName == "" {
			t.Errorf("%+v: %v", s, err)
		}
	})
}

func pull(action string, fork bool) func(any) bool {
	return func(e any) bool {
		p := e.(*client.PullRequestEvent)
		head, base := p.GetPullRequest().GetHead(), p.GetPullRequest().GetBase()
		return p.GetAction() == action && len(head.GetSHA()) == 40 &&
			(head.GetRepo().GetFullName() != base.GetRepo().GetFullName()) == fork && base.GetRepo().GetFullName() == p.GetRepo().GetFullName()
	}
}

func event(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "github", "events", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}
