package threshold_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/gates/threshold"
	"github.com/tidegate/tidegate/internal/metrics"
)

// source answers with fixed numbers and remembers what it was asked.
type source struct {
	result metrics.Result
	err    error
	asked  string
}

func (s *source) Query(_ context.Context, query string) (metrics.Result, error) {
	s.asked = query
	return s.result, s.err
}

func answering(values ...float64) *source {
	s := &source{}
	for i, v := range values {
		s.result.Series = append(s.result.Series, metrics.Series{Labels: map[string]string{"pod": string(rune('a' + i))}, Value: v})
	}
	return s
}

var input = gates.Input{
	Namespace: "shop", Name: "checkout", Revision: "7f3",
	Base:      gates.Subject{Track: "base", Pods: []string{"checkout-1"}, Service: "checkout"},
	Candidate: gates.Subject{Track: "candidate", Pods: []string{"checkout-candidate-a.1", "checkout-candidate-b"}, Service: "checkout-candidate"},
}

var nan, inf = math.NaN(), math.Inf(1)

func TestVerdicts(t *testing.T) {
	const unknown = gates.Outcome("no data")
	for _, tt := range []struct {
		name       string
		pass, fail string
		values     []float64
		want       gates.Outcome
		reason     string // exactly, or a part after …
	}{
		{"pass", "result < 0.01", "", []float64{0.003}, gates.Pass, "0.003 is < 0.01 (result < 0.01)"},
		{"its opposite is fail", "result < 0.01", "", []float64{0.31}, gates.Fail, "0.31 is not < 0.01 (result < 0.01)"},
		{"at the border", "result < 0.01", "", []float64{0.01}, gates.Fail, "0.01 is not < 0.01 (result < 0.01)"},
		{"in other words", "result < 0.01 || isInf(result)", "", []float64{0.31}, gates.Fail, "0.31: (result < 0.01 || isInf(result)) is not true"},
		{"whole numbers", "result == 3", "", []float64{3}, gates.Pass, "3 is == 3 (result == 3)"},
		{"Argo's way to write it", "result[0] < 0.01", "", []float64{0.31}, gates.Fail, "0.31 is not < 0.01 (result[0] < 0.01)"},

		{"both: pass", "result < 1", "result > 5", []float64{0.5}, gates.Pass, "0.5 is < 1 (result < 1)"},
		{"both: fail", "result < 1", "result > 5", []float64{6}, gates.Fail, "6 is > 5 (result > 5)"},
		{"both: neither", "result < 1", "result > 5", []float64{3}, gates.Pending,
			"neither pass nor fail is true: 3 is not < 1 (result < 1); 3 is not > 5 (result > 5)"},
		{"both true", "result < 5", "result > 1", []float64{3}, gates.Fail,
			"both pass and fail are true, which is a failure: 3 is < 5 (result < 5); 3 is > 1 (result > 1)"},

		{"NaN", "result < 0.01", "", []float64{nan}, unknown, "the query answered NaN (0/0): probably no requests yet"},
		{"NaN that would pass", "!(result > 0.01)", "", []float64{nan}, unknown, "the query answered NaN (0/0): probably no requests yet"},
		{"NaN in a vector of one", "result[0] < 0.01", "", []float64{nan}, unknown, "the query answered NaN (0/0): probably no requests yet"},
		{"NaN, both", "result < 1", "result > 5", []float64{nan}, unknown, "the query answered NaN (0/0): probably no requests yet"},
		{"NaN that may pass", "isNaN(result) || result < 0.01", "", []float64{nan}, gates.Pass, "NaN: (isNaN(result) || result < 0.01) is true"},
		{"NaN that may pass, with a fail that does not know it", "isNaN(result) || result < 1", "result > 5", []float64{nan}, gates.Pass, "…is true"},
		{"NaN that fails", "result < 1", "isNaN(result)", []float64{nan}, gates.Fail, "NaN: (isNaN(result)) is true"},
		{"NaN that does not fail is still no pass", "result < 1", "isNaN(result) && false", []float64{nan}, unknown, "…NaN (0/0)"},
		{"default is not for NaN", "default(result, 0) < 0.01", "", []float64{nan}, unknown, "…NaN (0/0)"},
		{"one NaN of several", "all(result, # < 0.01)", "", []float64{0, nan, 0}, unknown, "1 of 3 series are NaN (0/0): probably no requests there yet"},
		{"one NaN of several, known", "all(result, isNaN(#) || # < 0.01)", "", []float64{0, nan}, gates.Pass, "…2 series (0, NaN)"},
		{"one NaN of several, fail does not know it", "all(result, isNaN(#) || # < 0.01)", "any(result, # > 1)", []float64{0, nan}, unknown, "…NaN"},

		{"empty", "result < 0.01", "", nil, unknown, "the query answered with no series"},
		{"empty, of which all is true", "all(result, # < 0.01)", "", nil, unknown, "the query answered with no series"},
		{"empty, both", "result < 1", "result > 5", nil, unknown, "the query answered with no series"},
		{"empty that may pass", "len(result) == 0 || result[0] < 0.01", "", nil, gates.Pass, "no series: (len(result) == 0 || result[0] < 0.01) is true"},
		{"empty that fails", "len(result) > 0 && result[0] < 0.01", "", nil, gates.Fail, "…is not true"},
		{"empty with a default that passes", "default(result, 0) < 0.01", "", nil, gates.Pass, "no series: (default(result, 0) < 0.01) is true"},
		{"empty with a default that fails", "default(result, 1) < 0.01", "", nil, gates.Fail, "…is not true"},
		{"a default that is not needed", "default(result, 1) < 0.01", "", []float64{0}, gates.Pass, "…is true"},
		{"a default within a function", "isNaN(default(result, 1))", "", nil, gates.Fail, "…is not true"},
		{"len, and yet an index", "len(result) > 9 || result[0] < 1", "", nil, unknown, "…does not fit the answer no series: index out of range"},

		{"several, one is needed", "result < 0.01", "", []float64{0, 0, 0}, unknown, "…answered with 3 series, and the condition (result < 0.01) needs one number"},
		{"several, one is needed by fail", "all(result, # < 1)", "result > 5", []float64{0, 0}, unknown, "…needs one number"},
		{"several, with a default", "default(result, 0) < 0.01", "", []float64{0, 0}, unknown, "…does not fit the answer 2 series (0, 0)"},
		{"several, all", "all(result, # < 0.01)", "", []float64{0, 0.5}, gates.Fail, "2 series (0, 0.5): (all(result, # < 0.01)) is not true"},
		{"several, many", "len(result) == 7", "", []float64{1, 2, 3, 4, 5, 6, 7}, gates.Pass, "7 series (1, 2, 3, 4, 5, …): (len(result) == 7) is true"},
		{"beyond the end", "result[3] < 1", "", []float64{0}, unknown, "…index out of range"},

		{"infinity is a number", "result < 0.01", "", []float64{inf}, gates.Fail, "+Inf is not < 0.01 (result < 0.01)"},
		{"infinity, known", "isInf(result) || result < 0.01", "", []float64{inf}, gates.Pass, "+Inf: (isInf(result) || result < 0.01) is true"},
		{"neither true nor false", "default(result, 0)", "", nil, unknown, "…does not fit the answer no series"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := answering(tt.values...)
			g, err := threshold.New(threshold.Config{Name: "errors", Query: "up", Pass: tt.pass, Fail: tt.fail}, s)
			if err != nil {
				t.Fatal(err)
			}
			v, err := g.Check(t.Context(), input)
			if err != nil {
				t.Fatal(err)
			}
			got := v.Outcome
			if v.NoData {
				got = unknown
				if v.Outcome != gates.Pending {
					t.Errorf("no data and %s", v.Outcome)
				}
			}
			if got != tt.want {
				t.Errorf("got %s, want %s; reason: %s", got, tt.want, v.Reason)
			}
			if part, ok := strings.CutPrefix(tt.reason, "…"); ok && !strings.Contains(v.Reason, part) || !ok && v.Reason != tt.reason {
				t.Errorf("reason\ngot  %s\nwant %s", v.Reason, tt.reason)
			}
			if _, err := json.Marshal(v); err != nil {
				t.Errorf("the record cannot hold it: %v", err)
			}
		})
	}
}

