package actuate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/tidegate/tidegate/internal/actuate"
	"github.com/tidegate/tidegate/internal/catalog"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/preflight"
	"github.com/tidegate/tidegate/internal/sandbox"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/sandbox/service"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
	"github.com/tidegate/tidegate/internal/traffic/gatewayapi"
	"github.com/tidegate/tidegate/strategies"
)

const objects = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout, namespace: shop, labels: {app: checkout}, annotations: {team: red}}
spec:
  replicas: 3
  selector: {matchLabels: {app: checkout}}
  template:
    metadata: {labels: {app: checkout}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: app
        image: checkout:v1
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /healthz, port: http}}
---
apiVersion: v1
kind: Service
metadata: {name: checkout, namespace: shop}
spec: {selector: {app: checkout}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: checkout, namespace: shop, labels: {app: checkout}}
spec:
  parentRefs: [{name: sandbox, namespace: default}]
  hostnames: [checkout.local]
  rules:
  - name: main
    backendRefs: [{name: checkout, port: 80}]
`

const hpa = `
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: checkout, namespace: shop}
spec:
  minReplicas: 2
  maxReplicas: 10
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: checkout}
`

// keda has no minReplicaCount: KEDA's own is 0.
const keda = `
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: checkout, namespace: shop}
spec: {scaleTargetRef: {name: checkout}, maxReplicaCount: 10, triggers: [{type: cpu, metadata: {value: "50"}}]}
`

const deploySpec = `
apiVersion: tidegate.dev/v1
kind: Deploy
metadata: {name: checkout}
spec:
  workload: @KIND@/checkout
  namespace: shop
  traffic: {gatewayAPI: {httpRoute: checkout}}
  strategy: @STRATEGY@
