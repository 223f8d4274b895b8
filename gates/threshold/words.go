package threshold

import (
	"fmt"
	"regexp"
	"sort"
	"strings"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/metrics"
)

// comparison is the usual condition, which can be said in words.
var comparison = regexp.MustCompile(`^result(?:\[0\])?\s*(<=|>=|==|!=|<|>)\s*([-+.\w]+)$`)

// describe says what the condition found, such as "0.31 is not < 0.01 (result < 0.01)".
func (c *condition) describe(values []float64, holds bool) string {
	if m := comparison.FindStringSubmatch(c.text); m != nil && len(values) == 1 {
		is := "is"
		if !holds {
			is = "is not"
		}
		return fmt.Sprintf("%s %s %s %s (%s)", number(values[0]), is, m[1], m[2], c.text)
	}
	if holds {
		return fmt.Sprintf("%s: (%s) is true", show(values), c.text)
	}
	return fmt.Sprintf("%s: (%s) is not true", show(values), c.text)
}

const shown = 5

// show writes the numbers of an answer, the first few of many.
func show(values []float64) string {
	switch len(values) {
	case 0:
		return "no series"
	case 1:
		return number(values[0])
	}
	var texts []string
	for _, v := range values[:min(shown, len(values))] {
		texts = append(texts, number(v))
	}
	if len(values) > shown {
		texts = append(texts, "…")
	}
	return fmt.Sprintf("%d series (%s)", len(values), strings.Join(texts, ", "))
}

func number(v float64) string { return fmt.Sprintf("%.6g", v) }

// evidence keeps what was asked and answered.
func evidence(query string, r metrics.Result) gates.Evidence {
	e := gates.Evidence{Query: query}
	if v, err := r.Scalar(); err == nil {
		if e.Value = gates.Number(v); e.Value == nil {
			e.Text = "answer: " + number(v)
		}
	} else if len(r.Series) > 1 {
		e.Text = lines(r.Series)
	}
	return e
}

// lines names the series of an answer, the first few of many.
func lines(series []metrics.Series) string {
	var texts []string
	for _, s := range series[:min(shown, len(series))] {
		var labels []string
		for name, value := range s.Labels {
			labels = append(labels, fmt.Sprintf("%s=%q", name, value))
		}
		sort.Strings(labels)
		texts = append(texts, fmt.Sprintf("{%s} %s", strings.Join(labels, ", "), number(s.Value)))
	}
	if more := len(series) - shown; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, "; ")
}

// warnings says what the provider finds doubtful about its own answer.
func warnings(r metrics.Result) string {
	if len(r.Warnings) == 0 {
		return ""
	}
	return " (the provider warns: " + strings.Join(r.Warnings, "; ") + ")"
}
