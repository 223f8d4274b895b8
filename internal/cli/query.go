package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/internal/app"
)

func queryCommand(f *flags) *cobra.Command {
	return &cobra.Command{Use: "query GATE", Short: "Ask a gate's query now and show the answer",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{fmt.Errorf("say which gate: tidegate query GATE")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := f.one()
			if err != nil {
				return err
			}
			asked, err := app.Query(cmd.Context(), f.options(d), args[0])
			if err != nil {
				return err
			}
			if f.json() {
				return writeJSON(f.env.Stdout, asked)
			}
			v := asked.Verdict
			fmt.Fprintf(f.env.Stdout, "query    %s\n", strings.ReplaceAll(strings.TrimSpace(v.Evidence.Query), "\n", "\n         "))
			fmt.Fprintf(f.env.Stdout, "about    the %s's pods: %s\n", asked.Track, strings.Join(asked.Pods, ", "))
			if v.Evidence.Value != nil {
				fmt.Fprintf(f.env.Stdout, "value    %g\n", *v.Evidence.Value)
			}
			fmt.Fprintf(f.env.Stdout, "verdict  %s: %s\n", v.Outcome, v.Reason)
			return nil
		}}
}
