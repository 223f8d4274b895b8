package preflight

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// Permission is a row of what a rollout needs to be allowed.
type Permission struct {
	Group     string   `json:"group,omitempty"`
	Resource  string   `json:"resource"` // pods/log is a subresource
	Verbs     []string `json:"verbs"`
	Namespace string   `json:"namespace,omitempty"` // empty for what belongs to no namespace
	// Names are the objects that get, update, patch, delete and watch are needed for; empty means all of the kind.
	Names []string `json:"names,omitempty"`
	Why   string   `json:"why"`
	// Optional permissions are only for warnings.
	Optional bool `json:"optional,omitempty"`
}

// Use says what a rollout deals with, as far as permissions depend on it.
type Use struct {
	Namespace string
	// Kind is the workload's; a Deployment when empty.
	Kind string
	// Workload, Candidate and Routes are named; without them the permissions are for all objects.
	Workload, Candidate string
	Routes              []plan.Ref
	// Lists are the kinds of routes that are read by namespace.
	Lists []plan.Ref
	// Made are what the rollout makes for its router.
	Made []plan.Ref
	// Scaler is the autoscaler of the workload, if any.
	Scaler plan.Ref
	// Copies are the kinds of policies that are copied for the candidate.
	Copies []string
	// Switched is the Service whose selector moves the requests; empty where a route does, or nothing.
	Switched string
	// Previews are the objects of the preview.
	Previews []plan.Ref
	// InPlace: the workload itself changes, and no candidate is made.
	InPlace bool
	// ByReplicas: the candidate has no Service of its own.
	ByReplicas bool
	// Everything asks for what any rollout may need: for the documentation and for a Role that serves all workloads.
	Everything bool
}

// Needed is what a rollout needs to be allowed. The Role, the documentation and the check come from here.
func Needed(u Use) []Permission {
	list := append(needsOfWorkload(u), needsOfRecord(u)...)
	list = append(list, needsOfRoutes(u)...)
	list = append(list, needsOfPreview(u)...)
	list = append(list, needsOfScaler(u)...)
	list = append(list, needsOfPolicies(u)...)
	return append(list, needsOfWarnings(u)...)
}

func needsOfWorkload(u Use) []Permission {
	list := needsOfCandidate(u)
	if u.InPlace {
		list = []Permission{
			{Group: "apps", Resource: resourceOf(u.Kind), Namespace: u.Namespace, Names: nameList(u.Workload),
				Verbs: []string{"get", "list", "watch", "update"}, Why: "the workload"},
			{Resource: "services", Namespace: u.Namespace, Verbs: []string{"list"}, Why: "the workload's Service, for gates"},
		}
	}
	if u.InPlace && isDeployment(u.Kind) || u.Everything {
		list = append(list, Permission{Group: "apps", Resource: "replicasets", Namespace: u.Namespace, Verbs: []string{"list", "watch"},
			Why: "which pods run which version, in a rollout in place"})
	}
	return append(append(list, needsOfSets(u)...),
		Permission{Resource: "pods", Namespace: u.Namespace, Verbs: []string{"get", "list", "watch"}, Why: "to see whether they are ready and healthy"},
		Permission{Resource: "pods/log", Namespace: u.Namespace, Verbs: []string{"get"}, Why: "the last words of a container that crashed"})
}

// needsOfSets is what StatefulSets and DaemonSets need more.
func needsOfSets(u Use) []Permission {
	var list []Permission
	if u.Everything {
		for _, kind := range []string{kube.StatefulSet, kube.DaemonSet} {
			list = append(list, Permission{Group: "apps", Resource: resourceOf(kind), Namespace: u.Namespace,
				Verbs: []string{"get", "list", "watch", "update"}, Why: "the workload, where it is a " + kind})
		}
	}
	if isDeployment(u.Kind) && !u.Everything {
		return list
	}
	return append(list,
		Permission{Group: "apps", Resource: "controllerrevisions", Namespace: u.Namespace, Verbs: []string{"list", "watch"},
			Why: "which pods run which version, of a StatefulSet or DaemonSet"},
		Permission{Resource: "pods", Namespace: u.Namespace, Verbs: []string{"delete"},
			Why: "a StatefulSet's pod that would keep it from going back, a DaemonSet's on the way to a pause"})
}

