package sandbox_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/tidegate/tidegate/internal/sandbox"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/sandbox/service"
)

var (
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	pods        = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	events      = schema.GroupVersionResource{Version: "v1", Resource: "events"}
)

func images() map[string]service.Config {
	return map[string]service.Config{
		"app:v1": {Version: "v1"}, "app:v2": {Version: "v2"}, "app:bad": {Version: "bad", ErrorRate: 0.5},
		"app:unready": {Version: "unready", Unready: true}, "app:crash": {Version: "crash", Crash: true},
	}
}

func deployment(name, image string, replicas int) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  replicas: %[3]d
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec: {containers: [{name: app, image: %[2]q, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec: {selector: {app: %[1]s}, ports: [{name: http, port: 80, targetPort: http}]}
`, name, image, replicas)
}

// world is a cluster with a client of it.
type world struct {
	*sandbox.Cluster
	client dynamic.Interface
}

func start(t testing.TB, o sandbox.Options) world {
	t.Helper()
	if o.Images == nil {
		o.Images = images()
	}
	c, err := sandbox.Start(context.WithoutCancel(t.Context()), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	client, err := dynamic.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	return world{c, client}
}

func (w world) apply(t testing.TB, manifests ...string) {
	t.Helper()
	if err := w.Apply(t.Context(), strings.Join(manifests, "\n---\n")); err != nil {
		t.Fatal(err)
	}
}

func (w world) image(t testing.TB, name, image string) {
	t.Helper()
	patch := fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":"app","image":%q}]}}}}`, image)
	w.patch(t, name, patch)
}

func (w world) patch(t testing.TB, name, patch string) {
	t.Helper()
	_, err := w.client.Resource(deployments).Namespace("default").Patch(t.Context(), name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func num(o *unstructured.Unstructured, path ...string) int64 {
	n, _, _ := unstructured.NestedInt64(o.Object, path...)
	return n
}

// complete is what kubectl rollout status waits for.
func complete(d *unstructured.Unstructured) bool {
	want := num(d, "spec", "replicas")
	return num(d, "status", "observedGeneration") >= d.GetGeneration() && num(d, "status", "updatedReplicas") == want &&
		num(d, "status", "replicas") == want && num(d, "status", "availableReplicas") == want
}

// until watches a Deployment until ok, for a minute at most.
func (w world) until(t testing.TB, name string, ok func(*unstructured.Unstructured) bool) *unstructured.Unstructured {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	watch, err := w.client.Resource(deployments).Namespace("default").Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	var last *unstructured.Unstructured
	for e := range watch.ResultChan() {
		if last, _ = e.Object.(*unstructured.Unstructured); last != nil && ok(last) {
			return last
		}
	}
	t.Fatalf("%s has not come so far: %v", name, last)
	return nil
}

func condition(o *unstructured.Unstructured, kind string) (status, reason string) {
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range list {
		if c := c.(map[string]any); c["type"] == kind {
			return c["status"].(string), c["reason"].(string)
		}
	}
	return "", ""
}

func (w world) pods(t testing.TB, selector string) []unstructured.Unstructured {
	t.Helper()
	list, err := w.client.Resource(pods).Namespace("default").List(t.Context(), metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

func TestLifeOfADeployment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, sandbox.Options{})
		w.apply(t, deployment("app", "app:v1", 3))
		began := time.Now()
		d := w.until(t, "app", complete)
		if took := time.Since(began); took > time.Second {
			t.Errorf("ready after %v", took)
		}
		if d.GetAnnotations()["deployment.kubernetes.io/revision"] != "1" || d.GetGeneration() != 1 {
			t.Errorf("metadata is %v", d.Object["metadata"])
		}
		w.image(t, "app", "app:v2")
		d = w.until(t, "app", complete)
		if _, reason := condition(d, "Progressing"); reason != "NewReplicaSetAvailable" || d.GetAnnotations()["deployment.kubernetes.io/revision"] != "2" {
			t.Errorf("reason %s, metadata %v", reason, d.Object["metadata"])
		}
		background := metav1.DeletePropagationBackground
		err := w.client.Resource(deployments).Namespace("default").Delete(t.Context(), "app", metav1.DeleteOptions{PropagationPolicy: &background})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if left := w.pods(t, ""); len(left) > 0 {
			t.Errorf("%d pods are left", len(left))
		}
	})
}

// At every write of a rolling update there are no more pods than surge allows, and no fewer serving than required.
func TestRollingKeepsItsBounds(t *testing.T) {
	for _, test := range []struct {
		surge, unavailable string
		most, least        int64
	}{{"25%", "25%", 13, 8}, {"1", "0", 11, 10}, {"0", "1", 10, 9}, {"100%", "0", 20, 10}} {
		t.Run(test.surge+" "+test.unavailable, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, sandbox.Options{})
				w.apply(t, deployment("app", "app:v1", 10))
				w.patch(t, "app", `{"spec":{"strategy":{"rollingUpdate":{"maxSurge":`+quoted(test.surge)+`,"maxUnavailable":`+quoted(test.unavailable)+`}}}}`)
				w.until(t, "app", complete)
				w.API().OnWrite(func(c apiserver.Write) {
					if c.Resource.Resource != "pods" {
						return
					}
					total, ready := w.count()
					if total > test.most || ready < test.least {
						t.Errorf("%d pods, %d ready", total, ready)
					}
				})
				w.image(t, "app", "app:v2")
				w.until(t, "app", complete)
			})
		})
	}
}

func quoted(s string) string {
	if strings.HasSuffix(s, "%") {
		return `"` + s + `"`
	}
	return s
}

