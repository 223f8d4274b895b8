package canary

import (
	"fmt"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/strategies"
)

func (c compiler) notes() []string {
	size := c.Objects.Size
	cost := fmt.Sprintf("From full share to the end of the clean-up the candidate runs as many pods as the base: %d + %d, for about %s plus the time to roll the base.",
		size, size, c.costly())
	if c.Last > 0 {
		cost = c.inPlaceNote()
	}
	notes := []string{
		cost,
		fmt.Sprintf("Callers of Service %s itself, past the route, never see the split: they meet the new version when the base is rolled.", c.Objects.Traffic.Base),
		fmt.Sprintf("Connections get %s to end before pods stop (drain); what lasts longer is cut off.", c.Drain),
	}
	before := "No user meets the new version; its pods run."
	if len(c.ring) > 0 {
		before = "Only requests with " + plan.RingText(c.ring) + " meet the new version, to try it."
		notes = append(notes, fmt.Sprintf("Requests with %s meet the new version from the step internal on, nobody else does in that step.", plan.RingText(c.ring)))
	}
	notes = append(notes, c.stickyNotes()...)
	if len(c.In.Deploy.Spec.Gates) == 0 {
		notes = append(notes, ungated)
	}
	return append(append(notes, approvalNotes(c.steps(), before)...), strategies.DetachNotes(c.steps())...)
}

const ungated = "Only the pods are watched: no gate asks how the new version answers. Add one under spec.gates."

// approvalNotes say who watches while the rollout waits for a person. before says who meets the candidate until the first
// share.
func approvalNotes(steps []plan.Step, before string) []string {
	var notes []string
	said := map[string]bool{}
	for _, step := range steps {
		note := ""
		switch {
		case step.Approve == nil:
			continue
		case step.Approve.Attended:
			note = "While it waits for an approval with users on the new version the run stays, and its gates watch (--wait)."
		case step.Weight > 0:
			note = fmt.Sprintf("While it waits for an approval at %s no run is attached and no gate watches (unattended: true), "+
				"unless it runs with --wait. A scheduled `tidegate deploy --resume` looks at the gates.", step.Weight)
		default:
			note = "While it waits for an approval before the first share no run is attached and no gate watches, unless it runs with --wait. " +
				before
		}
		if !said[note] {
			said[note] = true
			notes = append(notes, note)
		}
	}
	return notes
}
