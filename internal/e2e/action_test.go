package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/sandbox/runner"
)

// TestAction carries a canary from the Action's image, with the runner's environment and files.
func TestAction(t *testing.T) {
	t.Parallel()
	s, h := open(t, layout{more: "  url: https://shop.example.com\n"}), openHub(t)
	j := s.job(h)
	main := j.start(s.with("v2"))
	o := main.Wait()
	if o.Conclusion != runner.Success {
		t.Fatalf("%s with exit code %d", o.Conclusion, o.ExitCode)
	}
	s.whole("v2")
	j.faultless(o)
	for name, want := range map[string]string{"result": "succeeded", "step": "clean-up", "environment-url": "https://shop.example.com", "deployment-id": "1",
		"report": "tidegate-report/checkout.html"} {
		if o.Outputs[name] != want {
			t.Errorf("output %s is %q, want %q", name, o.Outputs[name], want)
		}
	}
	if page, err := os.ReadFile(filepath.Join(j.Workspace(), o.Outputs["report"])); err != nil || !strings.Contains(string(page), "<svg") {
		t.Errorf("report: %v, %d bytes", err, len(page))
	}
	for _, want := range []string{"✅", "```mermaid", "`shift-25`", "errors"} {
		if !strings.Contains(o.Summary, want) {
			t.Errorf("the summary has no %q:\n%s", want, o.Summary)
		}
	}
	h.closed(t, "success")
	if n := len(h.Requests()); n > 25 {
		t.Errorf("%d requests to GitHub for a canary of three steps, want at most 25", n)
	} else {
		t.Logf("%d requests to GitHub", n)
	}
	if post := j.post(main); post.Conclusion != runner.Success {
		t.Errorf("post: %s", post.Conclusion)
	}
}

// TestActionBad rolls a bad version back by itself, and the step fails with the reason.
func TestActionBad(t *testing.T) {
	t.Parallel()
	s, h := open(t, layout{hold: "20s"}), openHub(t)
	j := s.job(h)
	main := j.start(s.with("v3"))
	o := main.Wait()
	if o.ExitCode != 3 || o.Outputs["result"] != "rolled-back" || !strings.Contains(o.Outputs["reason"], "errors") {
		t.Errorf("exit code %d, outputs %v", o.ExitCode, o.Outputs)
	}
	j.faultless(o)
	h.closed(t, "failure")
	errors := 0
	for _, a := range o.Annotations {
		if a.Level == "error" {
			errors++
		}
	}
	if errors != 1 {
		t.Errorf("%d error annotations, want 1: %+v", errors, o.Annotations)
	}
	j.post(main)
	s.whole("v1")
}

// TestActionCancel cancels the job while half of the users meet the new version: main leaves in time, post takes it back.
func TestActionCancel(t *testing.T) {
	t.Parallel()
	s, h := open(t, layout{steps: "50%", hold: "60s"}), openHub(t)
	j := s.job(h)
	main := j.start(s.with("v2"))
	j.await(main, "50%  in force")
	begun := time.Now()
	main.Cancel()
	o := main.Wait()
	if took := time.Since(begun); took > 7*time.Second || len(o.Signals) != 1 {
		t.Errorf("main took %s to leave, with the signals %v", took, o.Signals)
	}
	if o.Outputs["result"] != "cancelled" {
		t.Errorf("result %q", o.Outputs["result"])
	}
	j.faultless(o)
	begun = time.Now()
	post := j.post(main)
	if post.Conclusion != runner.Success || !strings.Contains(post.Summary, "↶") && !strings.Contains(post.Summary, "aborted") {
		t.Errorf("post: %s\n%s", post.Conclusion, post.Summary)
	}
	s.on("v1", begun, 10*time.Second)
	s.whole("v1")
	h.closed(t, "failure")
}

// TestActionLeave leaves a cancelled rollout for the next run, which carries it on; GitHub has one deployment of it.
func TestActionLeave(t *testing.T) {
	t.Parallel()
	s, h := open(t, layout{steps: "50%", hold: "8s"}), openHub(t)
	j := s.job(h)
	with := s.with("v2")
	with["on-cancel"] = "leave"
	main := j.start(with)
	j.await(main, "50%  in force")
	main.Cancel()
	main.Wait()
	j.post(main)
	h.closed(t, "error")
	if d := s.status(); d.Phase != "running" {
		t.Errorf("phase %s, want running", d.Phase)
	}
	next := s.job(h)
	if o := next.start(s.with("v2")).Wait(); o.Outputs["result"] != "succeeded" {
		t.Errorf("outputs %v", o.Outputs)
	}
	s.whole("v2")
	h.closed(t, "success")
	if n := len(h.Deployments()); n != 1 {
		t.Errorf("%d deployments of one rollout", n)
	}
}

