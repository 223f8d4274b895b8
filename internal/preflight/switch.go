package preflight

import (
	"slices"

	"github.com/tidegate/tidegate/internal/plan"
)

// checkSwitch looks at a Service whose selector is going to move every request at once.
func checkSwitch(o Observed) Findings {
	var all Findings
	object := about(o.service)
	if textAt(o.service, "spec", "clusterIP") == "None" {
		all = append(all, finding("headless-service", object, "Divide the requests by a route (spec.traffic), or give the Service an address",
			"it has no address of its own (clusterIP: None): who looked its pods up goes on asking the old ones, and loses requests when they stop"))
	}
	if textAt(o.service, "spec", "sessionAffinity") == "ClientIP" {
		all = append(all, finding("session-affinity", object, "Keep sessions outside of the pods, or accept that they end",
			"it keeps a client address on one pod (sessionAffinity ClientIP): the switch gives every client another pod, and so does the way back"))
	}
	for _, policy := range []string{"externalTrafficPolicy", "internalTrafficPolicy"} {
		if textAt(o.service, "spec", policy) == "Local" {
			all = append(all, finding("local-traffic", object, "Set "+policy+": Cluster, or see that pods of the new version come to the same nodes",
				"it sends only to pods of the node that a request comes to (%s: Local): after the switch a node may have none, until what stands before it has noticed", policy))
		}
	}
	return all
}

// checkPreview finds routes that answer at the preview's host already: by the Gateway API the older one wins.
func checkPreview(o Observed, p plan.Plan) Findings {
	var all Findings
	for _, made := range p.Objects.Preview {
		for _, host := range textsAt(made, "spec", "hostnames") {
			for _, route := range o.allRoutes {
				if !ours(route) && slices.Contains(textsAt(route, "spec", "hostnames"), host) {
					all = append(all, finding("preview-host", about(route), "Choose a host of its own in spec.strategy.blueGreen.preview.host",
						"it answers at %s: who asks there would meet it, not the preview", host))
				}
			}
		}
	}
	return all
}
