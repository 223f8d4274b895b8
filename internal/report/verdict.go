package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report/words"
)

// A gate that says the same as before is repeated after a while: a twentieth of the hold, but not before sameAgain.
const (
	sameAgain = 30 * time.Second
	perHold   = 20
)

// saying is what was last told of a gate in the present step.
type saying struct {
	at     time.Time
	reason string
}

// verdict tells a look of a gate when it is news: it changed, it failed, or it waits for another reason. What stays as
// it was is told again after a while: gates that all pass in one line, any other by itself.
func (n *Narrator) verdict(e engine.Event) (Tone, string) {
	if e.Look == nil {
		return Plain, ""
	}
	look := *e.Look
	last, known := n.said[e.Gate]
	other := look.Outcome == gates.Pending && !look.NoData && look.Reason != last.reason
	if known && !e.Changed && look.Outcome != gates.Fail && !other {
		if e.At.Sub(last.at) < again(e) {
			return Plain, ""
		}
		if well, names := allWell(e); well != "" {
			for _, name := range names {
				n.note(name, e.At, "")
			}
			return Good, well
		}
	}
	n.note(e.Gate, e.At, look.Reason)
	return tone(look), fmt.Sprintf("%s %s: %s", e.Gate, says(look), look.Reason)
}

func (n *Narrator) note(gate string, at time.Time, reason string) {
	if n.said == nil {
		n.said = map[string]saying{}
	}
	n.said[gate] = saying{at: at, reason: reason}
}

// again is when a gate that says the same is told again.
func again(e engine.Event) time.Duration {
	s, _ := present(e)
	return max(sameAgain, time.Duration(s.Hold)/perHold)
}

// allWell says with their values that all gates of the step pass, and what is left of the hold, and names them; empty when
// one does not.
func allWell(e engine.Event) (text string, names []string) {
	s, ok := present(e)
	if !ok {
		return "", nil
	}
	var values []string
	for _, name := range s.Gates {
		tally, asked := s.State.Gates[name]
		if !asked || tally.Last.Outcome != gates.Pass {
			return "", nil
		}
		if v := words.Number(tally.Last.Evidence.Value); v != "" {
			name += " " + v
		}
		values = append(values, name)
	}
	text = "all gates pass (" + strings.Join(values, ", ") + ")"
	if left, holds := s.HoldLeft(e.At); holds && left > 0 {
		text += ", " + words.Duration(left) + " left"
	}
	return text, s.Gates
}

func says(s gates.Standing) string {
	switch {
	case s.Outcome == gates.Pass:
		return "passes"
	case s.Outcome == gates.Fail:
		return "FAILS"
	case s.NoData:
		return "has no data"
	}
	return "is pending"
}

func tone(s gates.Standing) Tone {
	switch s.Outcome {
	case gates.Pass:
		return Good
	case gates.Fail:
		return Bad
	}
	return Doubt
}
