package apiserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

func connect(t testing.TB, o apiserver.Options) (*apiserver.Server, dynamic.ResourceInterface) {
	t.Helper()
	s := apiserver.New(o)
	t.Cleanup(s.Close)
	client, err := dynamic.NewForConfig(&rest.Config{Host: "http://embedded", Transport: s.RoundTripper(), QPS: -1, UserAgent: "test/1"})
	if err != nil {
		t.Fatal(err)
	}
	return s, client.Resource(configMaps).Namespace("default")
}

func configMap(name, value string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name}, "data": map[string]any{"k": value},
	}}
}

func create(t testing.TB, c dynamic.ResourceInterface, name, value string) *unstructured.Unstructured {
	t.Helper()
	o, err := c.Create(t.Context(), configMap(name, value), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestFaults(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault apiserver.Fault
		want  func(error) bool
		done  bool
		took  time.Duration
	}{
		{"delay", apiserver.Fault{Delay: time.Second}, func(err error) bool { return err == nil }, true, time.Second},
		{"answer", apiserver.Fault{Answer: apierrors.NewConflict(schema.GroupResource{}, "x", errors.New("no"))}, apierrors.IsConflict, false, 0},
		{"hang", apiserver.Fault{Hang: true}, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }, false, 5 * time.Second},
		{"cut", apiserver.Fault{Cut: true}, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }, false, 0},
		{"lose", apiserver.Fault{Lose: true}, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }, true, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := connect(t, apiserver.Options{})
				s.Intercept(func(*http.Request) *apiserver.Fault { return &test.fault })
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				start := time.Now()
				_, err := c.Create(ctx, configMap("one", "1"), metav1.CreateOptions{})
				if !test.want(err) {
					t.Errorf("error is %v", err)
				}
				if took := time.Since(start); took != test.took {
					t.Errorf("took %v", took)
				}
				if got := s.Store().Get(configMaps.GroupResource(), "default", "one"); (got != nil) != test.done {
					t.Errorf("stored: %v", got)
				}
			})
		})
	}
}

func TestRequestTimeoutIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := connect(t, apiserver.Options{})
		s.Intercept(func(*http.Request) *apiserver.Fault { return &apiserver.Fault{Delay: time.Minute} })
		body := strings.NewReader(`{"metadata":{"name":"late"}}`)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://embedded/api/v1/namespaces/default/configmaps?timeout=3s", body)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := s.RoundTripper().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusGatewayTimeout || s.Store().Get(configMaps.GroupResource(), "default", "late") != nil {
			t.Errorf("answer is %d, or it was written", answer.StatusCode)
		}
	})
}

func TestDeny(t *testing.T) {
	s, c := connect(t, apiserver.Options{})
	s.Deny(func(verb, _, resource, ns, _ string) bool {
		return verb == "create" && resource == "configmaps" && ns == "default"
	})
	if _, err := c.Create(t.Context(), configMap("one", "1"), metav1.CreateOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("error is %v", err)
	}
	if _, err := c.List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Error(err)
	}
	if calls := s.Calls(); calls["create configmaps"] != 1 || calls["list configmaps"] != 1 {
		t.Errorf("calls are %v", calls)
	}
}

