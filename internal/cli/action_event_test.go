package cli_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	headCommit = "ec26c3e57ca3a959ca5aad62de7213c562f8c821" // of the pull request in the examples
	baseCommit = "f95f852bd8fca8fcc58a9a2d6c842781e32a215e" // its base
	runCommit  = "5779607b49aab1200488439f02372c57b4f75444" // of the workflow run in the examples
)

// starts makes a job one that an event has started.
func (j *job) starts(event, payload string) {
	j.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "github", "events", payload+".json"))
	if err != nil {
		j.t.Fatal(err)
	}
	j.EventName, j.Event = event, text
}

// TestActionEvents: GitHub is told at the commit that people look at, whatever started the workflow.
func TestActionEvents(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ event, payload, sha string }{
		{"push", "push", commit},
		{"workflow_dispatch", "workflow_dispatch", commit},
		{"pull_request", "pull_request_opened", headCommit},
		{"pull_request", "pull_request_synchronize", headCommit},
		{"pull_request", "pull_request_closed", headCommit},
		{"pull_request", "pull_request_fork", headCommit},
		{"pull_request_target", "pull_request_fork", headCommit},
		{"release", "release_published", commit},
		{"schedule", "schedule", commit},
		{"deployment_status", "deployment_status", commit},
		{"issue_comment", "issue_comment_created", commit},
		{"workflow_run", "workflow_run_completed", runCommit},
	} {
		t.Run(tt.event+" "+tt.payload, func(t *testing.T) {
			t.Parallel()
			s := open(t, setup{})
			for _, base := range []string{baseCommit, commit} {
				s.hub.AddFile(base, "tidegate.yaml", release("shop", "checkout"))
			}
			j := s.job(release("shop", "checkout"))
			j.starts(tt.event, tt.payload)
			o := j.run("image", "shop:v1")
			want(t, o, 0, "unchanged")
			s.told(tt.sha, map[string]string{"checkout": "success"})
			for _, other := range []string{commit, headCommit, baseCommit, runCommit} {
				if other != tt.sha {
					s.told(other, map[string]string{})
				}
			}
		})
	}
}

// TestActionRef: the input ref goes before the event's commit.
func TestActionRef(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	s.hub.AddRef("refs/tags/v7", headCommit)
	for _, tt := range []struct{ name, ref, sha string }{
		{"a tag", "v7", headCommit},
		{"a commit", runCommit, runCommit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := s.job(release("shop", "checkout")).run("image", "shop:v1", "ref", tt.ref)
			want(t, o, 0, "unchanged")
			s.told(tt.sha, map[string]string{"checkout": "success"})
		})
	}
	t.Run("none that there is", func(t *testing.T) {
		o := s.job(release("shop", "checkout")).run("image", "shop:v1", "ref", "no/such")
		want(t, o, 2, "invalid")
		contains(t, "the reason", o.Outputs["reason"], "input ref", "no/such")
	})
	s.told(commit, map[string]string{})
}

// TestActionUntrusted: after an event that a stranger may have caused, the spec is the base's, whatever the workspace
// holds.
func TestActionUntrusted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ event, payload, base string }{
		{"pull_request_target", "pull_request_fork", baseCommit},
		{"pull_request_target", "pull_request_opened", baseCommit},
		{"issue_comment", "issue_comment_created", commit},
		{"workflow_run", "workflow_run_completed", commit},
	} {
		t.Run(tt.event+" "+tt.payload, func(t *testing.T) {
			t.Parallel()
			both := app("shop", "checkout", "shop:v1") + app("victim", "victim", "shop:v0")
			s := open(t, setup{objects: both})
			j := s.job(release("victim", "victim", "https://victim.example.com", "https://evil.example.com"))
			j.write(".github/tidegate.yaml", release("victim", "victim"))
			j.starts(tt.event, tt.payload)
			untouched := func() {
				t.Helper()
				s.runs("shop", "shop:v1")
				s.runs("victim", "shop:v0")
				if n := len(s.hub.Deployments()); n > 0 {
					t.Errorf("%d deployments", n)
				}
			}
			o := j.run("image", "shop:v2")
			want(t, o, 2, "invalid")
			contains(t, "the reason", o.Outputs["reason"], "no tidegate.yaml and no .github/tidegate.yaml", tt.base, "on "+tt.event)
			untouched()

			s.hub.AddFile(tt.base, ".github/tidegate.yaml", release("shop", "checkout"))
			o = j.run("image", "shop:v2", "spec", "tidegate.yaml")
			want(t, o, 2, "invalid")
			untouched()
			o = j.run("image", "shop:v1", "spec", "")
			want(t, o, 0, "unchanged")
			untouched()

			o = j.run("image", "shop:v2")
			want(t, o, 0, "succeeded")
			if url := o.Outputs["environment-url"]; url != "https://checkout.example.com" {
				t.Errorf("environment-url %q", url)
			}
			s.runs("shop", "shop:v2")
			s.runs("victim", "shop:v0")
		})
	}
}

