package github_test

import (
	"strings"
	"testing"
	"time"

	client "github.com/google/go-github/v60/github"

	"github.com/tidegate/tidegate/internal/sandbox/github"
)

func TestComments(t *testing.T) {
	d := newDouble(t, github.Options{})
	for _, body := range []string{"first", strings.Repeat("é", 65536), "third"} {
		made, _, err := d.Client.Issues.CreateComment(t.Context(), owner, repo, 7, &client.IssueComment{Body: &body})
		if err != nil || made.GetBody() != body || made.GetUser().GetLogin() != "github-actions[bot]" {
			t.Fatalf("%v: %v", made.GetID(), err)
		}
	}
	d.do("POST", "/issues/8/comments", `{"body":"elsewhere"}`)
	d.clock.Advance(time.Minute)
	if edited, _, err := d.Client.Issues.EditComment(t.Context(), owner, repo, 1, &client.IssueComment{Body: client.String("edited")}); err != nil || edited.GetBody() != "edited" {
		t.Errorf("%v: %v", edited, err)
	}
	list, _, err := d.Client.Issues.ListComments(t.Context(), owner, repo, 7, nil)
	if err != nil || len(list) != 3 || list[0].GetBody() != "edited" || list[2].GetBody() != "third" {
		t.Errorf("listed %d: %v", len(list), err)
	}
	since := start.Add(time.Second)
	list, _, err = d.Client.Issues.ListComments(t.Context(), owner, repo, 7, &client.IssueListCommentsOptions{Since: &since})
	if err != nil || len(list) != 1 || list[0].GetID() != 1 {
		t.Errorf("listed %v: %v", list, err)
	}
	all := d.Comments()
	if len(all) != 4 || all[0].Body != "edited" || all[0].CreatedAt != start || all[0].UpdatedAt != start.Add(time.Minute) || all[3].Issue != 8 {
		t.Errorf("recorded %d, the first %+v", len(all), all[0])
	}
	if a := d.do("PATCH", "/issues/comments/9", `{"body":"x"}`); a.status != 404 {
		t.Errorf("another: %d", a.status)
	}
	long := `{"body":"` + strings.Repeat("x", 65537) + `"}`
	for _, a := range []answer{d.do("POST", "/issues/7/comments", long), d.do("PATCH", "/issues/comments/1", long)} {
		if a.status != 422 || a.field(t, "errors", "message") != "Body is too long (maximum is 65536 characters)" {
			t.Errorf("too long: %d %s", a.status, a.body)
		}
	}
	if got := d.Comments(); len(got) != 4 || got[0].Body != "edited" {
		t.Error("what was refused was kept")
	}
}

func TestCheckRuns(t *testing.T) {
	d := newDouble(t, github.Options{})
	annotation := &client.CheckRunAnnotation{
		Path: client.String("deploy.yaml"), StartLine: client.Int(3), EndLine: client.Int(3), AnnotationLevel: client.String("warning"), Message: client.String("slow"),
	}
	made, _, err := d.Client.Checks.CreateCheckRun(t.Context(), owner, repo, client.CreateCheckRunOptions{
		Name: "errors", HeadSHA: sha, Status: client.String("in_progress"), DetailsURL: client.String("https://example.com"),
		Output: &client.CheckRunOutput{Title: client.String("5 %"), Summary: client.String("so far"), Annotations: []*client.CheckRunAnnotation{annotation}},
	})
	if err != nil || made.GetStatus() != "in_progress" || made.Conclusion != nil || made.GetOutput().GetAnnotationsCount() != 1 {
		t.Fatalf("%v: %v", made, err)
	}
	d.clock.Advance(time.Minute)
	done, _, err := d.Client.Checks.UpdateCheckRun(t.Context(), owner, repo, made.GetID(), client.UpdateCheckRunOptions{
		Name: "errors", Status: client.String("completed"), Conclusion: client.String("failure"),
		Output: &client.CheckRunOutput{Title: client.String("no"), Summary: client.String("x"), Annotations: []*client.CheckRunAnnotation{annotation}},
	})
	if err != nil || done.GetStatus() != "completed" || done.GetConclusion() != "failure" || !done.GetCompletedAt().Equal(client.Timestamp{Time: start.Add(time.Minute)}) {
		t.Errorf("%v: %v", done, err)
	}
	if read, _, err := d.Client.Checks.GetCheckRun(t.Context(), owner, repo, 1); err != nil || read.GetOutput().GetTitle() != "no" {
		t.Errorf("%v: %v", read, err)
	}
	got := d.CheckRuns()
	if len(got) != 1 || got[0].Conclusion != "failure" || got[0].DetailsURL != "https://example.com" || len(got[0].Annotations) != 2 || got[0].Annotations[1].Message != "slow" {
		t.Errorf("recorded %+v", got)
	}
	got[0].Annotations[0].Path = ""
	if d.CheckRuns()[0].Annotations[0].Path == "" {
		t.Error("the record is not a copy")
	}
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
	}{
		{"another is read", "GET", "/check-runs/2", "", 404},
		{"another is updated", "PATCH", "/check-runs/2", `{"status":"in_progress"}`, 404},
		{"of no commit", "POST", "/check-runs", `{"name":"x","head_sha":"main"}`, 422},
		{"done without an end", "POST", "/check-runs", `{"name":"x","head_sha":"` + sha + `","status":"completed"}`, 422},
		{"an end without being done", "POST", "/check-runs", `{"name":"x","head_sha":"` + sha + `","conclusion":"success"}`, 201},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if a := d.do(tt.method, tt.path, tt.body); a.status != tt.status {
				t.Errorf("answered %d: %s", a.status, a.body)
			}
		})
	}
	if got := d.CheckRuns(); len(got) != 2 || got[1].Status != "completed" || got[1].CompletedAt != start.Add(time.Minute) {
		t.Errorf("recorded %+v", got)
	}
}
