package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/tidegate/tidegate/internal/sandbox"
	"github.com/tidegate/tidegate/internal/sandbox/service"
)

var (
	routes  = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}
	slices  = schema.GroupVersionResource{Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"}
	scalers = schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"}
	classes = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "gatewayclasses"}
)

// parent is a condition of a route's only parent, with the generation that it speaks of.
func (w world) parent(t *testing.T, kind string) (status, reason string, generation int64) {
	t.Helper()
	o := w.API().Store().Get(routes.GroupResource(), "default", "app")
	parents, _, _ := unstructured.NestedSlice(o.Object, "status", "parents")
	if len(parents) != 1 {
		t.Fatalf("parents: %v", parents)
	}
	for _, c := range parents[0].(map[string]any)["conditions"].([]any) {
		if c := c.(map[string]any); c["type"] == kind {
			return c["status"].(string), c["reason"].(string), c["observedGeneration"].(int64)
		}
	}
	return "", "", 0
}

func TestRouteStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, sandbox.Options{})
		w.apply(t, deployment("old", "app:v1", 1), route)
		synctest.Wait()
		if status, reason, _ := w.parent(t, "ResolvedRefs"); status != "False" || reason != "BackendNotFound" {
			t.Errorf("a Service is missing, and ResolvedRefs is %s %s", status, reason)
		}
		w.apply(t, deployment("new", "app:v2", 1))
		synctest.Wait()
		if status, _, _ := w.parent(t, "ResolvedRefs"); status != "True" {
			t.Errorf("ResolvedRefs is %s", status)
		}
		_, err := w.client.Resource(routes).Namespace("default").Patch(t.Context(), "app", types.JSONPatchType,
			[]byte(`[{"op":"replace","path":"/spec/rules/1/backendRefs/1/weight","value":50}]`), metav1.PatchOptions{})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if status, _, generation := w.parent(t, "Accepted"); status != "True" || generation != 2 {
			t.Errorf("Accepted is %s for generation %d", status, generation)
		}
	})
}

// endpoints are the conditions of a Service's pods, as ready/serving/terminating.
func (w world) endpoints(t *testing.T) map[[3]bool]int {
	t.Helper()
	list := w.API().Store().List(slices.GroupResource(), "default", nil)
	if len(list) != 1 {
		t.Fatalf("%d slices", len(list))
	}
	seen := map[[3]bool]int{}
	entries, _, _ := unstructured.NestedSlice(list[0].Object, "endpoints")
	for _, e := range entries {
		c := e.(map[string]any)["conditions"].(map[string]any)
		seen[[3]bool{c["ready"].(bool), c["serving"].(bool), c["terminating"].(bool)}]++
	}
	return seen
}

func TestEndpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, sandbox.Options{})
		w.apply(t, deployment("app", "app:v1", 3))
		synctest.Wait()
		if seen := w.endpoints(t); seen[[3]bool{}] != 3 {
			t.Errorf("starting: %v", seen)
		}
		w.until(t, "app", complete)
		synctest.Wait()
		if seen := w.endpoints(t); seen[[3]bool{true, true, false}] != 3 {
			t.Errorf("ready: %v", seen)
		}
		w.patch(t, "app", `{"spec":{"replicas":2}}`)
		synctest.Wait()
		if seen := w.endpoints(t); seen[[3]bool{true, true, false}] != 2 || seen[[3]bool{false, true, true}] != 1 {
			t.Errorf("one is going: %v", seen)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if seen := w.endpoints(t); seen[[3]bool{true, true, false}] != 2 || len(seen) != 1 {
			t.Errorf("one is gone: %v", seen)
		}
	})
}

func TestAutoscalerStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, sandbox.Options{})
		w.apply(t, deployment("app", "app:v1", 3), `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: app}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: app}, minReplicas: 2, maxReplicas: 5}
`)
		w.until(t, "app", complete)
		synctest.Wait()
		o := w.API().Store().Get(scalers.GroupResource(), "default", "app")
		if num(o, "status", "currentReplicas") != 3 || num(o, "status", "desiredReplicas") != 3 {
			t.Errorf("status is %v", o.Object["status"])
		}
	})
}

func TestFeatures(t *testing.T) {
	for _, test := range []struct {
		name     string
		features []string
		want     int
	}{{"default", nil, 9}, {"none named", []string{}, 0}, {"some", []string{"HTTPRoute"}, 1}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, sandbox.Options{Features: test.features})
				synctest.Wait()
				o := w.API().Store().Get(classes.GroupResource(), "", "sandbox")
				if got, _, _ := unstructured.NestedSlice(o.Object, "status", "supportedFeatures"); len(got) != test.want {
					t.Errorf("features are %v", got)
				}
			})
		})
	}
}

