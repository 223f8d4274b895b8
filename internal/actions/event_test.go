package actions_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tidegate/tidegate/internal/actions"
)

const (
	sha  = "5b1c2d3e4f5061728394a5b6c7d8e9f001122334" // GITHUB_SHA
	head = "ec26c3e57ca3a959ca5aad62de7213c562f8c821" // of the pull request in the examples
	base = "f95f852bd8fca8fcc58a9a2d6c842781e32a215e" // its base
)

// event reads a payload under the name of an event.
func event(t *testing.T, name, path string) (actions.Event, error) {
	t.Helper()
	w := &world{env: map[string]string{"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": path, "GITHUB_SHA": sha}}
	return w.runner().Event()
}

func TestEvent(t *testing.T) {
	const run = "5779607b49aab1200488439f02372c57b4f75444"
	for _, tt := range []struct {
		name, event, payload string
		want                 actions.Event
		trusted              bool
	}{
		{"push", "push", "push", actions.Event{SHA: sha}, true},
		{"by hand", "workflow_dispatch", "workflow_dispatch", actions.Event{SHA: sha}, true},
		{"pull request opened", "pull_request", "pull_request_opened", actions.Event{SHA: head, Number: 2}, true},
		{"pull request pushed to", "pull_request", "pull_request_synchronize", actions.Event{SHA: head, Number: 2}, true},
		{"pull request closed", "pull_request", "pull_request_closed", actions.Event{SHA: head, Number: 2}, true},
		{"pull request of a fork", "pull_request", "pull_request_fork", actions.Event{SHA: head, Number: 2, Fork: true}, true},
		{"release", "release", "release_published", actions.Event{SHA: sha}, true},
		{"schedule", "schedule", "schedule", actions.Event{SHA: sha}, true},
		{"deployment status", "deployment_status", "deployment_status", actions.Event{SHA: sha}, true},
		{"comment", "issue_comment", "issue_comment_created", actions.Event{SHA: sha, SpecSHA: sha, Number: 2}, false},
		{"after another workflow", "workflow_run", "workflow_run_completed", actions.Event{SHA: run, SpecSHA: sha}, false},
		{"pull request with the base's rights", "pull_request_target", "pull_request_opened", actions.Event{SHA: head, SpecSHA: base, Number: 2}, false},
		{"the same of a fork", "pull_request_target", "pull_request_fork", actions.Event{SHA: head, SpecSHA: base, Number: 2, Fork: true}, false},
		{"called by a workflow that a push started", "push", "push", actions.Event{SHA: sha}, true}, // workflow_call: the event is the caller's
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := event(t, tt.event, filepath.Join("..", "..", "testdata", "github", "events", tt.payload+".json"))
			tt.want.Name = tt.event
			if err != nil || got != tt.want || got.Trusted() != tt.trusted {
				t.Errorf("got %+v, trusted: %t, %v; want %+v, trusted: %t", got, got.Trusted(), err, tt.want, tt.trusted)
			}
		})
	}
}

// TestEventExamples: every example of a payload is read.
func TestEventExamples(t *testing.T) {
	all, err := filepath.Glob(filepath.Join("..", "..", "testdata", "github", "events", "*.json"))
	if err != nil || len(all) < 10 {
		t.Fatalf("%d examples, %v", len(all), err)
	}
	for _, path := range all {
		if e, err := event(t, "push", path); err != nil || len(e.SHA) != 40 {
			t.Errorf("%s: %+v, %v", path, e, err)
		}
	}
}

// TestEventBroken: what a payload does not say is taken from the environment, never from nowhere; what is no payload is
// refused.
func TestEventBroken(t *testing.T) {
	for _, tt := range []struct {
		name, event, payload string
		want                 actions.Event
		fails                string
	}{
		{"empty object", "push", `{}`, actions.Event{SHA: sha}, ""},
		{"null", "push", `null`, actions.Event{SHA: sha}, ""},
		{"pull request without anything", "pull_request", `{"pull_request":{}}`, actions.Event{SHA: sha, Fork: true}, ""},
		{"pull request that is null", "pull_request", `{"pull_request":null}`, actions.Event{SHA: sha}, ""},
		{"privileged without a base", "pull_request_target", `{"pull_request":{"number":3,"head":{"sha":"` + head + `"}}}`,
			actions.Event{SHA: head, SpecSHA: sha, Number: 3, Fork: true}, ""},
		{"fork that was deleted", "pull_request", `{"pull_request":{"head":{"sha":"` + head + `","repo":null},"base":{"repo":{"full_name":"a/b"}}}}`,
			actions.Event{SHA: head, Fork: true}, ""},
		{"base of nobody", "pull_request", `{"pull_request":{"head":{"sha":"` + head + `","repo":{"full_name":"a/b"}},"base":{}}}`, actions.Event{SHA: head, Fork: true}, ""},
		{"run without a commit", "workflow_run", `{"workflow_run":{}}`, actions.Event{SHA: sha, SpecSHA: sha}, ""},
		{"no JSON", "push", `{"ref": `, actions.Event{}, "is no event"},
		{"empty file", "push", ``, actions.Event{}, "is no event"},
		{"another shape", "pull_request", `{"pull_request":"x"}`, actions.Event{}, "is no event"},
		{"a list", "push", `[]`, actions.Event{}, "is no event"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "event.json")
			if err := os.WriteFile(path, []byte(tt.payload), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := event(t, tt.event, path)
			if tt.fails != "" {
				has(t, err, tt.fails, path)
				return
			}
			tt.want.Name = tt.event
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
	_, err := event(t, "push", filepath.Join(t.TempDir(), "none.json"))
	has(t, err, "cannot be read")
	if e, err := event(t, "pull_request_target", ""); err != nil || e.SpecSHA != sha || e.Trusted() {
		t.Errorf("without a payload: %+v, %v", e, err)
	}
}
