package page

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"

	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/sheet"
)

// Input is what a page is made of.
type Input = sheet.Input

// view is what the template shows.
type view struct {
	sheet.Sheet
	Style    template.CSS
	Why      string // its first line
	WhyMore  string // the others
	Evidence string
	Panels   []panel
	Moments  []moment
	Ticks    []tick
	Axis     string
}

// HTML is the page of one rollout.
func HTML(in Input) []byte {
	s := sheet.New(in)
	v := view{Sheet: s, Style: style}
	v.Why, v.WhyMore, _ = strings.Cut(s.Closing.Why, "\n")
	v.Evidence = evidence(s.Closing.Evidence)
	v.draw()
	var b bytes.Buffer
	if err := page().Execute(&b, v); err != nil {
		panic(fmt.Sprintf("page: the template does not fit what it shows: %v", err)) // writing to memory cannot fail
	}
	return b.Bytes()
}

// page reads the template.
func page() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{"sign": sign}).Parse(text))
}

func evidence(p report.Proof) string {
	parts := []string{}
	for _, part := range []string{p.Text, p.Value, p.Note} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "; ")
}

// sign is a sign's character.
func sign(s sheet.Sign) string {
	switch s {
	case sheet.Passed:
		return "✓"
	case sheet.Failed:
		return "✗"
	case sheet.Missing:
		return "?"
	case sheet.Open:
		return "…"
	case sheet.Current:
		return "▸"
	case sheet.Undone:
		return "↶"
	}
	return "·"
}
