package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Getenv looks a variable up, as os.LookupEnv does.
type Getenv func(name string) (value string, found bool)

// Expandable is a text with ${NAME} references to the process environment.
// It stays unexpanded wherever it is stored or printed.
type Expandable string

// Credential is an Expandable whose value is a secret from end to end. A value
// written into the spec itself is masked like any other, and not printed.
type Credential string

// String is the unexpanded text.
func (e Expandable) String() string { return string(e) }

// Names is the variables that the text needs, sorted.
func (e Expandable) Names() []string { return namesIn(string(e)) }

// Expand is the text with its variables' values, and the values to mask.
func (e Expandable) Expand(getenv Getenv) (value string, secrets []string, err error) {
	return Expand(string(e), getenv)
}

// String is the unexpanded text, or *** if a secret is written out in it.
func (c Credential) String() string {
	if c != "" && len(namesIn(string(c))) == 0 {
		return "***"
	}
	return string(c)
}

// Names is the variables that the text needs, sorted.
func (c Credential) Names() []string { return namesIn(string(c)) }

// Expand is the text with its variables' values, and the values to mask, the
// whole text among them. A value too short to be masked is refused.
func (c Credential) Expand(getenv Getenv) (value string, secrets []string, err error) {
	value, secrets, err = expand(string(c), getenv, true)
	if err != nil || value == "" {
		return value, nil, err
	}
	if !slices.Contains(secrets, value) {
		secrets = append(secrets, value)
	}
	return value, secrets, nil
}

// shortestSecret is the fewest characters of a value that can be masked
// without masking half of a log.
const shortestSecret = 4

// Expand replaces each ${NAME} by the variable's value, and $${ by ${. It
// gives back the values that are long enough to be masked. A missing or empty
// variable and a refused name are errors that name it; no error tells a value.
func Expand(text string, getenv Getenv) (value string, secrets []string, err error) {
	return expand(text, getenv, false)
}

func expand(text string, getenv Getenv, credential bool) (value string, secrets []string, err error) {
	parts, err := references(text)
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	for _, p := range parts {
		if p.name == "" {
			b.WriteString(p.literal)
			continue
		}
		v, found := getenv(p.name)
		switch long := utf8.RuneCountInString(v) >= shortestSecret; {
		case !found || v == "":
			return "", nil, hint(fmt.Sprintf("the environment variable %s is not set", p.name), "Set it for this step, from a secret if it is one.")
		case credential && !long:
			return "", nil, hint(fmt.Sprintf("the value of %s is too short for a credential", p.name), "It needs at least %d characters, or it could not be masked.", shortestSecret)
		case long && !slices.Contains(secrets, v):
			secrets = append(secrets, v)
		}
		b.WriteString(v)
	}
	return b.String(), secrets, nil
}

var variableText = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// part is a literal, or the name of a variable.
type part struct{ literal, name string }

// references splits a text at its ${NAME}. Its errors carry a hint.
func references(text string) ([]part, error) {
	var parts []part
	for text != "" {
		i := strings.Index(text, "${")
		if i < 0 {
			return append(parts, part{literal: text}), nil
		}
		if i > 0 && text[i-1] == '$' {
			parts, text = append(parts, part{literal: text[:i-1] + "${"}), text[i+2:]
			continue
		}
		name, rest, closed := strings.Cut(text[i+2:], "}")
		if !closed || !variableText.MatchString(name) {
			return nil, hint("`${` starts no ${NAME}", "A name has letters, digits and underscores; write $${ for the characters themselves.")
		}
		if refused(name) {
			return nil, hint(fmt.Sprintf("${%s} belongs to the runner and is not given to a spec", name), "Pass the value under another name.")
		}
		parts, text = append(parts, part{literal: text[:i]}, part{name: name}), rest
	}
	return parts, nil
}

// refused reports whether a variable is the runner's own: a spec that could
// name it could send the job's tokens to any URL.
func refused(name string) bool {
	name = strings.ToUpper(name)
	for _, prefix := range []string{"INPUT_", "GITHUB_", "ACTIONS_", "RUNNER_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return name == "KUBECONFIG"
}

// namesIn is the variables in a text, sorted, each once.
func namesIn(text string) []string {
	var names []string
	parts, _ := references(text) // a text that cannot be split was refused by decoding
	for _, p := range parts {
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