func isDeployment(kind string) bool { return kind == "" || kind == kube.Deployment }

// resourceOf is a kind of workload as a Role names it.
func resourceOf(kind string) string {
	if kind == "" {
		kind = kube.Deployment
	}
	return strings.ToLower(kind) + "s"
}

func nameList(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

func needsOfCandidate(u Use) []Permission {
	var both, candidate []string
	if u.Workload != "" && u.Candidate != "" {
		both, candidate = []string{u.Workload, u.Candidate}, []string{u.Candidate}
	}
	deployments := Permission{Group: "apps", Resource: "deployments", Namespace: u.Namespace, Names: both,
		Verbs: []string{"get", "list", "watch", "create", "patch", "update", "delete"}, Why: "the workload and its candidate"}
	if u.ByReplicas {
		return []Permission{deployments, {Resource: "services", Namespace: u.Namespace, Verbs: []string{"list"}, Why: "the workload's Service, for gates"}}
	}
	list := []Permission{
		deployments,
		{Resource: "services", Namespace: u.Namespace, Names: candidate,
			Verbs: []string{"get", "list", "create", "patch", "delete"}, Why: "the candidate's Service"},
		{Group: "discovery.k8s.io", Resource: "endpointslices", Namespace: u.Namespace, Verbs: []string{"list", "watch"},
			Why: "to move requests only to pods that the gateway can know"},
	}
	if u.Switched != "" || u.Everything {
		list = append(list, Permission{Resource: "services", Namespace: u.Namespace, Names: nameList(u.Switched), Verbs: []string{"get", "list", "watch", "update"},
			Why: "the Service whose selector is switched, where no route is"})
	}
	return list
}

// needsOfPreview are for what is made where people try the new version, and removed at the switch.
func needsOfPreview(u Use) []Permission {
	verbs := []string{"list", "watch", "create", "patch", "delete"}
	service := Permission{Resource: "services", Namespace: u.Namespace, Verbs: verbs, Why: "the preview's Service"}
	route := Permission{Group: gatewayGroup, Resource: "httproutes", Namespace: u.Namespace, Verbs: verbs, Why: "the preview's route"}
	if u.Everything {
		return []Permission{service, route}
	}
	var list []Permission
	for _, ref := range u.Previews {
		p := route
		if ref.Kind == "Service" {
			p = service
		}
		p.Namespace, p.Names = ref.Namespace, []string{ref.Name}
		list = append(list, p)
	}
	if u.Switched != "" {
		list = append(list, Permission{Group: gatewayGroup, Resource: "httproutes", Namespace: u.Namespace, Verbs: []string{"list"}, Optional: true,
			Why: "whether a route sends to what an earlier rollout left"})
	}
	return list
}

func needsOfRecord(u Use) []Permission {
	keep := []string{"get", "list", "watch", "create", "update", "patch"}
	return []Permission{
		{Resource: "configmaps", Namespace: u.Namespace, Verbs: keep, Why: "the record of the rollout, and requests to it"},
		{Group: "coordination.k8s.io", Resource: "leases", Namespace: u.Namespace, Verbs: keep, Why: "the lock: one rollout at a time"},
		{Resource: "events", Namespace: u.Namespace, Verbs: []string{"list", "create", "patch"}, Optional: true,
			Why: "what the cluster says about pods, and what Tidegate did"},
	}
}

func needsOfRoutes(u Use) []Permission {
	verbs := []string{"get", "list", "watch", "update"}
	if u.Everything && len(u.Routes) == 0 {
		return []Permission{{Group: gatewayGroup, Resource: "httproutes", Namespace: u.Namespace, Verbs: verbs, Why: "the split"}}
	}
	var list []Permission
	add := func(ref plan.Ref, verbs []string, why string) {
		gvr := kube.GVR(ref.APIVersion, ref.Kind)
		for i, p := range list {
			if p.Group == gvr.Group && p.Resource == gvr.Resource && p.Namespace == ref.Namespace && p.Why == why {
				list[i].Names = append(list[i].Names, ref.Name)
				return
			}
		}
		list = append(list, Permission{Group: gvr.Group, Resource: gvr.Resource, Namespace: ref.Namespace, Names: nameList(ref.Name), Verbs: verbs, Why: why})
	}
	for _, ref := range u.Routes {
		add(ref, verbs, "the split")
	}
	for _, ref := range u.Lists {
		steered := func(r plan.Ref) bool { return r.Kind == ref.Kind && r.Namespace == ref.Namespace }
		if !slices.ContainsFunc(u.Routes, steered) {
			add(ref, []string{"list"}, "other routes to the same Service")
		}
	}
	for _, ref := range u.Made {
		add(ref, []string{"get", "list", "watch", "create", "patch", "update", "delete"}, "what the split needs beside the user's routes")
	}
	slices.SortStableFunc(list, func(a, b Permission) int { return strings.Compare(a.Why+a.Namespace, b.Why+b.Namespace) })
	return list
}

func needsOfScaler(u Use) []Permission {
	hpa := Permission{Group: "autoscaling", Resource: "horizontalpodautoscalers", Namespace: u.Namespace, Verbs: []string{"list"},
		Why: "to find the workload's autoscaler"}
	keda := Permission{Group: "keda.sh", Resource: "scaledobjects", Namespace: u.Namespace, Verbs: []string{"list"}, Optional: true,
		Why: "to find the workload's ScaledObject, if KEDA is there"}
	for _, p := range []struct {
		kind string
		row  *Permission
	}{{"HorizontalPodAutoscaler", &hpa}, {"ScaledObject", &keda}} {
		if !u.Everything && u.Scaler.Kind != p.kind {
			continue
		}
		p.row.Verbs = []string{"list", "get", "watch", "update"}
		p.row.Why = "to keep the base's size while its traffic is away, or at a pause"
		p.row.Optional = u.Scaler.Kind != p.kind && p.kind == "ScaledObject"
		if u.Scaler.Name != "" {
			p.row.Names = []string{u.Scaler.Name}
		}
	}
	return []Permission{hpa, keda}
}

func needsOfPolicies(u Use) []Permission {
	list := []Permission{
		{Group: "networking.k8s.io", Resource: "networkpolicies", Namespace: u.Namespace, Verbs: []string{"list"}, Why: "policies that speak of the pods"},
		{Group: "policy", Resource: "poddisruptionbudgets", Namespace: u.Namespace, Verbs: []string{"list"}, Why: "budgets that count the pods"},
	}
	for i, kind := range []string{"NetworkPolicy", "PodDisruptionBudget"} {
		if u.Everything || slices.Contains(u.Copies, kind) {
			list[i].Verbs = []string{"list", "create", "patch", "delete"}
			list[i].Why += ", copied for the candidate"
		}
	}
	return list
}

func needsOfWarnings(u Use) []Permission {
	list := []string{"list"}
	return []Permission{
		{Resource: "resourcequotas", Namespace: u.Namespace, Verbs: list, Optional: true, Why: "whether a second set of pods fits"},
		{Resource: "persistentvolumeclaims", Namespace: u.Namespace, Verbs: list, Optional: true, Why: "whether several pods may mount the volumes"},
		{Group: "networking.k8s.io", Resource: "ingresses", Namespace: u.Namespace, Verbs: list, Optional: true, Why: "who sends past the split"},
		{Group: "autoscaling.k8s.io", Resource: "verticalpodautoscalers", Namespace: u.Namespace, Verbs: list, Optional: true, Why: "whether pods are restarted"},
		{Group: gatewayGroup, Resource: "referencegrants", Namespace: u.Namespace, Verbs: list, Optional: true, Why: "whether other namespaces may send here"},
		{Group: gatewayGroup, Resource: "gatewayclasses", Verbs: list, Optional: true, Why: "what the gateway can do"},
		{Resource: "nodes", Verbs: list, Optional: true, Why: "whether there are enough for pods that must not share one"},
	}
}

const gatewayGroup = "gateway.networking.k8s.io"
