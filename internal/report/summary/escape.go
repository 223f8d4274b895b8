package summary

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/tidegate/tidegate/internal/report/words"
)

const (
	// longestText is where text is cut, in characters; longestCode where code is.
	longestText = 1000
	longestCode = 2000
	// gap is the character of no width between what GitHub would take together: @ and a name, # and a number. It works
	// where a backslash or an entity does not: those are gone when mentions and references are looked for.
	gap = "&#8203;"
)

// together is what GitHub makes something of in plain text, wherever it stands: www. and an address, GH- and a number.
var together = regexp.MustCompile(`(?i)www\.|\bgh-\d`)

// leading is what begins a list, a heading, a quote or a rule when it begins a line.
var leading = regexp.MustCompile(`^(?:[-+=]|(?:\d+[.)](?: |$)))`)

// Text writes foreign text as text, on one line.
func Text(text string) string {
	text = cut(words.Line(text), longestText)
	begins, broken := strings.TrimSuffix(leading.FindString(text), " "), map[int]bool{}
	for _, m := range together.FindAllStringIndex(text, -1) {
		broken[m[1]-1] = true
	}
	var b strings.Builder
	for i, r := range text {
		if broken[i] {
			b.WriteString(gap)
		}
		switch {
		case begins != "" && i == len(begins)-1:
			entity(&b, r)
		case r == '@' || r == '#' || r == '$': // mention, reference, formula
			entity(&b, r)
			b.WriteString(gap)
		case r == ':' && adjoins(text[i+1:]):
			b.WriteString(":" + gap)
		case strings.ContainsRune("\\`*_{}[]<>&|~!^", r):
			entity(&b, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// adjoins tells whether what follows a colon could make something with it: https://, :emoji:, but no time of day.
func adjoins(next string) bool {
	return next != "" && !strings.Contains(" .,;0123456789", next[:1])
}

func entity(b *strings.Builder, r rune) { fmt.Fprintf(b, "&#%d;", r) }

// Code writes foreign text as code within a line, letter by letter; nothing for no text.
func Code(text string) string {
	text = cut(words.Line(text), longestCode)
	switch {
	case text == "":
		return ""
	case strings.Contains(text, "|"): // a table would end its cell there, even within code
		return markup(text)
	}
	ticks := strings.Repeat("`", longestRun(text, '`')+1)
	if text[0] == '`' || text[len(text)-1] == '`' {
		text = " " + text + " "
	}
	return ticks + text + ticks
}

// markup is code as HTML. Every sign in it is an entity, and what is recognised even there has a gap.
func markup(text string) string {
	var b strings.Builder
	b.WriteString("<code>")
	for i, r := range text {
		switch {
		case r == '@' || r == '.' && strings.HasSuffix(strings.ToLower(text[:i]), "www"):
			b.WriteString(gap)
			entity(&b, r)
		case r < unicode.MaxASCII && (unicode.IsPunct(r) || unicode.IsSymbol(r)):
			entity(&b, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteString("</code>")
	return b.String()
}

// Block writes lines of foreign text as a block of code. It stands between blank lines.
func Block(lines []string) string {
	text := make([]string, len(lines))
	longest := 2
	for i, line := range lines {
		text[i] = cut(words.Clean(strings.ReplaceAll(line, "\n", " ")), longestCode)
		longest = max(longest, longestRun(text[i], '`'))
	}
	fence := strings.Repeat("`", longest+1)
	return fence + "text\n" + strings.Join(text, "\n") + "\n" + fence + "\n"
}

// Label writes foreign text for a diagram of Mermaid, where it stands in quotes: letters, digits and a few signs only.
func Label(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" ._-/", r) {
			return r
		}
		return ' '
	}, words.Line(text))
	text = strings.ReplaceAll(text, "---", " ") // begins and ends settings
	return cut(strings.Join(strings.Fields(text), " "), 40)
}

func longestRun(text string, of rune) int {
	longest, run := 0, 0
	for _, r := range text {
		if r != of {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// cut bounds the characters, those of no width too: a letter may carry any number of accents.
func cut(text string, most int) string {
	n := 0
	for i := range text {
		if n++; n > most {
			return text[:i] + "…"
		}
	}
	return text
}
