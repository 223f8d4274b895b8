package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the release build: -ldflags "-X github.com/tidegate/tidegate/internal/cli.version=v1.2.3".
var version = "dev"

func versionCommand(f *flags) *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print version, commit and Go version", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := f.checkOutput(); err != nil {
				return err
			}
			commit := revisionOfBuild()
			if f.json() {
				return json.NewEncoder(f.env.Stdout).Encode(map[string]string{"version": version, "commit": commit, "go": runtime.Version()})
			}
			fmt.Fprintf(f.env.Stdout, "tidegate %s (commit %s, %s, %s/%s)\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		}}
}

func revisionOfBuild() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "unknown"
}
