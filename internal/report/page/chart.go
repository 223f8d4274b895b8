package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report/sheet"
	"github.com/tidegate/tidegate/internal/report/timeline"
	"github.com/tidegate/tidegate/internal/report/words"
)

// The plot of a panel is width x height in units of its own. It is stretched over what room there is; lines and dots keep
// their thickness, and the labels stand beside it as text, so that they can be read on a phone, too.
const (
	width  = 1000
	height = 100
)

// panel is one plot under another, over the same time.
type panel struct {
	Title     string
	Top, Low  string // labels of the y axis
	Area      string // path of the filled steps; empty for a gate
	Line      string // path
	Dots      []dot
	Marks     []line
	Labels    []label
	Reference string // of the plot, for those who cannot see it
}

type dot struct {
	X, Y  string
	Class string
	Title string
}

type line struct {
	X     string
	Class timeline.Kind
	Title string
}

// label stands over the plot, at so many percent of its width.
type label struct {
	Left  string
	Text  string
	Class timeline.Kind
	Right bool // ends at its mark, where there is no room after it
}

// tick is a label under the plots.
type tick struct{ Left, Text, Class string }

type moment struct {
	At   string
	Text string
}

// draw makes the panels: the share of requests, then each gate whose values are worth a line.
func (v *view) draw() {
	d := v.Timeline
	length := d.End.Sub(d.Start)
	if length <= 0 || len(d.Shares) < 2 {
		return
	}
	marks := v.lines()
	first := panel{Title: d.Title(), Top: "100%", Low: "0%", Marks: marks, Labels: v.labels()}
	first.Line, first.Area = v.steps()
	first.Reference = fmt.Sprintf("At most %s of the %s met the new version.", peak(d), d.Of())
	v.Panels = []panel{first}
	for _, c := range v.Curves {
		v.Panels = append(v.Panels, v.curve(c, marks))
	}
	for i := range 5 {
		t := tick{Left: fmt.Sprint(25 * i), Text: words.Duration(length * time.Duration(i) / 4)}
		if i == 4 {
			t.Class = "end"
		} else if i > 0 {
			t.Class = "middle"
		}
		v.Ticks = append(v.Ticks, t)
	}
	v.Axis = "since " + d.Start.In(v.Zone).Format("2 Jan 2006 15:04:05 MST")
	for _, m := range d.Marks {
		v.Moments = append(v.Moments, moment{m.At.In(v.Zone).Format(time.TimeOnly), says(m)})
	}
}

func peak(d timeline.Data) plan.Share {
	var most plan.Share
	for _, s := range d.Shares {
		most = max(most, s.Share)
	}
	return most
}

func says(m timeline.Mark) string {
	text := map[timeline.Kind]string{timeline.InForce: "in force", timeline.Undoing: "going back", timeline.Restored: "no request meets the new version any more",
		timeline.Ended: "ended"}[m.Kind]
	switch {
	case m.Text == "":
		return text
	case m.Kind == timeline.InForce:
		return m.Text + " " + text
	}
	return text + ": " + m.Text
}

// x is where a moment lies, of a whole.
func (v *view) x(t time.Time, whole float64) float64 {
	d := v.Timeline
	return min(max(t.Sub(d.Start).Seconds()/d.End.Sub(d.Start).Seconds(), 0), 1) * whole
}

func coordinate(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.1f", f), "0"), ".")
}

// steps is the share over time: it jumps, and holds until the next jump.
func (v *view) steps() (outline, area string) {
	y := func(s plan.Share) string { return coordinate(height - float64(s)/float64(plan.All)*height) }
	var b strings.Builder
	for i, s := range v.Timeline.Shares {
		x := coordinate(v.x(s.At, width))
		if i == 0 {
			fmt.Fprintf(&b, "M%s %s", x, y(s.Share))
			continue
		}
		fmt.Fprintf(&b, "H%sV%s", x, y(s.Share))
	}
	fmt.Fprintf(&b, "H%d", width)
	return b.String(), fmt.Sprintf("%sV%dH0Z", b.String(), height)
}

// curve is a gate's panel. The axis begins at zero unless values are below it, so that a small change looks small.
func (v *view) curve(c sheet.Curve, marks []line) panel {
	low, high := min(c.Low, 0), c.High
	if high <= low {
		high = low + 1
	}
	unit := func(value float64) string {
		if c.Percent {
			value *= 100
			return words.Number(&value) + "%"
		}
		return words.Number(&value)
	}
	p := panel{Title: "Gate " + c.Gate, Top: unit(high), Low: unit(low), Marks: marks}
	var b strings.Builder
	pen, fails := "M", 0
	for _, l := range c.Looks.Looks {
		if l.Value == nil {
			pen = "M" // nothing was measured: the line has a gap
			continue
		}
		x, y := coordinate(v.x(l.At, width)), coordinate(height-(*l.Value-low)/(high-low)*height)
		b.WriteString(pen + x + " " + y)
		pen = "L"
		class := "other"
		switch l.Outcome {
		case gates.Pass:
			class = "pass"
		case gates.Fail:
			class = "fail"
			fails++
		}
		p.Dots = append(p.Dots, dot{x, y, class, fmt.Sprintf("%s: %s, %s", l.At.In(v.Zone).Format(time.TimeOnly), unit(*l.Value), l.Outcome)})
	}
	p.Line = b.String()
	p.Reference = fmt.Sprintf("Between %s and %s; %s failed of those drawn.", unit(c.Low), unit(c.High), words.Count(fails, "look"))
	return p
}

func (v *view) lines() []line {
	var all []line
	for _, m := range v.Timeline.Marks {
		all = append(all, line{coordinate(v.x(m.At, width)), m.Kind, m.At.In(v.Zone).Format(time.TimeOnly) + " " + says(m)})
	}
	return all
}

// labels name the marks over the plot as long as there is room on a phone. The way back comes first, then the steps that
// moved requests; all moments are listed under the chart.
func (v *view) labels() []label {
	var all []label
	var taken [][2]float64
	for rank := range 3 {
		for _, m := range v.Timeline.Marks {
			if v.rank(m) != rank {
				continue
			}
			l, from, to := v.label(m)
			if from < 0 || overlaps(taken, from, to) {
				continue
			}
			taken, all = append(taken, [2]float64{from, to}), append(all, l)
		}
	}
	return all
}

// rank is how much the label of a mark counts; 3 for marks without one.
func (v *view) rank(m timeline.Mark) int {
	moved := slices.ContainsFunc(v.Timeline.Shares[1:], func(s timeline.Share) bool { return s.At.Equal(m.At) })
	switch {
	case m.Kind == timeline.Undoing:
		return 0
	case m.Kind == timeline.InForce && moved:
		return 1
	case m.Kind == timeline.InForce:
		return 2
	}
	return 3
}

// label is a mark's label, and from where to where it reaches, in percent of the plot's width on a phone.
func (v *view) label(m timeline.Mark) (l label, from, to float64) {
	const character = 2
	text := words.Cut(m.Text, 18)
	if m.Kind == timeline.Undoing {
		text = "going back"
	}
	at, size := v.x(m.At, 100), float64(words.Width(text)+1)*character
	l = label{Left: coordinate(at), Text: text, Class: m.Kind, Right: at+size > 100}
	if l.Right {
		return l, at - size, at
	}
	return l, at, at + size
}

func overlaps(taken [][2]float64, from, to float64) bool {
	for _, t := range taken {
		if from < t[1] && to > t[0] {
			return true
		}
	}
	return false
}
