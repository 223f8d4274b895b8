package spec

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
	"go.yaml.in/yaml/v3"

	"github.com/tidegate/tidegate/internal/fieldpath"
)

var _ finisher = (*Custom)(nil)

// sampleValues stand for those that a path of a description is filled in with.
func sampleValues() map[string]string {
	return map[string]string{"Base": "base", "Candidate": "base-candidate", "Namespace": "namespace", "Name": "name"}
}

const pathHint = "A path is written like spec.services[name={{.Base}}].weight; there are {{.Base}}, {{.Candidate}}, {{.Namespace}} and {{.Name}}."

// finish reads the paths and the expression, so that their mistakes are found before anything is deployed.
func (c *Custom) finish(s scope) {
	sides, whole := c.Weights.check(s)
	if c.Matches != nil {
		c.Matches.check(s, sides, whole)
	}
	if c.Mirror != nil {
		c.Mirror.check(s, sides, whole)
	}
	if c.Accepted != "" {
		checkAccepted(s, c.Accepted)
	}
}

// check gives the place where the two paths part, and whether there is one.
func (w SidePaths) check(s scope) (sides fieldpath.Sides, whole bool) {
	if w.Aside != "" {
		if p, err := fieldpath.Parse("list" + w.Aside); err != nil || len(p) != 2 || len(p[1].Where) == 0 {
			s.fail("weights.aside", "it is not one selector", "A selector is written like [mirror=true].")
		}
	}
	base, candidate := checkPath(s, "weights.base", w.Base), checkPath(s, "weights.candidate", w.Candidate)
	if base == nil || candidate == nil {
		return sides, false
	}
	sides, err := fieldpath.Pair(base, candidate)
	if err != nil {
		s.fail("weights.candidate", err.Error(), "They are alike but for one [name=value], or for the last field.")
	}
	return sides, err == nil
}

func checkPath(s scope, field, text string) fieldpath.Path {
	if text == "" || !s.ok(field) {
		return nil
	}
	expanded, err := fieldpath.Expand(text, sampleValues())
	if err != nil {
		s.fail(field, err.Error(), pathHint)
		return nil
	}
	path, err := fieldpath.Parse(expanded)
	if err != nil {
		s.fail(field, err.Error(), pathHint)
		return nil
	}
	return path
}

func (m *MirrorPath) check(s scope, sides fieldpath.Sides, whole bool) {
	if p := checkPath(s, "mirror.path", m.Path); p != nil && whole {
		if err := sides.CheckCopy(p); err != nil {
			s.fail("mirror.path", err.Error(), "It is written like spec.mirrors[name={{.Candidate}}], or spec.mirror.percent.")
		}
	}
	values := sampleValues()
	values["Percent"] = "10"
	text, err := fieldpath.Expand(m.Value, values)
	var value any
	if err == nil {
		err = yaml.Unmarshal([]byte(text), &value)
	}
	if err != nil && s.ok("mirror.value") {
		s.fail("mirror.value", err.Error(), "It is a value as YAML, such as '{percent: {{.Percent}}}'; there is {{.Percent}}, and what paths have.")
	}
}

func checkAccepted(s scope, code string) {
	_, err := CompileAccepted(code)
	if err == nil || !s.ok("accepted") {
		return
	}
	message, where := err.Error(), ""
	if e := (*file.Error)(nil); errors.As(err, &e) {
		message, where = e.Message, fmt.Sprintf(" at character %d", e.Column+1)
	}
	s.fail("accepted", fmt.Sprintf("the expression cannot be read%s: %s", where, message),
		"It is true or false, over object, metadata, spec and status, such as status.observedGeneration == metadata.generation.")
}

// CompileAccepted makes a program of an expression over an object, whose environment is AcceptedEnv. The clock is left out:
// an object does not become accepted by waiting.
func CompileAccepted(code string) (*vm.Program, error) {
	return expr.Compile(strings.TrimSpace(code), expr.Env(AcceptedEnv(nil)), expr.AsBool(), expr.DisableBuiltin("now"))
}

// AcceptedEnv is what an expression over an object speaks of. A part that the object lacks is empty.
func AcceptedEnv(object map[string]any) map[string]any {
	env := map[string]any{"object": object}
	for _, part := range []string{"metadata", "spec", "status"} {
		m, _ := object[part].(map[string]any)
		if m == nil {
			m = map[string]any{}
		}
		env[part] = m
	}
	return env
}
