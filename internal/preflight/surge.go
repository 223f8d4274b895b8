package preflight

import (
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// candidatePods is the greatest number of pods that the plan gives the candidate.
func candidatePods(p plan.Plan) int {
	most := 0
	for _, s := range p.Steps {
		for _, op := range s.Do {
			if op.Kind == plan.EnsureCandidate || op.Kind == plan.ScaleCandidate || op.Kind == plan.SetSplit && op.Weight+op.Mirror > 0 {
				most = max(most, op.PodsFor(p.Objects.Size))
			}
		}
	}
	return most
}

// recreates tells whether all old pods go before the first new one comes.
func recreates(p plan.Plan) bool {
	for _, s := range p.Steps {
		for _, op := range s.Do {
			if op.Kind == plan.Roll && op.Pace.Recreate {
				return true
			}
		}
	}
	return false
}

// rollsServing tells whether the base is rolled while requests come to it, beside a candidate.
func rollsServing(p plan.Plan) bool {
	for _, s := range p.Steps {
		for _, op := range s.Do {
			if op.Kind == plan.RollBase && op.Serving {
				return true
			}
		}
	}
	return false
}

// extraPods is how many pods more than its size the workload runs while it is rolled.
func extraPods(o Observed, p plan.Plan) int {
	size := o.Baseline.Size
	if p.Objects.ByReplicas() || p.Shadow() {
		return 0 // the base has no more than its size
	}
	if !p.Objects.InPlace() {
		return surge(o.workload, size)
	}
	most := 0
	for _, s := range p.Steps {
		for _, op := range s.Do {
			switch {
			case op.Kind == plan.RollPods && textAt(o.workload, "kind") != kube.Deployment:
				// a pod goes before the next one comes
			case op.Kind == plan.RollPods:
				most = max(most, op.Pods-op.From)
			case op.Kind == plan.Roll && op.Pace.MaxSurge != "":
				most = max(most, podsOf(op.Pace.MaxSurge, size))
			case op.Kind == plan.Roll && !op.Pace.Recreate:
				most = max(most, surge(o.workload, size))
			}
		}
	}
	return most
}

// takesPlaces tells whether every pod of the new version comes where one of the old has gone.
func takesPlaces(o Observed, p plan.Plan) bool {
	return textAt(o.workload, "kind") != kube.Deployment && extraPods(o, p) == 0
}

// surge is how many pods more a workload makes while it is rolled.
func surge(workload plan.Object, size int) int {
	switch textAt(workload, "kind") {
	case kube.StatefulSet:
		return 0
	case kube.DaemonSet:
		if n, ok := numberAt(workload, "spec", "updateStrategy", "rollingUpdate", "maxSurge"); ok {
			return int(n)
		}
		if share := textAt(workload, "spec", "updateStrategy", "rollingUpdate", "maxSurge"); share != "" {
			return podsOf(share, size)
		}
		return 0
	}
	if textAt(workload, "spec", "strategy", "type") == "Recreate" {
		return 0
	}
	if n, ok := numberAt(workload, "spec", "strategy", "rollingUpdate", "maxSurge"); ok {
		return int(n)
	}
	return podsOf(textAt(workload, "spec", "strategy", "rollingUpdate", "maxSurge"), size)
}

// podsOf is a number of pods, or a share rounded up; the default of Kubernetes for anything else.
func podsOf(text string, size int) int {
	a, err := spec.ParseAmount(text)
	if err != nil {
		a = spec.Amount{Share: 25 * spec.OnePercent}
	}
	return a.Of(size)
}
