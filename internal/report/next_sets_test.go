package report_test

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
)

// TestLookOfSets: who is sent to look at a workload is sent to one of its kind.
func TestLookOfSets(t *testing.T) {
	for _, tc := range []struct{ name, plan, want string }{
		{"a Deployment", "rolling-paused", "get deployments,pods"},
		{"a StatefulSet", "rolling-statefulset", "get statefulsets,pods"},
		{"a DaemonSet", "rolling-daemonset", "get daemonsets,pods"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ro := inPlace(t, 0, true, engine.UndoFailed)
			ro.Plan = planned(t, tc.plan)
			text := ""
			for _, a := range (report.End{Result: report.UndoFailed, Rollout: ro}).Closing().Next {
				text += a.Command + "\n"
			}
			if !strings.Contains(text, tc.want) {
				t.Errorf("%q is not among\n%s", tc.want, text)
			}
		})
	}
}
