package apiserver

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// Resource is one row of the table of what the server stores.
type Resource struct {
	Group, Version, Plural, Kind string
	Short                        []string // abbreviations that kubectl takes

	Cluster    bool // not namespaced
	Status     bool // has a status subresource
	Scale      bool // has a scale subresource
	Log        bool // has a log subresource
	Generation bool // metadata.generation counts changes of the spec
}

// GVK is the kind with its group and version.
func (r *Resource) GVK() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind}
}

// GVR is the resource with its group and version.
func (r *Resource) GVR() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Plural}
}

// GR is the resource without its version.
func (r *Resource) GR() schema.GroupResource {
	return schema.GroupResource{Group: r.Group, Resource: r.Plural}
}

// APIVersion is the apiVersion field of its objects.
func (r *Resource) APIVersion() string { return r.GVK().GroupVersion().String() }

// builtIn is true for kinds whose Go type client-go has.
func (r *Resource) builtIn() bool { return scheme.Scheme.Recognizes(r.GVK()) }

func (r *Resource) subresources() []string {
	var subs []string
	for _, s := range []struct {
		has  bool
		name string
	}{{r.Status, "status"}, {r.Scale, "scale"}, {r.Log, "log"}} {
		if s.has {
			subs = append(subs, s.name)
		}
	}
	return subs
}

func (r *Resource) singular() string { return strings.ToLower(r.Kind) }

// Resources is the default table: what a deploy touches, built in or by the custom resources of common tools.
func Resources() []Resource {
	gateway := "gateway.networking.k8s.io"
	return append(coreResources(), []Resource{
		{Group: "apps", Version: "v1", Plural: "deployments", Kind: "Deployment", Short: []string{"deploy"}, Status: true, Scale: true, Generation: true},
		{Group: "apps", Version: "v1", Plural: "replicasets", Kind: "ReplicaSet", Short: []string{"rs"}, Status: true, Scale: true, Generation: true},
		{Group: "apps", Version: "v1", Plural: "statefulsets", Kind: "StatefulSet", Short: []string{"sts"}, Status: true, Scale: true, Generation: true},
		{Group: "apps", Version: "v1", Plural: "daemonsets", Kind: "DaemonSet", Short: []string{"ds"}, Status: true, Generation: true},
		{Group: "apps", Version: "v1", Plural: "controllerrevisions", Kind: "ControllerRevision"},
		{Group: "autoscaling", Version: "v2", Plural: "horizontalpodautoscalers", Kind: "HorizontalPodAutoscaler", Short: []string{"hpa"}, Status: true},
		{Group: "policy", Version: "v1", Plural: "poddisruptionbudgets", Kind: "PodDisruptionBudget", Short: []string{"pdb"}, Status: true, Generation: true},
		{Group: "networking.k8s.io", Version: "v1", Plural: "networkpolicies", Kind: "NetworkPolicy", Short: []string{"netpol"}, Generation: true},
		{Group: "networking.k8s.io", Version: "v1", Plural: "ingresses", Kind: "Ingress", Short: []string{"ing"}, Status: true, Generation: true},
		{Group: "discovery.k8s.io", Version: "v1", Plural: "endpointslices", Kind: "EndpointSlice", Generation: true},
		{Group: "batch", Version: "v1", Plural: "jobs", Kind: "Job", Status: true, Generation: true},
		{Group: "coordination.k8s.io", Version: "v1", Plural: "leases", Kind: "Lease"},
		{Group: gateway, Version: "v1", Plural: "httproutes", Kind: "HTTPRoute", Status: true, Generation: true},
		{Group: gateway, Version: "v1", Plural: "grpcroutes", Kind: "GRPCRoute", Status: true, Generation: true},
		{Group: gateway, Version: "v1", Plural: "gateways", Kind: "Gateway", Short: []string{"gtw"}, Status: true, Generation: true},
		{Group: gateway, Version: "v1", Plural: "gatewayclasses", Kind: "GatewayClass", Short: []string{"gc"}, Cluster: true, Status: true, Generation: true},
		{Group: gateway, Version: "v1beta1", Plural: "referencegrants", Kind: "ReferenceGrant", Short: []string{"refgrant"}, Generation: true},
		{Group: "autoscaling.k8s.io", Version: "v1", Plural: "verticalpodautoscalers", Kind: "VerticalPodAutoscaler", Short: []string{"vpa"}, Status: true, Generation: true},
		{Group: "keda.sh", Version: "v1alpha1", Plural: "scaledobjects", Kind: "ScaledObject", Short: []string{"so"}, Status: true, Generation: true},
		{Group: "traefik.io", Version: "v1alpha1", Plural: "traefikservices", Kind: "TraefikService", Generation: true},
		{Group: "traefik.io", Version: "v1alpha1", Plural: "ingressroutes", Kind: "IngressRoute", Generation: true},
		{Group: "traefik.io", Version: "v1alpha1", Plural: "middlewares", Kind: "Middleware", Generation: true},
		{Group: "networking.istio.io", Version: "v1", Plural: "virtualservices", Kind: "VirtualService", Short: []string{"vs"}, Status: true, Generation: true},
		{Group: "networking.istio.io", Version: "v1", Plural: "destinationrules", Kind: "DestinationRule", Short: []string{"dr"}, Status: true, Generation: true},
		{Group: "projectcontour.io", Version: "v1", Plural: "httpproxies", Kind: "HTTPProxy", Short: []string{"proxy"}, Status: true, Generation: true},
		{Group: "apisix.apache.org", Version: "v2", Plural: "apisixroutes", Kind: "ApisixRoute", Short: []string{"ar"}, Status: true, Generation: true},
		{Group: "policy.linkerd.io", Version: "v1beta3", Plural: "httproutes", Kind: "HTTPRoute", Status: true, Generation: true},
		{Group: "split.smi-spec.io", Version: "v1alpha2", Plural: "trafficsplits", Kind: "TrafficSplit", Short: []string{"ts"}, Generation: true},
	}...)
}

