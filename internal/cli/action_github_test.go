package cli_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/sandbox/github"
)

// TestActionPermissions: without a permission the rollout goes on, with one warning that names what is missing.
func TestActionPermissions(t *testing.T) {
	t.Parallel()
	all := map[string]string{"contents": "read", "deployments": "write", "statuses": "write", "checks": "write"}
	for _, tt := range []struct{ name, warning string }{
		{"none missing", ""},
		{"deployments", "`deployments: read`"},
		{"statuses", "`statuses: write`"},
		{"checks", "`checks: write`"},
		{"contents", ""}, // a push's spec is in the workspace
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			has := maps.Clone(all)
			delete(has, tt.name)
			s := open(t, setup{permissions: has})
			o := s.job(release("shop", "checkout")).run("image", "shop:v2", "checks", "true")
			want(t, o, 0, "succeeded")
			warnings := annotations(o, "warning")
			if tt.warning == "" && len(warnings) > 0 || tt.warning != "" && (len(warnings) != 1 || !strings.Contains(warnings[0].Message, tt.name+": write")) {
				t.Errorf("warnings %+v", warnings)
			}
			if tt.name != "deployments" {
				s.deployed("success")
			}
			if tt.name != "statuses" {
				s.told(commit, closedWith("success", "success"))
			}
		})
	}
}

// wholeRollout is how many lines of a log tell of the steps of a rollout that goes well.
const wholeRollout = 11

// steps are the lines of a log that tell of the rollout, without their times.
func steps(log string) int {
	n := 0
	for line := range strings.Lines(log) {
		if strings.Contains(line, "in force") || strings.Contains(line, "done in") {
			n++
		}
	}
	return n
}

// TestActionGitHubDown: a GitHub that does not work costs the rollout nothing; the post step tells what is missing.
func TestActionGitHubDown(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer *github.Answer
		most   int // requests of main
	}{
		{"502", github.BadGateway(), 12},
		{"429 for a minute", github.SecondaryLimit(http.StatusTooManyRequests, time.Minute), 3},
		{"429 without a time", github.SecondaryLimit(http.StatusTooManyRequests, 0), 3},
		{"403 for a minute", github.SecondaryLimit(http.StatusForbidden, time.Minute), 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, setup{})
			s.hub.Fault(func(*http.Request) *github.Answer { return tt.answer })
			j := s.job(release("shop", "checkout"))
			main := j.start("image", "shop:v2")
			o := main.Wait()
			j.faultless(o)
			want(t, o, 0, "succeeded")
			if n := steps(o.Log); n != wholeRollout {
				t.Errorf("%d lines tell of steps, want %d", n, wholeRollout)
			}
			if a := annotations(o, "warning"); len(a) != 1 || !strings.Contains(a[0].Message, "GitHub does not know all") {
				t.Errorf("warnings %+v", a)
			}
			if n := len(s.hub.Requests()); n > tt.most {
				t.Errorf("%d requests while GitHub does not work, want at most %d", n, tt.most)
			}
			s.runs("shop", "shop:v2")
			if n := len(s.hub.Deployments()) + len(s.hub.CommitStatuses(commit)); n > 0 {
				t.Errorf("GitHub knows %d things", n)
			}
			s.hub.Fault(nil)
			calls := s.calls()
			if post := j.post(main); post.ExitCode != 0 {
				t.Errorf("post: exit code %d", post.ExitCode)
			}
			if s.calls() != calls {
				t.Errorf("post called the cluster %d times", s.calls()-calls)
			}
			s.deployed("success")
			s.told(commit, closedWith("success", "success"))
		})
	}
}

// TestActionWithoutToken: without a token nothing is told, and nothing is missed.
func TestActionWithoutToken(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	o := s.job(release("shop", "checkout")).run("image", "shop:v2", "github-token", "")
	want(t, o, 0, "succeeded")
	if len(s.hub.Requests()) > 0 || len(annotations(o, "warning")) > 0 {
		t.Errorf("%d requests, annotations %+v", len(s.hub.Requests()), o.Annotations)
	}
	o = s.job(release("shop", "checkout")).run("image", "shop:v1", "github-token", "ghs_ofAnotherJob")
	want(t, o, 0, "succeeded")
	if a := annotations(o, "warning"); len(a) == 0 || !strings.Contains(a[0].Message, "github-token") {
		t.Errorf("warnings with a wrong token: %+v", a)
	}
}
