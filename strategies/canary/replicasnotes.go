package canary

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// notes say what is other than asked for, what it costs and what users may feel.
func (r replicas) notes() []string {
	size := r.Objects.Size
	list := []string{"There is no route: whoever sends to the workload's pods meets the new version by the share of its pods. " +
		"What keeps its connections (keep-alive, streams) stays with its pod until that stops."}
	if text := r.rounded(); text != "" {
		list = append(list, text)
	}
	most := r.sizes[len(r.sizes)-1].fresh
	list = append(list,
		fmt.Sprintf("No fewer than %d pods are ready at any time. The steps up to full run %d at most, and there are %d + %d while the base settles, or "+
			"when the rollout goes back from full share.", size, r.peak(), size, most),
		"Pods are stopped while requests come to them, as in a rolling update: a service that exits at once on SIGTERM loses some. "+
			"A preStop hook that sleeps (lifecycle: {preStop: {sleep: {seconds: 5}}}) closes the gap, or a route (spec.traffic).")
	if r.Objects.Scaler != nil {
		list = append(list, fmt.Sprintf("%s is held at the base's number of pods until the end: it counts the candidate's pods as the base's.", r.Objects.Scaler))
	}
	list = append(list, "Scaled by hand meanwhile, the rollout goes back.")
	if r.askedEarly() {
		list = append(list, "The candidate's pods get requests as soon as they are ready: what is asked at candidate-ready is asked then.")
	}
	if len(r.In.Deploy.Spec.Gates) == 0 {
		list = append(list, ungated)
	}
	return append(list, approvalNotes(r.steps(), "No user meets the new version; its pods do not run yet.")...)
}

// rounded tells of steps whose pods come to another share than was asked for.
func (r replicas) rounded() string {
	var parts []string
	for i, s := range r.weights {
		if weight := plan.Share(s.Weight); weight < plan.All && r.sizes[i].share() != weight {
			parts = append(parts, fmt.Sprintf("%s is %d of %d pods, which is %s", weight, r.sizes[i].fresh, r.sizes[i].fresh+r.sizes[i].old, r.sizes[i].share()))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "Pods cannot be divided: " + strings.Join(parts, "; ") + ". A smaller share needs more pods, or a route (spec.traffic)."
}

// peak is the greatest number of pods up to full share.
func (r replicas) peak() int {
	most := 0
	for i, s := range r.sizes {
		most = max(most, s.fresh+r.before(i))
	}
	return most
}

// askedEarly tells whether a gate is to be asked before users meet the candidate.
func (r replicas) askedEarly() bool {
	return slices.ContainsFunc(r.In.Deploy.Spec.Gates, func(g spec.Gate) bool { return slices.Contains(g.At, spec.AtCandidateReady) })
}
