package prometheus

import (
	"fmt"

	"github.com/prometheus/common/model"

	"github.com/tidegate/tidegate/internal/metrics"
)

// convert takes the numbers out of an answer, or says why there are none to take.
func convert(value model.Value) (metrics.Result, *metrics.Error) {
	switch v := value.(type) {
	case *model.Scalar:
		return metrics.Result{Series: []metrics.Series{{Value: float64(v.Value), At: v.Timestamp.Time()}}}, nil
	case model.Vector:
		return vector(v)
	case model.Matrix:
		return metrics.Result{}, &metrics.Error{
			Problem: "it answers with a range of values for each series, not with one",
			Hint:    "put a function around the [range], such as rate(…[1m]) or avg_over_time(…[1m])",
		}
	default:
		return metrics.Result{}, &metrics.Error{
			Problem: fmt.Sprintf("it answers with %T, not with numbers", value),
			Hint:    "write a query whose answer is a scalar or an instant vector",
		}
	}
}

func vector(v model.Vector) (metrics.Result, *metrics.Error) {
	result := metrics.Result{Series: make([]metrics.Series, 0, len(v))}
	for _, sample := range v {
		if sample.Histogram != nil {
			return metrics.Result{}, &metrics.Error{
				Problem: "it answers with native histograms, not with numbers",
				Hint:    "put a function around them, such as histogram_quantile(0.99, …) or histogram_fraction(…)",
			}
		}
		labels := make(map[string]string, len(sample.Metric))
		for name, value := range sample.Metric {
			labels[string(name)] = string(value)
		}
		result.Series = append(result.Series, metrics.Series{Labels: labels, Value: float64(sample.Value), At: sample.Timestamp.Time()})
	}
	return result, nil
}
