package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/story"
)

// TestShadow: whatever is said of a shadow, nobody reads that users have the version.
func TestShadow(t *testing.T) {
	for _, tt := range []struct {
		name   string
		story  *story.Story
		result report.Result
		ending []string
		status []string
	}{
		{"good", story.Shadow(), report.Succeeded,
			[]string{"✓ checkout: v2 got copies of 20% of the requests for 5m", "no gate failed; users stay with v1", "no user got an answer of v2", "spec.strategy.shadow.then"},
			[]string{"succeeded: v2 got copies", "100% to v1, 0% to v2", "shadow succeeded"}},
		{"bad", story.BadShadow(), report.RolledBack,
			[]string{"v1 served every request all along", "no user got an answer of v2; 20% of the requests were copied to it", "gate errors failed"},
			[]string{"rolled back from step 2 of 4 (shadow)", "shadow rolled-back"}},
		{"during", story.ShadowDuring(), report.Cancelled,
			[]string{"no user got an answer of v2"},
			[]string{"100% to v1, 0% to v2, copies of 20% to v2; the route agrees", "copy 20% of the requests"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var ending, status bytes.Buffer
			end := report.End{Result: tt.result, Rollout: tt.story.Record.Rollout, At: tt.story.Now()}
			if err := report.Ending(&ending, end); err != nil {
				t.Fatal(err)
			}
			view := report.StatusView{Name: "checkout", Record: &tt.story.Record, Now: tt.story.Now(), Facts: facts(tt.story, true, 0)}
			if err := report.Status(&status, view); err != nil {
				t.Fatal(err)
			}
			for text, wants := range map[string][]string{ending.String(): tt.ending, status.String(): tt.status} {
				for _, want := range wants {
					if !strings.Contains(text, want) {
						t.Errorf("%s\nwant %q", text, want)
					}
				}
				for _, never := range []string{"runs v2", "every request meets", "serves everyone", "tidegate rollback"} {
					if strings.Contains(text, never) {
						t.Errorf("%s\nit says %q", text, never)
					}
				}
			}
		})
	}
}

// TestCopies: how much is copied, forward and on the way back.
func TestCopies(t *testing.T) {
	during := story.ShadowDuring()
	if got := report.Copies(*during.Record.Rollout); got != 20*plan.OnePercent {
		t.Errorf("in the step %s are copied", got)
	}
	during.Turn("abort", "enough", "mara").Back(1, 0)
	if got := report.Copies(*during.Record.Rollout); got != 0 {
		t.Errorf("after the first write back %s are copied", got)
	}
	for _, over := range []*story.Story{story.Shadow(), story.BadShadow()} {
		if got := report.Copies(*over.Record.Rollout); got != 0 {
			t.Errorf("in the end %s are copied", got)
		}
	}
}
