package kube

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/plan"
)

// GVR is the resource that serves a kind. Kinds are known by rule, so that no discovery call is needed.
func GVR(apiVersion, kind string) schema.GroupVersionResource {
	gv, _ := schema.ParseGroupVersion(apiVersion)
	return gv.WithResource(plural(strings.ToLower(kind)))
}

func plural(kind string) string {
	switch {
	case strings.HasSuffix(kind, "gateway"):
		return kind + "s"
	case strings.HasSuffix(kind, "y"):
		return strings.TrimSuffix(kind, "y") + "ies"
	case strings.HasSuffix(kind, "s"):
		return kind + "es"
	default:
		return kind + "s"
	}
}

// GatewayVersion is the API version of routes.
const GatewayVersion = "gateway.networking.k8s.io/v1"

// DeploymentRef names a Deployment.
func DeploymentRef(namespace, name string) plan.Ref {
	return plan.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: namespace, Name: name}
}

// The kinds of workloads.
const (
	Deployment  = "Deployment"
	StatefulSet = "StatefulSet"
	DaemonSet   = "DaemonSet"
)

// WorkloadKind is the kind of a workload by its name in lower case; a Deployment for any other text.
func WorkloadKind(lower string) string {
	for _, kind := range []string{StatefulSet, DaemonSet} {
		if lower == strings.ToLower(kind) {
			return kind
		}
	}
	return Deployment
}

// WorkloadRef names a workload by its kind in lower case.
func WorkloadRef(kind, namespace, name string) plan.Ref {
	return plan.Ref{APIVersion: "apps/v1", Kind: WorkloadKind(kind), Namespace: namespace, Name: name}
}

// Arg is an object as kubectl takes it: kind/name, the kind in lower case.
func Arg(ref plan.Ref) string { return strings.ToLower(ref.Kind) + "/" + ref.Name }

// ServiceRef names a Service.
func ServiceRef(namespace, name string) plan.Ref {
	return plan.Ref{APIVersion: "v1", Kind: "Service", Namespace: namespace, Name: name}
}
