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
func (e End) next() []Advice {
	cmd := func(verb string) string { return command(e.Name, verb) }
	old, _ := e.versions()
	switch e.Result {
	case Succeeded:
		if e.isShadow() {
			return e.afterShadow()
		}
		return []Advice{{fmt.Sprintf("should users find what the gates did not, bring %s back", old), wayBackTo(e.Name, e.target())}}
	case Pending:
		if _, _, holds := e.Rollout.Holding(); holds {
			return fromHold(e.Name, e.Rollout)
		}
		return answers(e.Name, e.Rollout)
	case Promoted:
		return []Advice{{"follow it", cmd("status -w")}}
	case RolledBack:
		return append(e.afterFailure(), e.onceMore())
	case Aborted:
		return []Advice{e.onceMore()}
	case Superseded:
		return []Advice{{"nothing; the newer rollout goes on", cmd("status -w")}}
	case Locked:
		return []Advice{{"see what is in flight", cmd("status -w")}, {"undo it, if it must not go on", cmd("abort")}}
	case Cancelled, Failed:
		return e.afterStop(cmd)
	case Invalid:
		return []Advice{{"correct what is said above, then check it without a cluster", cmd("validate")}}
	case UndoFailed:
		return e.forAPerson(cmd)
	}
	return nil
}

func (e End) onceMore() Advice {
	return Advice{"start this version once more, from the first step", command(e.Name, "retry")}
}

// wayBackTo is the command that brings back what ran before a rollout that succeeded. A rollback is not undone by a
// rollback: that goes further back.
func wayBackTo(name string, t plan.Target) string {
	if t.Restores != "" {
		return deployCommand(name, t.From)
	}
	return command(name, "rollback")
}

// answers are what a person can say to a rollout that waits, and what any run can do meanwhile.
func answers(name string, ro *engine.Rollout) []Advice {
	yes, no := "let it go on", "or go back"
	var all []Advice
	if ro != nil {
		old, _ := Versions(ro.Plan.Target)
		no = "or go back to " + old
		for _, s := range previewed(*ro) {
			all = append(all, Advice{s.Effect, s.Command})
		}
	}
	return append(all, []Advice{{yes, command(name, "promote")}, {no, command(name, "abort")},
		{"no gate watches meanwhile; to have them asked, and the time looked at, by a schedule", command(name, "deploy --resume")}}...)
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
func (e End) afterFailure() []Advice {
	if e.Rollout == nil {
		return nil
	}
	g, ok := FailedGate(*e.Rollout)
	if ok && g.Last.NoData {
		return []Advice{{fmt.Sprintf("nothing was learned of the new version: bring the data of gate %s back first", words.Line(g.Name)),
			command(e.Name, "query", g.Name)}}
	}
	if ok && g.Last.Evidence.Query != "" {
		return []Advice{{Text: fmt.Sprintf("see why in what gate %s asked, above: the query still answers for that time", words.Line(g.Name))}}
	}
	if e.Rollout.Cause == engine.CauseApproval {
		return nil
	}
	if e.Rollout.Cause == engine.CauseDeadline {
		return []Advice{{Text: "a rollout that needs longer needs a later spec.deadline"}}
	}
	return []Advice{{Text: "correct the cause above, and deploy the corrected version"}}
}

// afterStop is what to do with a rollout that nobody carries on.
func (e End) afterStop(cmd func(string) string) []Advice {
	if e.Rollout == nil || !e.Rollout.Phase.InFlight() {
		return []Advice{{"correct the cause above and run it again; what is in the cluster", cmd("status")}}
	}
	if e.Rollout.Phase != engine.Running {
		return []Advice{{"nobody carries the way back on now; do it", cmd("abort")}}
	}
	at := e.Rollout.Plan.Steps[e.Rollout.Step].ID
	return []Advice{
		{Text: "no gate watches until the next run carries it on, or undoes it for another target"},
		{"carry on from step " + words.Line(at), cmd("deploy --resume")},
		{"or go back", cmd("abort")},
	}
}

// forAPerson says where the requests are, what is left to do and how.
func (e End) forAPerson(cmd func(string) string) []Advice {
	if e.Rollout == nil {
		return []Advice{{"see where it stands", cmd("status")}}
	}
	return append(whereItStands(*e.Rollout), Advice{"when the cause above is gone, carry the way back on", cmd("abort")})
}

// whereItStands lists what of a way back is done and what is not, and where to look.
func whereItStands(ro engine.Rollout) []Advice {
	var all []Advice
	ops := wayBack(ro)
	for i, op := range ops {
		state := "done:     "
		switch {
		case i == ro.Undone:
			state = "FAILED:   "
		case i > ro.Undone:
			state = "not done: "
		}
		all = append(all, Advice{Text: state + op.String()})
	}
	t := ro.Plan.Target
	look := Advice{"look at it", fmt.Sprintf("kubectl -n %s get %ss,pods", quoted(t.Namespace), strings.ToLower(t.Workload.Kind))}
	if ro.Plan.Objects.Traffic != nil {
		for _, r := range ro.Plan.Objects.Traffic.Routes {
			all = append(all, Advice{divider(ro), fmt.Sprintf("kubectl -n %s get %s %s -o yaml", quoted(r.Namespace), quoted(strings.ToLower(r.Kind)), quoted(r.Name))})
		}
	}
	return append(all, look)
}