// TestActionUntrustedPost: the post step of such an event undoes by the spec that main used, though the workspace and even
// the base have another one by then.
func TestActionUntrustedPost(t *testing.T) {
	t.Parallel()
	s := open(t, setup{objects: app("shop", "checkout", "shop:v1") + app("victim", "checkout", "shop:v0")})
	s.hub.AddFile(baseCommit, "tidegate.yaml", release("shop", "checkout", "hold: 1s", "hold: 10m"))
	j := s.job(release("victim", "checkout"))
	j.starts("pull_request_target", "pull_request_fork")
	main := j.start("image", "shop:v2")
	j.half(main)
	main.Cancel()
	s.hub.AddFile(baseCommit, "tidegate.yaml", release("victim", "checkout"))
	post := j.post(main)
	want(t, post, 0, "aborted")
	s.runs("shop", "shop:v1")
	s.runs("victim", "shop:v0")
	s.told(headCommit, closedWith("failure", "success"))
}

// TestActionWithoutContents: a spec that may not be read names the permission.
func TestActionWithoutContents(t *testing.T) {
	t.Parallel()
	s := open(t, setup{permissions: map[string]string{"deployments": "write", "statuses": "write"}})
	s.hub.AddFile(commit, "tidegate.yaml", release("shop", "checkout"))
	j := s.job(release("shop", "checkout"))
	j.starts("issue_comment", "issue_comment_created")
	o := j.run("image", "shop:v2")
	want(t, o, 2, "invalid")
	contains(t, "the reason", o.Outputs["reason"], "`contents: read`", "403")
	if a := annotations(o, "error"); len(a) != 1 || !strings.Contains(a[0].Message, "`contents: read`") {
		t.Errorf("annotations %+v", a)
	}
	s.runs("shop", "shop:v1")
}

// TestActionKubeconfigOfStrangers: a kubeconfig in the workspace is a stranger's file, too.
func TestActionKubeconfigOfStrangers(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	s.hub.AddFile(commit, "tidegate.yaml", release("shop", "checkout"))
	for _, tt := range []struct {
		name, event, payload string
		trusted              bool
		give                 func(j *job, path string)
	}{
		{"input", "issue_comment", "issue_comment_created", false, func(j *job, path string) { j.with["kubeconfig"] = path }},
		{"relative", "issue_comment", "issue_comment_created", false, func(j *job, _ string) { j.with["kubeconfig"] = "./kube/config" }},
		{"variable", "issue_comment", "issue_comment_created", false, func(j *job, path string) { j.with["kubeconfig"], j.Env["KUBECONFIG"] = "", path }},
		{"behind a link", "issue_comment", "issue_comment_created", false, func(j *job, path string) {
			link := filepath.Join(j.Temp(), "kubeconfig")
			if err := os.Symlink(path, link); err != nil {
				j.t.Fatal(err)
			}
			j.with["kubeconfig"] = link
		}},
		{"trusted event", "push", "push", true, func(j *job, path string) { j.with["kubeconfig"] = path }},
		{"of the runner", "issue_comment", "issue_comment_created", true, func(j *job, _ string) {
			path := filepath.Join(j.Temp(), "kubeconfig")
			if err := os.WriteFile(path, s.cluster.Kubeconfig(), 0o600); err != nil {
				j.t.Fatal(err)
			}
			j.with["kubeconfig"] = path
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &stage{t: t, cluster: s.cluster, hub: s.hub, hubURL: s.hubURL}
			j := s.job(release("shop", "checkout"))
			j.starts(tt.event, tt.payload)
			j.write("kube/config", string(s.cluster.Kubeconfig()))
			tt.give(j, filepath.Join(j.Workspace(), "kube", "config"))
			o := j.run("image", "shop:v1")
			if tt.trusted {
				want(t, o, 0, "unchanged")
				return
			}
			want(t, o, 2, "invalid")
			contains(t, "the reason", o.Outputs["reason"], "lies in the workspace", "a stranger's files")
		})
	}
}

