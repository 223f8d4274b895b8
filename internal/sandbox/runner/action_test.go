package runner_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/sandbox/runner"
)

func TestLoad(t *testing.T) {
	a := action(t)
	if a.Inputs["command"].Default != "deploy" || !a.Inputs["command"].Required || a.Runs.PostEntrypoint != "/usr/bin/play-post" ||
		a.Outputs["reason"].Description != "Why" || a.Branding.Icon != "anchor" {
		t.Errorf("the action is %+v", a)
	}
}

func TestLoadRefuses(t *testing.T) {
	good, err := os.ReadFile("testdata/action.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, old, new, want string }{
		{"a misspelled key", "post-entrypoint:", "post-entrypiont:", "post-entrypiont not found"},
		{"a misspelled key of an input", "required: true", "requird: true", "requird not found"},
		{"no image", "image: docker://example.invalid/play:1", "", "runs.image is required"},
		{"another kind of action", "using: docker", "using: node20", `runs.using is "node20"`},
		{"a context that an action has not", "${{ github.token }}", "${{ secrets.TOKEN }}", `the expression "secrets.TOKEN"`},
		{"an input that is not declared", "${{ inputs.command }}!", "${{ inputs.comand }}!", `the expression "inputs.comand"`},
		{"a step before", "entrypoint: /usr/bin/play\n", "pre-entrypoint: /x\n", "pre-entrypoint is not run here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "action.yml")
			text := strings.Replace(string(good), tt.old, tt.new, 1)
			if text == string(good) {
				t.Fatalf("%q is not in the action", tt.old)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := runner.Load(path); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	if _, err := runner.Load("testdata/none.yml"); err == nil {
		t.Error("a file that is missing was loaded")
	}
}
