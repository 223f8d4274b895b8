package preflight

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/plan"
)

// TestShadowLeavesTheBaseAlone: what would be wrong only because the base is rolled, or users are moved, is not said of a
// shadow; what would be wrong with the candidate or the route is.
func TestShadowLeavesTheBaseAlone(t *testing.T) {
	w := newWorld(t)
	for _, change := range []func(*world){
		patching("workload", `{metadata: {labels: {argocd.argoproj.io/instance: web}}, spec: {paused: true, revisionHistoryLimit: 0}}`),
		patching("route", `{metadata: {labels: {argocd.argoproj.io/instance: web}}}`),
		patching("class", `{status: {supportedFeatures: [HTTPRouteRequestMirror]}}`),
	} {
		change(w)
	}
	o, _, p := w.compiled()
	names := func(p plan.Plan) (all []string) {
		for _, f := range Judge(o, p) {
			all = append(all, f.Name+" of "+strings.SplitN(f.Object, "/", 2)[0])
		}
		slices.Sort(all)
		return all
	}
	canary := names(p)
	for _, want := range []string{"paused of Deployment", "no-revision-history of Deployment", "gitops of Deployment", "gitops of HTTPRoute"} {
		if !slices.Contains(canary, want) {
			t.Errorf("a canary has no %q: %v", want, canary)
		}
	}
	p.Steps = []plan.Step{{Do: []plan.Op{{Kind: plan.EnsureCandidate, Shadow: true, Mirror: plan.All}, {Kind: plan.SetSplit, Mirror: plan.All}}}}
	if shadow := names(p); !slices.Equal(shadow, []string{"gitops of HTTPRoute"}) {
		t.Errorf("a shadow has %v", shadow)
	}
	if candidatePods(p) != o.Baseline.Size || extraPods(o, p) != 0 {
		t.Errorf("%d pods of the candidate and %d more of the base", candidatePods(p), extraPods(o, p))
	}
}
