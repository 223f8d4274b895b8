package described

import (
	"fmt"
	"regexp"

	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/tidegate/tidegate/internal/fieldpath"
	"github.com/tidegate/tidegate/internal/plan"
)

// ring is where requests that carry something are sent to the candidate.
type ring struct {
	path      fieldpath.Path
	candidate string
	rules     func(of []plan.Match) ([]any, error)
}

func (d Description) ringOf(values map[string]string) (*ring, error) {
	path, err := pathOf(d.Matches.Path, values)
	if err != nil {
		return nil, err
	}
	if !path.Plain() {
		return nil, fmt.Errorf("%s is not a list below fields only", path)
	}
	return &ring{path, values["Candidate"], func(of []plan.Match) ([]any, error) {
		text, more, err := d.template(of)
		if err != nil {
			return nil, err
		}
		for key, value := range values {
			more[key] = value
		}
		return rulesOf(text, more)
	}}, nil
}

// template is the text for a ring, and what is to be filled in. Texts are quoted, so that none can be read as something else.
func (d Description) template(of []plan.Match) (text string, more map[string]any, err error) {
	if len(of) == 1 && of[0].Cookie != "" {
		m := of[0]
		if d.Matches.Cookie == "" {
			return "", nil, fmt.Errorf("the router's matches have no cookie, so that %s cannot be asked for", m)
		}
		more, err = quoted(map[string]string{"Cookie": m.Cookie, "Value": m.Value, "Pattern": pattern(m)})
		return d.Matches.Cookie, more, err
	}
	var headers []map[string]any
	for _, m := range of {
		if m.Header == "" {
			return "", nil, fmt.Errorf("%s cannot be asked for together", plan.RingText(of))
		}
		one, err := quoted(map[string]string{"Header": m.Header, "Value": m.Value})
		if err != nil {
			return "", nil, err
		}
		headers = append(headers, one)
	}
	return d.Matches.Header, map[string]any{"Headers": headers}, nil
}

// pattern is an expression for the whole Cookie header, anchored at both ends, for some routers search where others compare.
func pattern(m plan.Match) string {
	return "^(.*;[ ]*)?" + regexp.QuoteMeta(m.Cookie+"="+m.Value) + "([ ]*;.*)?$"
}

func quoted(texts map[string]string) (map[string]any, error) {
	all := map[string]any{}
	for key, text := range texts {
		in, err := encode(text)
		if err != nil {
			return nil, err
		}
		all[key] = in
	}
	return all, nil
}

// rulesOf fills a template in, which is one rule or a list of them.
func rulesOf(template string, values map[string]any) ([]any, error) {
	text, err := fieldpath.Expand(template, values)
	if err != nil {
		return nil, err
	}
	var rule any
	if err := yaml.Unmarshal([]byte(text), &rule); err != nil {
		return nil, fmt.Errorf("the rule %s is no YAML: %w", text, err)
	}
	all, ok := rule.([]any)
	if !ok {
		all = []any{rule}
	}
	for _, r := range all {
		if _, ok := r.(map[string]any); !ok {
			return nil, fmt.Errorf("the rule %v is no object", r)
		}
	}
	return all, nil
}
