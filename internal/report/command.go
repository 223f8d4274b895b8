package report

import (
	"regexp"
	"strings"

	"github.com/tidegate/tidegate/internal/report/words"
)

// command is a tidegate command for one deploy spec; argument may be empty.
func command(name, verb string, argument ...string) string {
	parts := []string{"tidegate", verb}
	for _, a := range argument {
		parts = append(parts, quoted(a))
	}
	if name != "" {
		parts = append(parts, "--name", quoted(name))
	}
	return strings.Join(parts, " ")
}

// simple text needs no quotes in a shell.
var simple = regexp.MustCompile(`^[\w./:-]+$`)

func quoted(text string) string {
	if text = words.Line(text); simple.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
