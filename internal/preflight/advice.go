package preflight

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// Advice is what makes no rollout fail and is worth knowing before one is begun: a strategy that does not fit where it is
// used, pods that nobody may move meanwhile. Only a plan tells it.
func Advice(o Observed, d spec.Deploy, p plan.Plan) Findings {
	return append(append(checkFit(d, p), checkBudgets(o)...), checkGrace(o, p)...)
}

// checkFit compares the strategy with what the environment is called.
func checkFit(d spec.Deploy, p plan.Plan) Findings {
	parts := strings.FieldsFunc(strings.ToLower(d.Environment), func(r rune) bool { return strings.ContainsRune("-_/. ", r) })
	called := func(names ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return slices.Contains(names, part) })
	}
	switch {
	case recreates(p) && called("production", "prod", "live"):
		return Findings{finding("outage-in-production", "spec.strategy.recreate", "Choose rolling, blueGreen or canary, unless an outage is acceptable or two versions cannot run at once",
			"nobody is served in %s from the end of the old pods until the new ones are ready", d.Environment)}
	case p.Objects.Traffic != nil && called("development", "dev", "staging", "stage", "test", "qa"):
		return Findings{finding("rolling-is-enough", "spec.strategy."+d.Spec.Strategy.Kind(), "Give the environment an overlay with strategy: {rolling: {}}, unless the way to production is what is rehearsed",
			"%s has hardly the requests by which shares could be judged, and a rolling update is faster", d.Environment)}
	}
	return nil
}

// checkBudgets finds PodDisruptionBudgets that let no pod of the base go.
func checkBudgets(o Observed) Findings {
	var all Findings
	for _, budget := range o.Baseline.Selecting {
		if textAt(budget, "kind") != "PodDisruptionBudget" || o.Baseline.Size == 0 || !blocks(budget, o.Baseline.Size) {
			continue
		}
		all = append(all, finding("blocking-budget", about(budget), "Let maxUnavailable be 1, or run more pods than minAvailable",
			"it lets none of %s go: a node that is drained meanwhile waits for the rollout, or for ever", count(o.Baseline.Size, "pod")))
	}
	return all
}

// blocks tells whether a budget for so many pods allows no eviction. Kubernetes rounds both shares up.
func blocks(budget plan.Object, size int) bool {
	amount := func(field string) (int, bool) {
		if n, ok := numberAt(budget, "spec", field); ok {
			return int(n), true
		}
		a, err := spec.ParseAmount(textAt(budget, "spec", field))
		return a.Of(size), err == nil
	}
	if missing, ok := amount("maxUnavailable"); ok {
		return missing == 0
	}
	least, ok := amount("minAvailable")
	return ok && least >= size
}

// checkGrace finds hooks that take all the time that a pod has to end.
func checkGrace(o Observed, p plan.Plan) Findings {
	template := p.Objects.Templates[plan.Candidate]
	grace, ok := numberAt(template, "spec", "terminationGracePeriodSeconds")
	if !ok {
		grace = 30 // the default of Kubernetes
	}
	for _, c := range listAt(template, "spec", "containers") {
		if sleep, ok := numberAt(c, "lifecycle", "preStop", "sleep", "seconds"); ok && grace > 0 && sleep >= grace {
			return Findings{finding("short-grace-period", about(o.workload), "Raise terminationGracePeriodSeconds above the sleep by the time that a request may take",
				"the preStop hook of container %s sleeps %ds, and terminationGracePeriodSeconds is %d: the process is killed when it begins to end", textAt(c, "name"), sleep, grace)}
		}
	}
	return nil
}

// Blind is the finding about a gate whose query knows nothing of the version that runs.
func Blind(gate string, pods int) Finding {
	return finding("blind-gate", "gate "+gate, "Choose rolling, or send it requests, or mend the query: `tidegate query "+gate+"` shows what it answers",
		"it has no data of the version that runs (%s): it would know nothing of a new one either, and a share of the requests could detect nothing", count(pods, "pod"))
}

// NotAsked is the finding about gates of which it is not known whether they have data.
func NotAsked(gate string, err error) Finding {
	return finding("gate-not-asked", "gate "+gate, "Plan where the provider can be reached and its credentials are set, or ask it by hand: `tidegate query "+gate+"`",
		"it is not known whether it has data of the version that runs: %v", err)
}
