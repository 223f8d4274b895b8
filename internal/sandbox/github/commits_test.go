package github_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	client "github.com/google/go-github/v60/github"

	"github.com/tidegate/tidegate/internal/sandbox/github"
)

func TestCommitStatuses(t *testing.T) {
	d := newDouble(t, github.Options{})
	d.AddRef("refs/heads/feature/x", sha)
	for _, state := range []string{"pending", "success"} {
		made, _, err := d.Client.Repositories.CreateStatus(t.Context(), owner, repo, sha, &client.RepoStatus{
			State: &state, Context: client.String("tidegate/production/checkout"), Description: client.String("is " + state), TargetURL: client.String("https://example.com"),
		})
		if err != nil || made.GetState() != state || made.GetCreator().GetLogin() == "" {
			t.Fatalf("%v: %v", made, err)
		}
		d.clock.Advance(time.Second)
	}
	d.do("POST", "/statuses/"+sha, `{"state":"error"}`)
	for _, ref := range []string{sha, "feature/x", "heads/feature/x"} {
		list, _, err := d.Client.Repositories.ListStatuses(t.Context(), owner, repo, ref, nil)
		if err != nil || len(list) != 3 || list[0].GetContext() != "default" || list[2].GetState() != "pending" {
			t.Errorf("%s: %v: %v", ref, list, err)
		}
	}
	got := d.CommitStatuses(sha)
	if len(got) != 3 || got[0].State != "pending" || got[1].Description != "is success" || got[1].At != start.Add(time.Second) || got[0].TargetURL != "https://example.com" {
		t.Errorf("recorded %+v", got)
	}
	if got[0].State = ""; d.CommitStatuses(sha)[0].State != "pending" {
		t.Error("the record is not a copy")
	}
	if a := d.do("GET", "/commits/gone/statuses", ""); a.status != 404 {
		t.Errorf("of no commit: %d", a.status)
	}
}

func TestCommitStatusIsRefused(t *testing.T) {
	for _, tt := range []struct{ name, sha, body, field, message string }{
		{"a branch is no commit", "main", `{"state":"success"}`, "sha", "sha must be a 40 character SHA1"},
		{"a short sha is none", sha[:7], `{"state":"success"}`, "sha", "sha must be a 40 character SHA1"},
		{"the description is too long", sha, `{"state":"success","description":"` + strings.Repeat("x", 141) + `"}`, "description", "description is too long (maximum is 140 characters)"},
		{"the target is no address", sha, `{"state":"success","target_url":"x"}`, "target_url", "target_url must use http(s) scheme"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDouble(t, github.Options{})
			a := d.do("POST", "/statuses/"+tt.sha, tt.body)
			if a.status != 422 || a.field(t, "errors", "field") != tt.field || a.field(t, "errors", "message") != tt.message || a.field(t, "errors", "resource") != "Status" {
				t.Errorf("answered %d: %s", a.status, a.body)
			}
			if got := d.CommitStatuses(tt.sha); len(got) != 0 {
				t.Errorf("recorded %v", got)
			}
		})
	}
	t.Run("there are too many of the context", func(t *testing.T) {
		d := newDouble(t, github.Options{Hourly: -1, Writes: -1})
		for i := range 1000 {
			if a := d.do("POST", "/statuses/"+sha, `{"state":"pending","context":"c"}`); a.status != 201 {
				t.Fatalf("%d: %s", i, a.body)
			}
		}
		if a := d.do("POST", "/statuses/"+sha, `{"state":"success","context":"c"}`); a.status != 422 || a.field(t, "errors", "message") != "This SHA and context has reached the maximum number of statuses." {
			t.Errorf("answered %d: %s", a.status, a.body)
		}
		if a := d.do("POST", "/statuses/"+sha, `{"state":"success","context":"other"}`); a.status != 201 {
			t.Errorf("another context: %d", a.status)
		}
	})
}

func TestCommits(t *testing.T) {
	d := newDouble(t, github.Options{})
	d.AddRef("v1.0", sha)
	commit, _, err := d.Client.Repositories.GetCommit(t.Context(), owner, repo, "v1.0", nil)
	if err != nil || commit.GetSHA() != sha {
		t.Errorf("%v: %v", commit, err)
	}
	if got, _, err := d.Client.Repositories.GetCommitSHA1(t.Context(), owner, repo, "tags/v1.0", ""); err != nil || got != sha {
		t.Errorf("%q: %v", got, err)
	}
	if a := d.do("GET", "/commits/gone", ""); a.status != 422 || a.field(t, "message") != "No commit found for SHA: gone" {
		t.Errorf("answered %d: %s", a.status, a.body)
	}
}

func TestContents(t *testing.T) {
	d := newDouble(t, github.Options{})
	spec := strings.Repeat("name: shop\n", 20)
	d.AddFile("", "deploy/tide gate.yaml", spec)
	d.AddFile("feature/x", "deploy/tide gate.yaml", "other")
	d.AddRef("pin", sha)
	d.AddFile("pin", "a.yaml", "pinned")
	for _, tt := range []struct{ name, ref, path, want string }{
		{"on the default branch", "", "deploy/tide gate.yaml", spec},
		{"on it by name", "refs/heads/main", "deploy/tide gate.yaml", spec},
		{"on another branch", "feature/x", "deploy/tide gate.yaml", "other"},
		{"by the commit", sha, "a.yaml", "pinned"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file, _, _, err := d.Client.Repositories.GetContents(t.Context(), owner, repo, tt.path, &client.RepositoryContentGetOptions{Ref: tt.ref})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := file.GetContent(); err != nil || got != tt.want || file.GetSize() != len(tt.want) || file.GetName() == tt.path && strings.Contains(tt.path, "/") {
				t.Errorf("read %q: %v", got, err)
			}
			raw := d.do("GET", strings.ReplaceAll(fmt.Sprintf("/contents/%s?ref=%s", tt.path, tt.ref), " ", "%20"), "", "Accept", "application/vnd.github.raw+json")
			if raw.status != 200 || raw.body != tt.want || !strings.Contains(raw.header.Get("Content-Type"), "raw") {
				t.Errorf("raw: %d %q", raw.status, raw.body)
			}
		})
	}
	// The hash of the one word that everybody can compute: printf pinned | git hash-object --stdin.
	if a := d.do("GET", "/contents/a.yaml?ref=pin", ""); a.field(t, "sha") != "e5df6cee8ea5bf2847658b99ebccea657e698c61" {
		t.Errorf("blob %s", a.field(t, "sha"))
	}
	for _, tt := range []struct{ name, path string }{
		{"no such file", "/contents/gone.yaml"},
		{"not on that branch", "/contents/a.yaml"},
		{"no such ref", "/contents/a.yaml?ref=gone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if a := d.do("GET", tt.path, ""); a.status != 404 {
				t.Errorf("answered %d: %s", a.status, a.body)
			}
		})
	}
	if a := d.do("GET", "/contents/deploy", ""); a.status != 404 || len(d.Problems()) != 1 || !strings.Contains(d.Problems()[0], "this is a folder") {
		t.Errorf("a folder: %d, %q", a.status, d.Problems())
	}
	d.allowed = true
}
