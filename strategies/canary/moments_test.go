package canary_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tidegate/tidegate/strategies/canary"
)

// TestLastStepOfEverything: a step of 100 % is the full step, with its hold and its gates.
func TestLastStepOfEverything(t *testing.T) {
	in := input(t, "{steps: [50%, {weight: 100%, hold: 1h, name: everyone}], hold: 1m}")
	in.Deploy.Spec.Gates[1].At = []string{"everyone"}
	p, err := canary.Strategy{}.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	full := p.Steps[p.Index("full")]
	if time.Duration(full.Hold) != time.Hour || !slices.Contains(full.Gates, "smoke") {
		t.Errorf("full holds %s and is watched by %v", time.Duration(full.Hold), full.Gates)
	}
}
