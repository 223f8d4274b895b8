package actions

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sethvargo/go-githubactions"
)

// Runner is the runner's side of one step.
type Runner struct {
	lookup func(string) (string, bool)
	action *githubactions.Action // commands that may be masked
	masks  *githubactions.Action // add-mask, which must not be
}

// New returns the runner's side of this process. Masks are told to raw; all other commands go to out, which may mask.
func New(lookup func(string) (string, bool), raw, out io.Writer) *Runner {
	getenv := func(name string) string { v, _ := lookup(name); return v }
	return &Runner{
		lookup: lookup,
		action: githubactions.New(githubactions.WithGetenv(getenv), githubactions.WithWriter(steadfast{out})),
		masks:  githubactions.New(githubactions.WithGetenv(getenv), githubactions.WithWriter(steadfast{raw})),
	}
}

// steadfast takes a write that fails for done: the library panics otherwise, and a log that is gone must not end a
// rollout.
type steadfast struct{ io.Writer }

// Write implements io.Writer.
func (s steadfast) Write(p []byte) (int, error) {
	_, _ = s.Writer.Write(p)
	return len(p), nil
}

func (r *Runner) getenv(name string) string { v, _ := r.lookup(name); return v }

// Present tells whether a runner started this process.
func (r *Runner) Present() bool { return r.getenv("GITHUB_ACTIONS") == "true" }

// InContainer tells whether this is a container action: the runner mounts the workspace there at a fixed place.
func (r *Runner) InContainer() bool { return r.getenv("GITHUB_WORKSPACE") == "/github/workspace" }

// Mask keeps values out of the job's log from now on, also in later steps. The runner masks line by line.
func (r *Runner) Mask(values ...string) {
	for _, value := range values {
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); line != "" {
				r.masks.AddMask(line)
			}
		}
	}
}

// Level is an annotation's level.
type Level string

// The levels of annotations.
const (
	Notice  Level = "notice"
	Warning Level = "warning"
	Error   Level = "error"
)

// longestMessage is where GitHub cuts an annotation, in characters.
const longestMessage = 4000

// Annotate puts a message above the job's log and into the run's page. GitHub keeps ten a step and level.
func (r *Runner) Annotate(level Level, title, message string) {
	title, message = Plain(title), Plain(message)
	if runes := []rune(message); len(runes) > longestMessage {
		message = string(runes[:longestMessage-1]) + "…"
	}
	a := r.action.WithFieldsMap(map[string]string{"title": title})
	switch level {
	case Error:
		a.Errorf("%s", message)
	case Warning:
		a.Warningf("%s", message)
	default:
		a.Noticef("%s", message)
	}
}

// Output sets an output of the step.
func (r *Runner) Output(name, value string) error { return r.pair("GITHUB_OUTPUT", name, value) }

// State keeps a value for the post step.
func (r *Runner) State(name, value string) error { return r.pair("GITHUB_STATE", name, value) }

// Saved is a value that the main step kept.
func (r *Runner) Saved(name string) string { return r.getenv("STATE_" + name) }

// summaryLimit is what a step's summary may hold: 1 MiB; the runner drops a larger one whole.
const summaryLimit = 1 << 20

// Summary adds markdown to the job's summary.
func (r *Runner) Summary(markdown string) error {
	if len(markdown) > summaryLimit {
		return fmt.Errorf("the summary has %d bytes; GitHub takes %d", len(markdown), summaryLimit)
	}
	return r.appendTo("GITHUB_STEP_SUMMARY", markdown)
}

// pair writes a name and a value between delimiters that a value cannot know: with a constant one, a value of several
// lines could end itself and set other names.
func (r *Runner) pair(file, name, value string) error {
	if name == "" || strings.Trim(name, nameSigns) != "" {
		return fmt.Errorf("%q is no name for %s: it has other signs than letters, digits, _ and -", name, file)
	}
	delimiter := "tidegate_" + rand.Text()
	return r.appendTo(file, name+"<<"+delimiter+"\n"+value+"\n"+delimiter+"\n")
}

// nameSigns are what names of outputs and state are made of.
const nameSigns = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

// appendTo adds text to one of the runner's files, in one write. Without a runner there is no file, and nothing to do.
func (r *Runner) appendTo(variable, text string) error {
	path := r.getenv(variable)
	if path == "" && !r.Present() {
		return nil
	}
	if path == "" {
		return fmt.Errorf("the runner names no file in %s, so what belongs there is lost; a runner of version 2.297 or later does", variable)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("the runner's file %s cannot be written: %w", variable, err)
	}
	_, err = file.WriteString(text)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("the runner's file %s cannot be written: %w", variable, err)
	}
	return nil
}