// A crash loop: more restarts, longer and longer waits, last words for whoever asks, by the typed client as well.
func TestCrashLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, sandbox.Options{})
		w.apply(t, deployment("app", "app:crash", 1))
		time.Sleep(2 * time.Minute)
		client, err := kubernetes.NewForConfig(w.Config())
		if err != nil {
			t.Fatal(err)
		}
		list, err := client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{})
		if err != nil || len(list.Items) != 1 {
			t.Fatalf("%d pods, %v", len(list.Items), err)
		}
		status := list.Items[0].Status.ContainerStatuses[0]
		last := status.LastTerminationState.Terminated
		if status.RestartCount != 3 || status.State.Waiting.Reason != "CrashLoopBackOff" || last == nil || last.ExitCode != 1 {
			t.Errorf("status is %+v", status)
		}
		text, err := client.CoreV1().Pods("default").GetLogs(list.Items[0].Name, &corev1.PodLogOptions{}).DoRaw(t.Context())
		if err != nil || !strings.Contains(string(text), "panic") {
			t.Errorf("log is %q, %v", text, err)
		}
	})
}

// A rude pod is gone at the signal, a polite one serves for its grace; preStop holds the signal back for both.
func TestTermination(t *testing.T) {
	for _, test := range []struct {
		name, lifecycle string
		rude            bool
		serves          time.Duration
	}{
		{"polite", "", false, time.Second},
		{"rude", "", true, 0},
		{"rude with preStop", "lifecycle: {preStop: {sleep: {seconds: 5}}}, ", true, 5 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, sandbox.Options{Metrics: true, Images: map[string]service.Config{"app": {Rude: test.rude}}})
				w.apply(t, strings.Replace(deployment("app", "app", 1), "image:", test.lifecycle+"image:", 1))
				w.until(t, "app", complete)
				w.patch(t, "app", `{"spec":{"replicas":0}}`)
				synctest.Wait()
				began := time.Now()
				for w.Serving() > 0 {
					time.Sleep(100 * time.Millisecond)
					synctest.Wait()
				}
				if took := time.Since(began).Round(100 * time.Millisecond); took != test.serves {
					t.Errorf("served for %v", took)
				}
			})
		})
	}
}

// Two clusters with the same inputs write the same things in the same order.
func TestReproducible(t *testing.T) {
	var runs [2]string
	for i := range runs {
		synctest.Test(t, func(t *testing.T) {
			w := start(t, sandbox.Options{})
			w.apply(t, deployment("app", "app:v1", 5))
			w.until(t, "app", complete)
			synctest.Wait()
			w.image(t, "app", "app:v2")
			w.until(t, "app", complete)
			synctest.Wait()
			var names []string
			for _, p := range w.pods(t, "") {
				names = append(names, p.GetName()+" "+p.GetCreationTimestamp().String())
			}
			runs[i] = strings.Join(names, "\n")
		})
	}
	if runs[0] != runs[1] {
		t.Errorf("first:\n%s\nsecond:\n%s", runs[0], runs[1])
	}
}

// Traffic and metrics without a socket, as rehearsals in virtual time have them.
func TestInProcessTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, sandbox.Options{Metrics: true})
		w.apply(t, deployment("old", "app:bad", 1), deployment("new", "app:v2", 1), route)
		w.until(t, "old", complete)
		w.until(t, "new", complete)
		time.Sleep(2 * time.Second)
		client := &http.Client{Transport: w.Transport()}
		codes := map[int]int{}
		for range 100 {
			answer, err := client.Get("http://app.example/")
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			codes[answer.StatusCode]++
			time.Sleep(100 * time.Millisecond)
		}
		if codes[200]+codes[500] != 100 || codes[500] < 30 {
			t.Errorf("answers: %v", codes)
		}
		time.Sleep(2 * time.Second)
		prometheus, err := api.NewClient(api.Config{Address: "http://prometheus", RoundTripper: w.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		value, _, err := promv1.NewAPI(prometheus).Query(t.Context(), `sum(http_requests_total{code="500"})`, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		vector, ok := value.(model.Vector)
		if !ok || len(vector) != 1 || int(vector[0].Value) != codes[500] {
			t.Errorf("errors counted: %v, seen: %d", value, codes[500])
		}
	})
}
