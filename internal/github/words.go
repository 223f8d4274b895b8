package github

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/words"
)

// Limits of the API, in characters. The first is not in the published schema: a longer description is 422.
const (
	descriptionLimit = 140
	titleLimit       = 255
	checkLimit       = 65535
)

// States of deployments and commit statuses.
const (
	stateInProgress = "in_progress"
	statePending    = "pending"
	stateSuccess    = "success"
	stateFailure    = "failure"
	stateError      = "error"
	stateInactive   = "inactive"
)

// clip is foreign text on one line of at most limit characters.
func clip(text string, limit int) string {
	if limit <= descriptionLimit {
		text = words.Line(text)
	}
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit-1]) + "…"
}

func imagesText(m mark) string {
	var all []string
	for _, container := range slices.Sorted(maps.Keys(m.Images)) {
		all = append(all, m.Images[container])
	}
	return m.Name + ": " + strings.Join(all, ", ")
}

// gateNames are all gates of a plan, those of the spec first.
func gateNames(p plan.Plan) []string {
	all := slices.Clone(p.Gates)
	for _, s := range p.Steps {
		for _, name := range s.Gates {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// progress is where a rollout stands on its way.
func progress(ro engine.Rollout) string {
	change := words.Images(ro.Plan.Target.From, ro.Plan.Target.Images)
	if ro.Plan.Shadow() {
		copied := "no request is copied any more"
		if share := report.Copies(ro); share > 0 {
			copied = fmt.Sprintf("copies of %s of requests go to the new version, no user meets it", share)
		}
		return fmt.Sprintf("%s: %s (step %d of %d)", change, copied, ro.Step+1, len(ro.Plan.Steps))
	}
	return fmt.Sprintf("%s: %s of %s meet the new version (step %d of %d: %s)",
		change, report.Share(ro), ro.Plan.Of(), ro.Step+1, len(ro.Plan.Steps), ro.Plan.Steps[ro.Step].Title)
}

// ending is what a rollout's end says of the deployment and the commit. A deployment that made way for a newer one is
// inactive, not a failure; its commit still was not delivered.
func ending(ro engine.Rollout) (deployment, status Post) {
	took := words.Duration(ro.Ended.Sub(ro.Started))
	old, now := report.Versions(ro.Plan.Target)
	switch {
	case ro.Phase == engine.Succeeded && ro.Plan.Shadow(): // nothing of it runs any more
		text := report.Shadowed(ro)
		return closing(stateInactive, text), closing(stateSuccess, text)
	case ro.Phase == engine.Succeeded:
		text := fmt.Sprintf("%s serves everyone, after %s", now, took)
		return closing(stateSuccess, text), closing(stateSuccess, text)
	case ro.Phase == engine.UndoFailed:
		text := "a person is needed, the way back failed: " + ro.Reason
		return closing(stateError, text), closing(stateError, text)
	case ro.Cause == engine.CauseSuperseded:
		text := fmt.Sprintf("%s; %s was restored", ro.Reason, old)
		return closing(stateInactive, text), closing(stateError, text)
	}
	if ro.Plan.Shadow() {
		text := fmt.Sprintf("the shadow was taken back, users had %s all along: %s", old, ro.Reason)
		return closing(stateFailure, text), closing(stateFailure, text)
	}
	text := fmt.Sprintf("rolled back from %s to %s: %s", report.Peak(ro), old, ro.Reason)
	return closing(stateFailure, text), closing(stateFailure, text)
}

func closing(state, text string) Post { return Post{State: state, Text: text, Closing: true} }

// verdict is what a gate's part in a rollout came to.
func verdict(ro engine.Rollout, name string) Post {
	var asked *report.Gate
	for _, g := range report.Gates(ro) {
		if g.Name == name && g.Looks > 0 {
			asked = &g
		}
	}
	switch {
	case asked == nil:
		return closing(stateError, "was not asked before the rollout ended")
	case asked.Last.Outcome == gates.Fail && ro.Phase == engine.Succeeded:
		return closing(stateSuccess, "failed, but is only reported (dryRun): "+asked.Last.Reason)
	case asked.Last.Outcome == gates.Fail:
		return closing(stateFailure, asked.Last.Reason)
	case asked.Last.Outcome == gates.Pass:
		return closing(stateSuccess, asked.Last.Reason)
	}
	return closing(stateError, "had no verdict when the rollout ended: "+asked.Last.Reason)
}

// conclusion is the check run's word for how a commit's status ended.
func conclusion(p Post) string {
	switch {
	case !p.Closing:
		return ""
	case p.State == stateSuccess:
		return "success"
	}
	return "failure"
}

// table is a check run's text: the gates, each with what it said last. What gates say is data, so it stands in code.
func table(p Post, ro engine.Rollout) string {
	var b strings.Builder
	code := func(text string) string { return "`` " + strings.ReplaceAll(words.Line(text), "`", "'") + " ``" }
	fmt.Fprintf(&b, "%s\n\n", code(p.Text))
	for _, g := range report.Gates(ro) {
		fmt.Fprintf(&b, "- %s %s %s\n", code(g.Name), report.OutcomeSymbol(g.Last), code(g.Last.Reason))
	}
	return b.String()
}
