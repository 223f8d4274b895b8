package selector

import (
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// Drift implements traffic.Watcher.
func (r *Router) Drift(t plan.Traffic, s plan.Split) []string {
	if !r.view.Synced() {
		return nil
	}
	seen := r.view.One()
	if seen == nil {
		return []string{fmt.Sprintf("%s is gone: somebody deleted it", r.service)}
	}
	side := plan.Base
	if s.Weight > 0 {
		side = plan.Candidate
	}
	want, now := t.Selectors[side], selectorOf(seen.Object)
	if maps.Equal(now, want) {
		return nil
	}
	who := ""
	if manager := kube.LastWriter(seen); manager != "" {
		who = " (last written by " + manager + ")"
	}
	return []string{fmt.Sprintf("somebody changed spec.selector of %s%s: it is %s, not %s", r.service, who, labels.FormatLabels(now), labels.FormatLabels(want))}
}
