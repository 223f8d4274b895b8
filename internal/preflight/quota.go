package preflight

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/tidegate/tidegate/internal/plan"
)

// checkQuotas compares what the candidate needs at its greatest with what each ResourceQuota leaves. While the base
// takes the new version over, its own surge comes on top.
func checkQuotas(o Observed, p plan.Plan) Findings {
	candidate, surge := candidatePods(p), extraPods(o, p)
	template := p.Objects.Templates[plan.Candidate]
	var all Findings
	for _, q := range o.quotas {
		if !applies(q, template) {
			continue
		}
		var short []string
		for _, name := range sortedKeys(mapAt(q, "spec", "hard")) {
			if words := shortage(q, name, template, int64(candidate+surge)); words != "" {
				short = append(short, words)
			}
		}
		if len(short) > 0 {
			what := fmt.Sprintf("%s of the candidate and %d of the base's surge", count(candidate, "pod"), surge)
			switch {
			case p.Objects.ByReplicas():
				what = count(candidate, "pod") + " of the candidate"
			case p.Objects.InPlace():
				what = count(surge, "pod") + " more"
			}
			all = append(all, finding("quota", about(q), "Raise the quota for the time of the rollout, or let the workload run fewer pods",
				"it has no room for %s: %s", what, strings.Join(short, "; ")))
		}
	}
	return all
}

// shortage says what a quota lacks of one resource for n more pods; empty when it suffices or does not count pods.
func shortage(quota plan.Object, name string, template plan.Object, n int64) string {
	each := perPod(name, template)
	hard, err := resource.ParseQuantity(fmt.Sprint(orElse(at(quota, "status", "hard", name), at(quota, "spec", "hard", name))))
	if each == nil || err != nil {
		return ""
	}
	used, err := resource.ParseQuantity(fmt.Sprint(orElse(at(quota, "status", "used", name), "0")))
	if err != nil {
		return ""
	}
	need := each.DeepCopy()
	if !need.Mul(n) {
		return ""
	}
	left := hard.DeepCopy()
	left.Sub(used)
	if need.Cmp(left) <= 0 {
		return ""
	}
	return fmt.Sprintf("%s: %s more are needed, %s of %s are left", name, need.String(), left.String(), hard.String())
}

func orElse(v, other any) any {
	if v == nil {
		return other
	}
	return v
}

// perPod is what one pod of a template takes of a quota's resource; nil when the quota does not count pods by it.
func perPod(name string, template plan.Object) *resource.Quantity {
	if name == "pods" || name == "count/pods" {
		return resource.NewQuantity(1, resource.DecimalSI)
	}
	if strings.HasPrefix(name, "count/") {
		return nil
	}
	field, kind, found := strings.Cut(name, ".")
	switch {
	case !found && (name == "cpu" || name == "memory" || name == "ephemeral-storage"):
		field, kind = "requests", name
	case !found || field != "requests" && field != "limits" || kind == "storage" || strings.Contains(kind, "storageclass"):
		return nil
	}
	sum := podSum(template, field, kind)
	return &sum
}

// podSum is a pod's request or limit: of its containers together, or of one init container if that is more, as the
// scheduler counts. Sidecars (init containers that keep running) count with the containers.
func podSum(template plan.Object, field, kind string) resource.Quantity {
	var running, starting resource.Quantity
	for _, c := range listAt(template, "spec", "initContainers") {
		amount := amount(c, field, kind)
		if textAt(c, "restartPolicy") == "Always" {
			running.Add(amount)
		} else if amount.Cmp(starting) > 0 {
			starting = amount
		}
	}
	for _, c := range listAt(template, "spec", "containers") {
		running.Add(amount(c, field, kind))
	}
	if starting.Cmp(running) > 0 {
		running = starting
	}
	if overhead, err := resource.ParseQuantity(textAt(template, "spec", "overhead", kind)); err == nil {
		running.Add(overhead)
	}
	return running
}

// amount is what a container asks for; a request that is left out is as large as the limit.
func amount(container plan.Object, field, kind string) resource.Quantity {
	v := at(container, "resources", field, kind)
	if v == nil && field == "requests" {
		v = at(container, "resources", "limits", kind)
	}
	q, err := resource.ParseQuantity(fmt.Sprint(orElse(v, "0")))
	if err != nil {
		return resource.Quantity{}
	}
	return q
}

// applies tells whether a quota counts pods of this template, by its scopes.
func applies(quota, template plan.Object) bool {
	cpu, memory := podSum(template, "requests", "cpu"), podSum(template, "requests", "memory")
	bestEffort := cpu.IsZero() && memory.IsZero()
	_, deadline := numberAt(template, "spec", "activeDeadlineSeconds")
	for _, scope := range textsAt(quota, "spec", "scopes") {
		if scope == "Terminating" && !deadline || scope == "NotTerminating" && deadline ||
			scope == "BestEffort" && !bestEffort || scope == "NotBestEffort" && bestEffort {
			return false
		}
	}
	for _, e := range listAt(quota, "spec", "scopeSelector", "matchExpressions") {
		if textAt(e, "scopeName") == "PriorityClass" && !priority(e, textAt(template, "spec", "priorityClassName")) {
			return false
		}
	}
	return true
}

func priority(e plan.Object, class string) bool {
	in := false
	for _, v := range textsAt(e, "values") {
		in = in || v == class
	}
	switch textAt(e, "operator") {
	case "In":
		return in
	case "NotIn":
		return !in
	case "Exists":
		return class != ""
	}
	return class == ""
}
