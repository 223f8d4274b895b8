package actions

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// Event is what started the workflow, as far as it matters here.
type Event struct {
	Name string
	// SHA is the commit that people look at: on a pull request its head, not the merge commit that GITHUB_SHA is.
	SHA string
	// SpecSHA is the commit of the base at which the spec is read when the workspace must not be trusted with what is
	// deployed and how.
	SpecSHA string
	Fork    bool // a pull request from another repository
	Number  int  // of the pull request, or 0
}

// Trusted tells whether files of the workspace may say what is done.
func (e Event) Trusted() bool { return !privileged(e.Name) }

// Place is where on GitHub the job runs.
type Place struct {
	API        string // GITHUB_API_URL, of Enterprise Server too
	Repository string
	RunURL     string // of this run and attempt; "" outside a workflow
	Workspace  string
	Actor      string
}

// Place reads it from the environment.
func (r *Runner) Place() Place {
	p := Place{API: r.getenv("GITHUB_API_URL"), Repository: r.getenv("GITHUB_REPOSITORY"), Workspace: r.getenv("GITHUB_WORKSPACE"), Actor: r.getenv("GITHUB_ACTOR")}
	if id := r.getenv("GITHUB_RUN_ID"); id != "" {
		p.RunURL = r.getenv("GITHUB_SERVER_URL") + "/" + p.Repository + "/actions/runs/" + id
		if attempt := r.getenv("GITHUB_RUN_ATTEMPT"); attempt != "" {
			p.RunURL += "/attempts/" + attempt
		}
	}
	return p
}

// event is the part of the payloads that is read. Everything in it is data from outside.
type event struct {
	PullRequest *struct {
		Number int    `json:"number"`
		Head   commit `json:"head"`
		Base   commit `json:"base"`
	} `json:"pull_request"`
	WorkflowRun *struct {
		HeadSHA string `json:"head_sha"`
	} `json:"workflow_run"`
	Issue *struct {
		Number int `json:"number"`
	} `json:"issue"`
}

type commit struct {
	SHA  string `json:"sha"`
	Repo *struct {
		FullName string `json:"full_name"`
	} `json:"repo"`
}

// privileged are the events that run with the base's secrets while what started them may be a stranger's: the workspace
// may hold the stranger's files then.
func privileged(name string) bool {
	return slices.Contains([]string{"pull_request_target", "issue_comment", "workflow_run"}, name)
}

// Event reads what started the workflow.
func (r *Runner) Event() (Event, error) {
	e := Event{Name: r.getenv("GITHUB_EVENT_NAME"), SHA: r.getenv("GITHUB_SHA")}
	if privileged(e.Name) {
		e.SpecSHA = e.SHA // for these events the last commit of the base, or of the default branch
	}
	path := r.getenv("GITHUB_EVENT_PATH")
	if path == "" {
		return e, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return e, fmt.Errorf("the event that started the workflow cannot be read: %w", err)
	}
	var payload event
	if err := json.Unmarshal(data, &payload); err != nil {
		return e, fmt.Errorf("the event that started the workflow (%s) is no event: %w", path, err)
	}
	switch pr := payload.PullRequest; {
	case pr != nil:
		e.SHA, e.Number = cmp.Or(pr.Head.SHA, e.SHA), pr.Number
		e.Fork = pr.Head.Repo == nil || pr.Base.Repo == nil || pr.Head.Repo.FullName != pr.Base.Repo.FullName
		if privileged(e.Name) {
			e.SpecSHA = cmp.Or(pr.Base.SHA, e.SpecSHA)
		}
	case payload.WorkflowRun != nil:
		e.SHA = cmp.Or(payload.WorkflowRun.HeadSHA, e.SHA)
	case payload.Issue != nil:
		e.Number = payload.Issue.Number
	}
	return e, nil
}
