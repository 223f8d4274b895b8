package preflight

import (
	"slices"

	"github.com/tidegate/tidegate/internal/plan"
)

// besideBase leaves out, of what was found for a shadow, what speaks of a base that takes a new version over or of users who
// are moved: neither happens.
func besideBase(all Findings, o Observed, p plan.Plan) Findings {
	if !p.Shadow() {
		return all
	}
	moved := []string{"paused", "no-revision-history", "recreate", "helm", "owned", "vertical-autoscaler", "no-pre-stop", "no-grace-period",
		"session-persistence", "session-affinity", "shared-rule", "rule-limit", "other-ingress"}
	kept := []string{plan.RefOf(o.workload).String()}
	if p.Objects.Scaler != nil {
		kept = append(kept, p.Objects.Scaler.String())
	}
	return slices.DeleteFunc(all, func(f Finding) bool {
		return slices.Contains(moved, f.Name) || f.Name == "gitops" && slices.Contains(kept, f.Object)
	})
}
