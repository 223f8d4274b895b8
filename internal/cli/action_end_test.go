package cli_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/sandbox/runner"
)

// held begins a rollout and waits until half of the users meet the new version.
func (s *stage) held(inputs ...string) (*job, *runner.Step) {
	s.t.Helper()
	j := s.job(release("shop", "checkout", "hold: 1s", "hold: 10m"))
	main := j.start(append(inputs, "image", "shop:v2")...)
	j.half(main)
	return j, main
}

// killed is a main step that its machine has ended.
func (j *job) killed(main *runner.Step) {
	j.t.Helper()
	if err := syscall.Kill(main.PID(), syscall.SIGKILL); err != nil {
		j.t.Fatal(err)
	}
	main.Wait()
}

// TestActionCancel: main leaves in time, post takes the rollout back; a second post finds nothing more to do.
func TestActionCancel(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	j, main := s.held()
	begun := time.Now()
	main.Cancel()
	took := time.Since(begun)
	o := main.Wait()
	j.faultless(o)
	if o.Outputs["result"] != "cancelled" || o.Conclusion != runner.Cancelled || o.ExitCode != 130 {
		t.Errorf("%s with exit code %d, outputs %v", o.Conclusion, o.ExitCode, o.Outputs)
	}
	if took > 7*time.Second || len(o.Signals) != 1 {
		t.Errorf("main took %s to leave, with the signals %v", took, o.Signals)
	}
	for round := range 2 {
		post := j.post(main)
		want(t, post, 0, "aborted")
		contains(t, "the reason", post.Outputs["reason"], "the workflow run was cancelled")
		contains(t, "the summary", post.Summary, "aborted", "v1")
		s.runs("shop", "shop:v1")
		s.deployed("failure")
		s.told(commit, closedWith("failure", "success"))
		if round == 1 && strings.Contains(post.Log, "in force") {
			t.Errorf("the second post step undid something:\n%s", post.Log)
		}
	}
}

// TestActionCancelWhileGitHubIsSlow: main does not wait for GitHub, post tells it.
func TestActionCancelWhileGitHubIsSlow(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	j, main := s.held()
	s.hub.Fault(hanging)
	begun := time.Now()
	main.Cancel()
	o := main.Wait()
	if took := time.Since(begun); took > 7*time.Second || o.Outputs["result"] != "cancelled" || len(o.Signals) != 1 {
		t.Errorf("main took %s to leave with %v, with the signals %v", took, o.Outputs, o.Signals)
	}
	s.hub.Fault(nil)
	want(t, j.post(main), 0, "aborted")
	s.deployed("failure")
	s.told(commit, closedWith("failure", "success"))
}

// TestActionLeave: a cancelled rollout stays for the next run, and GitHub knows; that run carries it on.
func TestActionLeave(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	j, main := s.held("on-cancel", "leave")
	main.Cancel()
	s.hub.Fault(late(400 * time.Millisecond)) // several answers take longer than a cancelled main may wait
	post := j.post(main)
	want(t, post, 0, "cancelled")
	contains(t, "the reason", post.Outputs["reason"], "left in flight at step shift-50", "50%")
	s.deployed("error")
	s.told(commit, map[string]string{"checkout": "error", "checkout/errors": "error", "checkout/kubernetes": "error"})
	s.hub.Fault(nil)
	other := s.job(release("shop", "checkout"))
	o := other.run("command", "abort")
	want(t, o, 0, "aborted")
	s.runs("shop", "shop:v1")
	s.deployed("failure")
	s.told(commit, closedWith("failure", "success"))
}

// TestActionKill: post takes back what a main left that had no time to say anything.
func TestActionKill(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	j, main := s.held()
	j.killed(main)
	post := j.post(main)
	want(t, post, 0, "aborted")
	s.runs("shop", "shop:v1")
	s.deployed("failure")
	for context, state := range s.statuses(commit) { // what gates had seen may be lost with main
		if state == "pending" || context == "checkout" && state != "failure" {
			t.Errorf("the status %s is %s", context, state)
		}
	}
}

// TestActionClusterGone: post cannot look at the rollout any more. It says what to do, and leaves nothing pending.
func TestActionClusterGone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		end  func(j *job, main *runner.Step)
	}{
		{"after a cancellation", func(_ *job, main *runner.Step) { main.Cancel() }},
		{"after a kill", func(j *job, main *runner.Step) { j.killed(main) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, setup{})
			j, main := s.held()
			tt.end(j, main)
			if err := s.cluster.Close(); err != nil {
				t.Fatal(err)
			}
			post := j.post(main)
			want(t, post, 1, "failed")
			contains(t, "the reason", post.Outputs["reason"], "refused", "`tidegate status`", "`tidegate abort`")
			if a := annotations(post, "error"); len(a) != 1 || !strings.Contains(a[0].Message, "`tidegate abort`") {
				t.Errorf("annotations %+v", a)
			}
			s.deployed("error")
			gone := map[string]string{"checkout": "error", "checkout/errors": "error", "checkout/kubernetes": "error"}
			s.told(commit, gone)
			for _, status := range s.hub.CommitStatuses(commit) {
				if status.State == "error" && !strings.Contains(status.Description, "is not known") {
					t.Errorf("the status says %q", status.Description)
				}
			}
		})
	}
}

// TestActionKubeconfigGone: a later step has removed the kubeconfig. With nothing to do that is no fault; with something
// to do it is told.
func TestActionKubeconfigGone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		cancel bool
		code   int
	}{{"after success", false, 0}, {"after a cancellation", true, 2}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, setup{})
			j := s.job(release("shop", "checkout", "hold: 1s", "hold: 10m"))
			path, image := j.Temp()+"/kubeconfig", "shop:v1"
			if tt.cancel {
				image = "shop:v2"
			}
			put(t, path, string(s.cluster.Kubeconfig()))
			main := j.start("image", image, "kubeconfig", path)
			if tt.cancel {
				j.half(main)
				main.Cancel()
			}
			main.Wait()
			remove(t, path)
			post := j.post(main)
			if post.ExitCode != tt.code {
				t.Errorf("post: exit code %d, want %d", post.ExitCode, tt.code)
			}
			if tt.cancel {
				contains(t, "the reason", post.Outputs["reason"], "kubeconfig")
				s.deployed("error")
				s.told(commit, map[string]string{"checkout": "error", "checkout/errors": "error", "checkout/kubernetes": "error"})
			}
		})
	}
}

// TestActionSpecGone: post needs neither the workspace nor the spec in it.
func TestActionSpecGone(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	j, main := s.held()
	main.Cancel()
	remove(t, j.Workspace())
	put(t, j.Workspace()+"/tidegate.yaml", "not: a spec\n")
	want(t, j.post(main), 0, "aborted")
	s.runs("shop", "shop:v1")
}

// TestActionStateBroken: a state that cannot be read is told, not guessed at.
func TestActionStateBroken(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	j, main := s.held()
	j.killed(main)
	j.Env["STATE_left"] = `{"services": [{`
	post := j.post(main)
	if post.ExitCode == 0 || !strings.Contains(post.Log, "what the main step left cannot be read") {
		t.Errorf("exit code %d", post.ExitCode)
	}
	if a := annotations(post, "error"); len(a) != 1 || !strings.Contains(a[0].Message, "tidegate abort") {
		t.Errorf("annotations %+v", a)
	}
	delete(j.Env, "STATE_left")
	want(t, j.post(main), 0, "aborted")
}
