package metrics_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/tidegate/tidegate/internal/metrics"
)

func TestScalar(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		want   float64
		err    error
	}{
		{name: "one", values: []float64{0.25}, want: 0.25},
		{name: "not a number is a value", values: []float64{math.NaN()}, want: math.NaN()},
		{name: "none", err: metrics.ErrNoSeries},
		{name: "several", values: []float64{1, 2}, err: metrics.ErrSeveralSeries},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r metrics.Result
			for _, v := range tt.values {
				r.Series = append(r.Series, metrics.Series{Value: v})
			}
			got, err := r.Scalar()
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if got != tt.want && !(math.IsNaN(got) && math.IsNaN(tt.want)) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if len(r.Values()) != len(tt.values) {
				t.Errorf("values %v, want %v", r.Values(), tt.values)
			}
		})
	}
}

func TestErrorReadsAsOneLine(t *testing.T) {
	err := &metrics.Error{
		Kind: metrics.ErrRefused, Provider: "prometheus at prom.example.com", Query: "sum(\n\tup", Problem: "the server refused it (400 bad_data)",
		Said: "unexpected end of input", Hint: "check the query", Err: context.Canceled,
	}
	want := `prometheus at prom.example.com: query "sum( up": the server refused it (400 bad_data): unexpected end of input; check the query`
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if !errors.Is(err, metrics.ErrRefused) || !errors.Is(err, context.Canceled) || errors.Is(err, metrics.ErrAuth) {
		t.Error("the kind and the cause are not found by errors.Is")
	}
}

func TestShorten(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"short", "as it is", "as it is"},
		{"lines", "a\r\n::error::b\n\n c", "a ::error::b c"},
		{"escape sequences", "\x1b[31mred", "[31mred"},
		{"long", "äöüäöüäöüäöüäöü", "äöüäöüäöüä…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			limit := 100
			if tt.name == "long" {
				limit = 10
			}
			if got := metrics.Shorten(tt.in, limit); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