func TestQueryIsForTheNewVersion(t *testing.T) {
	s := answering(0)
	g, err := threshold.New(threshold.Config{
		Name: "errors", Pass: "result < 1", Interval: 10 * time.Second,
		Query: `x{ns="{{.Namespace}}",pod=~"{{.Pods}}",svc="{{.Service}}"}[{{.Interval}}] {{.Name}} {{.Track}} {{.Revision}}`,
	}, s)
	if err != nil {
		t.Fatal(err)
	}
	v, err := g.Check(t.Context(), input)
	if err != nil {
		t.Fatal(err)
	}
	want := `x{ns="shop",pod=~"checkout-candidate-a[.]1|checkout-candidate-b",svc="checkout-candidate"}[10s] checkout candidate 7f3`
	if s.asked != want || v.Evidence.Query != want {
		t.Errorf("asked    %s\nevidence %s\nwant     %s", s.asked, v.Evidence.Query, want)
	}
	if v.Evidence.Value == nil || *v.Evidence.Value != 0 || g.Name() != "errors" {
		t.Errorf("%s: evidence %+v", g.Name(), v.Evidence)
	}
}

func TestEvidenceNamesTheSeries(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		want   string
	}{
		{"several", []float64{1, 2}, `{pod="a"} 1; {pod="b"} 2`},
		{"many", []float64{1, 2, 3, 4, 5, 6, 7}, `{pod="a"} 1; {pod="b"} 2; {pod="c"} 3; {pod="d"} 4; {pod="e"} 5; and 2 more`},
		{"not finite", []float64{inf}, "answer: +Inf"},
		{"none", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, err := threshold.New(threshold.Config{Query: "up", Pass: "len(result) > 0"}, answering(tt.values...))
			if err != nil {
				t.Fatal(err)
			}
			if v, _ := g.Check(t.Context(), input); v.Evidence.Text != tt.want || v.Evidence.Value != nil {
				t.Errorf("got %+v, want %s", v.Evidence, tt.want)
			}
		})
	}
}

