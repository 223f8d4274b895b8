package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/internal/actions"
	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/page"
	"github.com/tidegate/tidegate/internal/report/summary"
	"github.com/tidegate/tidegate/internal/report/timeline"
	"github.com/tidegate/tidegate/internal/spec"
)

// left is what the main step leaves for the post step, in the runner's state.
type left struct {
	SHA      string     `json:"sha"`
	Spec     string     `json:"spec"` // the text: later steps may change the workspace
	Path     string     `json:"path"`
	Services []*service `json:"services"`
}

// service is what one service's rollout left.
type service struct {
	Name     string        `json:"name"`
	Identity string        `json:"identity"` // of the lock
	Rollout  string        `json:"rollout,omitempty"`
	Result   report.Result `json:"result,omitempty"` // none: the process died
	Told     []app.Told    `json:"told,omitempty"`
}

// over tells whether nothing of the service is in flight because of this job.
func (s *service) over() bool {
	return s.Result != "" && s.Result != report.Cancelled && s.Result != report.Failed
}

// stateLimit is the longest value that survives: the post step gets it as an environment variable, which Linux limits
// to 128 KiB.
const stateLimit = 120 << 10

// save keeps what is left in the runner's state. The last value counts.
func (j *job) save() {
	j.left.SHA = j.sha
	data, err := json.Marshal(j.left)
	if len(data) > stateLimit {
		kept := j.left
		kept.Spec = "" // the post step reads it again
		data, err = json.Marshal(kept)
	}
	j.problem(errors.Join(err, j.runner.State("left", string(data))))
}

// begin prepares a service's rollout for the Action. It returns what is to be done at its end.
func (j *job) begin(o *app.Options) func(r app.Result, err error, code int) {
	if j == nil {
		return func(app.Result, error, int) {}
	}
	name := o.Deploy.Metadata.Name
	mine := &service{Name: name}
	j.left.Services = append(j.left.Services, mine)
	line := &timeline.Timeline{}
	if o.GitHub == nil {
		o.GitHub = j.github(o.Deploy)
	}
	o.Identity = func(identity string) { mine.Identity = identity; j.save() }
	o.Listeners = append(o.Listeners, line, listen(func(e engine.Event) {
		if e.Kind == engine.EventStarted || e.Kind == engine.EventResumed {
			mine.Rollout = e.Rollout.ID
			j.save()
		}
	}))
	o.Warn = func(text string) { j.runner.Annotate(actions.Warning, name, text) } // the runner shows it in the log, too
	return func(r app.Result, err error, code int) {
		mine.Result, mine.Told = r.Result, r.Told
		j.save()
		j.tell(o.Deploy, r, err, code, line.Data())
	}
}

// listen makes a listener of a function.
type listen func(engine.Event)

// Handle implements engine.Listener.
func (l listen) Handle(_ context.Context, e engine.Event) { l(e) }

// tell writes the outputs, the summary, the report and an annotation.
func (j *job) tell(d spec.Deploy, r app.Result, err error, code int, line timeline.Data) {
	if r.Ending.Reason == "" && err != nil {
		r.Ending.Reason = err.Error()
	}
	in := summary.Input{End: r.Ending, Timeline: line, Environment: j.environmentName(), RunURL: j.place.RunURL, CommitSHA: j.sha}
	if r.Deployment != 0 {
		in.DeploymentURL = j.deploymentURL()
	}
	j.outputs(map[string]string{
		"result": string(r.Result), "reason": r.Reason, "step": r.Step, "revision": r.Revision, "previous-revision": r.Previous,
		"deployment-id": deploymentID(r.Deployment), "environment-url": d.Spec.URL, "plan-digest": r.PlanDigest,
		"report": j.page(d.Metadata.Name, in),
	})
	j.summarize(in)
	level, closing := actions.Notice, r.Ending.Closing()
	switch {
	case r.Result == report.Pending && !j.inputs.PendingFail:
		level = actions.Warning // somebody is asked
	case code != exitOK:
		level = actions.Error
	}
	j.runner.Annotate(level, closing.Headline, firstLine(closing.Why, closing.Users, closing.Headline))
}

// summarize adds to the job's summary, within what is left of its size.
func (j *job) summarize(in summary.Input) {
	text := j.flags.mask.text(summary.Within(in, summary.MaxBytes-j.summarized))
	j.summarized += len(text)
	j.problem(j.runner.Summary(text))
}

func (j *job) deploymentURL() string {
	base, _, _ := strings.Cut(j.place.RunURL, "/actions/")
	return base + "/deployments/" + url.PathEscape(j.environmentName())
}

