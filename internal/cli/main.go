package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/internal/actions"
)

// Main runs one command line and returns its exit code.
func Main(ctx context.Context, args []string, env Env) int {
	masked := newMask()
	f := &flags{env: env, mask: masked}
	f.raw, f.env.Stdout, f.env.Stderr = env.Stdout, masked.writer(env.Stdout), masked.writer(env.Stderr)
	cmd := root(f)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	if text := errorText(err); text != "" {
		fmt.Fprintln(f.env.Stderr, "tidegate: "+actions.Plain(text))
	}
	masked.flush()
	return errorCode(ctx, err)
}

func errorText(err error) string {
	var code codeError
	if err == nil || errors.As(err, &code) {
		return ""
	}
	return err.Error()
}

// root is the tidegate command with all others.
func root(f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tidegate",
		Short: "Carry a new version to users, step by step, and bring it back when gates turn",
		Long: "Tidegate reads a deploy spec, carries a new version to users on plain Kubernetes objects by the chosen\n" +
			"strategy, watches metric gates, and rolls back by itself when they turn. It needs nothing in the cluster.\n\n" +
			"Exit codes: 0 done or nothing to do, 1 error, 2 the spec or the call is wrong (nothing was touched),\n" +
			"3 rolled back, 4 waiting (for an approval, or in a detached hold), 5 another rollout holds the lock,\n" +
			"6 undo failed (a person is needed), 7 superseded,\n" +
			"130 and 143 cancelled (the next run resumes or undoes).",
		SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("unknown command %q; `tidegate --help` lists the commands", args[0])}
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	cmd.SetOut(f.env.Stdout)
	cmd.SetErr(f.env.Stderr)
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w; `%s --help` lists the flags", err, c.CommandPath())}
	})
	f.register(cmd.PersistentFlags())
	cmd.AddCommand(deployCommand(f), promoteCommand(f), abortCommand(f), rollbackCommand(f), retryCommand(f), statusCommand(f), planCommand(f), validateCommand(f), schemaCommand(f),
		queryCommand(f), demoCommand(f), versionCommand(f), actionCommand(f))
	return cmd
}

// noArgs refuses arguments as a wrong call.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
}
