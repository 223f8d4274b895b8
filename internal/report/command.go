package report

import (
	"regexp"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
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

// OneLine is foreign text on one line, without what commands terminals.
func OneLine(text string) string { return words.Line(text) }

// Duration is a time span in a person's words.
func Duration(d plan.Duration) string { return words.Duration(time.Duration(d)) }

// simple text needs no quotes in a shell.
var simple = regexp.MustCompile(`^[\w./:-]+$`)

func quoted(text string) string {
	if text = words.Line(text); simple.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
