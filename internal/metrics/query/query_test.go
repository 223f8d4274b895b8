package query_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/tidegate/tidegate/internal/metrics/query"
)

func TestRender(t *testing.T) {
	vars := query.Vars{Namespace: "shop", Name: "checkout", Track: "candidate", Pods: query.Pods([]string{"a.1", "b"}),
		Service: "checkout-candidate", Revision: "7f3", Interval: query.Interval(10 * time.Second)}
	for _, tt := range []struct{ name, text, want string }{
		{"no variables", "up", "up"},
		{"all", "{{.Namespace}} {{.Name}} {{.Track}} {{.Pods}} {{.Service}} {{.Revision}} {{.Interval}}",
			"shop checkout candidate a[.]1|b checkout-candidate 7f3 10s"},
		{"in place", `rate(x{pod=~"{{.Pods}}"}[{{.Interval}}])`, `rate(x{pod=~"a[.]1|b"}[10s])`},
		{"a literal brace", `{{"{{"}}x}}`, "{{x}}"},
		{"space around", "\n  up\n", "up"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q, err := query.Parse(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := q.Render(vars); err != nil || got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", " \n", "{{.Pod}}", "{{.Pods", "{{nothing}}", "{{template \"x\"}}"} {
		if _, err := query.Parse(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
	if _, err := query.Parse("{{.Pod}}"); err == nil || !strings.Contains(err.Error(), ".Pods") {
		t.Errorf("the error does not name what there is: %v", err)
	}
	q, err := query.Parse("{{if .Name}}{{else}}up{{end}}")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := q.Render(query.Vars{Name: "x"}); err == nil {
		t.Errorf("an empty query was rendered: %q", got)
	}
}

func TestPodsMatchesTheseOnly(t *testing.T) {
	for _, tt := range []struct {
		names, not []string
	}{
		{[]string{"shop-7f.1-a"}, []string{"shop-7fx1-a", "shop-7f.1-ab", "x-shop-7f.1-a", ""}},
		{[]string{"a", "b.c"}, []string{"ab.c", "a|b.c", "bxc", "c", ""}},
		{nil, []string{"", "a", "no-pods"}},
	} {
		pattern := regexp.MustCompile("^(?s:" + query.Pods(tt.names) + ")$") // as Prometheus anchors it
		for _, name := range tt.names {
			if !pattern.MatchString(name) {
				t.Errorf("%s does not match %q", pattern, name)
			}
		}
		for _, name := range tt.not {
			if pattern.MatchString(name) {
				t.Errorf("%s matches %q", pattern, name)
			}
		}
	}
}

func TestIntervalIsPrometheusNotation(t *testing.T) {
	for d, want := range map[time.Duration]string{
		10 * time.Second: "10s", 90 * time.Second: "90s", 1500 * time.Millisecond: "1500ms", time.Hour: "3600s", time.Microsecond: "1ms",
	} {
		got := query.Interval(d)
		if got != want {
			t.Errorf("%s: got %s, want %s", d, got, want)
		}
		if back, err := model.ParseDuration(got); err != nil || time.Duration(back) != max(d, time.Millisecond) {
			t.Errorf("%s is read back as %v, %v", got, back, err)
		}
	}
}
