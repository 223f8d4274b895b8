package preflight

import (
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
	"github.com/tidegate/tidegate/internal/traffic/gatewayapi"
	"github.com/tidegate/tidegate/internal/traffic/ingressnginx"
)

// checkServices looks at the Service, and at others that would send to the candidate.
func checkServices(o Observed, p plan.Plan) Findings {
	var all Findings
	object := about(o.service)
	if flagAt(o.service, "spec", "publishNotReadyAddresses") {
		all = append(all, finding("not-ready-addresses", object, "Set publishNotReadyAddresses: false, or name another Service in spec.service",
			"it sends to pods that are not ready (publishNotReadyAddresses): users would meet the new version while it starts"))
	}
	bySelector := p.Objects.Traffic.BySelector()
	if bySelector {
		all = append(all, checkSwitch(o)...)
	}
	if textAt(o.service, "spec", "sessionAffinity") == "ClientIP" && !p.Objects.InPlace() && !bySelector {
		all = append(all, finding("session-affinity", object, "Set sessionAffinity: None; gateways send to pods directly and do not honour it anyway",
			"it keeps a client address on one pod (sessionAffinity ClientIP): the share of each version may differ from the split"))
	}
	for _, s := range o.services {
		if !p.Objects.ByReplicas() && nameOf(s) != nameOf(o.service) && !ours(s) && serves(s, candidateLabels(p)) {
			all = append(all, finding("shared-selector", about(s), "Add a label to its selector that the candidate has not ("+difference(p)+")",
				"it would select the candidate's pods too: its callers would meet the new version before any share of the requests is sent there"))
		}
	}
	var others []string
	for _, d := range o.workloads {
		if nameOf(d) != nameOf(o.workload) && !ours(d) && serves(o.service, podLabels(d)) {
			others = append(others, nameOf(d))
		}
	}
	if len(others) > 0 {
		all = append(all, finding("shared-service", object, "Give each Deployment a Service of its own",
			"it selects pods of other Deployments too (%s): the base's share of the requests is divided with them", several(others)))
	}
	return all
}

// difference names the labels that tell the base's pods from the candidate's, with the base's values.
func difference(p plan.Plan) string {
	var list []string
	candidate := p.Objects.Selectors[plan.Candidate]
	for _, key := range sortedKeys(p.Objects.Selectors[plan.Base]) {
		if value := p.Objects.Selectors[plan.Base][key]; candidate[key] != value {
			list = append(list, key+": "+value)
		}
	}
	return strings.Join(list, ", ")
}

// checkIngresses finds Ingresses that send to the Service past the split.
func checkIngresses(o Observed, p plan.Plan) Findings {
	var all Findings
	if p.Objects.InPlace() || p.Objects.ByReplicas() || p.Objects.Traffic.BySelector() {
		return nil // there is no split that anybody could get past
	}
	for _, in := range o.ingresses {
		if o.isOurs(in) || ours(in) || o.dividedToo(in, p) {
			continue
		}
		sends := textAt(in, "spec", "defaultBackend", "service", "name") == nameOf(o.service)
		for _, rule := range listAt(in, "spec", "rules") {
			for _, path := range listAt(rule, "http", "paths") {
				sends = sends || textAt(path, "backend", "service", "name") == nameOf(o.service)
			}
		}
		if sends {
			all = append(all, finding("other-ingress", about(in), "Move what it carries to the route, if its users are to be part of the rollout",
				"it sends to Service/%s too: its users never see the split, and meet the new version when the base takes it over", nameOf(o.service)))
		}
	}
	return all
}

// dividedToo tells whether the split of an Ingress of ingress-nginx holds for another one, which its kind says.
func (o Observed) dividedToo(in plan.Object, p plan.Plan) bool {
	t := p.Objects.Traffic
	return t != nil && t.Router == ingressnginx.Name && ingressnginx.Together(in, o.routes, *t)
}

// checkGrants finds routes of other namespaces that may send to the base's Service by name, but not to the candidate's.
func checkGrants(o Observed, p plan.Plan) Findings {
	var all Findings
	if p.Objects.Traffic == nil {
		return nil
	}
	for _, route := range o.routes {
		if namespaceOf(route) == o.namespace || !o.sees("referencegrants") {
			continue
		}
		base := grantedTo(o.grants, route, p.Objects.Traffic.Base)
		for _, service := range gatewayapi.Services(*p.Objects.Traffic, traffic.Most(p)) {
			if base == "" || grantedTo(o.grants, route, service) != "" {
				continue
			}
			all = append(all, finding("reference-grant", about(route), "Leave the name out of the grant's `to`, or add "+service,
				"ReferenceGrant/%s lets it send to Service/%s by name, but not to the rollout's Service/%s", base, p.Objects.Traffic.Base, service))
		}
	}
	return all
}

// grantedTo is the name of a grant that lets a route send to a Service, or "".
func grantedTo(grants []plan.Object, route plan.Object, service string) string {
	for _, g := range grants {
		from, to := false, false
		for _, f := range listAt(g, "spec", "from") {
			from = from || textAt(f, "kind") == textAt(route, "kind") && textAt(f, "namespace") == namespaceOf(route)
		}
		for _, t := range listAt(g, "spec", "to") {
			to = to || textAt(t, "kind") == "Service" && (nameIn(t) == "" || nameIn(t) == service)
		}
		if from && to {
			return nameOf(g)
		}
	}
	return ""
}

// sees tells whether a resource could be read.
func (o Observed) sees(resource string) bool {
	for _, u := range o.Unseen {
		if u.Resource == resource {
			return false
		}
	}
	return true
}
