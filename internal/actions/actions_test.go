package actions_test

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/actions"
)

// world is a runner's environment; out has the commands, raw the masks.
type world struct {
	env      map[string]string
	out, raw bytes.Buffer
}

func (w *world) runner() *actions.Runner {
	return actions.New(func(name string) (string, bool) { v, ok := w.env[name]; return v, ok }, &w.raw, &w.out)
}

// onRunner is the environment of a step, with these variables besides.
func onRunner(t *testing.T, more map[string]string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{env: map[string]string{"GITHUB_ACTIONS": "true"}}
	for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"} {
		w.env[name] = filepath.Join(dir, name)
	}
	maps.Copy(w.env, more)
	return w
}

func (w *world) file(t *testing.T, variable string) string {
	t.Helper()
	text, err := os.ReadFile(w.env[variable])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func has(t *testing.T, err error, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestInputs(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  map[string]string
		want actions.Inputs
	}{
		{"nothing is set", nil, actions.Inputs{Command: "deploy"}},
		{"everything is set", map[string]string{
			"INPUT_COMMAND": "abort", "INPUT_SPEC": " deploy/x.yaml ", "INPUT_ENVIRONMENT": "preview/pr-1", "INPUT_NAME": "cart", "INPUT_IMAGE": "a=1\r\n\n  \nb=2\n",
			"INPUT_REF": "v1", "INPUT_KUBECONFIG": "/x", "INPUT_CONTEXT": "c", "INPUT_PENDING": "fail", "INPUT_ON-CANCEL": "leave", "INPUT_DRY-RUN": "true",
			"INPUT_ACCEPT": "a, b,\n,c\n", "INPUT_REASON": "it smells", "INPUT_CHECKS": "true", "INPUT_GITHUB-TOKEN": "t0ken",
			"INPUT_WAIT": "true", "INPUT_FULL": "true", "INPUT_TO": " v1 ", "INPUT_STEPS": "true",
		}, actions.Inputs{
			Command: "abort", Spec: "deploy/x.yaml", Environment: "preview/pr-1", Name: "cart", Images: []string{"a=1", "b=2"}, Ref: "v1", Kubeconfig: "/x",
			Context: "c", PendingFail: true, Leave: true, DryRun: true, Accept: []string{"a", "b", "c"}, Reason: "it smells", Checks: true, Token: "t0ken",
			Wait: true, Full: true, To: "v1", Steps: true,
		}},
		{"defaults are given", map[string]string{"INPUT_COMMAND": "deploy", "INPUT_PENDING": "pass", "INPUT_ON-CANCEL": "undo", "INPUT_DRY-RUN": "false", "INPUT_CHECKS": "false"},
			actions.Inputs{Command: "deploy"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := (&world{env: tt.env}).runner().Inputs()
			if len(got.Images) == 0 {
				got.Images = nil
			}
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

// TestInputsCommands: every command is one.
func TestInputsCommands(t *testing.T) {
	for _, command := range []string{"deploy", "resume", "promote", "abort", "rollback", "retry", "plan", "status", "validate"} {
		if in, err := (&world{env: map[string]string{"INPUT_COMMAND": command}}).runner().Inputs(); err != nil || in.Command != command {
			t.Errorf("%s: %q, %v", command, in.Command, err)
		}
	}
}

// TestInputsWrong: each wrong value is named with what it can be, all at once.
func TestInputsWrong(t *testing.T) {
	all := map[string]string{
		"INPUT_COMMAND": "destroy", "INPUT_PENDING": "maybe", "INPUT_ON-CANCEL": "keep", "INPUT_DRY-RUN": "yes", "INPUT_CHECKS": "TRUE",
		"INPUT_WAIT": "1", "INPUT_FULL": "on", "INPUT_STEPS": "all",
	}
	wants := map[string]string{
		"INPUT_COMMAND":   `input command is "destroy"; it can be deploy, resume, promote, abort, rollback, retry, plan, status, validate`,
		"INPUT_PENDING":   `input pending is "maybe"; it can be pass, fail`,
		"INPUT_ON-CANCEL": `input on-cancel is "keep"; it can be undo, leave`,
		"INPUT_DRY-RUN":   `input dry-run is "yes"; it can be false, true`,
		"INPUT_WAIT":      `input wait is "1"; it can be false, true`,
		"INPUT_FULL":      `input full is "on"; it can be false, true`,
		"INPUT_STEPS":     `input steps is "all"; it can be false, true`,
		"INPUT_CHECKS":    `input checks is "TRUE"; it can be false, true`,
	}
	_, together := (&world{env: all}).runner().Inputs()
	for name, value := range all {
		t.Run(name, func(t *testing.T) {
			_, err := (&world{env: map[string]string{name: value}}).runner().Inputs()
			has(t, err, wants[name])
			has(t, together, wants[name])
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one problem: %v", err)
			}
		})
	}
}

func TestPlace(t *testing.T) {
	w := &world{env: map[string]string{
		"GITHUB_API_URL": "https://ghe.test/api/v3", "GITHUB_SERVER_URL": "https://ghe.test", "GITHUB_REPOSITORY": "octo/shop", "GITHUB_RUN_ID": "7",
		"GITHUB_RUN_ATTEMPT": "2", "GITHUB_WORKSPACE": "/w", "GITHUB_ACTOR": "octocat",
	}}
	want := actions.Place{API: "https://ghe.test/api/v3", Repository: "octo/shop", RunURL: "https://ghe.test/octo/shop/actions/runs/7/attempts/2", Workspace: "/w", Actor: "octocat"}
	if got := w.runner().Place(); got != want {
		t.Errorf("got %+v", got)
	}
	delete(w.env, "GITHUB_RUN_ATTEMPT")
	if got := w.runner().Place().RunURL; got != "https://ghe.test/octo/shop/actions/runs/7" {
		t.Errorf("without an attempt: %q", got)
	}
}

// TestNoRunner: nothing that is asked of a runner fails where there is none.
func TestNoRunner(t *testing.T) {
	w := &world{}
	r := w.runner()
	event, eventErr := r.Event()
	content, path, kubeErr := r.Kubeconfig("")
	if err := errors.Join(eventErr, kubeErr, r.Output("a", "b"), r.State("a", "b"), r.Summary("x")); err != nil {
		t.Error(err)
	}
	if event != (actions.Event{}) || !event.Trusted() || content != nil || path != "" || r.Place() != (actions.Place{}) || r.Saved("a") != "" || r.Present() || r.InContainer() {
		t.Errorf("something is there: %+v, %q, %q", event, content, path)
	}
}

// closed is an output that is gone.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, os.ErrClosed }

// TestClosedOutput: a log that is gone ends nothing.
func TestClosedOutput(t *testing.T) {
	w := onRunner(t, nil)
	r := actions.New(func(name string) (string, bool) { v, ok := w.env[name]; return v, ok }, closed{}, closed{})
	r.Mask("hunter22")
	r.Annotate(actions.Error, "title", "message")
	if err := r.Output("result", "succeeded"); err != nil || !strings.Contains(w.file(t, "GITHUB_OUTPUT"), "succeeded") {
		t.Errorf("the output is lost: %v", err)
	}
}

// TestMissingFiles: a runner that names no file is a problem that is told; a file that cannot be written, too.
func TestMissingFiles(t *testing.T) {
	w := onRunner(t, map[string]string{"GITHUB_OUTPUT": "", "GITHUB_STEP_SUMMARY": t.TempDir()})
	r := w.runner()
	has(t, r.Output("a", "b"), "GITHUB_OUTPUT", "lost")
	has(t, r.Summary("x"), "GITHUB_STEP_SUMMARY", "cannot be written")
}
