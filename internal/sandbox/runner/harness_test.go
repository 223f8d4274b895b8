package runner_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/sandbox/runner"
)

// play is the path of the action for tests, which TestMain builds.
var play string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "play")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	play = filepath.Join(dir, "play")
	cmd := exec.Command("go", "build", "-o", play, "./testdata/play")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "the action for tests does not build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

func action(t *testing.T) runner.Action {
	t.Helper()
	a, err := runner.Load("testdata/action.yml")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// job is one whose action does what the lines say.
func job(t *testing.T, lines ...string) *runner.Job {
	t.Helper()
	j, err := runner.NewJob(t.TempDir(), runner.Host{Binary: play})
	if err != nil {
		t.Fatal(err)
	}
	j.Env["PLAY"] = strings.Join(lines, "\n")
	return j
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func start(t *testing.T, j *runner.Job, with map[string]string) *runner.Step {
	t.Helper()
	s, err := j.Start(within(t), action(t), with)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// outcome is that of an action that does what the lines say.
func outcome(t *testing.T, lines ...string) runner.Outcome {
	t.Helper()
	return start(t, job(t, lines...), nil).Wait()
}

func print(text string) string { return fmt.Sprintf("print %q", text) }

func write(variable, text string) string { return fmt.Sprintf("write %s %q", variable, text) }

func await(t *testing.T, s *runner.Step, text string) {
	t.Helper()
	if err := s.Await(within(t), text); err != nil {
		t.Fatal(err)
	}
}

func contains(t *testing.T, what, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%s: %q is missing in:\n%s", what, want, text)
		}
	}
}
