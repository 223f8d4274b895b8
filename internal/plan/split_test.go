package plan_test

import (
	"testing"

	"github.com/tidegate/tidegate/internal/plan"
)

// TestSplitWords: what an op about a split is told as.
func TestSplitWords(t *testing.T) {
	staff := []plan.Match{{Header: "X-Staff", Value: "1"}, {Cookie: "team", Value: "shop"}}
	for _, tc := range []struct {
		name string
		op   plan.Op
		want string
	}{
		{"nothing", plan.Op{Kind: plan.SetSplit}, "send every request to the base, the route as the user wrote it"},
		{"a weight", plan.Op{Kind: plan.SetSplit, Weight: 12500}, "send 12.5% of the requests to the candidate"},
		{"a ring", plan.Op{Kind: plan.SetSplit, Ring: staff}, "send requests with X-Staff: 1 and the cookie team=shop to the candidate, and no other"},
		{"both", plan.Op{Kind: plan.SetSplit, Weight: 12500, Ring: staff[:1]}, "send 12.5% of the requests to the candidate, and those with X-Staff: 1"},
		{"a candidate for a ring", plan.Op{Kind: plan.EnsureCandidate, Pods: 2}, "create the candidate with 2 pods and wait until it is ready"},
		{"its size", plan.Op{Kind: plan.ScaleCandidate, MinPods: 1}, "size the candidate to 1 pod"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.op.String(); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// TestRing: who meets the new version after each step.
func TestRing(t *testing.T) {
	staff := []plan.Match{{Header: "X-Staff", Value: "1"}}
	p := plan.Plan{Steps: []plan.Step{{ID: "candidate"}, {ID: "internal", Do: []plan.Op{{Kind: plan.SetSplit, Ring: staff}}},
		{ID: "approve"}, {ID: "full", Do: []plan.Op{{Kind: plan.SetSplit, Weight: plan.All}}}}}
	for i, want := range []string{"", "X-Staff: 1", "X-Staff: 1", "", ""} {
		if got := plan.RingText(p.Ring(i)); got != want {
			t.Errorf("step %d: %q, want %q", i, got, want)
		}
	}
}
