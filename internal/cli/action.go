package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/internal/actions"
	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
)

// afterwards bounds what the post step does: GitHub gives a cancelled job five minutes.
const afterwards = 4 * time.Minute

// comeback is how long the post step tries a cluster that does not answer: what made the main step fail may pass.
const comeback = 30 * time.Second

// actionCommand is what the Action's container runs: the inputs become the flags of another command, which then runs
// as it does on the command line.
func actionCommand(f *flags) *cobra.Command {
	var post bool
	cmd := &cobra.Command{Use: "action", Short: "Run as a step of a GitHub Actions workflow: the inputs say what to do", Args: noArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			runner := actions.New(f.env.Getenv, f.raw, f.env.Stdout)
			f.mask.also = runner.Mask
			j, err := newJob(cmd.Context(), f, runner, post)
			switch {
			case err != nil && post && runner.Saved("left") == "":
				return j.nothingLeft() // main has said what is wrong
			case err != nil && post:
				runner.Annotate(actions.Error, "tidegate", err.Error())
				return &usageError{err}
			case err != nil:
				j.conclude(exitInvalid, err.Error())
				return &usageError{err}
			case post:
				err = j.post(cmd.Context())
				if text := errorText(err); text != "" && !j.told {
					j.conclude(errorCode(cmd.Context(), err), text)
				}
				return err
			}
			return j.main(cmd.Context())
		}}
	cmd.Flags().BoolVar(&post, "post", false, "end what the main step left")
	return cmd
}

// job is one run of the Action.
type job struct {
	flags  *flags
	ctx    context.Context //nolint:containedctx // of the command: the spec may have to be asked for
	runner *actions.Runner
	inputs actions.Inputs
	event  actions.Event
	place  actions.Place
	sha    string
	kube   []byte // the kubeconfig's content
	left   left
	told   bool // the outputs are written
	// summarized is how many bytes the summary has.
	summarized int
	problems   []string // that were told
}

// newJob reads what the runner gives; with an error the job is good for saying so. The post step goes on without a
// kubeconfig, which an earlier step may have removed: most often there is nothing left to do, and what there is GitHub
// must be told.
func newJob(ctx context.Context, f *flags, runner *actions.Runner, post bool) (*job, error) {
	j := &job{flags: f, ctx: ctx, runner: runner, place: runner.Place()}
	var err error
	if j.inputs, err = runner.Inputs(); err != nil {
		return j, err
	}
	if j.inputs.Token != "" {
		f.mask.add([]string{j.inputs.Token})
	}
	if j.event, err = runner.Event(); err != nil {
		return j, err
	}
	if j.kube, f.kubeconfig, err = runner.Kubeconfig(j.inputs.Kubeconfig); err != nil && !post {
		return j, err
	}
	if len(j.kube) > 0 && string(j.kube) != j.inputs.Kubeconfig {
		f.mask.add([]string{j.inputs.Kubeconfig}) // base64, whole or in lines
	}
	if err = j.ours(); err != nil {
		return j, err
	}
	f.specPath, f.environment, f.name, f.context = j.inputs.Spec, j.inputs.Environment, j.inputs.Name, j.inputs.Context
	f.images, f.accept, f.job = j.inputs.Images, j.inputs.Accept, j
	f.wait = post // what was started is to be ended, whatever the spec allows
	return j, nil
}

// ours refuses a kubeconfig among files that may be a stranger's: it can name programs to run, and another cluster.
func (j *job) ours() error {
	paths := j.flags.kubeconfig
	if paths == "" && len(j.kube) == 0 {
		paths, _ = j.flags.env.Getenv("KUBECONFIG")
	}
	workspace, err := filepath.EvalSymlinks(j.place.Workspace)
	if j.event.Trusted() || err != nil {
		return nil //nolint:nilerr // without a workspace there are no files of anybody in it
	}
	for _, path := range filepath.SplitList(paths) {
		if abs, err := filepath.Abs(path); err == nil {
			path = abs
		}
		target, err := filepath.EvalSymlinks(path)
		for _, at := range []string{path, target} {
			if rel, no := filepath.Rel(workspace, at); err == nil && no == nil && filepath.IsLocal(rel) {
				return fmt.Errorf("the kubeconfig %s lies in the workspace, which on %s may hold a stranger's files; give its content as the input kubeconfig "+
					"(from a secret), or write it to ${{ runner.temp }}", path, j.event.Name)
			}
		}
	}
	return nil
}

// args is the command line that the inputs stand for, beside the flags that all commands share.
func (j *job) args() []string {
	in := j.inputs
	args := []string{in.Command}
	switch {
	case in.Command == "deploy" && in.DryRun:
		args[0] = "plan"
	case in.Command == "resume":
		args = []string{"deploy", "--resume"}
	}
	add := func(set bool, flag string, commands ...string) {
		if set && slices.Contains(commands, args[0]) {
			args = append(args, flag)
		}
	}
	add(in.Wait, "--wait", "deploy", "plan", "validate", "promote", "rollback", "retry")
	add(in.Full, "--full", "promote")
	add(in.To != "", "--to="+in.To, "rollback")
	add(in.Steps, "--steps", "rollback")
	add(in.Now, "--now", "rollback")
	add(in.Reason != "", "--reason="+in.Reason, "abort", "promote", "rollback")
	return args
}

