package report

import (
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/report/words"
)

// Closing is the closing words of a run in their parts, for those who lay them out otherwise than [Ending] does. All text
// is clean. Why may have several lines; what is empty is left out.
type Closing struct {
	Mark     string // ✓, ✗, ↶ or ▸
	Headline string
	Why      string
	Evidence Proof
	Users    string
	Outage   string
	Took     string
	Next     []Advice
}

// Advice is one thing to do next. Command is empty where there is nothing to run.
type Advice struct {
	Text    string
	Command string
}

// String is the advice on one line.
func (a Advice) String() string {
	if a.Command == "" {
		return a.Text
	}
	return a.Text + ": " + a.Command
}

// Proof is what the gate that failed saw. All but Text may be empty.
type Proof struct {
	Text  string // how often it failed, and when first
	Value string
	Note  string // what the gate says beside its value
	Query string
	Link  string
}

// String is the proof with a line for each part.
func (p Proof) String() string {
	text := p.Text
	for _, part := range []struct{ label, text string }{{"value: ", p.Value}, {"", p.Note}, {"query: ", p.Query}, {"", p.Link}} {
		if part.text != "" {
			text += "\n" + part.label + part.text
		}
	}
	return text
}

// clean is the proof with every part on one line.
func (p Proof) clean() Proof {
	return Proof{words.Line(p.Text), words.Line(p.Value), words.Line(p.Note), words.Line(p.Query), words.Line(p.Link)}
}

// Closing puts the closing words together.
func (e End) Closing() Closing {
	e = e.sound()
	mark, headline := e.headline()
	c := Closing{Mark: mark, Headline: words.Line(headline), Why: strings.TrimSpace(words.Clean(e.why()))}
	if e.Rollout != nil {
		c.Evidence, c.Users, c.Outage, c.Took = e.evidence().clean(), words.Line(e.users()), words.Line(e.outage()), words.Line(e.took())
	}
	for _, a := range e.next() {
		c.Next = append(c.Next, Advice{words.Line(a.Text), words.Line(a.Command)})
	}
	return c
}

// sound is the end with a zone, a rollout that can be shown or none, and a clean name.
func (e End) sound() End {
	if e.Zone == nil {
		e.Zone = time.UTC
	}
	if e.Rollout != nil && len(e.Rollout.Plan.Steps) > 0 {
		ro := Sound(*e.Rollout)
		e.Rollout, e.Name = &ro, ro.Plan.Target.Name
	} else {
		e.Rollout = nil
	}
	e.Name = words.Line(e.Name)
	return e
}
