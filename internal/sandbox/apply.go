package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"

	"github.com/tidegate/tidegate/internal/sandbox/controllers"
)

// Applier is the field manager of what Apply writes: the user's files.
const Applier = "kubectl"

// Apply writes the objects of a YAML stream, as kubectl apply --server-side does. An object without a namespace goes to
// default. The first object that is refused ends it.
func (c *Cluster) Apply(ctx context.Context, manifests string) error {
	client, err := dynamic.NewForConfig(c.Config())
	if err != nil {
		return err
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(manifests)), 4096)
	for {
		o := &unstructured.Unstructured{}
		if err := decoder.Decode(&o.Object); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("the manifests are not YAML: %w", err)
		}
		if len(o.Object) == 0 {
			continue
		}
		if err := c.applyOne(ctx, client, o); err != nil {
			return fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
}

func (c *Cluster) applyOne(ctx context.Context, client dynamic.Interface, o *unstructured.Unstructured) error {
	gvr, cluster, ok := c.api.Lookup(o.GroupVersionKind())
	if !ok {
		return errors.New("the sandbox has no such kind")
	}
	var r dynamic.ResourceInterface = client.Resource(gvr)
	if !cluster {
		if o.GetNamespace() == "" {
			o.SetNamespace("default")
		}
		r = client.Resource(gvr).Namespace(o.GetNamespace())
	}
	_, err := r.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: Applier, Force: true})
	return err
}

// furnish makes what every cluster has.
func (c *Cluster) furnish(o Options) error {
	gateway := func(plural string) schema.GroupVersionResource {
		return schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: plural}
	}
	size := map[string]any{"cpu": o.CPU, "memory": o.Memory, "pods": "500"}
	for i := range o.Nodes - 1 {
		more := map[string]any{"name": fmt.Sprintf("%s-%d", controllers.NodeName, i+2)}
		if _, err := c.api.Create(schema.GroupVersionResource{Version: "v1", Resource: "nodes"}, node(more, size)); err != nil {
			return fmt.Errorf("furnish a node: %w", err)
		}
	}
	for _, f := range []struct {
		gvr    schema.GroupVersionResource
		object map[string]any
	}{
		{schema.GroupVersionResource{Version: "v1", Resource: "nodes"}, node(map[string]any{"name": controllers.NodeName}, size)},
		{gateway("gatewayclasses"), map[string]any{
			"metadata": map[string]any{"name": "sandbox"}, "spec": map[string]any{"controllerName": controllers.GatewayController},
		}},
		{gateway("gateways"), map[string]any{
			"metadata": map[string]any{"name": "sandbox", "namespace": "default"},
			"spec": map[string]any{"gatewayClassName": "sandbox", "listeners": []any{map[string]any{
				"name": "http", "port": int64(80), "protocol": "HTTP",
				"allowedRoutes": map[string]any{"namespaces": map[string]any{"from": "All"}},
			}}},
		}},
	} {
		if _, err := c.api.Create(f.gvr, f.object); err != nil && c.api.Has(f.gvr) {
			return fmt.Errorf("furnish %s: %w", f.gvr.Resource, err)
		}
	}
	return nil
}

func node(meta, size map[string]any) map[string]any {
	return map[string]any{
		"metadata": meta, "spec": map[string]any{},
		"status": map[string]any{
			"allocatable": size, "capacity": size,
			"conditions": []any{map[string]any{"type": "Ready", "status": "True", "reason": "KubeletReady"}},
		},
	}
}
