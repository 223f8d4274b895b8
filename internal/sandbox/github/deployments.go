package github

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// longestDescription is in characters. The reference says it of deployment statuses, GitHub does it to commit statuses.
	longestDescription = 140
	// mostDeploymentStatuses is a guess: GitHub has a maximum and does not say which.
	mostDeploymentStatuses = 100
)

// Deployment is one that was created. It has the state of its last status, or none yet.
type Deployment struct {
	ID                          int64
	SHA, Ref, Environment, Task string
	Production, Transient       bool
	Payload                     json.RawMessage // as sent; "" if none was
	Description, Creator        string
	CreatedAt                   time.Time
	Statuses                    []DeploymentStatus // oldest first
	originalEnvironment         string
	updatedAt                   time.Time
}

// State is that of the last status, "" if there is none.
func (d Deployment) State() string {
	if len(d.Statuses) == 0 {
		return ""
	}
	return d.Statuses[len(d.Statuses)-1].State
}

// DeploymentStatus is one of a deployment's.
type DeploymentStatus struct {
	ID                                         int64
	State, Description, LogURL, EnvironmentURL string
	Environment, Creator                       string
	At                                         time.Time
}

type environment struct {
	name string
	at   time.Time
}

type deploymentInput struct {
	Ref                   string          `json:"ref"`
	Task                  *string         `json:"task"`
	AutoMerge             *bool           `json:"auto_merge"`
	RequiredContexts      *[]string       `json:"required_contexts"`
	Payload               json.RawMessage `json:"payload"`
	Environment           *string         `json:"environment"`
	Description           string          `json:"description"`
	TransientEnvironment  bool            `json:"transient_environment"`
	ProductionEnvironment *bool           `json:"production_environment"`
}

func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

func (s *Server) createDeployment(c *call) reply {
	in := decode[deploymentInput](c)
	sha, ok := s.resolve(in.Ref)
	if !ok {
		return c.failed(http.StatusUnprocessableEntity, "No ref found for: "+in.Ref)
	}
	if valueOr(in.AutoMerge, true) {
		return c.replied(http.StatusAccepted, object{"message": fmt.Sprintf("Auto-merged %s into %s on deployment.", defaultBranch, in.Ref)})
	}
	if answer, failed := s.unmet(c, in, sha); failed {
		return answer
	}
	name := valueOr(in.Environment, "production")
	d := Deployment{
		ID: int64(len(s.state.deployments) + 1), SHA: sha, Ref: in.Ref, Environment: name, Task: valueOr(in.Task, "deploy"),
		Production: valueOr(in.ProductionEnvironment, name == "production"), Transient: in.TransientEnvironment,
		Payload: in.Payload, Description: in.Description, Creator: bot,
		CreatedAt: c.now, updatedAt: c.now, originalEnvironment: name,
	}
	if len(d.Payload) == 0 {
		d.Payload = json.RawMessage(`""`)
	}
	s.state.deployments = append(s.state.deployments, d)
	s.use(name, c.now)
	return c.created(c.deployment(d))
}

// use creates an environment, unless it is there.
func (s *Server) use(name string, now time.Time) {
	if !slices.ContainsFunc(s.state.environments, func(e environment) bool { return e.name == name }) {
		s.state.environments = append(s.state.environments, environment{name, now})
	}
}

// unmet is the conflict that a commit without the required contexts makes: all that were submitted, and at least one,
// unless the request names them.
func (s *Server) unmet(c *call, in deploymentInput, sha string) (reply, bool) {
	states := map[string]string{}
	for _, status := range s.state.statuses[sha] {
		states[status.Context] = status.State
	}
	if in.RequiredContexts == nil {
		in.RequiredContexts = &[]string{}
		for context := range states {
			*in.RequiredContexts = append(*in.RequiredContexts, context)
		}
		slices.Sort(*in.RequiredContexts)
	} else if len(*in.RequiredContexts) == 0 {
		return reply{}, false
	}
	failed := len(states) == 0
	contexts := []object{}
	for _, context := range *in.RequiredContexts {
		failed = failed || states[context] != "success"
		contexts = append(contexts, object{"context": context, "state": states[context]})
	}
	r := c.failed(http.StatusConflict, fmt.Sprintf("Conflict: Commit status checks failed for %s.", in.Ref))
	r.body.(object)["errors"] = []object{{"contexts": contexts, "resource": "Deployment", "field": "required_contexts", "code": "invalid"}}
	return r, failed
}

func (s *Server) listDeployments(c *call) reply {
	query := c.URL.Query()
	fits := func(name, value string) bool {
		want := query.Get(name)
		return want == "" || want == "none" || want == value
	}
	var found []Deployment
	for _, d := range slices.Backward(s.state.deployments) {
		if s.visible(c, d.CreatedAt) && fits("sha", d.SHA) && fits("ref", d.Ref) && fits("task", d.Task) && fits("environment", d.Environment) {
			found = append(found, d)
		}
	}
	return listed(c, found, c.deployment)
}

// visible tells whether lists show what was created then.
func (s *Server) visible(c *call, created time.Time) bool {
	return s.options.Lag == 0 || !c.now.Before(created.Add(s.options.Lag))
}

// deploymentOf is the one that the path names, or nil.
func (s *Server) deploymentOf(c *call) *Deployment {
	id := c.id("deployment_id")
	if id < 1 || id > int64(len(s.state.deployments)) {
		return nil
	}
	return &s.state.deployments[id-1]
}

