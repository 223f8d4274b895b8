package github

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// CheckRun is one that was created, as it was updated last.
type CheckRun struct {
	ID                     int64
	Name, HeadSHA          string
	Status, Conclusion     string
	DetailsURL, ExternalID string
	Title, Summary, Text   string
	Annotations            []Annotation // of all requests, in order
	StartedAt, CompletedAt time.Time
}

// Annotation is a remark on lines of a file.
type Annotation struct {
	Path      string `json:"path"`
	StartLine int    `json:"start_line"`
	EndLine   int    `json:"end_line"`
	Level     string `json:"annotation_level"`
	Title     string `json:"title"`
	Message   string `json:"message"`
}

type checkInput struct {
	Name        *string    `json:"name"`
	HeadSHA     *string    `json:"head_sha"`
	Status      *string    `json:"status"`
	Conclusion  *string    `json:"conclusion"`
	DetailsURL  *string    `json:"details_url"`
	ExternalID  *string    `json:"external_id"`
	StartedAt   *time.Time `json:"started_at"`
	CompletedAt *time.Time `json:"completed_at"`
	Output      *struct {
		Title       *string      `json:"title"`
		Summary     *string      `json:"summary"`
		Text        *string      `json:"text"`
		Annotations []Annotation `json:"annotations"`
	} `json:"output"`
}

func (s *Server) createCheckRun(c *call) reply {
	in := decode[checkInput](c)
	sha := valueOr(in.HeadSHA, "")
	if !isSHA(sha) {
		return c.failed(http.StatusUnprocessableEntity, "No commit found for SHA: "+sha)
	}
	run := CheckRun{ID: int64(len(s.state.checks) + 1), HeadSHA: sha, Status: "queued", StartedAt: c.now}
	if answer, failed := in.change(c, &run); failed {
		return answer
	}
	s.state.checks = append(s.state.checks, run)
	return c.created(c.checkRun(run))
}

func (s *Server) updateCheckRun(c *call) reply {
	run := s.checkOf(c)
	if run == nil {
		return c.notFound()
	}
	changed := *run
	if answer, failed := decode[checkInput](c).change(c, &changed); failed {
		return answer
	}
	*run = changed
	return c.replied(http.StatusOK, c.checkRun(changed))
}

func (s *Server) getCheckRun(c *call) reply {
	run := s.checkOf(c)
	if run == nil {
		return c.notFound()
	}
	return c.replied(http.StatusOK, c.checkRun(*run))
}

func (s *Server) checkOf(c *call) *CheckRun {
	id := c.id("check_run_id")
	if id < 1 || id > int64(len(s.state.checks)) {
		return nil
	}
	return &s.state.checks[id-1]
}

// change writes what was sent into a run. The limits of lengths and of 50 annotations are in GitHub's description.
func (in checkInput) change(c *call, run *CheckRun) (reply, bool) {
	if valueOr(in.Status, "") == "completed" && in.Conclusion == nil {
		return c.invalid("CheckRun", "conclusion", "missing_field", "a completed check run needs a conclusion"), true
	}
	run.Name = valueOr(in.Name, run.Name)
	run.DetailsURL, run.ExternalID = valueOr(in.DetailsURL, run.DetailsURL), valueOr(in.ExternalID, run.ExternalID)
	run.StartedAt, run.CompletedAt = valueOr(in.StartedAt, run.StartedAt), valueOr(in.CompletedAt, run.CompletedAt)
	run.Status = valueOr(in.Status, run.Status)
	if in.Conclusion != nil { // it completes the run, whatever the status says
		run.Status, run.Conclusion = "completed", *in.Conclusion
		run.CompletedAt = valueOr(in.CompletedAt, c.now)
	}
	if out := in.Output; out != nil {
		run.Title, run.Summary, run.Text = valueOr(out.Title, run.Title), valueOr(out.Summary, run.Summary), valueOr(out.Text, run.Text)
		run.Annotations = append(slices.Clone(run.Annotations), out.Annotations...)
	}
	return reply{}, false
}

func (c *call) checkRun(run CheckRun) object {
	at := c.api("/check-runs/%d", run.ID)
	o := object{
		"id": run.ID, "node_id": fmt.Sprintf("CR_%d", run.ID), "url": at, "html_url": c.html("/runs/%d", run.ID),
		"name": run.Name, "head_sha": run.HeadSHA, "status": run.Status, "conclusion": nil, "details_url": run.DetailsURL, "external_id": run.ExternalID,
		"started_at": stamp(run.StartedAt), "completed_at": nil, "check_suite": object{"id": 1}, "app": nil, "pull_requests": []object{},
		"output": object{
			"title": run.Title, "summary": run.Summary, "text": run.Text,
			"annotations_count": len(run.Annotations), "annotations_url": at + "/annotations",
		},
	}
	if run.Status == "completed" {
		o["conclusion"], o["completed_at"] = run.Conclusion, stamp(run.CompletedAt)
	}
	return o
}

// CheckRuns are those that were created, oldest first.
func (s *Server) CheckRuns() []CheckRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.state.checks)
	for i := range all {
		all[i].Annotations = slices.Clone(all[i].Annotations)
	}
	return all
}
