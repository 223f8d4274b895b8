package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/sandbox/github"
	"github.com/tidegate/tidegate/internal/sandbox/runner"
)

// builtImage is the Action's image, unpacked, made once for all tests.
type builtImage struct {
	once sync.Once
	root string
	size int64 // bytes
	err  error
}

var actionImage builtImage

// get builds the image from the Dockerfile.
func (b *builtImage) get(t testing.TB) string {
	t.Helper()
	b.once.Do(func() {
		dir := filepath.Join(filepath.Dir(binary), "image")
		cmd := exec.Command("bash", filepath.Join(root(), "testdata", "image", "build.sh"), dir)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Run(); err != nil {
			b.err = fmt.Errorf("build the Action's image: %w\n%s", err, said.String())
			return
		}
		size, err := os.ReadFile(filepath.Join(dir, "size"))
		if err == nil {
			b.size, err = strconv.ParseInt(strings.TrimSpace(string(size)), 10, 64)
		}
		b.root, b.err = filepath.Join(dir, "rootfs"), err
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.root
}

const (
	commit = "5b1c2d3e4f5061728394a5b6c7d8e9f001122334"
	token  = "ghs_0123456789abcdefghij"
)

// hub is a GitHub with one repository.
type hub struct {
	*github.Server
	url string
	run int // the number of the next workflow run
}

func openHub(t testing.TB) *hub {
	t.Helper()
	server, err := github.New(github.Options{Clock: clock.Real{}, Repository: "octo/shop", Token: token})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(server)
	t.Cleanup(func() {
		listening.Close()
		if problems := server.Problems(); len(problems) > 0 {
			t.Errorf("GitHub's schema does not allow: %s", strings.Join(problems, "\n"))
		}
	})
	return &hub{Server: server, url: listening.URL}
}

// job is a workflow job of the shop's repository whose one step is the Action, in the container of its image.
type job struct {
	*runner.Job
	t      testing.TB
	action runner.Action
}

// job prepares the next workflow run.
func (s *shop) job(h *hub) *job {
	s.t.Helper()
	h.run++
	made, err := runner.NewJob(filepath.Join(s.dir, "job-"+strconv.Itoa(h.run)), runner.Chroot{Root: actionImage.get(s.t), Entrypoint: "/tidegate"})
	if err != nil {
		s.t.Fatal(err)
	}
	action, err := runner.Load(filepath.Join(root(), "action.yml"))
	if err != nil {
		s.t.Fatal(err)
	}
	made.Token = token
	made.Env = map[string]string{"GITHUB_API_URL": h.url, "GITHUB_SHA": commit, "GITHUB_RUN_ID": strconv.Itoa(4710 + h.run), "PROMETHEUS_URL": s.prometheus}
	text, err := os.ReadFile(filepath.Join(s.dir, "tidegate.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(made.Workspace(), "tidegate.yaml"), text, 0o644); err != nil {
		s.t.Fatal(err)
	}
	return &job{Job: made, t: s.t, action: action}
}

// start runs the Action's main step.
func (j *job) start(with map[string]string) *runner.Step {
	j.t.Helper()
	if with["kubeconfig"] == "" {
		text, err := os.ReadFile(cluster.Kubeconfig)
		if err != nil {
			j.t.Fatal(err)
		}
		with["kubeconfig"] = base64.StdEncoding.EncodeToString(text)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	j.t.Cleanup(cancel)
	step, err := j.Job.Start(ctx, j.action, with)
	if err != nil {
		j.t.Fatal(err)
	}
	j.t.Cleanup(func() {
		if j.t.Failed() {
			j.t.Logf("── the Action ──\n%s", step.Log())
		}
	})
	return step
}

// post runs the post step to its end.
func (j *job) post(main *runner.Step) runner.Outcome {
	j.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	step, err := main.Post(ctx)
	if err != nil {
		j.t.Fatal(err)
	}
	o := step.Wait()
	j.t.Logf("── the post step ──\n%s", o.Log)
	j.faultless(o)
	return o
}

// deploy is what a workflow's step gives to deploy a version.
func (s *shop) with(version string) map[string]string {
	return map[string]string{"image": image(version), "environment": "production"}
}

// faultless wants nothing in a step that GitHub would drop, refuse or misunderstand.
func (j *job) faultless(o runner.Outcome) {
	j.t.Helper()
	if len(o.Problems) > 0 {
		j.t.Errorf("the runner has problems: %s", strings.Join(o.Problems, "\n"))
	}
	for _, secret := range []string{token, adminToken(j.t)} {
		for what, text := range map[string]string{"log": o.Log, "summary": o.Summary, "outputs": fmt.Sprint(o.Outputs), "annotations": fmt.Sprint(o.Annotations)} {
			if strings.Contains(text, secret) {
				j.t.Errorf("a secret is in the %s", what)
			}
		}
	}
}

var tokenLine = regexp.MustCompile(`token: *"?([^"\s]+)`)

func adminToken(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(cluster.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	m := tokenLine.FindSubmatch(text)
	if m == nil {
		t.Fatal("the kubeconfig has no token")
	}
	return string(m[1])
}

// holds waits until a step of the rollout is in force.
func (j *job) await(step *runner.Step, text string) {
	j.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := step.Await(ctx, text); err != nil {
		j.t.Fatal(err)
	}
}

// killMain ends the main step's process at once, as a node that runs out of memory does; the job goes on with post.
func (j *job) killMain(step *runner.Step) {
	j.t.Helper()
	if err := syscall.Kill(step.PID(), syscall.SIGKILL); err != nil {
		j.t.Fatal(err)
	}
	step.Wait()
}

// closed wants no commit status pending, and the last deployment in this state.
func (h *hub) closed(t testing.TB, state string) {
	t.Helper()
	last := map[string]string{}
	for _, s := range h.CommitStatuses(commit) {
		last[s.Context] = s.State
	}
	for context, state := range last {
		if state == "pending" {
			t.Errorf("the status %s is pending", context)
		}
	}
	all := h.Deployments()
	if len(all) == 0 {
		t.Fatal("there is no deployment")
	}
	if got := all[len(all)-1].State(); got != state {
		t.Errorf("the deployment is %s, want %s", got, state)
	}
}
