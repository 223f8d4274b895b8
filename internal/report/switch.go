package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report/words"
)

// standsBy tells whether the old version stands by while a step holds: everything was switched at once, and the way back
// is as quick.
func standsBy(p plan.Plan, s plan.Step) bool {
	return p.Strategy == "blueGreen" && s.ID == "full"
}

// standby says until when the old version stands by, and how it is switched back to.
func standby(ro engine.Rollout, s Step, at time.Time) string {
	old, _ := Versions(ro.Plan.Target)
	until := at.Add(time.Duration(s.Hold))
	text := fmt.Sprintf("in force; %s stands by until %s (%s); back with one write: %s", old, until.UTC().Format(clockTime),
		words.Duration(time.Duration(s.Hold)), command(ro.Plan.Target.Name, "abort"))
	if len(s.Gates) > 0 {
		text += fmt.Sprintf("\n%s watch%s", list(s.Gates), plural(s.Gates))
	}
	return text
}

// previewed is where the new version can be tried while a rollout stands before its switch; nothing else.
func previewed(ro engine.Rollout) []Suggestion {
	first := ro.Plan.Index("preview")
	if ro.Phase != engine.Running || first < 0 || ro.Step < first || ro.Step >= ro.Plan.Index("full") ||
		ro.Step == first && ro.Current().InForce.IsZero() {
		return nil
	}
	_, now := Versions(ro.Plan.Target)
	var all []Suggestion
	for _, o := range ro.Plan.Objects.Preview {
		ref := plan.RefOf(o)
		effect := "the preview of " + now
		if hosts := hostsOf(o); hosts != "" {
			effect = now + " answers at host " + hosts
		}
		all = append(all, Suggestion{fmt.Sprintf("kubectl -n %s get %s %s", quoted(ref.Namespace), strings.ToLower(ref.Kind), quoted(ref.Name)), words.Line(effect)})
	}
	return all
}

// hostsOf are the hostnames of a route.
func hostsOf(o plan.Object) string {
	spec, _ := o["spec"].(map[string]any)
	hosts, _ := spec["hostnames"].([]any)
	var names []string
	for _, h := range hosts {
		names = append(names, fmt.Sprint(h))
	}
	return strings.Join(names, ", ")
}

// running is what a person can do while a run carries the rollout on.
func running(ro engine.Rollout, cmd func(verb, effect string) Suggestion, old string) []Suggestion {
	back := cmd("abort", "go back to "+old)
	all := append(previewed(ro), cmd("status -w", "follow it"))
	if standsBy(ro.Plan, ro.Plan.Steps[ro.Step]) && !ro.Current().InForce.IsZero() {
		return append(all, cmd("abort", "switch back to "+old+" with one write"), cmd("promote --full", "do not keep "+old+" any longer"))
	}
	return append(all, back)
}
