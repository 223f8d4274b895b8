package runner

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Conclusion is what GitHub shows of a step.
type Conclusion string

// The conclusions of a step that ran.
const (
	Success   Conclusion = "success"
	Failure   Conclusion = "failure"
	Cancelled Conclusion = "cancelled" // whatever the process answered to the signals
	// Lost: the runner was gone with the process. Nothing was read of the step's file commands, and no post step follows.
	Lost Conclusion = "lost"
)

// Outcome is what GitHub has of a step when it is over.
type Outcome struct {
	ExitCode    int // 128 and the signal's number for a process that a signal ended
	Conclusion  Conclusion
	Outputs     map[string]string
	State       map[string]string
	Env         map[string]string // for the steps after it
	Path        []string
	Summary     string
	Log         string // both streams, masked, commands in the runner's form: ##[error]…
	Annotations []Annotation
	Groups      []Group
	Signals     []string // what the runner sent, in order, whether it reached the process or not
	Duration    time.Duration
	Problems    []string // what GitHub would drop, refuse or misunderstand; empty for a faultless step
}

// Annotation is shown beside the run.
type Annotation struct {
	Level   string // error, warning, notice
	File    string // below the workspace, if it lies there
	Line    int
	Title   string
	Message string
}

// Group is a part of the log that can be folded.
type Group struct {
	Title string
	Lines []string
}

// read takes the step's file commands into the outcome.
func (o *Outcome) read(f files, a Action, s *sink) {
	o.Outputs, o.State, o.Env = s.outputs, s.state, map[string]string{}
	for _, target := range []struct {
		name, path string
		empty      bool // whether a name may be empty
		values     map[string]string
	}{{"output", f.output, false, o.Outputs}, {"state", f.state, true, o.State}, {"env", f.environment, false, o.Env}} {
		pairs, err := readPairs(target.path)
		for _, p := range pairs {
			if p.name == "" && !target.empty {
				err = refusal("Value cannot be null. (Parameter 'name')")
				break
			}
			target.values[p.name] = p.value
		}
		if err != nil {
			s.fail(fmt.Sprintf("Unable to process file command '%s' successfully.", target.name))
			s.fail(err.Error())
		}
	}
	if _, blocked := o.Env["NODE_OPTIONS"]; blocked {
		s.issue(Annotation{Level: "error", Message: "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command."})
		s.problem("GitHub refuses NODE_OPTIONS in GITHUB_ENV")
		delete(o.Env, "NODE_OPTIONS")
	}
	paths, err := readLines(f.path)
	if err != nil {
		s.fail(err.Error())
	}
	o.Path = paths
	if o.Summary, err = readSummary(f.summary); err != nil {
		s.issue(Annotation{Level: "error", Message: err.Error()}) // the step's result stands
		s.problem("the summary was refused: %v", err)
	}
	o.Summary = s.masks.apply(o.Summary)
	o.review(a, s)
}

// review notes what GitHub takes without a word, though it is seldom meant.
func (o *Outcome) review(a Action, s *sink) {
	for _, name := range slices.Sorted(maps.Keys(o.Outputs)) {
		if _, declared := a.Outputs[name]; !declared {
			s.problem("the output %q is not declared in action.yml", name)
		}
		if s.masks.apply(o.Outputs[name]) != o.Outputs[name] {
			s.problem("the output %q has a masked value in it: GitHub drops it where it becomes a job's output", name)
		}
	}
}

// exit is the step's conclusion from how its process ended.
func (o *Outcome) exit(code int, s *sink) {
	o.ExitCode = code
	switch {
	case o.Conclusion != "":
	case code != 0 || s.failed:
		o.Conclusion = Failure
	default:
		o.Conclusion = Success
	}
}

// relative is a path below the workspace, as the annotation shows it.
func relative(path, workspace string) string {
	if rest, ok := below(workspace, path); ok {
		return strings.TrimPrefix(rest, string(filepath.Separator))
	}
	return path
}
