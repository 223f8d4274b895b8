package report

import (
	"fmt"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report/words"
)

// Shadowed says what a shadow that has ended well has shown.
func Shadowed(ro engine.Rollout) string {
	old, now := Versions(ro.Plan.Target)
	text := fmt.Sprintf("%s got copies of %s of the requests", now, ro.Plan.Copies())
	if took := copied(ro); took > 0 {
		text += " for " + words.Duration(took)
	}
	judged := "no gate failed"
	if len(ro.Plan.Gates) <= 1 {
		judged = "its pods were well"
	}
	return fmt.Sprintf("%s, %s; users stay with %s", text, judged, old)
}

// copied is for how long requests were copied; 0 when that is not known.
func copied(ro engine.Rollout) time.Duration {
	for i, s := range Steps(ro) {
		if ro.Plan.Copied(i) > 0 && !s.State.InForce.IsZero() && s.State.Finished.After(s.State.InForce) {
			return s.State.Finished.Sub(s.State.InForce)
		}
	}
	return 0
}

// Copies is the share of the requests that is copied to the new version, as far as it was saved.
func Copies(ro engine.Rollout) plan.Share {
	if !ro.Plan.Shadow() || ro.Phase == engine.RolledBack || ro.Phase == engine.Succeeded {
		return 0
	}
	ro = Sound(ro)
	at := ro.Step
	if ro.Current().InForce.IsZero() {
		at--
	}
	if at < 0 {
		return 0
	}
	ops := wayBack(ro)
	if ro.Phase != engine.Running {
		for _, op := range ops[:min(ro.Undone, len(ops))] {
			if op.Kind == plan.SetSplit {
				return 0
			}
		}
	}
	return ro.Plan.Copied(at)
}

// noUser says that no user met the shadow, and what was copied to it.
func (e End) noUser(now string) string {
	ro := *e.Rollout
	for i, s := range Steps(ro) {
		if share := ro.Plan.Copied(i); share > 0 && !s.State.Started.IsZero() {
			return fmt.Sprintf("no user got an answer of %s; %s of the requests were copied to it", now, share)
		}
	}
	return fmt.Sprintf("no user got an answer of %s, and no request was copied to it", now)
}

// isShadow tells whether the end is that of a shadow.
func (e End) isShadow() bool { return e.Rollout != nil && e.Rollout.Plan.Shadow() }

// afterShadow is what to do with a version that was a shadow.
func (e End) afterShadow() []Advice {
	return []Advice{{Text: "nothing runs of it any more; to bring it to users, deploy it with another strategy, or let one follow: spec.strategy.shadow.then"}}
}
