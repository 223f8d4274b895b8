package words

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

const (
	// longestLine is where a line of foreign text is cut.
	longestLine = 400
	// A block of foreign text keeps its first and its last lines: a program says at the end why it dies.
	firstLines, lastLines = 12, 24
)

// escapes are the sequences that a terminal obeys: CSI (colours, cursor), OSC and its like (titles, links, up to their
// end), and two-byte ones. ECMA-48, sections 5.3 to 5.6.
var escapes = regexp.MustCompile("(?:\x1b\\[|\u009b)[0-?]*[ -/]*[@-~]" +
	"|\x1b[\\]PX^_][^\x07\x1b\u009c\r\n]*(?:\x07|\x1b\\\\|\u009c)?" +
	"|\x1b[ -/]*[0-~]?")

// directives are beginnings that CI systems obey anywhere in a line: ##[group], ##vso[task…], ##teamcity[…].
var directives = regexp.MustCompile(`##(\w*)\[`)

// lineEnds are what a reader of lines may take as the end of one.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n", "\v", "\n", "\f", "\n")

// Clean makes foreign text safe to print, line by line: no escape sequence, no control or invisible character, no text
// that reverses its direction, no line that a CI system reads as a command, and not more than a screen of it. Lines keep
// their indentation.
func Clean(text string) string {
	text = lineEnds.Replace(escapes.ReplaceAllString(strings.ToValidUTF8(text, "\uFFFD"), ""))
	lines := strings.Split(strings.TrimRight(strings.Map(visible, text), "\n \t"), "\n")
	if more := len(lines) - firstLines - lastLines; more > 1 {
		tail := lines[len(lines)-lastLines:]
		lines = append(append(lines[:firstLines:firstLines], fmt.Sprintf("… %d more lines …", more)), tail...)
	}
	for i, line := range lines {
		line = strings.TrimRight(strings.ReplaceAll(line, "\t", "    "), " ")
		lines[i] = Cut(disarm(line), longestLine)
	}
	return strings.Join(lines, "\n")
}

// Line is foreign text on one line.
func Line(text string) string {
	return strings.Join(strings.Fields(Clean(text)), " ")
}

// disarm breaks what the runner of a CI system would carry out. The runner of GitHub looks for :: at the beginning of a
// line, after spaces, and for ##[ anywhere (actions/runner, ActionCommand.cs).
func disarm(line string) string {
	line = directives.ReplaceAllString(line, "## $1[")
	if trimmed := strings.TrimLeftFunc(line, unicode.IsSpace); strings.HasPrefix(trimmed, "::") {
		return line[:len(line)-len(trimmed)] + ": :" + trimmed[2:]
	}
	return line
}

// visible drops control and format characters (zero width, direction), and keeps lines and tabs.
func visible(r rune) rune {
	switch {
	case r == '\n', r == '\t':
		return r
	case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs):
		return -1
	case unicode.Is(unicode.Zs, r):
		return ' '
	}
	return r
}
