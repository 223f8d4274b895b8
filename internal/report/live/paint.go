package live

import (
	"regexp"
	"strings"

	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/words"
)

// style is a Select Graphic Rendition of ECMA-48.
type style string

const (
	normal style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	blue   style = "34"
	cyan   style = "36"
	alarm  style = "1;31"
)

// styleOf is the colour of a tone.
func styleOf(t report.Tone) style {
	switch t {
	case report.Good:
		return green
	case report.Doubt:
		return yellow
	case report.Bad:
		return red
	}
	return normal
}

// cell is a piece of a line in one style.
type cell struct {
	style style
	text  string
}

// row is a line of a frame.
type row []cell

// text is a row in one style.
func text(s style, t string) row { return row{{s, t}} }

// width is how many columns the row takes.
func (r row) width() int {
	n := 0
	for _, c := range r {
		n += words.Width(c.text)
	}
	return n
}

// ends puts right at the right end of a line of this width; what does not fit is cut out of r.
func (r row) ends(right row, width int) row {
	room := width - right.width() - 1
	if room < width/3 {
		return r
	}
	r = r.cut(room)
	return append(append(r, cell{text: strings.Repeat(" ", room-r.width()+1)}), right...)
}

// cut shortens a row to at most width columns.
func (r row) cut(width int) row {
	out := row{}
	for _, c := range r {
		c.text = words.Cut(c.text, width)
		width -= words.Width(c.text)
		if c.text != "" {
			out = append(out, c)
		}
		if width <= 0 {
			break
		}
	}
	return out
}

// paint writes the row with its styles.
func (r row) paint() string {
	var b strings.Builder
	for i, c := range r {
		if i == len(r)-1 {
			c.text = strings.TrimRight(c.text, " ")
		}
		if c.style == normal || strings.TrimSpace(c.text) == "" {
			b.WriteString(c.text)
			continue
		}
		b.WriteString("\x1b[" + string(c.style) + "m" + c.text + "\x1b[0m")
	}
	return b.String()
}

var styles = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Plain is a frame without colours.
func Plain(frame string) string { return styles.ReplaceAllString(frame, "") }

// Colours tells whether a terminal wants colours, from the environment's NO_COLOR (https://no-color.org) and TERM.
func Colours(noColor, term string) bool { return noColor == "" && term != "dumb" }
