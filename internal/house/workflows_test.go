package house

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// workflow is the part of a workflow that is looked at.
type workflow struct {
	Permissions map[string]string
	Concurrency struct{ Group string }
	Jobs        map[string]job
}

type job struct {
	Timeout     int `yaml:"timeout-minutes"`
	Uses        string
	Permissions map[string]string
	Environment struct {
		Name       string
		Deployment *bool
	}
	Concurrency struct{ Group string }
	Steps       []step
}

type step struct {
	ID, Uses string
	With     map[string]string
}

// ours tells whether a step runs the Action.
func (s step) ours() bool { return strings.HasPrefix(s.Uses, "tidegate/tidegate@") }

// documented calls f for every workflow that the documentation shows.
func documented(t *testing.T, f func(path, text string, w workflow)) {
	t.Helper()
	seen := 0
	for _, path := range prose(t) {
		for _, block := range fence.FindAllStringSubmatch(read(t, path), -1) {
			if !regexp.MustCompile(`(?m)^jobs:`).MatchString(block[1]) {
				continue
			}
			seen++
			var w workflow
			if err := yaml.Unmarshal([]byte(block[1]), &w); err != nil {
				t.Errorf("%s has a workflow that does not decode: %v\n%s", path, err, block[1])
				continue
			}
			f(path, block[1], w)
		}
	}
	if seen < 6 { // README 1, action 4, enterprise 1
		t.Errorf("only %d workflows were found: has the way that they are marked changed?", seen)
	}
}

// The documentation's workflows give the Action inputs that there are, read outputs that there are, and grant what it
// needs; a job has an end, and no deployment of its own.
func TestDocumentedWorkflows(t *testing.T) {
	a := theAction(t)
	ins, _ := parameters(t, a.Inputs)
	outs, _ := parameters(t, a.Outputs)
	documented(t, func(path, text string, w workflow) {
		if !regexp.MustCompile(`(?m)^on:`).MatchString(text) {
			t.Errorf("%s has a workflow without `on`, which actionlint would not be shown:\n%s", path, text)
		}
		for name, job := range w.Jobs {
			if job.Timeout == 0 {
				t.Errorf("%s: the job %s has no timeout-minutes", path, name)
			}
			if job.Environment.Name != "" && (job.Environment.Deployment == nil || *job.Environment.Deployment) {
				t.Errorf("%s: the environment of the job %s makes a deployment", path, name)
			}
			for _, step := range job.Steps {
				if !step.ours() {
					continue
				}
				for input := range step.With {
					if !slices.Contains(ins, input) {
						t.Errorf("%s: the job %s gives the input %s, which there is not", path, name, input)
					}
				}
				for _, permission := range wanted(step) {
					key, level, _ := strings.Cut(permission, ": ")
					if w.Permissions[key] != level {
						t.Errorf("%s: the job %s lacks the permission %s", path, name, permission)
					}
				}
				if step.With["command"] == "abort" && w.Concurrency.Group+job.Concurrency.Group != "" {
					t.Errorf("%s: the job %s aborts in a concurrency group", path, name)
				}
				for _, output := range quoted(`steps\.`+step.ID+`\.outputs\.([\w-]+)`, text) {
					if step.ID != "" && !slices.Contains(outs, output) {
						t.Errorf("%s: the output %s is read, which there is not", path, output)
					}
				}
			}
		}
	})
}

// wanted are the permissions that a step needs.
func wanted(s step) []string {
	all := []string{"contents: read"}
	if command := s.With["command"]; command == "" || command == "deploy" || command == "abort" {
		all = append(all, "deployments: write", "statuses: write")
	}
	if s.With["checks"] == "true" {
		all = append(all, "checks: write")
	}
	return all
}

var pinned = regexp.MustCompile(`^\s*-?\s*uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)

// Every action of others that our own workflows use is pinned by its commit, with the version beside it, and every job
// says what it may do.
func TestOwnWorkflowsArePinned(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil || len(paths) < 2 {
		t.Fatalf("workflows %v: %v", paths, err)
	}
	for _, path := range paths {
		text := read(t, ".github/workflows/"+filepath.Base(path))
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\n")
			if strings.Contains(line, "uses:") && !strings.Contains(line, "uses: ./") && !pinned.MatchString(line) {
				t.Errorf("%s: %q is not pinned as name@40-digits # v1.2.3", filepath.Base(path), strings.TrimSpace(line))
			}
		}
		var w workflow
		if err := yaml.Unmarshal([]byte(text), &w); err != nil {
			t.Fatal(err)
		}
		for name, job := range w.Jobs {
			if w.Permissions == nil || len(w.Permissions) == 0 && job.Permissions == nil {
				t.Errorf("%s: the job %s does not say its permissions", filepath.Base(path), name)
			}
			if job.Timeout == 0 && job.Uses == "" {
				t.Errorf("%s: the job %s has no timeout-minutes", filepath.Base(path), name)
			}
		}
	}
}
