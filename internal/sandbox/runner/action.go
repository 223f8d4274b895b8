package runner

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Action is an action.yml whose runs.using is docker.
type Action struct {
	Name        string            `yaml:"name"`
	Author      string            `yaml:"author"`
	Description string            `yaml:"description"`
	Inputs      map[string]Input  `yaml:"inputs"`
	Outputs     map[string]Output `yaml:"outputs"`
	Runs        Runs              `yaml:"runs"`
	Branding    Branding          `yaml:"branding"`
}

// Input is what a workflow may give with `with`. GitHub does not enforce Required.
type Input struct {
	Description string `yaml:"description"`
	Required    bool   `yaml:"required"`
	Default     string `yaml:"default"`
	Deprecated  string `yaml:"deprecationMessage"`
}

// Output is a declared output.
type Output struct {
	Description string `yaml:"description"`
}

// Runs says what is run.
type Runs struct {
	Using          string            `yaml:"using"`
	Image          string            `yaml:"image"`
	Env            map[string]string `yaml:"env"`
	Entrypoint     string            `yaml:"entrypoint"`
	Args           []string          `yaml:"args"`
	PreEntrypoint  string            `yaml:"pre-entrypoint"`
	PreIf          string            `yaml:"pre-if"`
	PostEntrypoint string            `yaml:"post-entrypoint"`
	PostIf         string            `yaml:"post-if"`
}

// Branding is how the Marketplace shows the action.
type Branding struct {
	Icon  string `yaml:"icon"`
	Color string `yaml:"color"`
}

// expressions finds ${{ … }}; group 1 is what is within.
func expressions() *regexp.Regexp { return regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`) }

// Load reads an action.yml. It refuses keys that GitHub does not know, and what this package does not run.
func Load(path string) (Action, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Action{}, fmt.Errorf("the action cannot be read: %w", err)
	}
	var a Action
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&a); err != nil {
		return Action{}, fmt.Errorf("%s is no action that GitHub would take: %w", path, err)
	}
	if err := a.check(); err != nil {
		return Action{}, fmt.Errorf("%s cannot be run: %w", path, err)
	}
	return a, nil
}

func (a Action) check() error {
	var errs []error
	for key, value := range map[string]string{"name": a.Name, "description": a.Description, "runs.image": a.Runs.Image} {
		if value == "" {
			errs = append(errs, fmt.Errorf("%s is required: give it", key))
		}
	}
	if a.Runs.Using != "docker" {
		errs = append(errs, fmt.Errorf("runs.using is %q, and only docker is run here: use testdata/act for a composite action", a.Runs.Using))
	}
	if a.Runs.PreEntrypoint != "" {
		errs = append(errs, errors.New("pre-entrypoint is not run here: do it in main"))
	}
	for name, input := range a.Inputs {
		errs = append(errs, only("the default of "+name, input.Default, func(e string) bool { return e == "github.token" }))
	}
	for _, text := range append(slices.Clone(a.Runs.Args), values(a.Runs.Env)...) {
		errs = append(errs, only("runs", text, func(e string) bool {
			name, ok := strings.CutPrefix(e, "inputs.")
			_, declared := a.Inputs[name]
			return ok && declared
		}))
	}
	return errors.Join(errs...)
}

func only(where, text string, ok func(string) bool) error {
	for _, m := range expressions().FindAllStringSubmatch(text, -1) {
		if !ok(m[1]) {
			return fmt.Errorf("%s has the expression %q, which is not evaluated here: github.token is, in defaults, and inputs.NAME, in runs", where, m[1])
		}
	}
	return nil
}

// evaluate replaces the expressions of text.
func evaluate(text string, value func(string) string) string {
	re := expressions()
	return re.ReplaceAllStringFunc(text, func(e string) string { return value(re.FindStringSubmatch(e)[1]) })
}

// inputs are the values that the action gets, with defaults; unknown are the names that it does not declare.
// Names are compared without case, as GitHub does.
func (a Action) inputs(with map[string]string, token string) (all map[string]string, unknown []string) {
	all = map[string]string{}
	for name, input := range a.Inputs {
		all[name] = evaluate(input.Default, func(string) string { return token })
	}
	for name, value := range with {
		declared := name
		for known := range a.Inputs {
			if strings.EqualFold(known, name) {
				declared = known
			}
		}
		if _, ok := a.Inputs[declared]; !ok {
			unknown = append(unknown, name)
		}
		all[declared] = value
	}
	slices.Sort(unknown)
	return all, unknown
}

func values(m map[string]string) []string {
	var all []string
	for _, v := range m {
		all = append(all, v)
	}
	return all
}