func deploymentID(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

func firstLine(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// outputs writes what is not empty. Values are masked and harmless: an output may be printed by any later step.
func (j *job) outputs(values map[string]string) {
	j.told = true
	names := []string{}
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if values[name] != "" {
			j.problem(j.runner.Output(name, actions.Plain(j.flags.mask.text(values[name]))))
		}
	}
}

// problem says, once, what of the reporting went wrong. It fails nothing.
func (j *job) problem(err error) {
	if err == nil || slices.Contains(j.problems, err.Error()) {
		return
	}
	j.problems = append(j.problems, err.Error())
	fmt.Fprintln(j.flags.env.Stderr, "warning: "+actions.Plain(err.Error()))
}

// reports is the folder of the HTML reports in the workspace.
const reports = "tidegate-report"

// page writes the HTML report into the workspace, where an upload step finds it, and gives its path there.
func (j *job) page(name string, in summary.Input) string {
	if j.place.Workspace == "" {
		return ""
	}
	root, err := os.OpenRoot(j.place.Workspace) // a link in the workspace leads nowhere outside
	if err != nil {
		j.problem(fmt.Errorf("the report cannot be written: %w", err))
		return ""
	}
	defer root.Close()
	file := path.Join(reports, name+".html")
	err = root.MkdirAll(reports, 0o755)
	if err == nil {
		err = root.WriteFile(file, []byte(j.flags.mask.text(string(page.HTML(in)))), 0o644)
	}
	if err != nil {
		j.problem(fmt.Errorf("the report cannot be written: %w", err))
		return ""
	}
	return file
}

// conclude is the end of a call without a rollout: a plan, or one that was wrong.
func (j *job) conclude(code int, text string) {
	j.outputs(map[string]string{"result": string(resultOf(code)), "reason": text})
	if code != exitOK {
		text = firstLine(text, "the command ended with exit code "+strconv.Itoa(code))
		j.runner.Annotate(actions.Error, "tidegate", text)
		end := report.End{Result: resultOf(code), Reason: text, At: j.flags.env.Clock.Now()}
		j.summarize(summary.Input{End: end, Environment: j.environmentName(), RunURL: j.place.RunURL, CommitSHA: j.sha})
	}
}

// show puts what a command printed into the summary, for those whose print is all there is.
func (j *job) show(printed *copied) {
	if args := j.args(); (args[0] == "plan" || args[0] == "status") && printed.Len() > 0 {
		j.summarize(summary.Input{DryRun: printed.String(), Environment: j.environmentName(), RunURL: j.place.RunURL, CommitSHA: j.sha})
	}
}

// copied keeps what is written, up to a size.
type copied struct {
	io.Writer
	bytes.Buffer
}

const copiedLimit = 256 << 10

// Write implements io.Writer.
func (c *copied) Write(p []byte) (int, error) {
	if c.Len()+len(p) <= copiedLimit {
		c.Buffer.Write(p)
	}
	return c.Writer.Write(p)
}

// post ends what the main step left: it takes rollouts back that are in flight, and tells GitHub what it does not know.
func (j *job) post(ctx context.Context) error {
	if state := j.runner.Saved("left"); state != "" {
		if err := json.Unmarshal([]byte(state), &j.left); err != nil {
			return fmt.Errorf("what the main step left cannot be read: %w; if its rollout is in flight still (`tidegate status`), take it back with "+
				"`tidegate abort`", err)
		}
	}
	services := slices.DeleteFunc(j.left.Services, func(s *service) bool { return s.over() && allHeard(s.Told) })
	j.sha, j.left.Services = j.left.SHA, nil
	if len(services) == 0 {
		return j.nothingLeft()
	}
	ctx, cancel := context.WithTimeout(ctx, afterwards)
	defer cancel()
	deploys, err := j.flags.deploys()
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range services {
		i := slices.IndexFunc(deploys, func(d spec.Deploy) bool { return d.Metadata.Name == s.Name })
		if i < 0 {
			errs = append(errs, fmt.Errorf("the spec has no service %s any more; run `tidegate abort` for it", s.Name))
			continue
		}
		errs = append(errs, j.finish(ctx, deploys[i], s))
	}
	return errors.Join(errs...)
}

func (j *job) nothingLeft() error {
	fmt.Fprintln(j.flags.env.Stdout, "the main step left nothing to do")
	return nil
}

func allHeard(told []app.Told) bool {
	return !slices.ContainsFunc(told, func(l app.Told) bool { return !l.Heard() })
}

func (j *job) finish(ctx context.Context, d spec.Deploy, s *service) error {
	o := j.flags.options(d)
	o.Predecessor, o.Rollout, o.Patience = s.Identity, s.Rollout, comeback
	o.Reason = "the workflow run was cancelled, or its runner was lost"
	if o.GitHub = j.github(d); o.GitHub != nil {
		o.GitHub.Prior, o.GitHub.Persist = s.Told, true
	}
	if s.over() {
		if o.GitHub == nil {
			return nil
		}
		return app.CatchUp(ctx, o)
	}
	return j.flags.run(ctx, o, func(ctx context.Context, o app.Options) (app.Result, error) {
		return app.Finish(ctx, o, j.inputs.Leave)
	}, func(_ context.Context, r report.Result) int {
		if r == report.UndoFailed || r == report.Failed {
			return r.ExitCode()
		}
		return exitOK
	})
}
