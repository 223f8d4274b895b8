package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report/words"
)

// next says what to do after a run.
func (e End) next() []string {
	cmd := func(verb string) string { return command(e.Name, verb) }
	old, _ := e.versions()
	switch e.Result {
	case Succeeded:
		return []string{fmt.Sprintf("should users find what the gates did not, bring %s back: %s", old, deployCommand(e.Name, e.target().From))}
	case RolledBack:
		return append(e.afterFailure(), "start this version once more, from the first step: "+deployCommand(e.Name, e.target().Images))
	case Aborted:
		return []string{"start this version once more, from the first step: " + deployCommand(e.Name, e.target().Images)}
	case Superseded:
		return []string{"nothing; the newer rollout goes on: " + cmd("status -w")}
	case Locked:
		return []string{"see what is in flight: " + cmd("status -w"), "undo it, if it must not go on: " + cmd("abort")}
	case Cancelled, Failed:
		return e.afterStop(cmd)
	case Invalid:
		return []string{"correct what is said above, then check it without a cluster: " + cmd("validate")}
	case UndoFailed:
		return e.forAPerson(cmd)
	}
	return nil
}

func (e End) target() plan.Target {
	if e.Rollout == nil {
		return plan.Target{}
	}
	return e.Rollout.Plan.Target
}

// deployCommand deploys these images.
func deployCommand(name string, images map[string]string) string {
	text := "deploy"
	for _, container := range slices.Sorted(maps.Keys(images)) {
		ref := images[container]
		if len(images) > 1 {
			ref = name + "/" + container + "=" + ref
		}
		text += " --image " + quoted(words.Line(ref))
	}
	return command(name, text)
}

// afterFailure is where to look for the cause of a rollback.
func (e End) afterFailure() []string {
	if e.Rollout == nil {
		return nil
	}
	g, ok := FailedGate(*e.Rollout)
	if ok && g.Last.NoData {
		return []string{fmt.Sprintf("nothing was learned of the new version: bring the data of gate %s back first: %s", words.Line(g.Name),
			command(e.Name, "query", g.Name))}
	}
	if ok && g.Last.Evidence.Query != "" {
		return []string{fmt.Sprintf("see why in what gate %s asked, above: the query still answers for that time", words.Line(g.Name))}
	}
	if e.Rollout.Cause == engine.CauseDeadline {
		return []string{"a rollout that needs longer needs a later spec.deadline"}
	}
	return []string{"correct the cause above, and deploy the corrected version"}
}

// afterStop is what to do with a rollout that nobody carries on.
func (e End) afterStop(cmd func(string) string) []string {
	if e.Rollout == nil || !e.Rollout.Phase.InFlight() {
		return []string{"correct the cause above and run it again; what is in the cluster: " + cmd("status")}
	}
	if e.Rollout.Phase != engine.Running {
		return []string{"nobody carries the way back on now; do it: " + cmd("abort")}
	}
	at := e.Rollout.Plan.Steps[e.Rollout.Step].ID
	return []string{
		"no gate watches until the next run carries it on, or undoes it for another target",
		fmt.Sprintf("carry on from step %s: %s", words.Line(at), cmd("deploy --resume")),
		"or go back: " + cmd("abort"),
	}
}

// forAPerson says where the requests are, what is left to do and how.
func (e End) forAPerson(cmd func(string) string) []string {
	if e.Rollout == nil {
		return []string{"see where it stands: " + cmd("status")}
	}
	return append(whereItStands(*e.Rollout), "when the cause above is gone, carry the way back on: "+cmd("abort"))
}

// whereItStands lists what of a way back is done and what is not, and where to look.
func whereItStands(ro engine.Rollout) []string {
	var lines []string
	ops := wayBack(ro)
	for i, op := range ops {
		state := "done:     "
		switch {
		case i == ro.Undone:
			state = "FAILED:   "
		case i > ro.Undone:
			state = "not done: "
		}
		lines = append(lines, state+op.String())
	}
	t := ro.Plan.Target
	look := fmt.Sprintf("look at it: kubectl -n %s get deployments,pods", t.Namespace)
	if ro.Plan.Objects.Traffic != nil {
		for _, r := range ro.Plan.Objects.Traffic.Routes {
			lines = append(lines, fmt.Sprintf("the route: kubectl -n %s get %s %s -o yaml", r.Namespace, strings.ToLower(r.Kind), r.Name))
		}
	}
	return append(lines, look)
}
