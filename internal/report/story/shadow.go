package story

import (
	"time"

	"github.com/tidegate/tidegate/internal/plan"
)

// ShadowPlan is a plan as the shadow strategy writes it: 20 % of the requests are copied for five minutes.
func ShadowPlan() plan.Plan {
	p := Canary()
	const share = 20 * plan.OnePercent
	noCopies := []plan.Op{{Kind: plan.SetSplit, Shadow: true}, {Kind: plan.Wait, For: plan.Duration(guard + drain)}}
	p.Strategy = "shadow"
	p.Notes = []string{"Nothing follows (no `then`): the rollout ends with a report, and users stay with the old version."}
	p.Steps = []plan.Step{
		{ID: "candidate", Title: "start the candidate and wait until it is ready", Whole: plan.Base,
			Do:   []plan.Op{{Kind: plan.EnsureCandidate, Shadow: true, Mirror: share}},
			Undo: []plan.Op{{Kind: plan.RemoveCandidate}}},
		{ID: "shadow", Title: "copy 20% of the requests to the new version; users get the answers of the old one", Whole: plan.Base,
			Do: []plan.Op{{Kind: plan.SetSplit, Mirror: share}}, Undo: noCopies,
			Hold: plan.Duration(5 * time.Minute), Gates: []string{"kubernetes", "errors", "latency"}},
		{ID: "stop", Title: "copy no request any more", Whole: plan.Base, Do: noCopies},
		{ID: "clean-up", Title: "remove the shadow and all that was made for it", Whole: plan.Base, Do: []plan.Op{{Kind: plan.RemoveCandidate}}},
	}
	return p
}

// Shadow is a shadow that no gate fails.
func Shadow() *Story {
	s := New(ShadowPlan()).Begin()
	for i := range s.Record.Rollout.Plan.Steps {
		s.Step(i, 3*time.Second, 0, Healthy())
	}
	return s.Succeed()
}

// ShadowDuring is a shadow that gets copies.
func ShadowDuring() *Story {
	s := New(ShadowPlan()).Begin()
	s.Step(0, 3*time.Second, 0, Healthy())
	s.Step(1, 3*time.Second, time.Minute, Healthy())
	return s
}

// BadShadow is a shadow whose errors rise.
func BadShadow() *Story {
	s := New(ShadowPlan()).Begin()
	s.Step(0, 3*time.Second, 0, Healthy())
	s.Step(1, 3*time.Second, 0, Failing(10))
	return s.Back(10, 3*time.Second)
}