`

const canary = "{canary: {steps: [34%], hold: 5s, drain: 2s}}"

var (
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	services    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	pods        = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	routes      = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}
	hpas        = schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"}
	scaled      = schema.GroupVersionResource{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"}
)

// world is an embedded cluster with an actuator for a canary of its workload.
type world struct {
	*actuate.Actuator
	cluster *sandbox.Cluster
	objects plan.Objects
	client  *kube.Client
	scene   *kube.Scene

	mu   sync.Mutex
	told []string
}

const progress = time.Minute

// inWorld runs a test with the user's objects, an actuator for a canary that brings image, and pods that are ready.
func inWorld(t *testing.T, manifests, image string, test func(t *testing.T, w *world)) {
	t.Helper()
	inWorldOf(t, canary, manifests, image, test)
}

// inWorldOf is inWorld with another strategy.
func inWorldOf(t *testing.T, strategy, manifests, image string, test func(t *testing.T, w *world)) {
	t.Helper()
	inWorldWith(t, "deployment", strategy, manifests, image, test)
}

// inWorldWith is inWorldOf with another kind of workload.
func inWorldWith(t *testing.T, kind, strategy, manifests, image string, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cluster, err := sandbox.Start(context.WithoutCancel(t.Context()), sandbox.Options{CPU: "4", Nodes: 3, Images: map[string]service.Config{
			"checkout:v1": {Version: "v1"}, "checkout:v2": {Version: "v2"}, "checkout:v3": {Version: "v3"},
			"checkout:crash": {Version: "crash", Crash: true}, "checkout:unready": {Version: "unready", Unready: true},
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := cluster.Close(); err != nil {
				t.Error(err)
			}
		}()
		if err := cluster.Apply(t.Context(), manifests); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		ctx, end := context.WithCancel(t.Context())
		defer end()
		test(t, newWorld(ctx, t, cluster, kind, strategy, image))
	})
}

func newWorld(ctx context.Context, t *testing.T, cluster *sandbox.Cluster, kind, strategy, image string) *world {
	t.Helper()
	d, err := dynamic.NewForConfig(cluster.Config())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{cluster: cluster, client: kube.New(d, clock.Real{}, nil)}
	logs, err := kube.NewRESTLogs(cluster.Config())
	if err != nil {
		t.Fatal(err)
	}
	w.client.WithLogs(logs)
	text := strings.NewReplacer("@STRATEGY@", strategy, "@KIND@", kind).Replace(deploySpec)
	if strategy == replicas {
		text = strings.Replace(text, "  traffic: {gatewayAPI: {httpRoute: checkout}}\n", "", 1)
	}
	file, err := spec.Load([]byte(text), spec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	observed, err := preflight.Observe(ctx, w.client, file.Deploys[0], "shop")
	if err != nil {
		t.Fatal(err)
	}
	compiler, err := catalog.Strategy(file.Deploys[0].Spec.Strategy)
	if err != nil {
		t.Fatal(err)
	}
	p, err := compiler.Compile(strategies.Input{Deploy: file.Deploys[0], Baseline: observed.Baseline, Images: map[string]string{"app": image}})
	if err != nil {
		t.Fatal(err)
	}
	w.objects, w.scene = p.Objects, w.client.NewScene(ctx)
	var router traffic.Router
	if t := p.Objects.Traffic; t != nil {
		router = traffic.New(w.client, w.scene, "checkout", gatewayapi.Kind{}, *t)
	}
	w.Actuator = actuate.New(ctx, actuate.Options{
		Client: w.client, Clock: clock.Real{}, Scene: w.scene, Objects: p.Objects, Rollout: "one", Progress: progress,
		Router: router,
		Tell: func(text string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.told = append(w.told, text)
		},
	})
	return w
}

// do applies ops that must succeed.
func (w *world) do(t *testing.T, ops ...plan.Op) {
	t.Helper()
	for _, op := range ops {
		if err := w.Apply(t.Context(), op); err != nil {
			t.Fatalf("%s: %v", op, err)
		}
	}
}

// refuses applies an op that must fail as a release that cannot go on, with a text that has all of want.
func (w *world) refuses(t *testing.T, op plan.Op, want ...string) {
	t.Helper()
	err := w.Apply(t.Context(), op)
	var step *engine.StepError
	if !errors.As(err, &step) {
		t.Fatalf("%s: error %v (%T)", op, err, err)
	}
	for _, text := range want {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error does not tell %q:\n%v", text, err)
		}
	}
}

func (w *world) get(gvr schema.GroupVersionResource, name string) *unstructured.Unstructured {
	return w.cluster.API().Store().Peek(gvr.GroupResource(), "shop", name)
}

// change lets the user write an object.
func (w *world) change(t *testing.T, gvr schema.GroupVersionResource, name string, change func(o map[string]any)) {
	t.Helper()
	ok, err := w.cluster.API().Mutate(gvr, apiserver.Key{Namespace: "shop", Name: name}, func(o map[string]any) {
		u := (&unstructured.Unstructured{Object: o}).DeepCopy()
		change(u.Object)
		for k, v := range u.Object {
			o[k] = v
		}
	})
	if err != nil || !ok {
		t.Fatalf("change %s: %t, %v", name, ok, err)
	}
}

// image gives a Deployment another image, as somebody with kubectl would.
func (w *world) image(t *testing.T, name, image string) {
	t.Helper()
	w.change(t, deployments, name, func(o map[string]any) {
		containers, _, _ := unstructured.NestedSlice(o, "spec", "template", "spec", "containers")
		containers[0].(map[string]any)["image"] = image
		_ = unstructured.SetNestedSlice(o, containers, "spec", "template", "spec", "containers")
	})
}

func imageOf(o *unstructured.Unstructured) string {
	containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
	return containers[0].(map[string]any)["image"].(string)
}

// weights are what the route's rule gives each Service.
func (w *world) weights() string {
	rules, _, _ := unstructured.NestedSlice(w.get(routes, "checkout").Object, "spec", "rules")
	var all []string
	for _, ref := range rules[0].(map[string]any)["backendRefs"].([]any) {
		m := ref.(map[string]any)
		all = append(all, fmt.Sprintf("%v=%v", m["name"], m["weight"]))
	}
	return strings.Join(all, " ")
}

func field(o *unstructured.Unstructured, path ...string) any {
	v, _, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
	return v
}

// wantOurs asserts whether an object carries a mark of ours, in annotations or in managedFields.
func wantOurs(t *testing.T, o *unstructured.Unstructured, want bool) {
	t.Helper()
	_, marked := o.GetAnnotations()[kube.OriginalMark("checkout")]
	owned := false
	for _, e := range o.GetManagedFields() {
		owned = owned || e.Manager == kube.Manager && e.Subresource == ""
	}
	if marked != want || owned != want {
		t.Errorf("%s: marked %t, owned %t; want %t", o.GetKind(), marked, owned, want)
	}
}

// The ops of the tests, in the words of the plan.
var (
	ensure       = plan.Op{Kind: plan.EnsureCandidate, Weight: 34 * plan.OnePercent, MinPods: 1}
	full         = plan.Op{Kind: plan.ScaleCandidate, Weight: plan.All, MinPods: 1}
	split        = plan.Op{Kind: plan.SetSplit, Weight: 34 * plan.OnePercent, MinPods: 1}
	splitAll     = plan.Op{Kind: plan.SetSplit, Weight: plan.All, MinPods: 1}
	toBase       = plan.Op{Kind: plan.SetSplit}
	toBaseStrict = plan.Op{Kind: plan.SetSplit, Strict: true}
	hold         = plan.Op{Kind: plan.HoldScaler}
	release      = plan.Op{Kind: plan.ReleaseScaler}
	roll         = plan.Op{Kind: plan.RollBase, Version: plan.Candidate}
	rollBack     = plan.Op{Kind: plan.RollBase, Version: plan.Base}
	releaseBase  = plan.Op{Kind: plan.ReleaseBase}
	remove       = plan.Op{Kind: plan.RemoveCandidate}
)

// leaves wants an op to leave what somebody else wrote, and to say so.
func (w *world) leaves(t *testing.T, op plan.Op, says ...string) {
	t.Helper()
	err := w.Apply(t.Context(), op)
	var left *engine.LeftError
	if !errors.As(err, &left) {
		t.Errorf("%s: error %v", op, err)
		return
	}
	for _, text := range says {
		if !strings.Contains(left.Error(), text) {
			t.Errorf("%s: the error does not say %q: %v", op, text, left)
		}
	}
}
