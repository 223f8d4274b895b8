package summary

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report/sheet"
)

const (
	// samples is how many points a line of a chart has: 60 intervals.
	samples = 61
	// mostCharts bounds the charts of gates that have one of their own.
	mostCharts = 3
)

// colours are those of the lines, in order: Mermaid draws no legend, so the text above a chart names them. They are seen on
// a light and on a dark page.
func colours() (names, values []string) {
	return []string{"blue", "red", "orange", "green", "purple", "grey"}, []string{"#2f81f7", "#e5484d", "#d9822b", "#2da44e", "#8957e5", "#8b949e"}
}

// charts are the lines of a rollout as diagrams of Mermaid: the share of the new version, with what gates measured as shares
// of one; the other gates each by itself, for their scale is another.
func charts(s sheet.Sheet) string {
	times := s.Timeline.Times(samples)
	if times == nil || len(s.Timeline.Shares) < 2 {
		return ""
	}
	shares := make([]float64, len(times))
	for i, t := range times {
		shares[i] = float64(s.Timeline.ShareAt(t)) / float64(plan.OnePercent)
	}
	names, _ := colours()
	first := chart{title: s.Timeline.Title(), axis: "percent", high: 100, lines: [][]float64{shares}}
	legend := []string{names[0] + ": the " + s.Timeline.Of() + " that meet the new version, in percent"}
	var own []chart
	for _, c := range s.Curves {
		values, scale := c.Looks.At(times), 1.0
		if c.Percent {
			scale = 100
		}
		line := make([]float64, len(values))
		for i, v := range values {
			if v != nil {
				line[i] = *v * scale
			}
		}
		switch {
		case c.Percent && len(first.lines) < len(names):
			legend = append(legend, names[len(first.lines)]+": gate "+Text(c.Gate)+", in percent")
			first.lines = append(first.lines, line)
		case len(own) < mostCharts:
			own = append(own, chart{title: "Gate " + Label(c.Gate), axis: "value", low: min(c.Low, 0), high: c.High, lines: [][]float64{line}})
		}
	}
	if len(first.lines) > 1 {
		first.title += ", and what the gates measured"
	}
	text := strings.Join(legend, "; ") + ". A gate's line is at 0 while it was not asked.\n\n" + first.text(s)
	for _, c := range own {
		text += "\n" + c.text(s)
	}
	return text
}

// chart is one diagram; title is safe in quotes.
type chart struct {
	title, axis string
	low, high   float64
	lines       [][]float64
}

// text is the diagram. Mermaid spreads the values of a line evenly over the range of the x axis.
func (c chart) text(s sheet.Sheet) string {
	length, unit := s.Timeline.End.Sub(s.Timeline.Start), "seconds"
	span := length.Seconds()
	if length > 10*time.Minute {
		span, unit = length.Minutes(), "minutes"
	}
	_, palette := colours()
	if c.high <= c.low {
		c.high = c.low + 1
	}
	var b strings.Builder
	fmt.Fprintf(&b, "```mermaid\n%%%%{init: {\"themeVariables\": {\"xyChart\": {\"plotColorPalette\": \"%s\"}}}}%%%%\n", strings.Join(palette, ", "))
	fmt.Fprintf(&b, "xychart-beta\n    title \"%s\"\n", c.title)
	fmt.Fprintf(&b, "    x-axis \"%s since %s\" 0 --> %s\n", unit, s.Timeline.Start.In(s.Zone).Format("15:04:05 MST"), number(span))
	fmt.Fprintf(&b, "    y-axis \"%s\" %s --> %s\n", c.axis, number(c.low), number(c.high))
	for _, line := range c.lines {
		values := make([]string, len(line))
		for i, v := range line {
			values[i] = number(v)
		}
		fmt.Fprintf(&b, "    line [%s]\n", strings.Join(values, ", "))
	}
	b.WriteString("```\n")
	return b.String()
}

// number is a number that Mermaid reads: it knows no exponents.
func number(v float64) string {
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	if err != nil { // what was just written can be read
		short = v
	}
	return strconv.FormatFloat(short, 'f', -1, 64)
}
