package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"
)

// callTimeout bounds what is asked at once: up to three requests.
const callTimeout = 10 * time.Second

// Access says where GitHub's API is and who asks. The zero value reaches nothing.
type Access struct {
	API        string // https://api.github.com, or https://HOST/api/v3 on Enterprise Server
	Token      string
	Repository string // owner/name
	// Transport, if set, carries the requests: tests.
	Transport http.RoundTripper
}

// client makes the few calls that are needed, each once: who retries is the caller, who bounds them, too.
type client struct {
	http        *http.Client
	base        *url.URL
	token       string
	owner, repo string
}

func (a Access) client() (*client, error) {
	owner, repo, ok := strings.Cut(a.Repository, "/")
	if !ok || owner == "" || repo == "" || strings.Contains(repo, "/") {
		return nil, fmt.Errorf("the repository %q is not of the form owner/name; GITHUB_REPOSITORY should hold it", a.Repository)
	}
	base, err := url.Parse(strings.TrimSuffix(a.API, "/") + "/")
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, fmt.Errorf("GITHUB_API_URL is %q, which is no URL of an API", a.API)
	}
	return &client{http: &http.Client{Transport: a.Transport}, base: base, token: a.Token, owner: owner, repo: repo}, nil
}

// api is the library, new for each call: it remembers rate limits by a rule of its own, and would refuse to ask for up
// to an hour where GitHub wants a minute.
func (c *client) api() *gh.Client {
	api := gh.NewClient(c.http).WithAuthToken(c.token)
	api.BaseURL, api.UserAgent = c.base, "tidegate"
	return api
}

// payload is what a deployment of ours carries, so that it is found again.
type payload struct {
	Tidegate *mark `json:"tidegate,omitempty"`
}

type mark struct {
	Rollout string            `json:"rollout"`
	Name    string            `json:"name"`
	Images  map[string]string `json:"images,omitempty"`
	Plan    string            `json:"plan,omitempty"`
}

// deployment is what is needed to know of one.
type deployment struct {
	id      int64
	sha     string
	bot     bool // made by a workflow
	created time.Time
	mark    *mark // nil when it is not ours
}

// createDeployment makes one. auto_merge and required_contexts are always sent: their defaults merge branches (202) and
// refuse a commit whose statuses are pending, ours among them (409).
func (c *client) createDeployment(ctx context.Context, l *Ledger, m mark, production, transient bool) (int64, error) {
	d, _, err := c.api().Repositories.CreateDeployment(ctx, c.owner, c.repo, &gh.DeploymentRequest{
		Ref: &l.SHA, Task: gh.String("deploy"), AutoMerge: gh.Bool(false), RequiredContexts: &[]string{}, Payload: payload{&m},
		Environment: &l.Environment, Description: gh.String(clip(imagesText(m), descriptionLimit)),
		ProductionEnvironment: &production, TransientEnvironment: &transient,
	})
	if err != nil {
		return 0, err
	}
	return d.GetID(), nil
}

// deployments lists the newest of one environment.
func (c *client) deployments(ctx context.Context, environment string) ([]deployment, error) {
	list, _, err := c.api().Repositories.ListDeployments(ctx, c.owner, c.repo, &gh.DeploymentsListOptions{
		Environment: environment, ListOptions: gh.ListOptions{PerPage: 100},
	})
	if err != nil {
		return nil, err
	}
	all := make([]deployment, 0, len(list))
	for _, d := range list {
		all = append(all, deployment{id: d.GetID(), sha: d.GetSHA(), bot: d.GetCreator().GetType() == "Bot",
			created: d.GetCreatedAt().Time, mark: markOf(d.Payload)})
	}
	return all, nil
}

// markOf reads our mark; the API gives a payload back as an object, or as the text that it was sent as.
func markOf(raw json.RawMessage) *mark {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	var p payload
	if json.Unmarshal(raw, &p) != nil {
		return nil
	}
	return p.Tidegate
}

// deploymentStatus adds a status. auto_inactive is never left to GitHub: it spares production and transient
// environments, and would hit the other services of an environment that several share.
func (c *client) deploymentStatus(ctx context.Context, id int64, p Post, environmentURL, logURL string) error {
	request := &gh.DeploymentStatusRequest{State: &p.State, Description: gh.String(clip(p.Text, descriptionLimit)), AutoInactive: gh.Bool(false)}
	if environmentURL != "" {
		request.EnvironmentURL = &environmentURL
	}
	if logURL != "" {
		request.LogURL = &logURL
	}
	_, _, err := c.api().Repositories.CreateDeploymentStatus(ctx, c.owner, c.repo, id, request)
	return err
}

// deploymentState is a deployment's latest state; "" when it has none.
func (c *client) deploymentState(ctx context.Context, id int64) (string, error) {
	list, _, err := c.api().Repositories.ListDeploymentStatuses(ctx, c.owner, c.repo, id, &gh.ListOptions{PerPage: 1})
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[0].GetState(), nil
}

func (c *client) commitStatus(ctx context.Context, sha, context string, p Post, target string) error {
	status := &gh.RepoStatus{State: &p.State, Context: &context, Description: gh.String(clip(p.Text, descriptionLimit))}
	if target != "" {
		status.TargetURL = &target
	}
	_, _, err := c.api().Repositories.CreateStatus(ctx, c.owner, c.repo, sha, status)
	return err
}

// checkRun creates a check run, or updates the one with the id. A conclusion completes it.
func (c *client) checkRun(ctx context.Context, id int64, l *Ledger, name, conclusion, title, text, details string) (int64, error) {
	output := &gh.CheckRunOutput{Title: gh.String(clip(title, titleLimit)), Summary: gh.String(clip(text, checkLimit))}
	status, end := "in_progress", (*string)(nil)
	if conclusion != "" {
		status, end = "completed", &conclusion
	}
	var link *string
	if details != "" {
		link = &details
	}
	if id != 0 {
		_, _, err := c.api().Checks.UpdateCheckRun(ctx, c.owner, c.repo, id, gh.UpdateCheckRunOptions{
			Name: name, Status: &status, Conclusion: end, Output: output, DetailsURL: link})
		return id, err
	}
	run, _, err := c.api().Checks.CreateCheckRun(ctx, c.owner, c.repo, gh.CreateCheckRunOptions{
		Name: name, HeadSHA: l.SHA, Status: &status, Conclusion: end, Output: output, DetailsURL: link})
	return run.GetID(), err
}
