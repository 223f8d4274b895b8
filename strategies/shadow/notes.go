package shadow

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// notes say what the copies may do, what they cost, and what the end is.
func (c compiler) notes() []string {
	pods := plan.Op{Mirror: c.copied, MinPods: c.MinPods}.PodsFor(c.Objects.Size)
	notes := []string{
		fmt.Sprintf("Users get the answers of the old version only, and the base is not touched: %s of the requests are done a second time, by %s.", c.copied, extra(pods)),
		c.isolation(),
		fmt.Sprintf("What both versions call gets up to %s more requests for %s.", c.copied, (c.conf.Duration.Std() + c.Guard).Round(time.Second)),
		fmt.Sprintf("Callers of Service %s itself, past the route, are not copied.", c.Objects.Traffic.Base),
	}
	if c.conf.Then == nil {
		notes = append(notes, "Nothing follows (no `then`): the rollout ends with a report, and users stay with the old version.")
	} else {
		notes = append(notes, fmt.Sprintf("When the shadow has succeeded a second rollout follows in the same run: %s.", c.conf.Then.Strategy().Kind()))
	}
	if len(c.In.Deploy.Spec.Gates) == 0 {
		notes = append(notes, "Only the pods are watched: no gate asks how the new version answers. Add one under spec.gates.")
	}
	return notes
}

// isolation says by what the side effects are isolated.
func (c compiler) isolation() string {
	if len(c.conf.Env) == 0 {
		return fmt.Sprintf("A copy of a write is a second write. The spec says that side effects are isolated and overrides no variable: "+
			"the new version itself must write nothing that users share when it sees %s=true.", spec.ShadowVariable)
	}
	var names []string
	for _, v := range c.conf.Env {
		names = append(names, v.Name)
	}
	return fmt.Sprintf("A copy of a write is a second write. The new version runs with another %s, and with %s=true; everything else is as the old version has it.",
		strings.Join(names, ", "), spec.ShadowVariable)
}

func extra(pods int) string {
	if pods == 1 {
		return "1 more pod"
	}
	return fmt.Sprintf("%d more pods", pods)
}
