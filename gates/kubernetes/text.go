package kubernetes

import (
	"strings"
	"unicode"
)

const longest = 300

// tail makes a container's or the cluster's text fit for one line: its end, which is where a program says why it dies.
// Control characters become spaces, because a log may be read by a program that obeys lines.
func tail(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > longest {
		return "…" + string(runes[len(runes)-longest:])
	}
	return string(runes)
}
