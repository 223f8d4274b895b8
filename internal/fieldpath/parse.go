package fieldpath

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// stops are the characters that end a name.
const stops = ".[]|=,\"{} \t\n"

// Expand fills in the {{.Values}} of a path or another text; one that there is none of is an error.
func Expand[V any](text string, values map[string]V) (string, error) {
	t, err := template.New("path").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", fmt.Errorf("%s cannot be read as a template: %w", text, plain(err))
	}
	var out strings.Builder
	if err := t.Execute(&out, values); err != nil {
		return "", fmt.Errorf("%s cannot be filled in: %w; there are %s", text, plain(err), strings.Join(slices.Sorted(maps.Keys(values)), ", "))
	}
	return out.String(), nil
}

// plain is the end of a template's error, which is what is wrong; before it stand the place and our name of the template.
func plain(err error) error {
	text := err.Error()
	return errors.New(text[strings.LastIndex(text, ": ")+1:][1:])
}

// Parse reads a path that is already expanded.
func Parse(text string) (Path, error) {
	r := reader{text: text}
	var path Path
	for !r.done() {
		step, err := r.step(len(path) == 0)
		if err != nil {
			return nil, fmt.Errorf("%s cannot be read at character %d: %w", text, r.at+1, err)
		}
		path = append(path, step)
	}
	if len(path) == 0 {
		return nil, errors.New("an empty path names nothing")
	}
	return path, path.check()
}

// check says what no object could have.
func (p Path) check() error {
	for i, s := range p {
		switch {
		case i == 0 && s.Field == "":
			return fmt.Errorf("%s begins with %s: an object has fields, such as spec", p, s)
		case i > 0 && s.JSON && p[i-1].Field == "":
			return fmt.Errorf("%s asks for JSON after %s: only a field has text", p, p[i-1])
		case i > 0 && s.Field == "" && !s.JSON && p[i-1].Field == "" && !p[i-1].JSON:
			return fmt.Errorf("%s has %s right after %s: the elements of a list have fields", p, s, p[i-1])
		}
	}
	return nil
}

type reader struct {
	text string
	at   int
}

func (r *reader) done() bool { return r.at >= len(r.text) }

func (r *reader) take(prefix string) bool {
	if strings.HasPrefix(r.text[r.at:], prefix) {
		r.at += len(prefix)
		return true
	}
	return false
}

func (r *reader) step(first bool) (Step, error) {
	switch {
	case r.take("|json"):
		return Step{JSON: true}, nil
	case r.take("[*]"):
		return Step{Every: true}, nil
	case strings.HasPrefix(r.text[r.at:], `["`):
		r.at++
		key, err := r.quoted()
		if err == nil && !r.take("]") {
			err = errors.New("a ] is missing after the name in quotes")
		}
		if err == nil && key == "" {
			err = errors.New("a field's name is missing")
		}
		return Step{Field: key}, err
	case r.take("["):
		return r.where()
	case first || r.take("."):
		name, err := r.name()
		return Step{Field: name}, err
	}
	return Step{}, errors.New("a step is .name, [\"name\"], [*], [name=value] or |json")
}

func (r *reader) where() (Step, error) {
	var s Step
	for {
		name, err := r.name()
		if err != nil {
			return s, err
		}
		if !r.take("=") {
			return s, errors.New("a = is missing: a condition is name=value")
		}
		c := Condition{Field: name}
		for {
			value, err := r.value()
			if err != nil {
				return s, err
			}
			c.Values = append(c.Values, value)
			if !r.take("|") {
				break
			}
		}
		s.Where = append(s.Where, c)
		switch {
		case r.take("]"):
			return s, nil
		case !r.take(","):
			return s, errors.New("a ] is missing")
		}
	}
}

func (r *reader) name() (string, error) {
	end := strings.IndexAny(r.text[r.at:], stops)
	if end < 0 {
		end = len(r.text) - r.at
	}
	if end == 0 {
		return "", errors.New("a field's name is missing")
	}
	name := r.text[r.at : r.at+end]
	r.at += end
	return name, nil
}

func (r *reader) value() (string, error) {
	if strings.HasPrefix(r.text[r.at:], `"`) {
		return r.quoted()
	}
	end := strings.IndexAny(r.text[r.at:], `,]|"`)
	if end < 0 {
		return "", errors.New("a ] is missing")
	}
	value := r.text[r.at : r.at+end]
	r.at += end
	return value, nil
}

func (r *reader) quoted() (string, error) {
	prefix, err := strconv.QuotedPrefix(r.text[r.at:])
	if err != nil {
		return "", errors.New("the quotes do not end")
	}
	r.at += len(prefix)
	return strconv.Unquote(prefix)
}
