package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/plan"
)

// Labels of the objects that keep the state.
const (
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedBy      = "tidegate"
	WorkloadLabel  = "tidegate.dev/workload"
)

// Options are what Store, Locker and Inbox have in common.
type Options struct {
	Client   dynamic.Interface
	Workload plan.Ref
	Clock    clock.Clock       // default: the machine's
	Warn     func(text string) // told what a person should know, from any goroutine; may be nil
	Patience time.Duration     // how long requests are tried again when the network or the server fails; default 30 s
}

// Name is how the record and the Lease of a workload are called.
func Name(workload plan.Ref) string {
	return "tidegate-" + strings.ToLower(workload.Kind) + "-" + workload.Name
}

// InboxName is how the inbox of a workload is called.
func InboxName(workload plan.Ref) string { return Name(workload) + "-inbox" }

// Labels find the state of a workload. A value over 63 characters is cut and made unique by a digest.
func Labels(workload plan.Ref) map[string]string {
	const longest, digits = 63, 8
	value := strings.ToLower(workload.Kind) + "." + workload.Name
	if len(value) > longest {
		sum := sha256.Sum256([]byte(value))
		value = value[:longest-digits-1] + "-" + hex.EncodeToString(sum[:digits/2])
	}
	return map[string]string{ManagedByLabel: ManagedBy, WorkloadLabel: value}
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	if o.Patience == 0 {
		o.Patience = Patience
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	return o
}

func (o Options) configMaps() dynamic.ResourceInterface {
	return o.Client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace(o.Workload.Namespace)
}

func (o Options) leases() dynamic.ResourceInterface {
	gvr := schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}
	return o.Client.Resource(gvr).Namespace(o.Workload.Namespace)
}

// object is base, or a new object without one, as it is to be written: with our labels and without field ownership,
// which the server keeps by itself. Labels and annotations of others stay.
func (o Options) object(base *unstructured.Unstructured, apiVersion, kind, name string) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{Object: map[string]any{}}
	if base != nil {
		obj = base.DeepCopy()
		obj.SetManagedFields(nil)
	}
	obj.SetAPIVersion(apiVersion)
	obj.SetKind(kind)
	obj.SetNamespace(o.Workload.Namespace)
	obj.SetName(name)
	labels := obj.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	for k, v := range Labels(o.Workload) {
		labels[k] = v
	}
	obj.SetLabels(labels)
	return obj
}