// count are the pods that are not going, and those of them that are ready.
func (w world) count() (total, ready int64) {
	for _, p := range w.API().Store().View(pods.GroupResource(), "default") {
		if p.GetDeletionTimestamp() != nil {
			continue
		}
		total++
		if status, _ := condition(p, "Ready"); status == "True" {
			ready++
		}
	}
	return total, ready
}

// The exact pause of the rolling strategy: N new pods beside the old, then R−N old ones.
func TestExactPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, sandbox.Options{})
		w.apply(t, deployment("app", "app:v1", 10))
		w.until(t, "app", complete)
		w.patch(t, "app", `{"spec":{"minReadySeconds":2000000000,"progressDeadlineSeconds":2147483647,
			"strategy":{"rollingUpdate":{"maxSurge":5,"maxUnavailable":0}},
			"template":{"spec":{"containers":[{"name":"app","image":"app:v2"}]}}}}`)
		time.Sleep(30 * time.Second)
		if v1, v2 := w.versions(t); v1 != 10 || v2 != 5 {
			t.Errorf("held at %d old, %d new", v1, v2)
		}
		w.patch(t, "app", `{"spec":{"strategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":5}}}}`)
		time.Sleep(30 * time.Second)
		if v1, v2 := w.versions(t); v1 != 5 || v2 != 5 {
			t.Errorf("held at %d old, %d new", v1, v2)
		}
	})
}

func (w world) versions(t testing.TB) (v1, v2 int) {
	for _, p := range w.pods(t, "app=app") {
		list, _, _ := unstructured.NestedSlice(p.Object, "spec", "containers")
		if list[0].(map[string]any)["image"] == "app:v1" {
			v1++
		} else {
			v2++
		}
	}
	return v1, v2
}

func TestRecreateNeverMixes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, sandbox.Options{})
		w.apply(t, deployment("app", "app:v1", 3))
		w.until(t, "app", complete)
		w.patch(t, "app", `{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}`)
		w.API().OnWrite(func(apiserver.Write) {
			seen := map[string]bool{}
			for _, p := range w.API().Store().View(pods.GroupResource(), "default") {
				seen[p.GetLabels()["pod-template-hash"]] = true
			}
			if len(seen) > 1 {
				t.Error("two versions at once")
			}
		})
		w.image(t, "app", "app:v2")
		w.until(t, "app", complete)
	})
}

func TestBadVersions(t *testing.T) {
	for _, test := range []struct{ image, waiting, event string }{
		{"app:none", "ImagePullBackOff", "BackOff"}, {"app:crash", "CrashLoopBackOff", "BackOff"}, {"app:unready", "", "Unhealthy"},
	} {
		t.Run(test.image, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, sandbox.Options{})
				w.apply(t, deployment("app", test.image, 1))
				w.patch(t, "app", `{"spec":{"progressDeadlineSeconds":60}}`)
				w.until(t, "app", func(d *unstructured.Unstructured) bool {
					_, reason := condition(d, "Progressing")
					return reason == "ProgressDeadlineExceeded"
				})
				p := w.pods(t, "app=app")[0]
				list, _, _ := unstructured.NestedSlice(p.Object, "status", "containerStatuses")
				got, _, _ := unstructured.NestedString(list[0].(map[string]any), "state", "waiting", "reason")
				if got != test.waiting {
					t.Errorf("container waits for %q: %v", got, list[0])
				}
				found, err := w.client.Resource(events).Namespace("default").List(t.Context(), metav1.ListOptions{FieldSelector: "involvedObject.name=" + p.GetName() + ",reason=" + test.event})
				if err != nil || len(found.Items) == 0 {
					t.Errorf("no event %s (%v)", test.event, err)
				}
			})
		})
	}
}

func TestUnschedulable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, sandbox.Options{CPU: "2"})
		w.apply(t, strings.Replace(deployment("app", "app:v1", 1), "image:", `resources: {requests: {cpu: "3"}}, image:`, 1))
		synctest.Wait()
		if _, reason := condition(&w.pods(t, "")[0], "PodScheduled"); reason != "Unschedulable" {
			t.Errorf("reason is %q", reason)
		}
	})
}

// Scaling in the middle of a rollout keeps the proportion of the versions.
func TestScaleWhileRolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, sandbox.Options{})
		w.apply(t, deployment("app", "app:v1", 4))
		w.until(t, "app", complete)
		w.patch(t, "app", `{"spec":{"minReadySeconds":1000,"progressDeadlineSeconds":9999,"strategy":{"rollingUpdate":{"maxSurge":4,"maxUnavailable":0}},
			"template":{"spec":{"containers":[{"name":"app","image":"app:v2"}]}}}}`)
		time.Sleep(10 * time.Second)
		w.patch(t, "app", `{"spec":{"replicas":8}}`)
		time.Sleep(10 * time.Second)
		if v1, v2 := w.versions(t); v1 != 6 || v2 != 6 {
			t.Errorf("%d old, %d new", v1, v2)
		}
	})
}

// A cluster where nothing changes does nothing: an hour passes without a write.
func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, sandbox.Options{})
		w.apply(t, deployment("app", "app:v1", 3))
		w.until(t, "app", complete)
		time.Sleep(time.Minute)
		before := w.API().Store().Version()
		time.Sleep(time.Hour)
		if after := w.API().Store().Version(); after != before {
			t.Errorf("%d writes", after-before)
		}
	})
}

func BenchmarkRollout(b *testing.B) {
	for b.Loop() {
		w := start(b, sandbox.Options{ReadyAfter: time.Millisecond, Grace: time.Millisecond})
		w.apply(b, deployment("app", "app:v1", 3))
		w.until(b, "app", complete)
		w.image(b, "app", "app:v2")
		w.until(b, "app", complete)
	}
}
