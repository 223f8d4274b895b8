package contract

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
)

const sides = `
apiVersion: v1
kind: Namespace
metadata: {name: @namespace, labels: {tidegate-e2e: "true"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: @namespace}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: app, image: "@v1", ports: [{name: http, containerPort: 8080}], readinessProbe: {httpGet: {path: /healthz, port: 8080}}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-candidate, namespace: @namespace}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop-candidate}}
  template:
    metadata: {labels: {app: shop-candidate}}
    spec: {containers: [{name: app, image: "@v2", ports: [{name: http, containerPort: 8080}], readinessProbe: {httpGet: {path: /healthz, port: 8080}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: @namespace}
spec: {selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop-candidate, namespace: @namespace}
spec: {selector: {app: shop-candidate}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: admin, namespace: @namespace}
spec: {selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
`

const workload = "shop"

// world is a cluster with both sides, the user's objects, and the router.
type world struct {
	Case
	Place
	client  *kube.Client
	scene   *kube.Scene
	router  *traffic.Driver
	traffic plan.Traffic
	// before are the user's routes as they were.
	before []plan.Object
}

func inWorld(t *testing.T, c Case, p Place, test func(t *testing.T, w *world)) {
	fill := strings.NewReplacer("@namespace", p.Namespace(), "@host", p.Host(), "@gateway", p.Gateway(), "@v1", p.Image("v1"), "@v2", p.Image("v2"))
	if err := p.Apply(t.Context(), fill.Replace(sides+c.Objects)); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	d, err := dynamic.NewForConfig(p.Config())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Case: c, Place: p, client: kube.New(d, clock.Real{}, nil)}
	w.scene = w.client.NewScene(ctx)
	for _, name := range []string{Base, Candidate} {
		w.ready(t, kube.DeploymentRef(p.Namespace(), name))
	}
	w.inSight(t)
	w.observe(t)
	test(t, w)
	w.restore(t) // for the next one
}

// ready waits for the pods of one side.
func (w *world) ready(t *testing.T, ref plan.Ref) {
	t.Helper()
	for range 300 {
		if kube.WorkloadRollout(&unstructured.Unstructured{Object: w.get(t, ref)}).Done() {
			return
		}
		pass(t, 200*time.Millisecond)
	}
	t.Fatalf("%s is not ready after a minute", ref)
}

// inSight waits until the gateway serves the host.
func (w *world) inSight(t *testing.T) {
	t.Helper()
	for range 300 {
		if code, _, _ := w.user().ask(t); code == http.StatusOK || w.Unheard {
			break
		}
		pass(t, 200*time.Millisecond)
	}
	pass(t, time.Second)
}

// observe finds the routes as preflight does, and makes what the router asks for as the candidate's step does.
func (w *world) observe(t *testing.T) {
	t.Helper()
	w.traffic = plan.Traffic{Router: w.Kind.Name(), Namespace: w.Namespace(), Base: Base, Candidate: Candidate, Rules: w.Spec.RuleNames()}
	for _, ref := range w.Kind.Routes(w.Spec, w.Namespace()) {
		w.before = append(w.before, w.get(t, ref))
	}
	if finder, ok := w.Kind.(traffic.Finder); ok {
		all := w.before
		for _, list := range finder.Lists(w.Spec) {
			items, err := w.client.List(t.Context(), list.APIVersion, list.Kind, w.Namespace(), "")
			if err != nil {
				t.Fatal(err)
			}
			for i := range items {
				all = append(all, items[i].Object)
			}
		}
		further, err := finder.Find(w.Spec, w.before, all)
		if err != nil {
			t.Fatal(err)
		}
		w.before = append(w.before, further...)
	}
	for _, o := range w.before {
		w.traffic.Routes = append(w.traffic.Routes, plan.RefOf(o))
	}
	if maker, ok := w.Kind.(traffic.Maker); ok {
		w.make(t, maker)
	}
	w.router = traffic.New(w.client, w.scene, workload, w.Kind, w.traffic)
	pass(t, time.Second)
}