func coreResources() []Resource {
	return []Resource{
		{Version: "v1", Plural: "namespaces", Kind: "Namespace", Short: []string{"ns"}, Cluster: true, Status: true},
		{Version: "v1", Plural: "nodes", Kind: "Node", Short: []string{"no"}, Cluster: true, Status: true},
		{Version: "v1", Plural: "persistentvolumes", Kind: "PersistentVolume", Short: []string{"pv"}, Cluster: true, Status: true},
		{Version: "v1", Plural: "pods", Kind: "Pod", Short: []string{"po"}, Status: true, Log: true},
		{Version: "v1", Plural: "services", Kind: "Service", Short: []string{"svc"}, Status: true},
		{Version: "v1", Plural: "configmaps", Kind: "ConfigMap", Short: []string{"cm"}},
		{Version: "v1", Plural: "secrets", Kind: "Secret"},
		{Version: "v1", Plural: "events", Kind: "Event", Short: []string{"ev"}},
		{Version: "v1", Plural: "endpoints", Kind: "Endpoints", Short: []string{"ep"}},
		{Version: "v1", Plural: "persistentvolumeclaims", Kind: "PersistentVolumeClaim", Short: []string{"pvc"}, Status: true},
		{Version: "v1", Plural: "resourcequotas", Kind: "ResourceQuota", Short: []string{"quota"}, Status: true},
		{Version: "v1", Plural: "limitranges", Kind: "LimitRange", Short: []string{"limits"}},
		{Version: "v1", Plural: "serviceaccounts", Kind: "ServiceAccount", Short: []string{"sa"}},
		{Version: "v1", Plural: "replicationcontrollers", Kind: "ReplicationController", Short: []string{"rc"}, Status: true, Generation: true},
	}
}
