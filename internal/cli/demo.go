package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/demo"
	"github.com/tidegate/tidegate/internal/report"
)

func demoCommand(f *flags) *cobra.Command {
	return &cobra.Command{Use: "demo", Short: "A good and a bad release on an embedded cluster, with real HTTP traffic", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo.Run(cmd.Context(), demo.Options{Out: f.env.Stdout, Clock: f.env.Clock, Deploy: f.show})
		}}
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
