package query

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// Vars are what a query can name. They describe one side.
type Vars struct {
	Namespace string // of the workload
	Name      string // of the workload
	Track     string // base or candidate
	Pods      string // pattern of that side's pod names; see Pods
	Service   string // in front of that side
	Revision  string // short name of the version
	Interval  string // how far back a rate should look; see Interval
}

// NoPods is the pattern for a side without pods. No pod can have this name, so it selects nothing (an empty pattern
// would select every series without the label).
const NoPods = "-no-pods-"

// Pods is a pattern that matches exactly these names where patterns are anchored, as Prometheus's are.
func Pods(names []string) string {
	if len(names) == 0 {
		return NoPods
	}
	return strings.ReplaceAll(strings.Join(names, "|"), ".", "[.]")
}

// Interval is d in Prometheus's notation, such as 90s.
func Interval(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return strconv.FormatInt(int64(max(d, time.Millisecond)/time.Millisecond), 10) + "ms"
}

// Template is a query with variables.
type Template struct{ t *template.Template }

// Parse reads a query and tries it out.
func Parse(text string) (*Template, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("the query is empty")
	}
	t, err := template.New("query").Parse(text)
	if err == nil {
		err = t.Execute(io.Discard, Vars{Pods: NoPods})
	}
	if err != nil {
		return nil, fmt.Errorf("the query's template cannot be used (%s); it can name .Namespace, .Name, .Track, .Pods, .Service, .Revision and .Interval",
			strings.TrimPrefix(err.Error(), "template: "))
	}
	return &Template{t}, nil
}

// Render is the query for one side.
func (q *Template) Render(v Vars) (string, error) {
	var b strings.Builder
	if err := q.t.Execute(&b, v); err != nil {
		return "", fmt.Errorf("the query's template failed: %w", err)
	}
	text := strings.TrimSpace(b.String())
	if text == "" {
		return "", errors.New("the query's template gave an empty query")
	}
	return text, nil
}