func (s *Server) getDeployment(c *call) reply {
	d := s.deploymentOf(c)
	if d == nil {
		return c.notFound()
	}
	return c.replied(http.StatusOK, c.deployment(*d))
}

type deploymentStatusInput struct {
	State          string  `json:"state"`
	TargetURL      string  `json:"target_url"`
	LogURL         string  `json:"log_url"`
	Description    string  `json:"description"`
	Environment    *string `json:"environment"`
	EnvironmentURL string  `json:"environment_url"`
	AutoInactive   *bool   `json:"auto_inactive"`
}

func (s *Server) createDeploymentStatus(c *call) reply {
	const resource = "DeploymentStatus"
	d := s.deploymentOf(c)
	if d == nil {
		return c.notFound()
	}
	in := decode[deploymentStatusInput](c)
	if in.LogURL == "" {
		in.LogURL = in.TargetURL
	}
	if utf8.RuneCountInString(in.Description) > longestDescription {
		return c.invalid(resource, "description", "custom", "description is too long (maximum is 140 characters)")
	}
	if field := notWeb("log_url", in.LogURL, "environment_url", in.EnvironmentURL); field != "" {
		return c.invalid(resource, field, "custom", field+" must use http(s) scheme")
	}
	if len(d.Statuses) >= mostDeploymentStatuses {
		return c.invalid(resource, "", "custom", "This deployment has reached the maximum number of statuses.")
	}
	d.Environment = valueOr(in.Environment, d.Environment)
	s.use(d.Environment, c.now)
	s.add(d, DeploymentStatus{State: in.State, Description: in.Description, LogURL: in.LogURL, EnvironmentURL: in.EnvironmentURL}, c.now)
	if in.State == "success" && valueOr(in.AutoInactive, true) {
		s.deactivate(*d, c.now)
	}
	return c.created(c.deploymentStatus(*d, d.Statuses[len(d.Statuses)-1]))
}

func (s *Server) add(d *Deployment, status DeploymentStatus, now time.Time) {
	s.state.statusCount++
	status.ID, status.Environment, status.Creator, status.At = int64(s.state.statusCount), d.Environment, bot, now
	d.Statuses = append(d.Statuses, status)
	d.updatedAt = now
}

// deactivate ends what a success replaces: not production, not the transient, and only what had success itself.
func (s *Server) deactivate(by Deployment, now time.Time) {
	for i := range s.state.deployments {
		d := &s.state.deployments[i]
		if d.ID < by.ID && d.Environment == by.Environment && !d.Production && !d.Transient && d.State() == "success" {
			s.add(d, DeploymentStatus{State: "inactive"}, now)
		}
	}
}

// notWeb is the name of the first address that is none of the web, of pairs of name and address.
func notWeb(pairs ...string) string {
	for pair := range slices.Chunk(pairs, 2) {
		if address := pair[1]; address != "" && !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
			return pair[0]
		}
	}
	return ""
}

func (s *Server) listDeploymentStatuses(c *call) reply {
	d := s.deploymentOf(c)
	if d == nil {
		return c.notFound()
	}
	var found []DeploymentStatus
	for _, status := range slices.Backward(d.Statuses) {
		if s.visible(c, status.At) {
			found = append(found, status)
		}
	}
	return listed(c, found, func(status DeploymentStatus) object { return c.deploymentStatus(*d, status) })
}

func (c *call) deployment(d Deployment) object {
	at := c.api("/deployments/%d", d.ID)
	return object{
		"id": d.ID, "node_id": fmt.Sprintf("DE_%d", d.ID), "url": at, "statuses_url": at + "/statuses", "repository_url": c.api(""),
		"sha": d.SHA, "ref": d.Ref, "task": d.Task, "payload": d.Payload, "description": d.Description, "creator": c.user(),
		"environment": d.Environment, "original_environment": d.originalEnvironment,
		"production_environment": d.Production, "transient_environment": d.Transient,
		"created_at": stamp(d.CreatedAt), "updated_at": stamp(d.updatedAt),
	}
}

func (c *call) deploymentStatus(d Deployment, status DeploymentStatus) object {
	at := c.api("/deployments/%d", d.ID)
	return object{
		"id": status.ID, "node_id": fmt.Sprintf("DES_%d", status.ID), "url": fmt.Sprintf("%s/statuses/%d", at, status.ID),
		"deployment_url": at, "repository_url": c.api(""), "state": status.State, "description": status.Description,
		"environment": status.Environment, "log_url": status.LogURL, "target_url": status.LogURL, "environment_url": status.EnvironmentURL,
		"creator": c.user(), "created_at": stamp(status.At), "updated_at": stamp(status.At),
	}
}

func (s *Server) getEnvironment(c *call) reply {
	name := c.params["environment_name"]
	i := slices.IndexFunc(s.state.environments, func(e environment) bool { return e.name == name })
	if i < 0 {
		return c.notFound()
	}
	at := stamp(s.state.environments[i].at)
	return c.replied(http.StatusOK, object{
		"id": i + 1, "node_id": fmt.Sprintf("EN_%d", i+1), "name": name, "url": c.api("/environments/%s", escaped(name)),
		"html_url": c.html("/deployments/activity_log?environments_filter=%s", escaped(name)), "created_at": at, "updated_at": at,
		"protection_rules": []object{}, "deployment_branch_policy": nil,
	})
}

// Deployments are those that were created, oldest first.
func (s *Server) Deployments() []Deployment {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.state.deployments)
	for i := range all {
		all[i].Payload, all[i].Statuses = bytes.Clone(all[i].Payload), slices.Clone(all[i].Statuses)
	}
	return all
}
