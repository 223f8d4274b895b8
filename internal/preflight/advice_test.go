package preflight

import (
	"errors"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// TestAdvice: each piece where it belongs, with a remedy, and nowhere else.
func TestAdvice(t *testing.T) {
	canary := plan.Plan{Objects: plan.Objects{Traffic: &plan.Traffic{}}}
	recreate := plan.Plan{Steps: []plan.Step{{Do: []plan.Op{{Kind: plan.Roll, Pace: plan.Pace{Recreate: true}}}}}}
	budget := func(field string, value any) Observed {
		return Observed{Baseline: plan.Baseline{Size: 4, Selecting: []plan.Object{{"kind": "PodDisruptionBudget", "metadata": map[string]any{"name": "b"},
			"spec": map[string]any{field: value}}}}}
	}
	sleeping := func(sleep, grace int64) plan.Plan {
		return plan.Plan{Objects: plan.Objects{Templates: map[plan.Side]plan.Object{plan.Candidate: {"spec": map[string]any{
			"terminationGracePeriodSeconds": grace, "containers": []any{map[string]any{"name": "app", "lifecycle": map[string]any{
				"preStop": map[string]any{"sleep": map[string]any{"seconds": sleep}}}}}}}}}}
	}
	for _, tc := range []struct {
		name, environment string
		observed          Observed
		plan              plan.Plan
		want              string
	}{
		{"recreate in production", "eu-prod", Observed{}, recreate, "outage-in-production"},
		{"recreate in staging", "staging", Observed{}, recreate, ""},
		{"recreate in reproduction", "reproduction", Observed{}, recreate, ""},
		{"canary in staging", "staging", Observed{}, canary, "rolling-is-enough"},
		{"canary in production", "production", Observed{}, canary, ""},
		{"rolling in staging", "staging", Observed{}, plan.Plan{}, ""},
		{"budget of none", "", budget("maxUnavailable", int64(0)), plan.Plan{}, "blocking-budget"},
		{"budget of 0%", "", budget("maxUnavailable", "0%"), plan.Plan{}, "blocking-budget"},
		{"budget of all", "", budget("minAvailable", int64(4)), plan.Plan{}, "blocking-budget"},
		{"budget of 100%", "", budget("minAvailable", "100%"), plan.Plan{}, "blocking-budget"},
		{"budget of one", "", budget("maxUnavailable", int64(1)), plan.Plan{}, ""},
		{"budget of half", "", budget("minAvailable", "50%"), plan.Plan{}, ""},
		{"sleeps too long", "", Observed{workload: plan.Object{}}, sleeping(30, 30), "short-grace-period"},
		{"sleeps", "", Observed{workload: plan.Object{}}, sleeping(5, 30), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			found := Advice(tc.observed, spec.Deploy{Environment: tc.environment}, tc.plan)
			if tc.want == "" {
				if len(found) > 0 {
					t.Errorf("found %v", []Finding(found))
				}
				return
			}
			if len(found) != 1 || found[0].Name != tc.want || found[0].Level != Warning || found[0].Remedy == "" || found.Err() != nil {
				t.Errorf("found %+v, want %s", []Finding(found), tc.want)
			}
		})
	}
	for _, f := range []Finding{Blind("errors", 3), NotAsked("errors", errors.New("connection refused"))} {
		if f.Level != Warning || !strings.Contains(f.String(), "errors") || f.Remedy == "" {
			t.Errorf("%+v", f)
		}
	}
}
