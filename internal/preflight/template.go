package preflight

import (
	"slices"

	"github.com/tidegate/tidegate/internal/plan"
)

// checkTemplate looks at how pods of the new version come and go.
func checkTemplate(o Observed, p plan.Plan) Findings {
	var all Findings
	object, template := about(o.workload), p.Objects.Templates[plan.Candidate]
	containers := listAt(template, "spec", "containers")
	any := func(list []plan.Object, path ...string) bool {
		return slices.ContainsFunc(list, func(c plan.Object) bool { return at(c, path...) != nil })
	}
	if !any(containers, "readinessProbe") && !any(listAt(template, "spec", "initContainers"), "readinessProbe") && at(template, "spec", "readinessGates") == nil {
		all = append(all, finding("no-readiness-probe", object, "Give the container that serves a readinessProbe",
			"no container has a readiness probe: a pod gets requests as soon as its process has started"))
	}
	if grace, ok := numberAt(template, "spec", "terminationGracePeriodSeconds"); ok && grace == 0 {
		all = append(all, finding("no-grace-period", object, "Set terminationGracePeriodSeconds to the time that a request may take",
			"terminationGracePeriodSeconds is 0: requests in flight are cut off when a pod ends"))
	}
	switch {
	case p.Objects.InPlace() || p.Objects.ByReplicas():
		return append(all, checkStopping(o, p)...)
	case p.Objects.Traffic.BySelector(): // nobody meets a pod that stops: its Service points at the other side
	case rollsServing(p):
		all = append(all, checkStopping(o, p)...)
	case !any(containers, "lifecycle", "preStop"):
		all = append(all, finding("no-pre-stop", object, "Give the container `lifecycle: {preStop: {sleep: {seconds: 5}}}`",
			"no container has a preStop hook: when the base takes the new version over, callers of the Service itself, past the route, "+
				"may reach pods that have begun to stop"))
	}
	return append(all, checkQueue(o, template)...)
}

// checkStopping looks at the pods that a rollout stops while users are there: the old ones, and on the way back, or when the
// candidate goes, the new ones.
func checkStopping(o Observed, p plan.Plan) Findings {
	if recreates(p) {
		return nil // nobody is served meanwhile in any case
	}
	for _, side := range []plan.Side{plan.Base, plan.Candidate} {
		containers := listAt(p.Objects.Templates[side], "spec", "containers")
		if !slices.ContainsFunc(containers, func(c plan.Object) bool { return at(c, "lifecycle", "preStop") != nil }) {
			which := map[plan.Side]string{plan.Base: "the pods that run now have", plan.Candidate: "the new pods have"}[side]
			remedy := "Give the container `lifecycle: {preStop: {sleep: {seconds: 5}}}`"
			if p.Objects.InPlace() {
				remedy += ", or the new version spec.strategy.rolling.graceful: 5s"
			}
			return Findings{finding("no-pre-stop", about(o.workload), remedy, "%s no preStop hook: requests may reach them when they have begun to stop", which)}
		}
	}
	return nil
}

// checkQueue finds workloads that do not get their work by requests.
func checkQueue(o Observed, template plan.Object) Findings {
	ports := slices.ContainsFunc(listAt(template, "spec", "containers"), func(c plan.Object) bool { return len(listAt(c, "ports")) > 0 })
	if ports && len(listAt(o.service, "spec", "ports")) > 0 {
		return nil
	}
	return Findings{finding("queue-consumer", about(o.workload), "Name the ports of the containers if they serve requests; for a queue the number of pods decides",
		"neither weights nor gates on requests steer a workload that takes its work from a queue, and it declares no ports")}
}
