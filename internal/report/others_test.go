package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
)

// TestOthersChangeAtTheEnd: a way back that leaves what somebody else changed does not claim that everything is as it was.
func TestOthersChangeAtTheEnd(t *testing.T) {
	const whole = "everything is as it was before"
	for _, tc := range []struct {
		name    string
		drift   string
		left    string
		says    string
		asItWas bool
	}{
		{"nothing", "", "", "v1 serves every request again", true},
		{"the route, whose split is gone anyway", "somebody changed spec.rules of HTTPRoute/checkout: its weight is 0", "", "v1 serves every request again", true},
		{"the candidate, which is gone", "somebody changed spec.template of Deployment/checkout-candidate: it runs v9", "", "v1 serves every request again", true},
		{"the workload", "somebody changed spec.template of Deployment/checkout (last written by kubectl): it runs v9", "", "as somebody else changed it", false},
		{"the size", "somebody scaled Deployment/checkout: spec.replicas is 9, not 4", "", "v1 serves every request again; left as it is: somebody scaled", false},
		{"what the way back left", "", "somebody changed the pod template", "left as it is: somebody changed the pod template", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ro := switching(t, "blue-green-preview", "full")
			ro.Phase, ro.Cause = engine.RolledBack, engine.CauseFailure
			if tc.drift != "" {
				ro.Drift = []engine.Drifted{{Text: tc.drift}}
			}
			if tc.left != "" {
				ro.Left = []string{tc.left}
			}
			var text bytes.Buffer
			if err := report.Ending(&text, report.End{Result: report.RolledBack, Name: "checkout", Rollout: &ro}); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(strings.Fields(text.String()), " ")
			if !strings.Contains(got, tc.says) || strings.Contains(got, whole) != tc.asItWas {
				t.Errorf("it says %s", got)
			}
		})
	}
}
