package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
)

func abortCommand(f *flags) *cobra.Command {
	var reason string
	cmd := &cobra.Command{Use: "abort", Short: "Undo the rollout in flight", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := f.one()
			if err != nil {
				return err
			}
			o := f.options(d)
			o.Reason = reason
			if f.dryRun {
				return f.wayBack(cmd.Context(), o)
			}
			return f.run(cmd.Context(), o, app.Abort, func(ctx context.Context, r report.Result) int {
				if r == report.Aborted || r == report.RolledBack || r == report.Superseded {
					return exitOK // the rollout was undone, as was asked
				}
				return exitCode(ctx, r)
			})
		}}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return cmd
}

// wayBack shows what an abort would do.
func (f *flags) wayBack(ctx context.Context, o app.Options) error {
	v, err := app.Status(ctx, o)
	if err != nil {
		return err
	}
	if !inFlight(v) {
		fmt.Fprintln(f.env.Stdout, "no rollout is in flight: an abort would do nothing")
		return nil
	}
	ro := v.Record.Rollout
	fmt.Fprintf(f.env.Stdout, "an abort of rollout %s at step %s would:\n", ro.ID, ro.Plan.Steps[ro.Step].ID)
	for i, op := range ro.Plan.UndoFrom(ro.Step) {
		fmt.Fprintf(f.env.Stdout, "  %d. %s\n", i+1, op)
	}
	return nil
}

func promoteCommand(f *flags) *cobra.Command {
	var full, wait bool
	var reason string
	cmd := &cobra.Command{Use: "promote", Short: "Answer the approval that the rollout waits for: let it go on", Args: noArgs,
		Long: "Promote answers the approval that the rollout in flight waits for. A run that stays with the rollout is asked to go on;\n" +
			"when nobody stays, this command carries the rollout on, to its end or to the next approval.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := f.one()
			if err != nil {
				return err
			}
			o := f.options(d)
			o.Full, o.Reason, o.Wait = full, reason, wait
			if f.dryRun {
				return f.wayOn(cmd.Context(), o)
			}
			return f.run(cmd.Context(), o, app.Promote, exitCode)
		}}
	cmd.Flags().BoolVar(&full, "full", false, "skip the holds and approvals that are left; every gate still has to pass once in each step")
	cmd.Flags().BoolVar(&wait, "wait", false, "stay while a later approval waits and in detached holds, and let the gates watch")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return cmd
}

// wayOn shows what a promote would do.
func (f *flags) wayOn(ctx context.Context, o app.Options) error {
	v, err := app.Status(ctx, o)
	if err != nil {
		return err
	}
	if !inFlight(v) {
		fmt.Fprintln(f.env.Stdout, "no rollout is in flight: there is nothing to promote")
		return nil
	}
	ro := v.Record.Rollout
	step, _, waits := ro.Waiting()
	if !waits && !o.Full {
		fmt.Fprintf(f.env.Stdout, "nothing waits for an approval: rollout %s is at step %s\n", ro.ID, ro.Plan.Steps[ro.Step].ID)
		return nil
	}
	if waits {
		fmt.Fprintf(f.env.Stdout, "a promote of rollout %s would answer %s (%s), and go on:\n", ro.ID, step.ID, report.OneLine(step.Approve.Message))
	} else {
		fmt.Fprintf(f.env.Stdout, "a promote of rollout %s would skip what is left of the hold of %s, and go on:\n", ro.ID, ro.Plan.Steps[ro.Step].ID)
	}
	f.stepsAhead(ro.Plan.Steps[ro.Step+1:], o.Full)
	return nil
}

// wayForward shows what a resume would do.
func (f *flags) wayForward(ctx context.Context) error {
	d, err := f.one()
	if err != nil {
		return err
	}
	v, err := app.Status(ctx, f.options(d))
	if err != nil {
		return err
	}
	if !inFlight(v) {
		fmt.Fprintln(f.env.Stdout, "no rollout is in flight: there is nothing to resume")
		return nil
	}
	ro := v.Record.Rollout
	if ro.Phase != engine.Running {
		return f.wayBack(ctx, f.options(d))
	}
	fmt.Fprintf(f.env.Stdout, "a resume of rollout %s would carry it on from step %s:\n", ro.ID, ro.Plan.Steps[ro.Step].ID)
	f.stepsAhead(ro.Plan.Steps[ro.Step:], false)
	return nil
}

