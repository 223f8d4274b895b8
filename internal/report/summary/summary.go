package summary

import (
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/sheet"
)

// MaxBytes is how long the summary of a step may be; GitHub shows nothing at all of a longer one.
const MaxBytes = 1 << 20

// Input is what a summary is made of.
type Input = sheet.Input

// Markdown is the summary of one rollout. Several, of several services, may stand one after the other.
func Markdown(in Input) string { return Within(in, MaxBytes) }

// Within is Markdown in at most so many bytes, for what is left of a summary that several share. What does not fit is left
// out, and the text says so: the evidence of the steps and gates first, then the gates, then all but the first lines. It is
// empty when not even those fit.
func Within(in Input, most int) string {
	s := sheet.New(in)
	for _, omit := range []omission{nothing, evidence, gateTable, everything} {
		if text := markdown(s, omit); len(text) <= most {
			return text
		}
	}
	return ""
}

// omission is how much is left out.
type omission int

const (
	nothing omission = iota
	evidence
	gateTable
	everything
)

func (o omission) note() string {
	switch o {
	case evidence:
		return "_The evidence of the gates is left out: the summary would be too long._\n\n"
	case gateTable:
		return "_The gates are left out, with their evidence: the summary would be too long._\n\n"
	case everything:
		return "_The steps, the gates and the chart are left out: the summary would be too long._\n\n"
	}
	return ""
}

func markdown(s sheet.Sheet, omit omission) string {
	var b strings.Builder
	b.WriteString(opening(s))
	b.WriteString(omit.note())
	if omit == everything {
		return b.String()
	}
	if len(s.DryRun) > 0 {
		b.WriteString(Block(s.DryRun) + "\n")
	}
	b.WriteString(closing(s))
	b.WriteString(steps(s, omit == nothing))
	if text := charts(s); text != "" {
		b.WriteString(text + "\n")
	}
	if omit < gateTable {
		b.WriteString(gateRows(s, omit == nothing))
	}
	b.WriteString(facts(s))
	return b.String()
}

// opening is what happened and what to do next.
func opening(s sheet.Sheet) string {
	var b strings.Builder
	b.WriteString("### " + mark(s.Tone) + " " + Text(s.Closing.Headline) + "\n\n")
	if why, more, long := strings.Cut(s.Closing.Why, "\n"); why != "" {
		b.WriteString("**Why:** " + Text(why) + "\n\n")
		if long {
			b.WriteString(Block(strings.Split(more, "\n")) + "\n")
		}
	}
	b.WriteString(proof(s.Closing.Evidence))
	if len(s.Closing.Next) > 0 {
		b.WriteString("**Next:**\n\n")
		for i, a := range s.Closing.Next {
			if i == mostAdvice {
				b.WriteString("- …\n")
				break
			}
			line := "- " + Text(a.Text)
			if a.Command != "" {
				line += ": " + Code(a.Command)
			}
			b.WriteString(line + "\n")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// proof is what the gate that failed saw.
func proof(p report.Proof) string {
	if p.Text == "" {
		return ""
	}
	text := "**Evidence:** " + Text(p.Text)
	for _, part := range []string{p.Value, p.Note} {
		if part != "" {
			text += "; " + Text(part)
		}
	}
	for _, part := range []string{p.Query, p.Link} {
		if part != "" {
			text += "<br>\n" + Code(part)
		}
	}
	return text + "\n\n"
}

// mostAdvice is how many things to do next are listed.
const mostAdvice = 40

func mark(t sheet.Tone) string {
	switch t {
	case sheet.Good:
		return "✅"
	case sheet.Doubt:
		return "⚠️"
	case sheet.Waiting:
		return "⏸"
	}
	return "❌"
}

func sign(s sheet.Sign) string {
	switch s {
	case sheet.Passed:
		return "✅"
	case sheet.Failed:
		return "❌"
	case sheet.Missing:
		return "❔"
	case sheet.Open:
		return "…"
	case sheet.Current:
		return "▶️"
	case sheet.Undone:
		return "↩️"
	}
	return "·"
}

// closing is what else is known of the end: what users met, how long it took, and where to look.
func closing(s sheet.Sheet) string {
	var lines []string
	if s.Closing.Users != "" {
		lines = append(lines, "**Users:** "+Text(s.Closing.Users))
	}
	if s.Closing.Outage != "" {
		lines = append(lines, "**Outage:** "+Text(s.Closing.Outage))
	}
	if s.Closing.Took != "" {
		lines = append(lines, "**Took:** "+Text(s.Closing.Took))
	}
	for _, l := range s.Links {
		lines = append(lines, fmt.Sprintf("[%s](%s)", l.Label, l.URL))
	}
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "<br>\n") + "\n\n"
}
