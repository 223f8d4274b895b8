package cluster_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/state/cluster"
)

func locker(o cluster.Options, holder string) *cluster.Locker {
	return cluster.NewLocker(cluster.LockOptions{Options: o, Holder: holder})
}

func leaseSpec(t *testing.T, s *apiserver.Server) map[string]any {
	t.Helper()
	obj := s.Store().Get(schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}, "default", recordName)
	spec, _, _ := unstructured.NestedMap(obj.Object, "spec")
	return spec
}

func TestLeaseSpec(t *testing.T) {
	bubble(t, func(t *testing.T, s *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
		a, b := locker(o, "https://ci/run#7/1"), locker(o, "https://ci/run#7/1")
		if a.Identity() == b.Identity() {
			t.Error("two processes with one identity")
		}
		_, unlock, err := a.Lock(t.Context())
		must(t, err)
		spec := leaseSpec(t, s)
		if spec["holderIdentity"] != a.Identity() || spec["leaseDurationSeconds"] != int64(15) || spec["acquireTime"] != spec["renewTime"] {
			t.Errorf("spec %v", spec)
		}
		acquired := spec["acquireTime"]
		time.Sleep(6 * time.Second)
		if spec = leaseSpec(t, s); spec["acquireTime"] != acquired || spec["renewTime"] == acquired {
			t.Errorf("spec %v", spec)
		}
		_, _, err = b.Lock(t.Context())
		var held *engine.HeldError
		if !errors.As(err, &held) || held.Holder != "https://ci/run#7/1" || time.Since(held.Since).Round(time.Second) != 6*time.Second {
			t.Errorf("error %v", err)
		}
		unlock()
		if spec = leaseSpec(t, s); spec["holderIdentity"] != nil {
			t.Errorf("spec %v", spec)
		}
		_, unlock, err = b.Lock(t.Context())
		must(t, err)
		defer unlock()
		if spec = leaseSpec(t, s); spec["leaseTransitions"] != int64(1) {
			t.Errorf("spec %v", spec)
		}
	})
}

func TestLockCalls(t *testing.T) {
	bubble(t, func(t *testing.T, s *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
		cost := counting(s, func() {
			_, unlock, err := locker(o, "a").Lock(t.Context())
			must(t, err)
			time.Sleep(61 * time.Second)
			unlock()
		})
		wantCalls(t, "a minute", cost, map[string]int{"get leases": 1, "create leases": 1, "update leases": 13})
		a := locker(o, "a")
		_, unlock, err := a.Lock(t.Context())
		must(t, err)
		defer unlock()
		cost = counting(s, func() { _, _, _ = locker(o, "b").LockWait(t.Context(), time.Minute) })
		delete(cost, "update leases") // the holder's
		wantCalls(t, "a minute's waiting", cost, map[string]int{"get leases": 2, "watch leases": 1})
	})
}

// TestRenewalsThatLand although their answer is lost are our own: the lock is neither lost nor renewed too rarely.
func TestRenewalsThatLand(t *testing.T) {
	bubble(t, func(t *testing.T, s *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
		n := 0
		s.Intercept(func(req *http.Request) *apiserver.Fault {
			if n++; req.Method == http.MethodPut && n%2 == 0 {
				return &apiserver.Fault{Lose: true}
			}
			return nil
		})
		ctx, unlock, err := locker(o, "a").Lock(t.Context())
		must(t, err)
		time.Sleep(5 * time.Minute)
		if ctx.Err() != nil {
			t.Error(context.Cause(ctx))
		}
		unlock()
		if spec := leaseSpec(t, s); spec["holderIdentity"] != nil {
			t.Errorf("spec %v", spec)
		}
	})
}

// TestSlowServer answers within the renewals' bounds: the lock stays, and counts from when requests were sent.
func TestSlowServer(t *testing.T) {
	bubble(t, func(t *testing.T, s *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
		s.Intercept(func(*http.Request) *apiserver.Fault { return &apiserver.Fault{Delay: 3 * time.Second} })
		ctx, unlock, err := locker(o, "a").Lock(t.Context())
		must(t, err)
		defer unlock()
		time.Sleep(2 * time.Minute)
		if ctx.Err() != nil {
			t.Fatal(context.Cause(ctx))
		}
		s.Intercept(func(*http.Request) *apiserver.Fault { return &apiserver.Fault{Hang: true} })
		start := time.Now()
		<-ctx.Done()
		if d := time.Since(start); d > 12*time.Second {
			t.Errorf("lost after %s: more than 14 s after the last renewal was sent", d)
		}
		s.Intercept(nil)
	})
}