func (f *flags) stepsAhead(steps []plan.Step, full bool) {
	for i, s := range steps {
		fmt.Fprintf(f.env.Stdout, "  %d. %s\n", i+1, stepAhead(s, full))
	}
}

// stepAhead is a step to come, without what a promote in full skips.
func stepAhead(s plan.Step, full bool) string {
	hold := s.Hold
	if full {
		hold -= s.Skip
	}
	text := report.OneLine(s.Title)
	if s.Approve != nil && full {
		text += " (skipped)"
	}
	if hold > 0 {
		text += fmt.Sprintf("; holds %s", report.Duration(hold))
	}
	return text
}

func rollbackCommand(f *flags) *cobra.Command {
	var to, reason string
	var steps, now, wait bool
	cmd := &cobra.Command{Use: "rollback", Short: "Bring the revision before the present one back, or a named one of the history", Args: noArgs,
		Long: "Rollback brings an earlier revision back, with its whole pod template. While a rollout is in flight it undoes that: one\n" +
			"write as long as the base is untouched. Afterwards it is a rollout of its own, which goes to everyone at once, watched by\n" +
			"the gates: candidate, full, confirm, roll-base, return, clean-up. There is no bake and no share in between but with\n" +
			"--steps. Called again it goes further back.\n\n" +
			"With --now the workload itself is rolled under traffic by its own parameters, whatever the strategy is: no candidate is\n" +
			"started, and users are on the old version as soon as its pods are ready. That risks what any rolling update does: pods\n" +
			"that stop are told so while requests come to them, and there is no one write by which to go forward again.",
		Example: "  tidegate rollback\n  tidegate rollback --to v1.4.2\n  tidegate rollback --now",
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := f.one()
			if err != nil {
				return err
			}
			o := f.options(d)
			if now && steps {
				return &usageError{errors.New("--now leaves the steps out that --steps asks for: give one of them")}
			}
			o.To, o.Steps, o.Now, o.Reason, o.Wait = to, steps, now, reason, wait
			if f.dryRun {
				return f.planRollback(cmd.Context(), o)
			}
			asked := false
			rollback := func(ctx context.Context, o app.Options) (app.Result, error) {
				result, err := app.Rollback(ctx, o)
				asked = result.Asked
				return result, err
			}
			return f.run(cmd.Context(), o, rollback, func(ctx context.Context, r report.Result) int {
				if asked {
					return exitOK
				}
				return exitCode(ctx, r)
			})
		}}
	cmd.Flags().StringVar(&to, "to", "", "the revision: its number in the history that status shows, the ID of its rollout, an image or its tag")
	cmd.Flags().BoolVar(&steps, "steps", false, "go through the spec's steps, approvals and bake, as a deploy does")
	cmd.Flags().BoolVar(&now, "now", false, "roll the workload under traffic, without a candidate: for when seconds count")
	cmd.Flags().BoolVar(&wait, "wait", false, "with --steps: stay while an approval waits and in detached holds, and let the gates watch")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record, when a rollout in flight is undone")
	return cmd
}

// planRollback shows what a rollback would do.
func (f *flags) planRollback(ctx context.Context, o app.Options) error {
	p, abort, err := app.PlanRollback(ctx, o)
	if err != nil {
		return err
	}
	if abort {
		return f.wayBack(ctx, o)
	}
	return f.planned(p)
}

func retryCommand(f *flags) *cobra.Command {
	var wait bool
	cmd := &cobra.Command{Use: "retry", Short: "Start the last rollout again, if it was undone: the same images and spec, from the first step", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.wait = wait
			d, err := f.only()
			if err != nil {
				return err
			}
			o := f.options(d)
			o.Wait = wait
			if f.dryRun {
				p, err := app.PlanRetry(cmd.Context(), o)
				if err != nil {
					return err
				}
				return f.planned(p)
			}
			return f.run(cmd.Context(), o, app.Retry, exitCode)
		}}
	cmd.Flags().BoolVar(&wait, "wait", false, "stay while an approval waits and in detached holds, and let the gates watch")
	return cmd
}
