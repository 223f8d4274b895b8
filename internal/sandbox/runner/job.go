package runner

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
)

// Job is one job's world on disk. Its fields are set before the first step starts.
type Job struct {
	Dir string // the root of all below
	// Env is added to what the runner sets by itself and wins over it; what follows from a value (GITHUB_REF_NAME from
	// GITHUB_REF) follows.
	Env       map[string]string
	Token     string // ${{ github.token }}; masked
	Secrets   []string
	EventName string
	Event     []byte // the webhook's payload
	Container Container
	Clock     clock.Clock
	Grace     Grace
	Survival  Survival

	mu      sync.Mutex
	carried map[string]string // what steps wrote to GITHUB_ENV
	masks   *masks
	steps   int
}

// Grace is how long a cancelled job has.
type Grace struct {
	Interrupt time.Duration // from SIGINT to SIGTERM
	Terminate time.Duration // from SIGTERM to SIGKILL
	Window    time.Duration // from the cancellation to the end of the job, post steps included
}

// GitHubGrace is what GitHub gives.
func GitHubGrace() Grace {
	return Grace{Interrupt: 7500 * time.Millisecond, Terminate: 2500 * time.Millisecond, Window: 5 * time.Minute}
}

// Survival says which signals stop at docker's client. A step is over when the client is; the process that survives it
// ends with the context that it was started with, or by [Step.End].
type Survival int

const (
	// Reached means that the process gets every signal.
	Reached Survival = iota
	// KillMisses means that SIGINT and SIGTERM are handed on and that SIGKILL ends the client alone. So it is with docker.
	KillMisses
	// Unreached means that no signal gets through.
	Unreached
)

// NewJob makes the job's directories below dir.
func NewJob(dir string, c Container) (*Job, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("the job's directory has no absolute path: %w", err)
	}
	j := &Job{
		Dir: dir, Container: c, Env: map[string]string{}, Token: "ghs_sandboxTokenOfTheJob", EventName: "push", Event: []byte("{}"),
		Clock: clock.Real{}, Grace: GitHubGrace(), carried: map[string]string{}, masks: &masks{},
	}
	for _, m := range j.Mounts() {
		if err := os.MkdirAll(m.Source, 0o755); err != nil {
			return nil, fmt.Errorf("the job's directories could not be made: %w", err)
		}
	}
	return j, nil
}

// Workspace is where the repository is checked out.
func (j *Job) Workspace() string { return filepath.Join(j.Dir, "workspace") }

// Temp is RUNNER_TEMP on the host.
func (j *Job) Temp() string { return filepath.Join(j.Dir, "temp") }

// Home is HOME on the host.
func (j *Job) Home() string { return filepath.Join(j.Temp(), "_github_home") }

// Mounts are what a container sees of the job. Three of the directories lie within RUNNER_TEMP, so it comes last.
func (j *Job) Mounts() []Mount {
	return []Mount{
		{j.Workspace(), "/github/workspace"},
		{j.commands(), "/github/file_commands"},
		{j.workflow(), "/github/workflow"},
		{j.Home(), "/github/home"},
		{j.Temp(), "/github/runner_temp"},
	}
}

func (j *Job) commands() string { return filepath.Join(j.Temp(), "_runner_file_commands") }
func (j *Job) workflow() string { return filepath.Join(j.Temp(), "_github_workflow") }

// prepare is what the runner does before a step: the event, the file commands, the masks.
func (j *Job) prepare() (files, string, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.steps++
	scratch := filepath.Join(j.Dir, "containers", strconv.Itoa(j.steps))
	for _, err := range []error{
		os.MkdirAll(scratch, 0o755),
		os.WriteFile(j.event(), j.Event, 0o644),
	} {
		if err != nil {
			return files{}, "", fmt.Errorf("the step could not be prepared: %w", err)
		}
	}
	basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + j.Token))
	for _, secret := range append([]string{j.Token, basic}, j.Secrets...) {
		j.masks.add(secret)
	}
	f, err := newFiles(j.commands(), j.steps)
	return f, scratch, err
}

func (j *Job) event() string { return filepath.Join(j.workflow(), "event.json") }

// carry keeps what a step wrote to GITHUB_ENV for the steps after it.
func (j *Job) carry(env map[string]string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for k, v := range env {
		j.carried[k] = v
	}
}
