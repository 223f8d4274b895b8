package preflight

import (
	"context"
	"net/http"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/tidegate/tidegate/internal/catalog"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
)

// healthy is a cluster in which nothing is found.
const healthy = `
workload:
  apiVersion: apps/v1
  kind: Deployment
  metadata: {name: checkout, namespace: shop, generation: 1, labels: {app: checkout}}
  spec:
    replicas: 4
    selector: {matchLabels: {app: checkout}}
    template:
      metadata: {labels: {app: checkout, team: pay}}
      spec:
        terminationGracePeriodSeconds: 30
        containers:
        - name: checkout
          image: checkout:v1
          ports: [{containerPort: 8080}]
          readinessProbe: {httpGet: {path: /ready, port: 8080}}
          lifecycle: {preStop: {sleep: {seconds: 5}}}
          resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 64Mi}}
  status: {observedGeneration: 1, replicas: 4, updatedReplicas: 4, readyReplicas: 4, availableReplicas: 4}
service:
  apiVersion: v1
  kind: Service
  metadata: {name: checkout, namespace: shop}
  spec: {selector: {app: checkout}, ports: [{port: 80, targetPort: 8080}]}
route:
  apiVersion: gateway.networking.k8s.io/v1
  kind: HTTPRoute
  metadata: {name: checkout, namespace: shop, generation: 1}
  spec:
    parentRefs: [{name: web, namespace: gateways}]
    rules:
    - name: api
      backendRefs: [{name: checkout, port: 80}]
  status:
    parents:
    - controllerName: example.com/gateway
      parentRef: {name: web, namespace: gateways, group: gateway.networking.k8s.io, kind: Gateway}
      conditions:
      - {type: Accepted, status: "True", observedGeneration: 1}
      - {type: ResolvedRefs, status: "True", observedGeneration: 1}
class:
  apiVersion: gateway.networking.k8s.io/v1
  kind: GatewayClass
  metadata: {name: web}
  spec: {controllerName: example.com/gateway}
  status: {supportedFeatures: [{name: HTTPRoute}, {name: Gateway}]}
`

// world is a cluster that a test changes before it is observed.
type world struct {
	t       *testing.T
	objects map[string]plan.Object
	deploy  spec.Deploy
	server  *apiserver.Server
	client  *kube.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, objects: map[string]plan.Object{}}
	for key, o := range parse(t, healthy) {
		w.objects[key] = o.(map[string]any)
	}
	w.deploy = spec.Deploy{APIVersion: spec.APIVersion, Kind: spec.Kind, Metadata: spec.Metadata{Name: "checkout"}}
	w.deploy.Spec.Workload = spec.Workload{Kind: spec.KindDeployment, Name: "checkout"}
	w.deploy.Spec.Traffic = &spec.Traffic{GatewayAPI: &spec.GatewayAPI{HTTPRoute: "checkout"}}
	w.deploy.Spec.Strategy.Canary = &spec.Canary{Steps: []spec.Step{{Weight: 10 * spec.OnePercent}}, MinPods: 1}
	return w
}

// parse reads YAML with whole numbers as int64.
func parse(t *testing.T, text string) plan.Object {
	t.Helper()
	var o map[string]any
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return whole(o).(map[string]any)
}

func whole(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = whole(v[key])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	case float64:
		if n := int64(v); float64(n) == v {
			return n
		}
	}
	return v
}

// patch merges YAML into an object of the world: maps are merged, everything else replaced.
func (w *world) patch(key, text string) {
	w.t.Helper()
	merge(w.objects[key], parse(w.t, text))
}

func merge(into, from map[string]any) {
	for key, v := range from {
		old, isMap := into[key].(map[string]any)
		if next, ok := v.(map[string]any); ok && isMap {
			merge(old, next)
			continue
		}
		if v == nil {
			delete(into, key)
			continue
		}
		into[key] = v
	}
}

// add puts another object into the world.
func (w *world) add(text string) {
	w.t.Helper()
	o := parse(w.t, text)
	w.objects[textAt(o, "kind")+"/"+nameOf(o)] = o
}

// container changes the first container of the workload.
func (w *world) container(text string) {
	w.t.Helper()
	merge(listAt(w.objects["workload"], "spec", "template", "spec", "containers")[0], parse(w.t, text))
}

// start serves the world.
func (w *world) start() {
	w.t.Helper()
	w.server = apiserver.New(apiserver.Options{})
	w.t.Cleanup(w.server.Close)
	namespaces := schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	for _, name := range []string{"shop", "front"} {
		w.store(namespaces, plan.Object{"apiVersion": "v1", "kind": "Namespace", "metadata": plan.Object{"name": name}})
	}
	for _, key := range sortedKeys(w.objects) {
		o := w.objects[key]
		w.store(kube.GVR(textAt(o, "apiVersion"), textAt(o, "kind")), o)
	}
	w.connect(w.server.RoundTripper())
}

// connect makes the client.
func (w *world) connect(transport http.RoundTripper) {
	w.t.Helper()
	d, err := dynamic.NewForConfig(&rest.Config{Host: "http://embedded", Transport: transport, QPS: -1})
	if err != nil {
		w.t.Fatal(err)
	}
	w.client = kube.New(d, clock.Real{}, nil)
}

func (w *world) store(gvr schema.GroupVersionResource, o plan.Object) {
	w.t.Helper()
	if _, err := w.server.Create(gvr, o); err != nil {
		w.t.Fatalf("%s: %v", plan.RefOf(o), err)
	}
}

func (w *world) observe() (Observed, error) {
	w.t.Helper()
	if w.server == nil {
		w.start()
	}
	return Observe(w.t.Context(), w.client, w.deploy, "shop")
}

// compiled observes and compiles.
func (w *world) compiled() (Observed, strategies.Input, plan.Plan) {
	w.t.Helper()
	o, err := w.observe()
	if err != nil {
		w.t.Fatal(err)
	}
	in := strategies.Input{Deploy: w.deploy, Baseline: o.Baseline, Images: map[string]string{"checkout": "checkout:v2"}}
	strategy, err := catalog.Strategy(w.deploy.Spec.Strategy)
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := strategy.Compile(in)
	if err != nil {
		w.t.Fatal(err)
	}
	return o, in, p
}

func (w *world) check(opts Options) (Findings, error) {
	w.t.Helper()
	o, in, p := w.compiled()
	return Check(w.t.Context(), w.client, o, in, p, opts)
}

func (w *world) calls() (sum int) {
	for _, n := range w.server.Calls() {
		sum += n
	}
	return sum
}

func cancelled(t *testing.T, cause error) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	return ctx, func() { cancel(nil) }
}
