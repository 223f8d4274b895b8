package described

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/tidegate/tidegate/internal/fieldpath"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// Description is a router by the fields of its object, with what its paths are filled in with beside the names of a rollout.
type Description struct {
	spec.Custom
	// Values are further ones for paths, such as the name of an action.
	Values map[string]string `json:"values,omitempty"`
	// Problems are what can be seen in an object that no rollout should begin with.
	Problems []Problem `json:"problems,omitempty"`
}

// Problem is something wrong with an object for a rollout.
type Problem struct {
	When    string `json:"when"` // expression over the object
	Text    string `json:"text"`
	Remedy  string `json:"remedy"`
	Warning bool   `json:"warning,omitempty"`
	Mirror  bool   `json:"mirror,omitempty"` // it is wrong only where copies of requests are asked for
}

// read makes a description of its file.
func read(text []byte) (Description, error) {
	var d Description
	err := yaml.UnmarshalStrict(text, &d)
	return d, err
}

// values are what the paths are filled in with.
func (d Description) values(t plan.Traffic, name string) map[string]string {
	all := map[string]string{"Base": t.Base, "Candidate": t.Candidate, "Namespace": t.Namespace, "Name": name}
	for key, value := range d.Values {
		if all[key] = value; value == "" {
			all[key] = t.Base
		}
	}
	return all
}

// editor is a description with its paths filled in for one object.
type editor struct {
	sides  fieldpath.Sides
	aside  *fieldpath.Step
	ring   *ring
	mirror *mirror
	conf   spec.SidePaths
	// own tells that the candidate's element is known by a name that only a rollout gives: where nobody remembers it, it is ours.
	own bool
}

// mirror is where a copy of requests is asked for.
type mirror struct {
	path fieldpath.Path
	// beside tells that it is an element of the list of the weights.
	beside bool
	value  func(percent int64) (any, error)
}

func (d Description) editor(t plan.Traffic, name string) (editor, error) {
	values := d.values(t, name)
	e := editor{conf: d.Weights}
	base, err := pathOf(d.Weights.Base, values)
	if err != nil {
		return e, err
	}
	candidate, err := pathOf(d.Weights.Candidate, values)
	if err != nil {
		return e, err
	}
	if e.sides, err = fieldpath.Pair(base, candidate); err != nil {
		return e, err
	}
	for _, c := range e.sides.Candidate.Where {
		e.own = e.own || c.Value() == t.Candidate
	}
	if d.Weights.Aside != "" {
		aside, err := pathOf("list"+d.Weights.Aside, values)
		if err != nil {
			return e, err
		}
		e.aside = &aside[len(aside)-1]
	}
	if d.Matches != nil {
		if e.ring, err = d.ringOf(values); err != nil {
			return e, err
		}
	}
	if d.Mirror == nil {
		return e, nil
	}
	e.mirror, err = d.mirrorOf(values, e.sides)
	return e, err
}

func (d Description) mirrorOf(values map[string]string, sides fieldpath.Sides) (*mirror, error) {
	at, err := pathOf(d.Mirror.Path, values)
	if err != nil {
		return nil, err
	}
	if err := sides.CheckCopy(at); err != nil {
		return nil, err
	}
	m := &mirror{path: at, beside: sides.Beside(at)}
	m.value = func(percent int64) (any, error) {
		with := map[string]string{"Percent": fmt.Sprint(percent)}
		for key, value := range values {
			with[key] = value
		}
		text, err := fieldpath.Expand(d.Mirror.Value, with)
		if err != nil {
			return nil, err
		}
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			return nil, fmt.Errorf("the mirror's value %s is no YAML: %w", text, err)
		}
		return value, nil
	}
	return m, nil
}

func pathOf(text string, values map[string]string) (fieldpath.Path, error) {
	expanded, err := fieldpath.Expand(text, values)
	if err != nil {
		return nil, err
	}
	return fieldpath.Parse(expanded)
}