func (w *world) make(t *testing.T, maker traffic.Maker) {
	t.Helper()
	can := w.can()
	most := plan.Split{Weight: plan.All}
	if can.Matches {
		most.Ring = staff()
	}
	if can.Cohorts {
		most.Cohorts = groups(0)
	}
	if can.Mirror {
		most.Mirror = plan.All
	}
	service := w.get(t, kube.ServiceRef(w.Namespace(), Base))
	made, err := maker.Make(&w.traffic, plan.Baseline{Service: service, Routes: w.before, Features: w.Features}, most)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range made {
		if _, err := w.client.Apply(t.Context(), o); err != nil {
			t.Fatalf("make %s: %v", plan.RefOf(o), err)
		}
	}
}

func (w *world) get(t *testing.T, ref plan.Ref) plan.Object {
	t.Helper()
	o, err := w.client.Get(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return o.Object
}

// set puts a split in force.
func (w *world) set(t *testing.T, s plan.Split) {
	t.Helper()
	if err := w.router.Set(t.Context(), w.traffic, s); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	w.inForce(t)
}

func (w *world) restore(t *testing.T) {
	t.Helper()
	if err := w.router.Restore(t.Context(), w.traffic, w.before); err != nil {
		t.Fatal(err)
	}
	w.inForce(t)
}

func (w *world) inForce(t *testing.T) {
	t.Helper()
	if w.Unheard {
		pass(t, 300*time.Millisecond) // until the watch has told; nobody writes their status, or follows
		return
	}
	if err := w.router.InForce(t.Context(), w.traffic); err != nil {
		t.Fatal(err)
	}
	pass(t, 2*time.Second) // the guard
}

// user is somebody with a browser, who keeps cookies.
type user struct {
	w      *world
	jar    map[string]string
	header http.Header
}

func (w *world) user(header ...string) *user {
	u := &user{w: w, jar: map[string]string{}, header: http.Header{}}
	for i := 0; i+1 < len(header); i += 2 {
		u.header.Set(header[i], header[i+1])
	}
	return u
}

// visit sends one request and gives the version that answered. Everything but 200 fails the test.
func (u *user) visit(t *testing.T) string {
	t.Helper()
	code, version, _ := u.ask(t)
	if code != http.StatusOK {
		t.Fatalf("answered %d", code)
	}
	return version
}

// ask sends one request with the user's cookies, and keeps those that come back.
func (u *user) ask(t *testing.T) (code int, version string, cookies []*http.Cookie) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+u.w.Host()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range u.header {
		r.Header[name] = values
	}
	for name, value := range u.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value}) //nolint:gosec // a request's cookie has no attributes
	}
	answer, err := u.w.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range answer.Cookies() {
		u.jar[c.Name] = c.Value
	}
	return answer.StatusCode, strings.TrimSpace(string(body)), answer.Cookies()
}

// sees counts the versions that answer n requests of strangers.
func (w *world) sees(t *testing.T, n int) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for range n {
		seen[w.user().visit(t)]++
	}
	return seen
}

// within tells whether k of n is what a share p gives, but for one draw of 10,000 (about four standard deviations).
func within(k, n int, p plan.Share) bool {
	share := float64(p) / float64(plan.All)
	return math.Abs(float64(k)-share*float64(n)) <= 3.9*math.Sqrt(float64(n)*share*(1-share))+1e-9
}

// answered is how many requests the pods of a Deployment have answered.
func (w *world) answered(t *testing.T, deployment string) float64 {
	t.Helper()
	pass(t, 6*time.Second) // scrapes
	n, err := w.Answered(t.Context(), deployment)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// bare is an object without what the server counts and who wrote what when.
func bare(o plan.Object) plan.Object {
	u := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(o)}
	for _, field := range []string{"resourceVersion", "generation", "managedFields"} {
		unstructured.RemoveNestedField(u.Object, "metadata", field)
	}
	delete(u.Object, "status")
	return u.Object
}

// managers are those who own fields of an object.
func managers(o plan.Object) []string {
	var names []string
	u := &unstructured.Unstructured{Object: o}
	for _, entry := range u.GetManagedFields() {
		names = append(names, entry.Manager)
	}
	return names
}

func text(v any) string {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// pass lets virtual time pass.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	if err := clock.Sleep(t.Context(), clock.Real{}, d); err != nil {
		t.Fatal(err)
	}
}