// TestForeignMetadata: a label on the Lease is no other holder, neither to us nor to those who wait.
func TestForeignMetadata(t *testing.T) {
	bubble(t, func(t *testing.T, s *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
		ctx, unlock, err := locker(o, "a").Lock(t.Context())
		must(t, err)
		defer unlock()
		patch := []byte(`{"metadata":{"labels":{"team":"shop"}}}`)
		_, err = o.Client.Resource(leases).Namespace("default").Patch(t.Context(), recordName, types.MergePatchType, patch, metav1.PatchOptions{})
		must(t, err)
		time.Sleep(time.Minute)
		if ctx.Err() != nil {
			t.Error(context.Cause(ctx))
		}
		if obj := s.Store().Get(schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}, "default", recordName); obj.GetLabels()["team"] != "shop" {
			t.Error("the label is gone")
		}
	})
}

func TestForcedRelease(t *testing.T) {
	bubble(t, func(t *testing.T, _ *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
		ctx, unlock, err := locker(o, "a").Lock(t.Context())
		must(t, err)
		defer unlock()
		patch := []byte(`{"spec":{"holderIdentity":null}}`)
		_, err = o.Client.Resource(leases).Namespace("default").Patch(t.Context(), recordName, types.MergePatchType, patch, metav1.PatchOptions{})
		must(t, err)
		time.Sleep(6 * time.Second)
		if !errors.Is(context.Cause(ctx), engine.ErrLockLost) {
			t.Errorf("cause %v", context.Cause(ctx))
		}
	})
}

// TestUnwatchable: who may not watch Leases still takes over from a dead holder, by the time alone.
func TestUnwatchable(t *testing.T) {
	bubble(t, func(t *testing.T, s *apiserver.Server, w *world, o cluster.Options, warnings *[]string) {
		dead := w.Process("a", 0)
		_, unlock, err := dead.Locker().Lock(t.Context())
		must(t, err)
		defer unlock()
		dead.Break("reset")
		s.Deny(func(verb, _, _, _, _ string) bool { return verb == "watch" })
		start := time.Now()
		_, unlockB, err := locker(o, "b").LockWait(t.Context(), time.Minute)
		must(t, err)
		defer unlockB()
		if d := time.Since(start); d != cluster.LeaseDuration {
			t.Errorf("after %s", d)
		}
		if len(*warnings) != 1 || !strings.Contains((*warnings)[0], "watch") {
			t.Errorf("warnings %q", *warnings)
		}
	})
}

// TestUnlockCannotRelease: unlock returns in bounded time and says so.
func TestUnlockCannotRelease(t *testing.T) {
	bubble(t, func(t *testing.T, s *apiserver.Server, _ *world, o cluster.Options, warnings *[]string) {
		_, unlock, err := locker(o, "a").Lock(t.Context())
		must(t, err)
		s.Intercept(func(*http.Request) *apiserver.Fault { return &apiserver.Fault{Hang: true} })
		start := time.Now()
		unlock()
		if d := time.Since(start); d > 6*time.Second || len(*warnings) != 1 {
			t.Errorf("after %s, warnings %q", d, *warnings)
		}
	})
}

// wire records the writes that get past a fence.
type wire struct {
	next http.RoundTripper
	mu   sync.Mutex
	urls []string
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet {
		w.mu.Lock()
		w.urls = append(w.urls, req.Method+" "+req.URL.String())
		w.mu.Unlock()
	}
	return w.next.RoundTrip(req)
}

func configMap(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name, "namespace": "default"},
	}}
}

func TestFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, w := sandbox(t)
		p := w.process("a", 0, "")
		past := &wire{}
		client := w.client(func(next http.RoundTripper) http.RoundTripper { past.next = next; return p.locker.Transport(past) })
		maps := client.Resource(configMaps).Namespace("default")
		create := func(name string) error {
			_, err := maps.Create(t.Context(), configMap(name), metav1.CreateOptions{})
			return err
		}
		refused := func(when string, err error) {
			t.Helper()
			if !errors.Is(err, engine.ErrLockLost) {
				t.Errorf("%s: error %v", when, err)
			}
		}
		refused("before the lock", create("a"))
		refused("a delete before the lock", maps.Delete(t.Context(), "a", metav1.DeleteOptions{}))
		_, err := maps.List(t.Context(), metav1.ListOptions{})
		must(t, err)
		_, err = maps.Create(t.Context(), configMap("dry"), metav1.CreateOptions{DryRun: []string{"All"}})
		must(t, err)
		event := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Event", "metadata": map[string]any{"name": "e", "namespace": "default"},
			"involvedObject": map[string]any{"namespace": "default"},
		}}
		_, err = client.Resource(configMaps.GroupVersion().WithResource("events")).Namespace("default").Create(t.Context(), event, metav1.CreateOptions{})
		must(t, err)
		past.urls = nil
		_, unlock, err := p.locker.Lock(t.Context())
		must(t, err)
		must(t, create("b"))
		if len(past.urls) != 1 || past.urls[0] != "POST http://sandbox/api/v1/namespaces/default/configmaps?timeout=4s" {
			t.Errorf("sent %q", past.urls)
		}
		time.Sleep(time.Minute)
		must(t, create("c"))
		unlock()
		past.urls = nil
		refused("after the lock", create("d"))
		if len(past.urls) != 0 {
			t.Errorf("sent %q", past.urls)
		}
	})
}

// TestFenceNearTheEnd: with less right left than a write may take it waits for a renewal, or for the end.
func TestFenceNearTheEnd(t *testing.T) {
	for _, mended := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			_, w := sandbox(t)
			p := w.process("a", 0, "")
			maps := w.client(p.locker.Transport).Resource(configMaps).Namespace("default")
			ctx, unlock, err := p.locker.Lock(t.Context())
			must(t, err)
			defer unlock()
			p.Break("reset")
			time.Sleep(10500 * time.Millisecond) // 3.5 s before the end
			if mended {
				time.AfterFunc(2*time.Second, p.Mend)
			}
			start := time.Now()
			_, err = maps.Create(t.Context(), configMap("late"), metav1.CreateOptions{})
			took := time.Since(start)
			switch {
			case mended && (err != nil || took < 2*time.Second || took > 3*time.Second || ctx.Err() != nil):
				t.Errorf("error %v after %s, lock %v", err, took, context.Cause(ctx))
			case !mended && (!errors.Is(err, engine.ErrLockLost) || took != 3500*time.Millisecond):
				t.Errorf("error %v after %s", err, took)
			}
		})
	}
}

// TestFenceBoundsAWrite: the client gives up after the time that the server was told.
func TestFenceBoundsAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := sandbox(t)
		p := w.process("a", 0, "")
		maps := w.client(p.locker.Transport).Resource(configMaps).Namespace("default")
		_, unlock, err := p.locker.Lock(t.Context())
		must(t, err)
		defer unlock()
		for _, fault := range []apiserver.Fault{{Hang: true}, {Delay: time.Minute}} {
			s.Intercept(func(req *http.Request) *apiserver.Fault {
				if strings.Contains(req.URL.Path, "configmaps") {
					return &fault
				}
				return nil
			})
			start := time.Now()
			_, err = maps.Create(t.Context(), configMap("slow"), metav1.CreateOptions{})
			if d := time.Since(start); err == nil || d != cluster.WriteTimeout {
				t.Errorf("error %v after %s", err, d)
			}
		}
		s.Intercept(nil)
		time.Sleep(time.Minute)
		if s.Store().Get(configMaps.GroupResource(), "default", "slow") != nil {
			t.Error("the write was carried out late")
		}
	})
}

// TestLockThatLands although its answer was lost is found and kept, with the right counted anew.
func TestLockThatLands(t *testing.T) {
	bubble(t, func(t *testing.T, s *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
		lost := 0
		s.Intercept(func(req *http.Request) *apiserver.Fault {
			if req.Method == http.MethodPost && lost == 0 {
				lost++
				return &apiserver.Fault{Lose: true}
			}
			return nil
		})
		start := time.Now()
		_, unlock, err := locker(o, "a").Lock(t.Context())
		must(t, err)
		defer unlock()
		if d := time.Since(start); lost != 1 || d > time.Second {
			t.Errorf("%d answers lost, locked after %s", lost, d)
		}
	})
}
