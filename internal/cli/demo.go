package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/demo"
	"github.com/tidegate/tidegate/internal/report"
)

func demoCommand(f *flags) *cobra.Command {
	var strategy string
	cmd := &cobra.Command{Use: "demo", Short: "A good and a bad release on an embedded cluster, with real HTTP traffic", Args: noArgs,
		Example: "  tidegate demo --strategy rolling",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(demo.Strategies(), strategy) {
				return &usageError{fmt.Errorf("the demo has no strategy %q; it has %s", strategy, strings.Join(demo.Strategies(), ", "))}
			}
			return demo.Run(cmd.Context(), demo.Options{Out: f.env.Stdout, Clock: f.env.Clock, Strategy: strategy, Deploy: f.show})
		}}
	cmd.Flags().StringVar(&strategy, "strategy", demo.Strategies()[0], "one of "+strings.Join(demo.Strategies(), ", "))
	return cmd
}

// show deploys with the view that a deploy has, and its closing words.
func (f *flags) show(ctx context.Context, o app.Options) (app.Result, error) {
	watch := &restored{}
	listener, stop := f.view(ctx)
	o.Listeners = append(o.Listeners, watch, listener)
	result, err := app.Deploy(ctx, o)
	stop()
	if err != nil {
		return result, err
	}
	result.Ending.Restored = watch.at
	return result, report.Ending(f.env.Stdout, result.Ending)
}
