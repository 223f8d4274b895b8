package actions

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Inputs are the Action's, as action.yml has them.
type Inputs struct {
	Command     string // one of Commands
	Spec        string
	Environment string
	Name        string
	Images      []string // lines
	Ref         string   // the commit, branch or tag that is deployed
	Kubeconfig  string   // YAML, base64 of it, or a path
	Context     string
	PendingFail bool   // a rollout that waits for an approval fails the step
	Leave       bool   // on-cancel: leave
	Reason      string // of an abort, a promote or a rollback
	Wait        bool   // the job stays while an approval waits
	Full        bool   // of a promote
	To          string // of a rollback
	Steps       bool   // of a rollback
	Now         bool   // likewise
	DryRun      bool
	Checks      bool
	Accept      []string
	Token       string
}

// Commands are what the input `command` may be.
func Commands() []string {
	return []string{"deploy", "resume", "promote", "abort", "rollback", "retry", "plan", "status", "validate"}
}

// Inputs reads them all and says everything that is wrong with them.
func (r *Runner) Inputs() (Inputs, error) {
	var problems []error
	choice := func(name string, values ...string) string {
		value := r.action.GetInput(name)
		if value == "" {
			return values[0]
		}
		if !slices.Contains(values, value) {
			problems = append(problems, fmt.Errorf("input %s is %q; it can be %s", name, value, strings.Join(values, ", ")))
		}
		return value
	}
	lines := func(name string) []string {
		return slices.DeleteFunc(strings.FieldsFunc(r.action.GetInput(name), func(c rune) bool { return c == '\n' || c == '\r' }),
			func(s string) bool { return strings.TrimSpace(s) == "" })
	}
	in := Inputs{
		Command: choice("command", Commands()...), Spec: r.action.GetInput("spec"), Environment: r.action.GetInput("environment"),
		Name: r.action.GetInput("name"), Images: lines("image"), Ref: r.action.GetInput("ref"),
		Kubeconfig: r.action.GetInput("kubeconfig"), Context: r.action.GetInput("context"),
		PendingFail: choice("pending", "pass", "fail") == "fail", Leave: choice("on-cancel", "undo", "leave") == "leave",
		Reason: r.action.GetInput("reason"), Wait: choice("wait", "false", "true") == "true", Full: choice("full", "false", "true") == "true",
		To: r.action.GetInput("to"), Steps: choice("steps", "false", "true") == "true", Now: choice("now", "false", "true") == "true", DryRun: choice("dry-run", "false", "true") == "true",
		Checks: choice("checks", "false", "true") == "true", Token: r.action.GetInput("github-token"),
	}
	for _, line := range lines("accept") {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name != "" {
				in.Accept = append(in.Accept, name)
			}
		}
	}
	return in, errors.Join(problems...)
}