// main runs the command that the inputs ask for.
func (j *job) main(ctx context.Context) error {
	f := j.flags
	f.dryRun = j.inputs.DryRun
	sha, err := j.commit(ctx)
	if err == nil {
		j.sha = sha
		product := &copied{Writer: f.env.Stdout}
		shared := *f
		shared.env.Stdout = product
		cmd := root(&shared)
		j.flags = &shared
		cmd.SetArgs(j.args())
		err = cmd.ExecuteContext(ctx)
		j.show(product)
	}
	if !j.told {
		j.conclude(errorCode(ctx, err), errorText(err))
	}
	return err
}

// commit is the one that GitHub is told about.
func (j *job) commit(ctx context.Context) (string, error) {
	switch ref := j.inputs.Ref; {
	case ref == "":
		return j.event.SHA, nil
	case isSHA(ref):
		return ref, nil
	default:
		sha, err := j.access().Resolve(ctx, ref)
		if err != nil {
			return "", &usageError{fmt.Errorf("input ref: %w", err)}
		}
		return sha, nil
	}
}

func isSHA(ref string) bool {
	return len(ref) == 40 && strings.Trim(ref, "0123456789abcdef") == ""
}

func (j *job) access() app.GitHubAccess {
	return app.GitHubAccess{API: j.place.API, Token: j.inputs.Token, Repository: j.place.Repository}
}

// source reads the spec: from the repository's files, none outside of it, or, after an event that a stranger may have
// caused, from the base's commit.
func (j *job) source(path string) ([]byte, string, error) {
	if saved := j.left.Spec; saved != "" {
		return []byte(saved), j.left.Path, nil
	}
	paths := []string{spec.FileName, ".github/" + spec.FileName}
	if path != "" {
		if path = filepath.ToSlash(filepath.Clean(path)); !fs.ValidPath(path) {
			return nil, "", &usageError{fmt.Errorf("input spec is %s, which is not a path inside the repository", path)}
		}
		paths = []string{path}
	}
	for _, path := range paths {
		text, err := j.read(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, "", &usageError{fmt.Errorf("the spec cannot be read: %w", err)}
		}
		j.left.Spec, j.left.Path = string(text), path
		return text, path, nil
	}
	return nil, "", &usageError{fmt.Errorf("there is no %s in the repository%s; is it checked out (actions/checkout), and is the input spec right?",
		strings.Join(paths, " and no "), j.where())}
}

func (j *job) where() string {
	if j.event.Trusted() {
		return ""
	}
	return fmt.Sprintf(" at %s (on %s the spec is read at the base's commit)", j.event.SpecSHA, j.event.Name)
}

func (j *job) read(path string) ([]byte, error) {
	if !j.event.Trusted() {
		if j.event.SpecSHA == "" {
			return nil, fmt.Errorf("the event %s names no commit of the base", j.event.Name)
		}
		return j.access().ReadFile(j.ctx, path, j.event.SpecSHA)
	}
	dir := j.place.Workspace
	if dir == "" {
		dir = "."
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	file, err := root.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, spec.MaxSize+1))
}

// environmentName is the one that GitHub is told; its API has the same default.
func (j *job) environmentName() string {
	if j.flags.environment != "" {
		return j.flags.environment
	}
	return "production"
}

// github says what GitHub is told of one service; nil without a token or outside a workflow.
func (j *job) github(d spec.Deploy) *app.GitHub {
	if j.inputs.Token == "" || j.place.Repository == "" || j.place.API == "" || j.sha == "" {
		return nil
	}
	name := j.environmentName()
	return &app.GitHub{
		Access: j.access(), SHA: j.sha, Environment: name, Name: d.Metadata.Name, URL: d.Spec.URL, RunURL: j.place.RunURL,
		Production: production(name), Transient: strings.HasPrefix(name, "preview/"), Checks: j.inputs.Checks, Mask: j.flags.mask.text,
	}
}

// production tells by its name whether an environment is one.
func production(name string) bool {
	for _, word := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune("-_/. ", r) }) {
		if word == "production" || word == "prod" || word == "live" {
			return true
		}
	}
	return false
}

// result names what a command came to that carried no rollout.
func resultOf(code int) report.Result {
	switch code {
	case exitOK:
		return report.Unchanged
	case exitInvalid:
		return report.Invalid
	case report.Pending.ExitCode():
		return report.Pending
	case report.Cancelled.ExitCode(), 143:
		return report.Cancelled
	}
	return report.Failed
}
