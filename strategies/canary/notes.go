package canary

import (
	"fmt"

	"github.com/tidegate/tidegate/internal/plan"
)

func (c compiler) notes() []string {
	size := c.Objects.Size
	notes := []string{
		fmt.Sprintf("From full share to the end of the clean-up the candidate runs as many pods as the base: %d + %d, for about %s plus the time to roll the base.",
			size, size, c.costly()),
		fmt.Sprintf("Callers of Service %s itself, past the route, never see the split: they meet the new version when the base is rolled.", c.Objects.Traffic.Base),
		fmt.Sprintf("Connections get %s to end before pods stop (drain); what lasts longer is cut off.", c.Drain),
	}
	if len(c.ring) > 0 {
		notes = append(notes, fmt.Sprintf("Requests with %s meet the new version from the step internal on, nobody else does in that step.", plan.RingText(c.ring)))
	}
	if len(c.In.Deploy.Spec.Gates) == 0 {
		notes = append(notes, "Only the pods are watched: no gate asks how the new version answers. Add one under spec.gates.")
	}
	return append(notes, c.approvalNotes()...)
}

// approvalNotes say who watches while the rollout waits for a person.
func (c compiler) approvalNotes() []string {
	var notes []string
	said := map[string]bool{}
	for _, step := range c.steps() {
		note := ""
		switch {
		case step.Approve == nil:
			continue
		case step.Approve.Attended:
			note = "While it waits for an approval with users on the new version the run stays, and its gates watch (--wait)."
		case step.Weight > 0:
			note = fmt.Sprintf("While it waits for an approval at %s no run is attached and no gate watches (unattended: true), "+
				"unless it runs with --wait. A scheduled `tidegate deploy --resume` looks at the gates.", step.Weight)
		case len(c.ring) > 0:
			note = "While it waits for an approval before the first share no run is attached and no gate watches, unless it runs with --wait. " +
				"Only requests with " + plan.RingText(c.ring) + " meet the new version, to try it."
		default:
			note = "While it waits for an approval before the first share no run is attached and no gate watches, unless it runs with --wait. " +
				"No user meets the new version; its pods run."
		}
		if !said[note] {
			said[note] = true
			notes = append(notes, note)
		}
	}
	return notes
}
