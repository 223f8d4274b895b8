package app_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/sandbox/service"
	"github.com/tidegate/tidegate/internal/spec"
)

const size = 3

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
      terminationGracePeriodSeconds: 2
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
    filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: X-Rule, value: main}]}}]
    backendRefs: [{name: checkout, port: 80}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: checkout, namespace: shop}
spec:
  minReplicas: 2
  maxReplicas: 10
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: checkout}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}]
`

const deploySpec = `
apiVersion: tidegate.dev/v1
kind: Deploy
metadata: {name: checkout}
spec:
  workload: @KIND@/checkout
  namespace: shop
  @TRAFFIC@
  strategy: @STRATEGY@
  progressDeadline: 1m
`

// kind is a strategy of the spec with what must hold after every write, whatever else happens.
type kind struct {
	strategy string
	check    func(w *world)
	outage   bool                // requests may be lost
	objects  func(string) string // changes the user's objects; nil for none
	staff    bool                // every second request is the ring's
	browsers int                 // users who keep cookies, and send the requests by turns
	unrouted bool                // the spec names no route
	traffic  *spec.Traffic       // another router than the Gateway API's
	stays    bool                // nobody ever meets the new version: the base has every request, and keeps it
	staged   bool                // several rollouts, one after the other
	workload string              // the kind of the workload, as a spec has it; a Deployment when empty
}

// resource is the workload's.
func (s kind) resource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: cmp.Or(s.workload, "deployment") + "s"}
}

func canary() kind {
	return kind{strategy: "{canary: {steps: [10%, 50%], hold: 5s}}", check: (*world).splitsPointAtReadyPods}
}

// The user's objects that a rollout touches.
var (
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	services    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	routes      = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}
	scalers     = schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"}
	pods        = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
)

// world is an embedded cluster with the user's objects and users' requests, in virtual time.
type world struct {
	t       *testing.T
	kind    kind
	cluster *sandbox.Cluster
	before  map[schema.GroupVersionResource]*unstructured.Unstructured

	mu       sync.Mutex
	problems []string
	answers  int
	lost     []time.Time
	relaxed  bool
	stop     context.CancelFunc
	stopped  chan struct{}
}

// inWorld runs a test in a bubble of virtual time, with a canary.
func inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	canary().inWorld(t, test)
}

func (s kind) inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, s)
		defer w.close()
		test(w)
	})
}

func newWorld(t *testing.T, k kind) *world {
	t.Helper()
	cluster, err := sandbox.Start(context.Background(), sandbox.Options{Nodes: size, Images: map[string]service.Config{
		"checkout:v1": {Version: "v1"}, "checkout:v2": {Version: "v2"}, "checkout:v3": {Version: "v3"},
		"checkout:rude": {Version: "rude", Rude: true}, "checkout:crash": {Version: "crash", Crash: true}, "checkout:unready": {Version: "unready", Unready: true},
		"checkout:slow": {Version: "slow", Delay: 5 * time.Second},
	}})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, kind: k, cluster: cluster, before: map[schema.GroupVersionResource]*unstructured.Unstructured{}, stopped: make(chan struct{})}
	text := objects
	if k.objects != nil {
		text = k.objects(text)
	}
	if err := cluster.Apply(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Second)
	for _, gvr := range []schema.GroupVersionResource{k.resource(), services, routes, scalers} {
		if o := w.get(gvr, "checkout"); o != nil {
			w.before[gvr] = o
		}
	}
	cluster.API().OnWrite(func(apiserver.Write) { w.check() })
	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	go w.users(ctx)
	return w
}

func (w *world) close() {
	w.stop()
	<-w.stopped
	if err := w.cluster.Close(); err != nil {
		w.t.Error(err)
	}
	for i, p := range w.problems {
		if i == 3 {
			w.t.Errorf("… and %d more", len(w.problems)-3)
			break
		}
		w.t.Error(p)
	}
}

func (w *world) get(gvr schema.GroupVersionResource, name string) *unstructured.Unstructured {
	return w.cluster.API().Store().Peek(gvr.GroupResource(), "shop", name)
}

// users send a request every 100 ms. None may be lost.
func (w *world) users(ctx context.Context) {
	defer close(w.stopped)
	browsers := newBrowsers(w.kind.browsers)
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
		r := httptest.NewRequest(http.MethodGet, "http://checkout.local/", nil)
		if w.kind.staff && n%2 == 1 {
			r.Header.Set("X-Staff", "1")
		}
		answer, asked := httptest.NewRecorder(), time.Now()
		if turn := n % (len(browsers) + 1); turn < len(browsers) { // the last one of each round keeps none
			answer = browsers[turn].ask(w)
		} else {
			w.cluster.Gateway().ServeHTTP(answer, r)
		}
		w.mu.Lock()
		w.answers++
		if took := time.Since(asked); w.kind.stays && took > time.Second {
			w.problem("request %d took %s", n, took)
		}
		if got := answer.Header().Get(service.VersionHeader); w.kind.stays && answer.Code == http.StatusOK && got != "v1" {
			w.problem("request %d was answered by %q", n, got)
		}
		if answer.Code != http.StatusOK {
			w.lost = append(w.lost, time.Now())
		}
		if answer.Code != http.StatusOK && !w.kind.outage {
			w.problem("request %d: %d %s", n, answer.Code, strings.TrimSpace(answer.Body.String()))
		}
		w.mu.Unlock()
	}
}

// problem needs w.mu.
func (w *world) problem(format string, args ...any) {
	w.problems = append(w.problems, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// check asserts what must hold at any moment.
func (w *world) check() {
	w.mu.Lock()
	relaxed := w.relaxed
	w.mu.Unlock()
	if !relaxed {
		w.kind.check(w)
	}
}

// relax ends the checks of the world's kind.
func (w *world) relax() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.relaxed = true
}

// splitsPointAtReadyPods: the split points only at sides that are ready at the size they must carry.
func (w *world) splitsPointAtReadyPods() {
	route := w.get(routes, "checkout")
	if route == nil {
		return
	}
	weights := backendWeights(route)
	total := weights["checkout"] + weights["checkout-candidate"]
	ready := w.ready()
	w.mu.Lock()
	defer w.mu.Unlock()
	for side, weight := range weights {
		need := int((weight*size + total - 1) / total)
		if weight > 0 && ready[side] < need {
			w.problem("%d of %d requests go to %s, which has %d ready pods, not %d", weight, total, side, ready[side], need)
		}
	}
}

func (w *world) ready() map[string]int {
	count := map[string]int{}
	for _, p := range w.cluster.API().Store().View(pods.GroupResource(), "shop") {
		conditions, _, _ := unstructured.NestedSlice(p.Object, "status", "conditions")
		for _, c := range conditions {
			if m := c.(map[string]any); m["type"] == "Ready" && m["status"] == "True" && p.GetDeletionTimestamp() == nil {
				count[p.GetLabels()["app"]]++
			}
		}
	}
	return count
}

func backendWeights(route *unstructured.Unstructured) map[string]int64 {
	weights := map[string]int64{}
	rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
	for _, r := range rules {
		if isRing(r) {
			continue
		}
		refs, _, _ := unstructured.NestedSlice(r.(map[string]any), "backendRefs")
		for _, ref := range refs {
			m := ref.(map[string]any)
			weights[m["name"].(string)], _ = m["weight"].(int64)
		}
	}
	return weights
}

// options are those of a run of its own, with a transport that the test may break.
func (w *world) options(image string, wrap func(http.RoundTripper) http.RoundTripper) app.Options {
	traffic := "traffic: {gatewayAPI: {httpRoute: checkout}}"
	if w.kind.unrouted {
		traffic = ""
	}
	file, err := spec.Load([]byte(strings.NewReplacer("@TRAFFIC@", traffic, "@STRATEGY@", w.kind.strategy,
		"@KIND@", cmp.Or(w.kind.workload, "deployment")).Replace(deploySpec)), spec.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	if w.kind.traffic != nil {
		file.Deploys[0].Spec.Traffic = w.kind.traffic
	}
	return app.Options{
		Deploy: file.Deploys[0], Images: map[string]string{"": image}, Config: w.cluster.Config(), Holder: "test", Clock: clock.Real{},
		Getenv: func(string) (string, bool) { return "", false }, Warn: func(string) {}, Wrap: wrap,
	}
}

// final is the image of the base once a rollout has brought another one.
func (s kind) final(image string) string {
	if s.stays {
		return "checkout:v1"
	}
	return image
}

// want asserts what stands at the end: the user's objects as they were but for the image, and nothing of ours.
func (w *world) want(image string) {
	w.t.Helper()
	time.Sleep(10 * time.Second) // the last pods end
	w.check()
	for gvr, before := range w.before {
		now := w.get(gvr, "checkout")
		if now == nil {
			w.t.Errorf("%s is gone", gvr.Resource)
			continue
		}
		w.wantSame(gvr, before, now, image)
	}
	for _, gvr := range []schema.GroupVersionResource{w.kind.resource(), services, routes} {
		if all := w.cluster.API().Store().View(gvr.GroupResource(), "shop"); len(all) != 1 {
			w.t.Errorf("%d %s are left, want one", len(all), gvr.Resource)
		}
	}
	if got := w.ready(); got["checkout"] != size || len(got) != 1 {
		w.t.Errorf("ready pods by app: %v", got)
	}
}

func (w *world) wantSame(gvr schema.GroupVersionResource, before, now *unstructured.Unstructured, image string) {
	w.t.Helper()
	want, got := before.DeepCopy(), now.DeepCopy()
	if gvr == w.kind.resource() {
		containers, _, _ := unstructured.NestedSlice(want.Object, "spec", "template", "spec", "containers")
		containers[0].(map[string]any)["image"] = image
		_ = unstructured.SetNestedSlice(want.Object, containers, "spec", "template", "spec", "containers")
	}
	for _, o := range []*unstructured.Unstructured{want, got} {
		annotations := o.GetAnnotations()
		delete(annotations, "deployment.kubernetes.io/revision")
		o.SetAnnotations(annotations)
	}
	for _, field := range []string{"labels", "annotations"} {
		if a, b := plan.Digest(nested(want, "metadata", field)), plan.Digest(nested(got, "metadata", field)); a != b {
			w.t.Errorf("%s: %s are %v, were %v", gvr.Resource, field, nested(got, "metadata", field), nested(want, "metadata", field))
		}
	}
	if plan.Digest(want.Object["spec"]) != plan.Digest(got.Object["spec"]) {
		w.t.Errorf("%s: spec is\n%v, want\n%v", gvr.Resource, got.Object["spec"], want.Object["spec"])
	}
	for _, e := range now.GetManagedFields() {
		if e.Manager == "tidegate" {
			w.t.Errorf("%s: tidegate is left in managedFields", gvr.Resource)
		}
	}
}

func nested(o *unstructured.Unstructured, path ...string) any {
	v, _, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
	return v
}

// image is what the base's template says.
func (w *world) image() string { return imageOf(w.get(w.kind.resource(), "checkout")) }

func imageOf(workload *unstructured.Unstructured) string {
	containers, _, _ := unstructured.NestedSlice(workload.Object, "spec", "template", "spec", "containers")
	return containers[0].(map[string]any)["image"].(string)
}
