package words

import (
	"strings"
	"unicode"
)

// wide are the characters that a terminal draws over two columns: the ranges of Unicode's EastAsianWidth.txt that are
// wide or fullwidth, joined where nothing printable lies between them.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115f, Stride: 1}, {Lo: 0x231a, Hi: 0x231b, Stride: 1}, {Lo: 0x23e9, Hi: 0x23ec, Stride: 1},
		{Lo: 0x23f0, Hi: 0x23f3, Stride: 3}, {Lo: 0x25fd, Hi: 0x25fe, Stride: 1}, {Lo: 0x2614, Hi: 0x2615, Stride: 1},
		{Lo: 0x2648, Hi: 0x2653, Stride: 1}, {Lo: 0x267f, Hi: 0x2693, Stride: 20}, {Lo: 0x26a1, Hi: 0x26aa, Stride: 9},
		{Lo: 0x26ab, Hi: 0x26bd, Stride: 18}, {Lo: 0x26be, Hi: 0x26c4, Stride: 6}, {Lo: 0x26c5, Hi: 0x26ce, Stride: 9},
		{Lo: 0x26d4, Hi: 0x26ea, Stride: 22}, {Lo: 0x26f2, Hi: 0x26f3, Stride: 1}, {Lo: 0x26f5, Hi: 0x26fa, Stride: 5},
		{Lo: 0x26fd, Hi: 0x2705, Stride: 8}, {Lo: 0x270a, Hi: 0x270b, Stride: 1}, {Lo: 0x2728, Hi: 0x274c, Stride: 36},
		{Lo: 0x274e, Hi: 0x2753, Stride: 5}, {Lo: 0x2754, Hi: 0x2755, Stride: 1}, {Lo: 0x2757, Hi: 0x2795, Stride: 62},
		{Lo: 0x2796, Hi: 0x2797, Stride: 1}, {Lo: 0x27b0, Hi: 0x27bf, Stride: 15}, {Lo: 0x2b1b, Hi: 0x2b1c, Stride: 1},
		{Lo: 0x2b50, Hi: 0x2b55, Stride: 5}, {Lo: 0x2e80, Hi: 0x303e, Stride: 1}, {Lo: 0x3041, Hi: 0xa4cf, Stride: 1},
		{Lo: 0xa960, Hi: 0xa97c, Stride: 1}, {Lo: 0xac00, Hi: 0xd7a3, Stride: 1}, {Lo: 0xf900, Hi: 0xfaff, Stride: 1},
		{Lo: 0xfe10, Hi: 0xfe19, Stride: 1}, {Lo: 0xfe30, Hi: 0xfe6b, Stride: 1}, {Lo: 0xff01, Hi: 0xff60, Stride: 1},
		{Lo: 0xffe0, Hi: 0xffe6, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x16fe0, Hi: 0x1b2fb, Stride: 1}, {Lo: 0x1f004, Hi: 0x1f0cf, Stride: 203}, {Lo: 0x1f18e, Hi: 0x1f18e, Stride: 1},
		{Lo: 0x1f191, Hi: 0x1f19a, Stride: 1}, {Lo: 0x1f200, Hi: 0x1f64f, Stride: 1}, {Lo: 0x1f680, Hi: 0x1f6fc, Stride: 1},
		{Lo: 0x1f7e0, Hi: 0x1f7f0, Stride: 1}, {Lo: 0x1f90c, Hi: 0x1faff, Stride: 1}, {Lo: 0x20000, Hi: 0x3fffd, Stride: 1},
	},
}

// Width is how many columns of a terminal a clean line takes.
func Width(line string) int {
	n := 0
	for _, r := range line {
		n += columns(r)
	}
	return n
}

func columns(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}

// Cut shortens a line to at most width columns; what is missing shows as an ellipsis.
func Cut(line string, width int) string {
	if Width(line) <= width {
		return line
	}
	if width <= 0 {
		return ""
	}
	n := 0
	for i, r := range line {
		if n += columns(r); n > width-1 {
			return strings.TrimRight(line[:i], " ") + "…"
		}
	}
	return line
}

// Pad fills a line with spaces up to width columns.
func Pad(line string, width int) string {
	return line + strings.Repeat(" ", max(width-Width(line), 0))
}

// PadLeft fills a line with spaces before it.
func PadLeft(line string, width int) string {
	return strings.Repeat(" ", max(width-Width(line), 0)) + line
}

// Wrap breaks clean text into lines of at most width columns, at spaces where there are any. Lines of the text stay
// lines, and a broken line goes on under its own indentation.
func Wrap(text string, width int) []string {
	width = max(width, 1)
	var out []string
	for _, line := range strings.Split(text, "\n") {
		out = append(out, wrapLine(line, width)...)
	}
	return out
}

func wrapLine(line string, width int) []string {
	body := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(body)]
	if len(indent) > width/2 {
		indent = ""
	}
	room := width - len(indent)
	var out []string
	for Width(body) > room {
		at := breakAt(body, room)
		out = append(out, indent+strings.TrimRight(body[:at], " "))
		body = strings.TrimLeft(body[at:], " ")
	}
	if body != "" || len(out) == 0 {
		out = append(out, indent+body)
	}
	return out
}

// breakAt is the byte at which a line too long for room is broken: after the last space that leaves no more than a
// third of the room empty, else where the room ends.
func breakAt(line string, room int) int {
	n, space, spaceAt := 0, 0, 0
	for i, r := range line {
		if r == ' ' {
			space, spaceAt = i, n
		}
		if n += columns(r); n > room {
			switch {
			case space > 0 && (spaceAt >= room-room/3):
				return space
			case i > 0:
				return i
			}
			return len(string(r)) // one character wider than the room
		}
	}
	return len(line)
}
