package runner

import (
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Mount makes the directory Source of the host the directory Target of a container.
type Mount struct{ Source, Target string }

// Invocation is what the runner asks docker to run. Paths in it are the host's; Mounts say what a container calls them.
type Invocation struct {
	Entrypoint     string // as action.yml has it; empty: the image's own
	Args, Env      []string
	Mounts         []Mount
	Dir            string // the working directory
	Scratch        string // an empty directory for the container's own use
	Stdout, Stderr io.Writer
}

// Container starts an invocation in a new container.
type Container interface {
	// Start returns the started process; the caller waits for it.
	Start(Invocation) (*exec.Cmd, error)
}

// streamGrace is how long the runner waits for streams that the process has left to others.
const streamGrace = 5 * time.Second

// Host runs Binary on the host in the image's place. The first argument that it sees is the entrypoint's path, so that it
// can tell by which name it was called. Paths stay the host's.
type Host struct{ Binary string }

var _ Container = Host{}

// Start runs the binary.
func (h Host) Start(i Invocation) (*exec.Cmd, error) {
	name := i.Entrypoint
	if name == "" {
		name = h.Binary
	}
	cmd := &exec.Cmd{
		Path: h.Binary, Args: append([]string{name}, i.Args...), Env: i.Env, Dir: i.Dir, Stdout: i.Stdout, Stderr: i.Stderr,
		WaitDelay: streamGrace,
	}
	return cmd, cmd.Start()
}

// inside is what a container calls the host's path: values that only contain a path, and do not begin with it, stay as
// they are. The first mount that fits counts.
func inside(mounts []Mount, value string) string {
	for _, m := range mounts {
		if rest, ok := below(m.Source, value); ok {
			return m.Target + rest
		}
	}
	return value
}

// outside is what the host calls a container's path.
func outside(mounts []Mount, path string) string {
	for _, m := range mounts {
		if rest, ok := below(m.Target, path); ok {
			return m.Source + rest
		}
	}
	return path
}

func below(dir, path string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, dir)
	return rest, ok && (rest == "" || rest[0] == filepath.Separator)
}
