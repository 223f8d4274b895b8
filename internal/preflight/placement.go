package preflight

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/tidegate/tidegate/internal/plan"
)

// claimNames are the PersistentVolumeClaims that a template mounts.
func claimNames(template plan.Object) []string {
	var list []string
	for _, v := range listAt(template, "spec", "volumes") {
		if name := textAt(v, "persistentVolumeClaim", "claimName"); name != "" {
			list = append(list, name)
		}
	}
	return list
}

// checkVolumes finds volumes that base and candidate cannot mount at once.
func checkVolumes(o Observed, p plan.Plan) Findings {
	var all Findings
	if recreates(p) || takesPlaces(o, p) {
		return nil // no pod of the new version runs beside the one of the old whose place it takes
	}
	for _, name := range claimNames(p.Objects.Templates[plan.Candidate]) {
		claim := named(o.claims, name)
		modes := textsAt(claim, "spec", "accessModes")
		if claim == nil || slices.Contains(modes, "ReadWriteMany") || slices.Contains(modes, "ReadOnlyMany") {
			continue
		}
		who := "pods of one node only"
		if slices.Contains(modes, "ReadWriteOncePod") {
			who = "one pod only"
		}
		all = append(all, finding("single-mount-volume", about(claim),
			"Take the volume out of the template (emptyDir, object storage), or use one with access mode ReadWriteMany",
			"it may be mounted by %s (%s), but the old and the new version run at the same time", who, strings.Join(modes, ", ")))
	}
	return all
}

// exclusive tells whether pods of a template cannot share a node with others.
func exclusive(template plan.Object) bool {
	return len(hostPorts(template)) > 0 || len(hostTerms(template)) > 0
}

// hostTerms are the required anti-affinity terms by node.
func hostTerms(template plan.Object) []plan.Object {
	var terms []plan.Object
	for _, t := range listAt(template, "spec", "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution") {
		if textAt(t, "topologyKey") == "kubernetes.io/hostname" {
			terms = append(terms, t)
		}
	}
	return terms
}

// hostPorts are the ports of the node that a pod takes.
func hostPorts(template plan.Object) []int64 {
	var ports []int64
	for _, c := range listAt(template, "spec", "containers") {
		for _, p := range listAt(c, "ports") {
			port, ok := numberAt(p, "hostPort")
			if !ok && flagAt(template, "spec", "hostNetwork") {
				port, ok = numberAt(p, "containerPort")
			}
			if ok && port > 0 {
				ports = append(ports, port)
			}
		}
	}
	return ports
}

// checkHostPorts says that pods share their node's ports.
func checkHostPorts(o Observed, p plan.Plan) Findings {
	template := p.Objects.Templates[plan.Candidate]
	network := flagAt(template, "spec", "hostNetwork")
	if len(hostPorts(template)) == 0 && !network || recreates(p) || takesPlaces(o, p) {
		return nil
	}
	what := "its pods take ports of their node (hostPort)"
	if network {
		what = "its pods are in their node's network (hostNetwork)"
	}
	return Findings{finding("host-port", about(o.workload), "Listen on the pod's own address and let the Service forward, if the node's is not needed",
		"%s: a pod of the new version needs a node without one of the old", what)}
}

// checkNodes compares the pods that must not share a node with the nodes that there are.
func checkNodes(o Observed, p plan.Plan) Findings {
	base, next := p.Objects.Templates[plan.Base], p.Objects.Templates[plan.Candidate]
	if len(o.nodes) == 0 || !exclusive(next) || takesPlaces(o, p) {
		return nil
	}
	needed := candidatePods(p)
	if p.Objects.InPlace() {
		needed = p.Objects.Size + extraPods(o, p)
	} else if len(hostPorts(next)) > 0 || repels(next, candidateLabels(p), podLabels(o.workload)) || repels(base, podLabels(o.workload), candidateLabels(p)) {
		needed += p.Objects.Size
	} else {
		needed = max(needed, p.Objects.Size)
	}
	if usable := usableNodes(o.nodes, next); usable < needed {
		return Findings{finding("too-few-nodes", about(o.workload),
			"Add nodes, run fewer pods, or prefer different nodes (preferredDuringScheduling…) instead of requiring them",
			"%s of the old and the new version must stand on nodes of their own, but %s can take them", count(needed, "pod"), count(usable, "node"))}
	}
	return nil
}

func candidateLabels(p plan.Plan) labels.Set {
	if len(p.Objects.Create) == 0 {
		return nil
	}
	return podLabels(p.Objects.Create[0])
}

// repels tells whether pods of a template (own labels given) refuse a node with pods of other labels.
func repels(template plan.Object, own, other labels.Set) bool {
	for _, t := range hostTerms(template) {
		if selects(t["labelSelector"], own) && selects(t["labelSelector"], other) {
			return true
		}
	}
	return false
}

// usableNodes counts the nodes that are ready, take pods and have the labels that the template asks for.
func usableNodes(nodes []plan.Object, template plan.Object) int {
	wanted, n := labels.SelectorFromSet(labelsAt(template, "spec", "nodeSelector")), 0
	for _, node := range nodes {
		ready := true
		for _, c := range listAt(node, "status", "conditions") {
			ready = ready && (textAt(c, "type") != "Ready" || textAt(c, "status") == "True")
		}
		if ready && !flagAt(node, "spec", "unschedulable") && wanted.Matches(labelsAt(node, "metadata", "labels")) {
			n++
		}
	}
	return n
}
