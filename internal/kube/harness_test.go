package kube_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

// world is an API server in a bubble, with our client of it.
type world struct {
	*kube.Client
	server *apiserver.Server

	mu    sync.Mutex
	calls []string // methods of the requests that were made
}

func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{server: apiserver.New(apiserver.Options{})}
		defer w.server.Close()
		config := &rest.Config{Host: "http://embedded", Transport: w.server.RoundTripper(), QPS: -1, UserAgent: "tidegate"}
		config.Wrap(kube.BoundWatches(clock.Real{}))
		d, err := dynamic.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		w.Client = kube.New(d, clock.Real{}, nil)
		test(t, w)
	})
}

// faults lets the first requests of a method fail, one after the other; nil ones pass.
func (w *world) faults(method string, faults ...*apiserver.Fault) {
	w.server.Intercept(func(r *http.Request) *apiserver.Fault {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.calls = append(w.calls, r.Method)
		if (method == "" || r.Method == method) && len(faults) > 0 {
			f := faults[0]
			faults = faults[1:]
			return f
		}
		return nil
	})
}

func (w *world) count(method string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, m := range w.calls {
		if m == method {
			n++
		}
	}
	return n
}

var one = plan.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "default", Name: "one"}

func (w *world) make(t *testing.T, value string) {
	t.Helper()
	if _, err := w.server.Create(configMaps, configMap("one", value)); err != nil {
		t.Fatal(err)
	}
}

func configMap(name, value string) plan.Object {
	return plan.Object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name, "namespace": "default",
		"labels": map[string]any{"is": name}}, "data": map[string]any{"k": value}}
}

// value is what the server holds, whoever wrote it.
func (w *world) value(name string) string {
	o := w.server.Store().Peek(configMaps.GroupResource(), "default", name)
	if o == nil {
		return ""
	}
	v, _, _ := unstructured.NestedString(o.Object, "data", "k")
	return v
}

// write changes the value behind the client's back.
func (w *world) write(t *testing.T, value string) {
	t.Helper()
	_, err := w.server.Mutate(configMaps, apiserver.Key{Namespace: "default", Name: "one"}, func(o map[string]any) {
		o["data"] = map[string]any{"k": value}
	})
	if err != nil {
		t.Error(err)
	}
}

func setValue(value string) func(*unstructured.Unstructured) (bool, error) {
	return func(o *unstructured.Unstructured) (bool, error) {
		return true, unstructured.SetNestedField(o.Object, value, "data", "k")
	}
}
