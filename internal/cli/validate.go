package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/spec"
)

func validateCommand(f *flags) *cobra.Command {
	var wait bool
	cmd := &cobra.Command{Use: "validate", Short: "Check a spec without a cluster, every environment of it", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			text, path, err := f.source()
			if err != nil {
				return err
			}
			files, err := spec.Check(text, spec.Options{File: path, Environment: f.environment, Name: f.name, AnyEnvironment: f.job != nil, Wait: wait})
			var problems spec.Problems
			if errors.As(err, &problems) && f.json() {
				if err := writeJSON(f.env.Stdout, map[string]any{"valid": false, "problems": problems}); err != nil {
					return err
				}
				return codeError{exitInvalid}
			}
			if err != nil {
				return err
			}
			return f.valid(path, files)
		}}
	cmd.Flags().BoolVar(&wait, "wait", false, "for deploys that stay while an approval waits")
	return cmd
}

// valid says what was found to be right, and what a deploy will need besides.
func (f *flags) valid(path string, files []spec.File) error {
	names := map[string][]string{}
	order, needs := []string{}, []string{}
	for _, file := range files {
		for _, d := range file.Deploys {
			if err := app.Validate(d); err != nil {
				return &usageError{fmt.Errorf("%s: %s: %w", path, d.Metadata.Name, err)}
			}
			if names[d.Metadata.Name] == nil {
				order = append(order, d.Metadata.Name)
			}
			names[d.Metadata.Name] = append(names[d.Metadata.Name], d.Environment)
		}
		for _, name := range file.Names() {
			if !contains(needs, name) {
				needs = append(needs, name)
			}
		}
	}
	if f.json() {
		return writeJSON(f.env.Stdout, map[string]any{"valid": true, "services": order, "needs": needs})
	}
	for _, name := range order {
		line := path + ": " + name + " is valid"
		if environments := strings.Join(names[name], ", "); environments != "" {
			line += " for " + environments
		}
		fmt.Fprintln(f.env.Stdout, line)
	}
	if len(needs) > 0 {
		fmt.Fprintf(f.env.Stdout, "a deploy needs these environment variables: %s\n", strings.Join(needs, ", "))
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

func schemaCommand(f *flags) *cobra.Command {
	return &cobra.Command{Use: "schema", Short: "Print the JSON Schema of the spec", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := f.env.Stdout.Write(spec.Schema())
			return err
		}}
}

func writeJSON(w interface{ Write([]byte) (int, error) }, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
