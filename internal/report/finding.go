package report

import (
	"strings"

	"github.com/tidegate/tidegate/internal/report/words"
)

// Finding is something that a check found before anything was touched.
type Finding struct {
	Name     string `json:"name"`             // by which it is accepted: --accept NAME
	Level    Level  `json:"level"`            // how grave it is
	Object   string `json:"object,omitempty"` // kind/name, or a field of the spec
	Message  string `json:"message"`
	Remedy   string `json:"remedy,omitempty"`   // what to do about it
	Accepted bool   `json:"accepted,omitempty"` // an error that a person took responsibility for
	Override string `json:"override,omitempty"` // the flag that accepts an error; empty when nothing does
}

// Level is how grave a finding is.
type Level string

// The levels of a finding.
const (
	Info    Level = "info"
	Warning Level = "warning"
	Error   Level = "error"
)

// findingsText lists findings, the gravest first.
func findingsText(findings []Finding) string {
	var b strings.Builder
	for _, level := range []Level{Error, Warning, Info} {
		for _, f := range findings {
			if f.Level == level {
				f.write(&b)
			}
		}
	}
	return b.String()
}

func (f Finding) write(b *strings.Builder) {
	mark := map[Level]string{Error: "✗ error", Warning: "! warning", Info: "· info"}[f.Level]
	if f.Accepted {
		mark = "! accepted"
	}
	text := f.Message
	if f.Object != "" {
		text = f.Object + ": " + text
	}
	var n notes
	n.add(words.Pad(mark, len("! accepted")), text)
	if f.Remedy != "" {
		n.add("", f.Remedy)
	}
	if f.Level == Error && !f.Accepted && f.Override != "" {
		n.add("", "to go on all the same: "+f.Override)
	}
	b.WriteString(n.text("  "))
}