// split deals the steps out to tests that run side by side: even ones and odd ones. A sample has only those that it names.
func split(t *testing.T, sample string, test func(t *testing.T, steps []string)) {
	for first, name := range []string{"even", "odd"} {
		if name != sample && !everything() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var some []string
			for i := first; i < len(steps); i += 2 {
				some = append(some, steps[i])
			}
			test(t, some)
		})
	}
}

// TestActionKill kills main in every step: post has the users on the base in 10 s, and leaves nothing half-way. Where the
// base runs the new version already and no gate is left to be asked, it carries the rollout to its end.
func TestActionKill(t *testing.T) {
	split(t, "odd", func(t *testing.T, steps []string) {
		s, h := open(t, layout{steps: "10%, 50%"}), openHub(t)
		version, next := "v1", "v2"
		for _, step := range steps {
			j := s.job(h)
			main := j.start(s.with(next))
			j.await(main, "  "+step+" ")
			j.killMain(main)
			begun := time.Now()
			if post := j.post(main); post.Conclusion != runner.Success {
				t.Errorf("post after a kill in %s: %s", step, post.Conclusion)
			}
			state := "failure"
			if slices.Contains([]string{"return", "clean-up"}, step) {
				version, next, state = next, version, "success"
			}
			took := s.on(version, begun, 10*time.Second)
			s.whole(version)
			h.closed(t, state)
			t.Logf("killed in %s: the last answer of another version than %s came %s after the post step's start", step, version, took.Round(100*time.Millisecond))
		}
	})
}

// TestActionSurvivor: the main container outlives its job, as it may. Post takes the lock from it at once, and what is
// left of main changes nothing any more.
func TestActionSurvivor(t *testing.T) {
	t.Parallel()
	s, h := open(t, layout{steps: "50%", hold: "60s"}), openHub(t)
	j := s.job(h)
	j.Survival = runner.Unreached
	j.Grace.Interrupt, j.Grace.Terminate = 500*time.Millisecond, 500*time.Millisecond
	main := j.start(s.with("v2"))
	j.await(main, "50%  in force")
	main.Cancel()
	main.Wait()
	begun := time.Now()
	if post := j.post(main); post.Conclusion != runner.Success {
		t.Errorf("post: %s", post.Conclusion)
	}
	s.on("v1", begun, 10*time.Second)
	left := s.versions()
	select {
	case <-main.Gone():
	case <-time.After(30 * time.Second):
		t.Error("main has not noticed in 30 s that another process took its rollout over")
	}
	if now := s.versions(); now != left {
		t.Errorf("objects changed after post:\n%s\n%s", left, now)
	}
	s.whole("v1")
}

// TestActionAbort aborts by another workflow run, at another commit: the deployment and the commit that are told are
// those of the rollout.
func TestActionAbort(t *testing.T) {
	t.Parallel()
	s, h := open(t, layout{steps: "50%", hold: "60s"}), openHub(t)
	j := s.job(h)
	main := j.start(s.with("v2"))
	j.await(main, "50%  in force")
	other := s.job(h)
	other.EventName, other.Env["GITHUB_SHA"] = "workflow_dispatch", strings.Repeat("a", 40)
	if o := other.start(map[string]string{"command": "abort", "environment": "production", "reason": "customers complain"}).Wait(); o.ExitCode != 0 {
		t.Errorf("abort: exit code %d\n%s", o.ExitCode, o.Log)
	}
	o := main.Wait()
	if o.Outputs["result"] != "aborted" || !strings.Contains(o.Outputs["reason"], "customers complain") {
		t.Errorf("outputs %v", o.Outputs)
	}
	s.whole("v1")
	h.closed(t, "failure")
	if d := h.Deployments(); len(d) != 1 || d[0].SHA != commit {
		t.Errorf("deployments %+v", d)
	}
	if n := len(h.CommitStatuses(strings.Repeat("a", 40))); n != 0 {
		t.Errorf("%d statuses at the dispatch's commit", n)
	}
}

// on wants the last answer of another version within a time after begun, and tells how long it took.
func (s *shop) on(version string, begun time.Time, within time.Duration) time.Duration {
	s.t.Helper()
	var last time.Duration
	for _, a := range s.between(begun, time.Now()) {
		if a.Version != version && a.Version != "" {
			last = max(last, a.At.Sub(begun))
		}
	}
	if last > within {
		s.t.Errorf("users met another version than %s until %s after the post step's start, want at most %s", version, last, within)
	}
	return last
}
