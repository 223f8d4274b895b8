package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/live"
	"github.com/tidegate/tidegate/internal/routine"
)

func statusCommand(f *flags) *cobra.Command {
	var watch bool
	cmd := &cobra.Command{Use: "status", Short: "Where the rollout stands: steps, split, gates with their evidence", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := f.one()
			if err != nil {
				return err
			}
			if watch {
				return f.follow(cmd.Context(), f.options(d))
			}
			v, err := app.Status(cmd.Context(), f.options(d))
			if err != nil {
				return err
			}
			return f.status(v)
		}}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "follow the rollout until it ends")
	return cmd
}

func (f *flags) status(v report.StatusView) error {
	if f.json() {
		return report.StatusJSON(f.env.Stdout, v)
	}
	return report.Status(f.env.Stdout, v)
}

// follow shows every change of the record until the rollout has ended, or at once when none is in flight.
func (f *flags) follow(ctx context.Context, o app.Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	views, err := app.Watch(ctx, o)
	if err != nil {
		return err
	}
	if _, _, ok := f.env.Terminal(); ok && !f.json() {
		return f.followLive(ctx, views)
	}
	last := ""
	for v := range views {
		if line := f.line(v); line != last || f.json() {
			last = line
			if err := f.tellChange(v, line); err != nil {
				return err
			}
		}
		if !inFlight(v) {
			return nil
		}
	}
	return context.Cause(ctx)
}

func (f *flags) tellChange(v report.StatusView, line string) error {
	if f.json() {
		return report.StatusJSON(f.env.Stdout, v)
	}
	_, err := fmt.Fprintf(f.env.Stdout, "%s  %s\n", v.Now.Format(time.TimeOnly), line)
	return err
}

// line is where the rollout stands, in one line.
func (f *flags) line(v report.StatusView) string {
	if v.Record == nil || v.Record.Rollout == nil {
		return "no rollout yet"
	}
	ro := v.Record.Rollout
	text := fmt.Sprintf("%s  %s", ro.Phase, ro.Plan.Target)
	if ro.Phase.InFlight() {
		text = fmt.Sprintf("%s  step %d of %d: %s  %s to the new version", ro.Phase, ro.Step+1, len(ro.Plan.Steps),
			ro.Plan.Steps[ro.Step].Title, report.Share(*ro))
	}
	if step, _, waits := ro.Waiting(); waits {
		text = fmt.Sprintf("waiting  step %d of %d: %s  %s to the new version: answer with tidegate promote or tidegate abort", ro.Step+1,
			len(ro.Plan.Steps), report.OneLine(step.Title), report.Share(*ro))
	}
	if step, until, holds := ro.Holding(); holds && (v.Facts.Alive == nil || !*v.Facts.Alive) {
		text = fmt.Sprintf("holding  step %d of %d: %s  %s to the new version: until %s; nobody watches meanwhile", ro.Step+1, len(ro.Plan.Steps),
			report.OneLine(step.Title), report.Share(*ro), until.UTC().Format(time.RFC3339))
	}
	if ro.Reason != "" {
		text += ": " + ro.Reason
	}
	return text
}

func (f *flags) followLive(ctx context.Context, views <-chan report.StatusView) error {
	noColour, _ := f.env.Getenv("NO_COLOR")
	term, _ := f.env.Getenv("TERM")
	screen := live.NewScreen(live.NewTerminal(f.env.Stdout, live.Colours(noColour, term)), func() (int, int) {
		width, height, _ := f.env.Terminal()
		return width, height
	})
	tick := make(chan struct{})
	routine.Go(func() {
		for clock.Sleep(ctx, f.env.Clock, time.Second) == nil {
			select {
			case tick <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	})
	for {
		select {
		case <-tick:
			screen.Tick(f.env.Clock.Now())
		case v, ok := <-views:
			if !ok {
				return context.Cause(ctx)
			}
			if v.Record == nil || v.Record.Rollout == nil {
				return f.status(v)
			}
			screen.SetPods(v.Facts.Pods)
			screen.Show(*v.Record.Rollout, v.Now)
			if !inFlight(v) {
				return nil
			}
		}
	}
}

func inFlight(v report.StatusView) bool {
	return v.Record != nil && v.Record.Rollout != nil && v.Record.Rollout.Phase.InFlight() && v.Record.Rollout.Phase != engine.UndoFailed
}
