package bluegreen

import (
	"fmt"

	"github.com/tidegate/tidegate/strategies"
)

// notes say what the switch costs, and whom it does not reach.
func (c compiler) notes() []string {
	size, service := c.Objects.Size, c.Objects.Traffic.Base
	notes := []string{
		fmt.Sprintf("Two versions run at full size from the start to the end of the clean-up: %d + %d pods, after the switch for about %s plus the time to roll the base.",
			size, size, c.standby()),
		fmt.Sprintf("Until the old version's time (keepOld) is over the way back is one write. The drain of %s before its pods stop cannot be skipped; what lasts longer is cut off.", c.Drain),
	}
	if c.Objects.Traffic.BySelector() {
		notes = append(notes,
			fmt.Sprintf("The selector of Service %s moves the requests of all its callers at once. What keeps a connection open stays with the pod that it has until the drain is over.", service),
			"Other Services that select the same pods are not switched: their callers meet the new version when the base is rolled.")
	} else {
		notes = append(notes, fmt.Sprintf("Callers of Service %s itself, past the route, are not switched: they meet the new version when the base is rolled.", service))
	}
	if c.Objects.Scaler != nil {
		notes = append(notes, "While the old version stands by, its autoscaler is held at no less than its size, and the new one runs as many pods as it had at the switch: nothing sizes it.")
	}
	if c.conf.Approve != nil {
		notes = append(notes, "While it waits for an approval no run is attached and no gate watches, unless it runs with --wait. No user meets the new version; its pods run.")
	}
	if len(c.In.Deploy.Spec.Gates) == 0 {
		notes = append(notes, "Only the pods are watched: no gate asks how the new version answers. Add one under spec.gates.")
	}
	return append(notes, strategies.DetachNotes(c.steps())...)
}
