package cli

import (
	"io"
	"io/fs"
	"os"
	"os/user"
	"syscall"

	"golang.org/x/term"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
)

// Env is the world around a command. Tests give their own.
type Env struct {
	Stdout, Stderr io.Writer
	Getenv         func(string) (string, bool)
	Dir            fs.FS // where the spec is looked for: the working directory
	Clock          clock.Clock
	// Terminal tells the size of the terminal behind Stderr; ok is false when it is none.
	Terminal func() (width, height int, ok bool)
	User     string // user@host
}

// System is the process's own world.
func System() Env {
	return Env{
		Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.LookupEnv, Dir: os.DirFS("."), Clock: clock.Real{},
		Terminal: terminal, User: whoami(),
	}
}

func terminal() (int, int, bool) {
	fd := int(os.Stderr.Fd())
	if !term.IsTerminal(fd) || os.Getenv("CI") != "" || os.Getenv("TERM") == "dumb" {
		return 0, 0, false
	}
	width, height, err := term.GetSize(fd)
	return width, height, err == nil
}

func whoami() string {
	name := "somebody"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + host
}

// holder says who runs this: the run's URL and attempt on GitHub, otherwise user@host.
func (e Env) holder() string {
	get := func(name string) string { v, _ := e.Getenv(name); return v }
	if get("GITHUB_RUN_ID") == "" {
		return e.User
	}
	url := get("GITHUB_SERVER_URL") + "/" + get("GITHUB_REPOSITORY") + "/actions/runs/" + get("GITHUB_RUN_ID")
	if attempt := get("GITHUB_RUN_ATTEMPT"); attempt != "" {
		url += "/attempts/" + attempt
	}
	return url
}

// actor is the person for whom a workflow runs; who ran it again counts, not who ran it first. It is empty elsewhere.
func (e Env) actor() string {
	for _, name := range []string{"GITHUB_RUN_ID", "GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"} {
		switch value, _ := e.Getenv(name); {
		case name == "GITHUB_RUN_ID" && value == "":
			return ""
		case name != "GITHUB_RUN_ID" && value != "":
			return value
		}
	}
	return ""
}

// Interrupted is the cause of a context that a signal cancelled.
type Interrupted struct{ Signal os.Signal }

// Error says which signal it was.
func (i Interrupted) Error() string { return "cancelled by " + i.Signal.String() }

// Is makes it an engine.ErrCancelled.
func (Interrupted) Is(target error) bool { return target == engine.ErrCancelled }

// ExitCode is 128 plus the signal's number, as shells have it.
func (i Interrupted) ExitCode() int {
	if s, ok := i.Signal.(syscall.Signal); ok {
		return 128 + int(s)
	}
	return exitError
}
