package metrics

import (
	"context"
	"errors"
	"time"
)

// Provider answers queries in its own language. Query asks once, returns when ctx ends, and changes nothing at the
// provider, so it may be called again at any time and by several goroutines. Its errors are of type [*Error].
type Provider interface {
	Query(ctx context.Context, query string) (Result, error)
}

// Result is what a query answered: the newest value of every series.
type Result struct {
	Series []Series
	// Warnings are the provider's own, such as an answer from only some of its stores.
	Warnings []string
}

// Series is one line of numbers, of which the newest is known.
type Series struct {
	Labels map[string]string // none for a bare number
	Value  float64           // may be NaN or infinite
	At     time.Time         // by the provider's clock; zero when it does not say
}

// A Result that is not one number.
var (
	ErrNoSeries      = errors.New("the query answered with no series")
	ErrSeveralSeries = errors.New("the query answered with several series where one number was meant")
)

// Scalar is the one number of the result, which may be NaN. The error is [ErrNoSeries] or [ErrSeveralSeries].
func (r Result) Scalar() (float64, error) {
	switch len(r.Series) {
	case 0:
		return 0, ErrNoSeries
	case 1:
		return r.Series[0].Value, nil
	default:
		return 0, ErrSeveralSeries
	}
}

// Values are the numbers of all series, in the provider's order.
func (r Result) Values() []float64 {
	values := make([]float64, len(r.Series))
	for i, s := range r.Series {
		values[i] = s.Value
	}
	return values
}
