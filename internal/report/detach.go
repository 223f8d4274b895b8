package report

import (
	"fmt"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report/words"
)

// Alone says of a rollout in a detached hold until when nobody watches it.
func Alone(step plan.Step, until time.Time, zone *time.Location) string {
	return fmt.Sprintf("holds at step %s until %s; nobody watches meanwhile", step.ID, until.In(zone).Format(clockTime))
}

// held is where a rollout in a detached hold stands; false for any other.
func (e End) held() (string, bool) {
	step, until, ok := e.Rollout.Holding()
	if !ok {
		return "", false
	}
	text := fmt.Sprintf("step %d of %d (%s); ", e.Rollout.Step+1, len(e.Rollout.Plan.Steps), step.ID)
	if left := until.Sub(e.At); left > 0 {
		return text + fmt.Sprintf("the first run after %s, in %s, goes on", until.In(e.Zone).Format(clockTime), words.Duration(left)) + e.orLate(), true
	}
	return text + "its hold is over: the next run goes on when every gate has passed" + e.orLate(), true
}

// orLate says what becomes of the rollout when no run comes.
func (e End) orLate() string {
	return "; when none came before " + e.Rollout.Deadline.In(e.Zone).Format(clockTime) + " (the deadline), the next one takes it back"
}

// fromHold is what a person can do with a rollout in a detached hold.
func fromHold(name string, ro *engine.Rollout) []Advice {
	old, _ := Versions(ro.Plan.Target)
	return []Advice{
		{"by a schedule: have the gates asked, and go on when the hold is over", command(name, "deploy --resume")},
		{"go on without the holds that are left", command(name, "promote --full")},
		{"or go back to " + old, command(name, "abort")},
	}
}

// holdText says of a rollout in a detached hold when that is over, and who watches.
func (v StatusView) holdText(ro engine.Rollout) (string, bool) {
	step, until, ok := ro.Holding()
	if !ok || v.alive() {
		return "", false
	}
	at := fmt.Sprintf("step %d of %d (%s): %s", ro.Step+1, len(ro.Plan.Steps), step.ID, step.Title)
	if left := until.Sub(v.Now); left > 0 {
		return fmt.Sprintf("holds, %s; until %s, in %s", at, until.In(v.zone()).Format(clockTime), words.Duration(left)), true
	}
	return "its hold is over, " + at + "; the next run goes on when every gate has passed", true
}

// aloneInHold is the warning about a detached hold.
func (v StatusView) aloneInHold(until time.Time) []string {
	if v.Now.Before(until) {
		return []string{"nobody watches until " + until.In(v.zone()).Format(clockTime) + ", but runs that look in passing"}
	}
	return []string{"the hold is over, and no run goes on"}
}

// zone is that of the times in texts.
func (v StatusView) zone() *time.Location {
	if v.Zone == nil {
		return time.UTC
	}
	return v.Zone
}

// fromHold is what a person can do with a rollout in a detached hold.
func (v StatusView) fromHold(cmd func(verb, effect string) Suggestion, old string) []Suggestion {
	return []Suggestion{
		cmd("deploy --resume", "have the gates asked, and go on when the hold is over"),
		cmd("promote --full", "go on without the holds and approvals that are left"), cmd("abort", "go back to "+old),
	}
}