func TestHooksSeeEachWriteInOrder(t *testing.T) {
	s, c := connect(t, apiserver.Options{})
	var seen []string
	s.OnWrite(func(w apiserver.Write) {
		seen = append(seen, fmt.Sprint(w.Verb, " ", w.Name, " ", w.Old != nil, w.Object != nil))
		if got := s.Store().Get(w.Resource.GroupResource(), w.Namespace, w.Name); (got != nil) != (w.Object != nil) {
			t.Error("the store is not as the write left it")
		}
	})
	create(t, c, "one", "1")
	for _, v := range []string{"2", "2"} {
		if _, err := c.Patch(t.Context(), "one", types.MergePatchType, []byte(`{"data":{"k":"`+v+`"}}`), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Delete(t.Context(), "one", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(seen, ","); got != "create one false true,patch one true true,delete one true false" {
		t.Errorf("seen %s", got)
	}
}

func TestWatchExpires(t *testing.T) {
	s, c := connect(t, apiserver.Options{})
	rv := create(t, c, "one", "1").GetResourceVersion()
	create(t, c, "two", "1")
	s.Store().Compact()
	_, err := c.Watch(t.Context(), metav1.ListOptions{ResourceVersion: rv})
	if !apierrors.IsResourceExpired(err) {
		t.Errorf("error is %v", err)
	}
}

// A slow reader whose place in the log is gone is told so.
func TestWatchLagging(t *testing.T) {
	s, c := connect(t, apiserver.Options{History: 4})
	w, err := c.Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	for i := range 40 {
		create(t, c, fmt.Sprint("c", i), "1")
	}
	s.Store().Compact()
	create(t, c, "last", "1")
	for e := range w.ResultChan() {
		if e.Type == watch.Error {
			return
		}
		if e.Object.(*unstructured.Unstructured).GetName() == "last" {
			return // it was fast enough
		}
	}
	t.Error("the watch ended without an error")
}

// The bubble ends only when every goroutine has: of stopped watches, of cancelled ones, and of those that Close ends.
func TestWatchesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := connect(t, apiserver.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		byStop, _ := c.Watch(t.Context(), metav1.ListOptions{})
		byContext, _ := c.Watch(ctx, metav1.ListOptions{})
		seconds := int64(7)
		byTime, _ := c.Watch(t.Context(), metav1.ListOptions{TimeoutSeconds: &seconds})
		byClose, _ := c.Watch(t.Context(), metav1.ListOptions{})
		create(t, c, "one", "1")
		byStop.Stop()
		cancel()
		drain := func(w watch.Interface) {
			for range w.ResultChan() {
			}
		}
		drain(byContext)
		start := time.Now()
		drain(byTime)
		if took := time.Since(start); took != 7*time.Second {
			t.Errorf("took %v", took)
		}
		s.Close()
		drain(byClose)
	})
}

func TestInformer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := apiserver.New(apiserver.Options{})
		defer s.Close()
		client, err := dynamic.NewForConfig(&rest.Config{Host: "http://embedded", Transport: s.RoundTripper(), QPS: -1})
		if err != nil {
			t.Fatal(err)
		}
		c := client.Resource(configMaps).Namespace("default")
		create(t, c, "one", "1")
		factory := dynamicinformer.NewDynamicSharedInformerFactory(client, 0)
		informer := factory.ForResource(configMaps).Informer()
		ctx, cancel := context.WithCancel(t.Context())
		factory.Start(ctx.Done())
		if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
			t.Fatal("no sync")
		}
		create(t, c, "two", "1")
		synctest.Wait()
		if n := len(informer.GetStore().List()); n != 2 {
			t.Errorf("the informer knows %d objects", n)
		}
		cancel()
		factory.Shutdown()
	})
}

func BenchmarkCreateConfigMap(b *testing.B) {
	_, c := connect(b, apiserver.Options{})
	for i := range b.N {
		create(b, c, fmt.Sprint("c", i), "1")
	}
}

func BenchmarkPatchDeployment(b *testing.B) {
	s := apiserver.New(apiserver.Options{})
	defer s.Close()
	client, err := dynamic.NewForConfig(&rest.Config{Host: "http://embedded", Transport: s.RoundTripper(), QPS: -1})
	if err != nil {
		b.Fatal(err)
	}
	c := client.Resource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}).Namespace("default")
	labels := map[string]any{"app": "a"}
	if _, err := c.Create(b.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "a"},
		"spec": map[string]any{"selector": map[string]any{"matchLabels": labels}, "template": map[string]any{
			"metadata": map[string]any{"labels": labels},
			"spec":     map[string]any{"containers": []any{map[string]any{"name": "app", "image": "a:1"}}},
		}},
	}}, metav1.CreateOptions{}); err != nil {
		b.Fatal(err)
	}
	for i := range b.N {
		body := fmt.Sprintf(`[{"op":"replace","path":"/spec/replicas","value":%d}]`, i)
		if _, err := c.Patch(b.Context(), "a", types.JSONPatchType, []byte(body), metav1.PatchOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
