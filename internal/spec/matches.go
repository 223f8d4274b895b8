package spec

import (
	"fmt"
	"maps"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tidegate/tidegate/internal/fieldpath"
)

// check tries both templates with a ring of its own: what a rule did not ask for would widen a ring.
func (m *MatchesPath) check(s scope, sides fieldpath.Sides, whole bool) {
	p := checkPath(s, "matches.path", m.Path)
	switch {
	case p == nil:
	case !p.Plain():
		s.fail("matches.path", fmt.Sprintf("%s is not a list below fields only", p), "It is written like spec.rules.")
	case whole && p.String() == sides.Within.String():
		s.fail("matches.path", fmt.Sprintf("%s holds the weights, so that its elements are no rules", p), "Name the list of the rules, such as spec.rules.")
	}
	headers := []map[string]string{{"Header": `"X-First"`, "Value": `"first-value"`}, {"Header": `"X-Second"`, "Value": `"second-value"`}}
	checkRule(s, "matches.header", m.Header, map[string]any{"Headers": headers}, headersHint, "X-First", "first-value", "X-Second", "second-value")
	if m.Cookie != "" {
		cookie := map[string]any{"Cookie": `"sample-name"`, "Value": `"sample-value"`, "Pattern": `"sample-name=sample-value"`}
		checkRule(s, "matches.cookie", m.Cookie, cookie, cookieHint, "sample-name", "sample-value")
	}
}

const (
	headersHint = "It is a rule as YAML that sends to {{.Candidate}} and asks for each of {{range .Headers}}: {{.Header}} and {{.Value}}, which have their quotes."
	cookieHint  = "It is a rule as YAML that sends to {{.Candidate}} and asks for {{.Cookie}} and {{.Value}}, or for {{.Pattern}}, which have their quotes."
)

// checkRule fills a template in, and looks for what the rule has to speak of.
func checkRule(s scope, field, text string, more map[string]any, hint string, speaksOf ...string) {
	if text == "" || !s.ok(field) {
		return
	}
	values := map[string]any{}
	for key, value := range sampleValues() {
		values[key] = value
	}
	maps.Copy(values, more)
	expanded, err := fieldpath.Expand(text, values)
	var rule any
	if err == nil {
		err = yaml.Unmarshal([]byte(expanded), &rule)
	}
	if err != nil {
		s.fail(field, err.Error(), hint)
		return
	}
	if !areRules(rule) {
		s.fail(field, "it is neither an object nor a list of objects", hint)
		return
	}
	for _, r := range listed(rule) {
		for _, what := range append([]string{sampleValues()["Candidate"]}, speaksOf...) {
			if !strings.Contains(fmt.Sprint(r), what) {
				s.fail(field, fmt.Sprintf("filled in with %s a rule does not speak of it", what), hint)
				return
			}
		}
	}
}

// listed is a list, or a list of one.
func listed(rule any) []any {
	if all, ok := rule.([]any); ok {
		return all
	}
	return []any{rule}
}

func areRules(rule any) bool {
	all := listed(rule)
	for _, r := range all {
		if _, ok := r.(map[string]any); !ok {
			return false
		}
	}
	return len(all) > 0
}