// TestActionPaths: no path leads out of the workspace, neither for reading nor for writing.
func TestActionPaths(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	for _, tt := range []struct {
		name, path string
		code       int
		reason     string
	}{
		{"up", "../spec.yaml", 2, "input spec is ../spec.yaml, which is not a path inside the repository"},
		{"up in between", "a/../../spec.yaml", 2, "not a path inside"},
		{"absolute", "OUTSIDE/spec.yaml", 2, "not a path inside"},
		{"link to a file outside", "link.yaml", 2, "escapes"},
		{"link to a folder outside", "folder/spec.yaml", 2, "escapes"},
		{"a folder", "a", 2, "directory"},
		{"link to a file inside", "inside.yaml", 0, ""},
		{"up and down again", "a/../tidegate.yaml", 0, ""},
		{"with a dot", "./tidegate.yaml", 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &stage{t: t, cluster: s.cluster, hub: s.hub, hubURL: s.hubURL}
			j := s.job(release("shop", "checkout"))
			outside := filepath.Dir(j.Workspace())
			j.write("../spec.yaml", release("shop", "checkout"))
			j.write("a/x", "")
			for name, target := range map[string]string{"link.yaml": "../spec.yaml", "folder": outside, "inside.yaml": "tidegate.yaml"} {
				if err := os.Symlink(target, filepath.Join(j.Workspace(), name)); err != nil {
					t.Fatal(err)
				}
			}
			o := j.run("image", "shop:v1", "spec", strings.Replace(tt.path, "OUTSIDE", outside, 1))
			if o.ExitCode != tt.code {
				t.Errorf("exit code %d, want %d", o.ExitCode, tt.code)
			}
			contains(t, "the reason", o.Outputs["reason"], tt.reason)
		})
	}
}

// TestActionReportOutside: a link in the report's place, and what that does to the step: nothing.
func TestActionReportOutside(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	for _, tt := range []struct {
		name string
		link func(workspace, outside string) error
	}{
		{"the folder is a link", func(w, outside string) error { return os.Symlink(outside, filepath.Join(w, "tidegate-report")) }},
		{"the file is a link", func(w, outside string) error {
			return errors.Join(os.Mkdir(filepath.Join(w, "tidegate-report"), 0o755),
				os.Symlink(filepath.Join(outside, "checkout.html"), filepath.Join(w, "tidegate-report", "checkout.html")))
		}},
		{"the folder is a file", func(w, _ string) error { return os.WriteFile(filepath.Join(w, "tidegate-report"), nil, 0o644) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &stage{t: t, cluster: s.cluster, hub: s.hub, hubURL: s.hubURL}
			j := s.job(release("shop", "checkout"))
			outside := t.TempDir()
			if err := tt.link(j.Workspace(), outside); err != nil {
				t.Fatal(err)
			}
			o := j.run("image", "shop:v1")
			want(t, o, 0, "unchanged")
			if o.Outputs["report"] != "" || !strings.Contains(o.Log, "warning: the report cannot be written") {
				t.Errorf("output report is %q", o.Outputs["report"])
			}
			if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
				t.Errorf("outside of the workspace there is %v, %v", left, err)
			}
		})
	}
}
