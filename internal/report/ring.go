package report

import (
	"strings"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report/words"
)

// Ring is who meets the new version whatever the weight says, as far as it was saved; "" for nobody in particular.
func Ring(ro engine.Rollout) string {
	if len(ro.Plan.Steps) == 0 || ro.Phase == engine.RolledBack || ro.Phase == engine.Succeeded {
		return ""
	}
	ro = Sound(ro)
	at := ro.Step
	if ro.Current().InForce.IsZero() {
		at--
	}
	if at < 0 {
		return ""
	}
	ops := wayBack(ro)
	if ro.Phase != engine.Running {
		for _, op := range ops[:min(ro.Undone, len(ops))] {
			if op.Kind == plan.SetSplit {
				return words.Line(plan.RingText(op.Ring))
			}
		}
	}
	return words.Line(plan.RingText(ro.Plan.Ring(at)))
}

// ringSeen is who had the new version to themselves at some time, although no share of the others did; "" for nobody.
func ringSeen(ro engine.Rollout) string {
	for i, s := range Steps(ro) {
		if ring := ro.Plan.Ring(i); len(ring) > 0 && !s.State.Started.IsZero() {
			return words.Line(plan.RingText(ring))
		}
	}
	return ""
}

// driftText is what somebody else changed and what is so still, a line each.
func driftText(ro engine.Rollout) string {
	var list []string
	for _, d := range ro.Drift {
		list = append(list, words.Line(d.Text)+" (since "+d.Since.UTC().Format("15:04:05 MST")+")")
	}
	return strings.Join(list, "\n")
}