func TestProviderErrorIsNoVerdict(t *testing.T) {
	down := &metrics.Error{Kind: metrics.ErrUnavailable, Provider: "prometheus at prom", Problem: "no connection"}
	g, err := threshold.New(threshold.Config{Query: "up", Pass: "result < 1"}, &source{err: down})
	if err != nil {
		t.Fatal(err)
	}
	v, err := g.Check(t.Context(), input)
	if !errors.Is(err, metrics.ErrUnavailable) || v.Outcome != "" || v.Evidence.Query != "up" {
		t.Errorf("got %+v, %v", v, err)
	}
	if s := gates.NewJudge(gates.Rule{}, time.Time{}).Observe(time.Time{}, v, err); s.Outcome != gates.Pending || s.Reason != "prometheus at prom: no connection" {
		t.Errorf("standing %+v", s)
	}
}

func TestWarningsAreSaid(t *testing.T) {
	s := answering(0)
	s.result.Warnings = []string{"a store is unreachable"}
	g, err := threshold.New(threshold.Config{Query: "up", Pass: "result < 1"}, s)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := g.Check(t.Context(), input); v.Reason != "0 is < 1 (result < 1) (the provider warns: a store is unreachable)" {
		t.Errorf("got %s", v.Reason)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct{ name, query, pass, fail, says string }{
		{"no query", "", "result < 1", "", "query"},
		{"unknown variable", "{{.Pod}}", "result < 1", "", ".Pods"},
		{"no pass", "up", "", "", "pass is missing"},
		{"syntax", "up", "result <", "", "pass:"},
		{"syntax of fail", "up", "result < 1", "result >", "fail:"},
		{"unknown name", "up", "results < 1", "", "unknown name results at character 1"},
		{"a number", "up", "result + 1", "", "expected bool"},
		{"a text", "up", `result < "1"`, "", "character 8"},
		{"the clock", "up", "now().Year() > 2000", "", "now"},
		{"number and vector at once", "up", "len(result) == 0 || result < 1", "", "for one number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := threshold.New(threshold.Config{Name: "errors", Query: tt.query, Pass: tt.pass, Fail: tt.fail}, answering())
			if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "gate errors") {
				t.Errorf("got %v, want it to say %q", err, tt.says)
			}
		})
	}
	if err := threshold.CompileCondition("result < 0.01"); err != nil {
		t.Error(err)
	}
	if threshold.CompileCondition("result") == nil {
		t.Error("a number was accepted as a condition")
	}
}
