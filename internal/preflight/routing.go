package preflight

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
	"github.com/tidegate/tidegate/internal/traffic/gatewayapi"
)

// Limits of the Gateway API: backendRefs and filters of a rule, and the weight of a backend.
const (
	maxBackends = 16
	maxFilters  = 16
	maxWeight   = 1_000_000
)

// checkRoutes looks at the routes that are split.
func checkRoutes(o Observed, p plan.Plan) Findings {
	var all Findings
	if p.Objects.Traffic.BySelector() {
		return nil // whoever sends to the Service is moved with it
	}
	if o.router == nil || o.router.Name() != gatewayapi.Name {
		return o.checkOtherRouter(p)
	}
	for _, route := range o.routes {
		if problem := acceptance(route); problem != "" {
			all = append(all, finding("route-not-accepted", about(route), fmt.Sprintf("kubectl describe %s %s -n %s, and look at the gateway's log",
				strings.ToLower(textAt(route, "kind")), nameOf(route), namespaceOf(route)), "no split of it would come into force: %s", problem))
		}
		for i, rule := range listAt(route, "spec", "rules") {
			if !o.sends(route, rule, nameOf(o.service)) {
				continue
			}
			if !o.steers(route, rule) {
				all = append(all, finding("other-route", about(route), "Name it in spec.traffic.gatewayAPI.rules, if its users are to be part of the rollout",
					"its %s sends to Service/%s too: its users never see the split, and meet the new version when the base takes it over",
					ruleName(rule, i), nameOf(o.service)))
				continue
			}
			all = append(all, o.checkRule(route, rule, i, p)...)
		}
	}
	return append(all, o.otherRoutes()...)
}

func acceptance(route plan.Object) string {
	if len(listAt(route, "spec", "parentRefs")) == 0 {
		return "it names no gateway (spec.parentRefs)"
	}
	return gatewayapi.Kind{}.NotAccepted(route)
}

// checkOtherRouter tries every split of the plan on copies of the routes, and has the kind say what else it knows.
func (o Observed) checkOtherRouter(p plan.Plan) Findings {
	t := p.Objects.Traffic
	if o.router == nil || t == nil {
		return nil
	}
	var all Findings
	mark := kube.OriginalMark(nameOf(o.workload))
	for _, route := range o.routes {
		if err := tryAll(o.router, route, *t, mark, p); err != nil {
			all = append(all, finding("route-cannot-split", about(route), "Mend the object, or check spec.traffic."+o.router.Name(), "%v", err))
		}
		if asked, ok := o.router.(traffic.Acceptance); ok && asked.NotAccepted(route) != "" {
			all = append(all, finding("route-not-accepted", about(route), fmt.Sprintf("kubectl describe %s %s -n %s", strings.ToLower(textAt(route, "kind")),
				nameOf(route), namespaceOf(route)), "no split of it would come into force: %s", asked.NotAccepted(route)))
		}
	}
	if checker, ok := o.router.(traffic.Checker); ok {
		for _, problem := range checker.Problems(o.routes, o.allRoutes, *t, o.Baseline, traffic.Most(p)) {
			all = append(all, asFinding(problem))
		}
	}
	return all
}

func asFinding(problem traffic.Problem) Finding {
	name := "route-cannot-split"
	if problem.Warning {
		name = "route-warning"
	}
	return finding(name, problem.Object.String(), problem.Remedy, "%s", problem.Text)
}

func tryAll(router traffic.Kind, route plan.Object, t plan.Traffic, mark string, p plan.Plan) error {
	for _, step := range p.Steps {
		for _, op := range step.Do {
			if op.Kind != plan.SetSplit || op.Split().Nothing() {
				continue
			}
			s := op.Split()
			if s.Cohorts != nil {
				s.Cohorts = s.Cohorts.Drawn("preflight")
			}
			if _, err := router.Split(wrap(runtime.DeepCopyJSON(route)), t, mark, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func ruleName(rule plan.Object, index int) string {
	if name := textAt(rule, "name"); name != "" {
		return "rule " + name
	}
	return fmt.Sprintf("rule %d", index+1)
}

// checkRule looks at one rule that is split.
func (o Observed) checkRule(route, rule plan.Object, index int, p plan.Plan) Findings {
	var all Findings
	object, name, service := about(route), ruleName(rule, index), nameOf(o.service)
	if at(rule, "sessionPersistence") != nil {
		all = append(all, finding("session-persistence", object, "Take sessionPersistence out of the rule for the time of the rollout",
			"%s keeps a user on the version that answered first (sessionPersistence), even when its weight is 0: neither a step nor a rollback would move them", name))
	}
	refs := listAt(rule, "backendRefs")
	var others []string
	for _, ref := range refs {
		weight, given := numberAt(ref, "weight")
		ours := o.refers(route, ref, service)
		switch {
		case ours && given && weight == 0:
			all = append(all, finding("zero-weight", object, "Give it a weight, or leave the rule out by spec.traffic.gatewayAPI.rules",
				"%s sends nothing to Service/%s (weight 0): the new version would get nothing there either", name, service))
		case !ours:
			others = append(others, nameIn(ref))
		}
	}
	if len(others) > 0 {
		all = append(all, finding("shared-rule", object, "Nothing has to be done if that is meant",
			"%s divides its requests between Service/%s and %s: the shares of the steps are shares of what Service/%s gets", name, service, several(others), service))
	}
	if problem := limit(refs, p); problem != "" {
		all = append(all, finding("rule-limit", object, "Use smaller weights in the same proportion, whole percents as steps, or fewer backends", "%s %s", name, problem))
	}
	return all
}

// limit says which limit of the Gateway API the split would break. All weights of a rule are multiplied, so that the
// others keep their shares: by 100, or by more for fractions of a percent.
func limit(refs []plan.Object, p plan.Plan) string {
	if len(refs) >= maxBackends {
		return fmt.Sprintf("has %d backends, the most there may be: there is no room for the candidate", len(refs))
	}
	var weight int64
	for _, ref := range refs {
		w, given := numberAt(ref, "weight")
		if !given || len(refs) == 1 {
			w = 1 // a single backend gets everything whatever its weight
		}
		weight = max(weight, w)
	}
	for _, s := range p.Steps {
		for _, op := range s.Do {
			byUsers := op.Cohorts != nil && op.Weight < plan.All // those are judged by themselves
			if op.Kind == plan.SetSplit && op.Weight > 0 && !byUsers && weight*factor(op.Weight) > maxWeight {
				return fmt.Sprintf("has weights up to %d, which cannot be divided for %s within the limit of %d", weight, op.Weight, maxWeight)
			}
		}
	}
	return ""
}

func factor(share plan.Share) int64 {
	if share%plan.OnePercent == 0 {
		return 100
	}
	a, b := int64(plan.All), int64(share)
	for b != 0 {
		a, b = b, a%b
	}
	return int64(plan.All) / a
}

// otherRoutes are routes beside those of the spec that send to the Service.
func (o Observed) otherRoutes() Findings {
	var all Findings
	for _, route := range o.allRoutes {
		if o.isOurs(route) || ours(route) || !o.sendsAnywhere(route, nameOf(o.service)) {
			continue
		}
		all = append(all, finding("other-route", about(route), "Add it to spec.traffic.gatewayAPI.routes, if its users are to be part of the rollout",
			"it sends to Service/%s too: its users never see the split, and meet the new version when the base takes it over", nameOf(o.service)))
	}
	return all
}

func (o Observed) isOurs(route plan.Object) bool {
	for _, r := range o.routes {
		if plan.RefOf(r) == plan.RefOf(route) {
			return true
		}
	}
	return false
}
