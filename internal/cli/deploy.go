package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/live"
	"github.com/tidegate/tidegate/internal/routine"
	"github.com/tidegate/tidegate/internal/spec"
)

func deployCommand(f *flags) *cobra.Command {
	var force, resume, calls, wait bool
	cmd := &cobra.Command{
		Use: "deploy", Short: "Run a rollout, or resume the one in flight with the same target", Args: noArgs,
		Example: "  tidegate deploy --image registry.example.com/checkout:v2",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.wait = wait || resume // what is in flight must go on, or back
			switch {
			case f.dryRun && resume && len(f.images) == 0:
				return f.wayForward(cmd.Context())
			case f.dryRun:
				return f.plan(cmd.Context(), force)
			}
			deploys, err := f.deploys()
			if err != nil {
				return err
			}
			return f.deployAll(cmd.Context(), deploys, resume, func(o *app.Options) {
				o.Force, o.Resume, o.Wait = force, resume, wait
				if calls {
					o.Calls = f.env.Stderr
				}
			})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "start from a base that is not whole")
	cmd.Flags().BoolVar(&resume, "resume", false, "only resume the rollout in flight")
	cmd.Flags().BoolVar(&wait, "wait", false, "stay while an approval waits and in detached holds, and let the gates watch")
	cmd.Flags().BoolVar(&calls, "calls", false, "tell at the end how many calls were made to the Kubernetes API")
	return cmd
}

// deployAll deploys the services that got an image, one after the other, and stops at the first that does not end well.
func (f *flags) deployAll(ctx context.Context, deploys []spec.Deploy, resume bool, set func(*app.Options)) error {
	images, err := f.imagesFor(deploys)
	if err != nil {
		return err
	}
	if len(images) == 0 && !resume {
		return &usageError{errors.New("no image was given: which version should be deployed? Give --image REF")}
	}
	var waiting error
	for _, d := range deploys {
		o := f.options(d)
		o.Images = images[d.Metadata.Name]
		if len(o.Images) == 0 && !resume {
			continue
		}
		set(&o)
		err := f.run(ctx, o, app.Deploy, exitCode)
		var code codeError
		switch {
		case errors.As(err, &code) && code.code == report.Pending.ExitCode():
			waiting = err // it keeps no other service waiting
		case err != nil:
			return err
		}
	}
	return waiting
}

// run carries one command out that may carry a rollout: with a live view on a terminal, with lines in a log.
func (f *flags) run(ctx context.Context, o app.Options, command func(context.Context, app.Options) (app.Result, error),
	code func(context.Context, report.Result) int) error {
	ended := f.job.begin(&o)
	watch := &restored{}
	o.Listeners = append(o.Listeners, watch)
	listener, stop := f.view(ctx)
	o.Listeners = append(o.Listeners, listener)
	result, err := command(ctx, o)
	stop()
	result.Ending.Restored = watch.at
	ended(result, err, code(ctx, result.Result))
	return f.close(ctx, result, err, code)
}

// view is a live view on a terminal and a log elsewhere. stop ends it.
func (f *flags) view(ctx context.Context) (engine.Listener, func()) {
	if _, _, ok := f.env.Terminal(); !ok || f.json() {
		_, github := f.env.Getenv("GITHUB_ACTIONS")
		return report.NewLog(f.env.Stderr, report.LogOptions{Groups: github, NoEnding: true}), func() {}
	}
	noColour, _ := f.env.Getenv("NO_COLOR")
	term, _ := f.env.Getenv("TERM")
	screen := live.NewScreen(live.NewTerminal(f.env.Stderr, live.Colours(noColour, term)), func() (int, int) {
		width, height, _ := f.env.Terminal()
		return width, height
	})
	ticking, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	routine.Go(func() {
		defer close(done)
		for clock.Sleep(ticking, f.env.Clock, time.Second) == nil {
			screen.Tick(f.env.Clock.Now())
		}
	})
	return screen, func() { cancel(); <-done }
}

// close writes the closing words, or the result as JSON, and turns the result into the exit code.
func (f *flags) close(ctx context.Context, result app.Result, err error, code func(context.Context, report.Result) int) error {
	if err != nil && (result.Result == "" || result.Result == report.Invalid) {
		if f.json() {
			if err := writeJSON(f.env.Stdout, result); err != nil {
				return err
			}
		}
		return err
	}
	if f.json() {
		if err := writeJSON(f.env.Stdout, result); err != nil {
			return err
		}
	} else if err := report.Ending(f.env.Stdout, result.Ending); err != nil {
		return err
	}
	n := code(ctx, result.Result)
	if result.Result == report.Pending && f.job != nil && !f.job.inputs.PendingFail {
		n = exitOK // a step that waits for a person is no failed one
	}
	if n != exitOK {
		return codeError{n}
	}
	return nil
}

// restored remembers when the way back had brought every request to the base.
type restored struct{ at time.Time }

// Handle implements engine.Listener.
func (r *restored) Handle(_ context.Context, e engine.Event) {
	switch {
	case e.Kind == engine.EventStarted || e.Kind == engine.EventResumed:
		r.at = time.Time{}
	case e.Kind == engine.EventUndoOp && r.at.IsZero() && report.Share(e.Rollout) == plan.Share(0):
		r.at = e.At
	}
}
