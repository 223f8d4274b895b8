package actions

import (
	"strings"
	"unicode"
)

// lineEnds are what a reader of lines may take as the end of one.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n", "\v", "\n", "\f", "\n")

// Plain is foreign text that the runner shows and does not obey: it looks for :: at the beginning of a line, after spaces,
// and for ##[ anywhere. Characters that control a terminal, or turn the direction of what is read, are left out.
func Plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs)) {
			return -1
		}
		return r
	}, lineEnds.Replace(text))
	lines := strings.Split(strings.ReplaceAll(text, "##[", "## ["), "\n")
	for i, line := range lines {
		if rest := strings.TrimLeftFunc(line, unicode.IsSpace); strings.HasPrefix(rest, "::") {
			lines[i] = line[:len(line)-len(rest)] + ": :" + rest[2:]
		}
	}
	return strings.Join(lines, "\n")
}
