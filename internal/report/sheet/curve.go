package sheet

import (
	"regexp"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/report/timeline"
	"github.com/tidegate/tidegate/internal/report/words"
)

// Curve is what one gate measured, worth a line in a chart.
type Curve struct {
	Gate      string
	Looks     timeline.Series
	Low, High float64
	// Percent says that the values are shares of one, to be drawn as percent.
	Percent bool
}

// mostCurves is how many gates are drawn; all are in the table.
const mostCurves = 6

// curves are the gates whose values changed, or that failed with a value. The others are one number in the table.
func curves(d timeline.Data, rows []Gate) []Curve {
	queries := map[string]string{}
	for _, g := range rows {
		queries[g.Name] = g.Query
	}
	var all []Curve
	for _, s := range d.Gates {
		low, high, ok := s.Range()
		if !ok || low == high && !failed(s) || len(all) == mostCurves {
			continue
		}
		name := words.Line(s.Gate)
		all = append(all, Curve{Gate: name, Looks: s, Low: low, High: high,
			Percent: low >= 0 && high <= 1 && !timed.MatchString(name+" "+queries[name])})
	}
	return all
}

// timed finds gates that measure time: seconds may lie between 0 and 1, too, and are no share of anything.
var timed = regexp.MustCompile(`(?i)latency|duration|seconds|quantile`)

func failed(s timeline.Series) bool {
	for _, l := range s.Looks {
		if l.Outcome == gates.Fail && l.Value != nil {
			return true
		}
	}
	return false
}
