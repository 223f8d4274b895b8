package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
)

// TestOutage: what is measured in one run is added to what the runs before measured, and recorded with the end.
func TestOutage(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		measured := time.Duration(0)
		w.outage = func() time.Duration { return measured }
		w.ops["do a"] = func(context.Context) error { measured = 2 * time.Second; return nil }
		w.plan.Steps = []plan.Step{step("a", 0)}
		rec := w.record(time.Hour)
		rec.Rollout.Outage = plan.Duration(3 * time.Second)
		o, err := w.run(t.Context(), rec)
		w.want(o, err, engine.Succeeded, "")
		if got := time.Duration(w.stored().Rollout.Outage); got != 5*time.Second {
			t.Errorf("the outage is %v", got)
		}
	})
}

// TestWeightOfTheFirstStep: nobody meets the new version before the first step is in force.
func TestWeightOfTheFirstStep(t *testing.T) {
	ro := &engine.Rollout{Plan: plan.Plan{Steps: []plan.Step{{ID: "a", Weight: plan.All}}}, Steps: make([]engine.StepState, 1)}
	if got := ro.Weight(); got != 0 {
		t.Errorf("before: %s", got)
	}
	ro.Steps[0].InForce = began
	if got := ro.Weight(); got != plan.All {
		t.Errorf("after: %s", got)
	}
}
