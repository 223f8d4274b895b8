package kube_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

var maps = schema.GroupResource{Resource: "configmaps"}

// TestTransient: what may pass by itself is tried again, what will not is not.
func TestTransient(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		want bool
	}{
		{"none", nil, false},
		{"not found", apierrors.NewNotFound(maps, "x"), false},
		{"forbidden", apierrors.NewForbidden(maps, "x", nil), false},
		{"unauthorized", apierrors.NewUnauthorized("no"), false},
		{"invalid", apierrors.NewInvalid(schema.GroupKind{}, "x", nil), false},
		{"bad request", apierrors.NewBadRequest("no"), false},
		{"conflict", apierrors.NewConflict(maps, "x", errors.New("changed")), false},
		{"already exists", apierrors.NewAlreadyExists(maps, "x"), false},
		{"gone", apierrors.NewResourceExpired("compacted"), false},
		{"too many requests", apierrors.NewTooManyRequests("busy", 1), true},
		{"internal", apierrors.NewInternalError(errors.New("etcd")), true},
		{"unavailable", apierrors.NewServiceUnavailable("starting"), true},
		{"server timeout", apierrors.NewServerTimeout(maps, "get", 1), true},
		{"gateway timeout", apierrors.NewTimeoutError("slow", 1), true},
		{"bad gateway", apierrors.NewGenericServerResponse(502, "get", maps, "x", "", 0, true), true},
		{"wrapped", fmt.Errorf("read: %w", apierrors.NewServiceUnavailable("starting")), true},
		{"network", &url.Error{Op: "Get", URL: "https://x", Err: io.ErrUnexpectedEOF}, true},
		{"our own timeout", context.DeadlineExceeded, true},
		{"cancelled", context.Canceled, false},
		{"another error", errors.New("no such container"), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := kube.Transient(tc.err); got != tc.want {
				t.Errorf("%v: %t", tc.err, got)
			}
		})
	}
}

// TestReadRetries: what passes is tried again, with growing pauses and as the server asks, within a minute.
func TestReadRetries(t *testing.T) {
	busy := &apiserver.Fault{Answer: apierrors.NewServiceUnavailable("starting")}
	later := &apiserver.Fault{Answer: apierrors.NewTooManyRequests("busy", 3)}
	var always []*apiserver.Fault
	for range 200 {
		always = append(always, busy)
	}
	for _, tc := range []struct {
		name   string
		faults []*apiserver.Fault
		fine   bool
		calls  int
		most   time.Duration
		least  time.Duration
	}{
		{"at once", nil, true, 1, 0, 0},
		{"busy twice", []*apiserver.Fault{busy, busy}, true, 3, 300 * time.Millisecond, 300 * time.Millisecond},
		{"cut", []*apiserver.Fault{{Cut: true}}, true, 2, 2 * time.Second, 100 * time.Millisecond},
		{"as the server asks", []*apiserver.Fault{later}, true, 2, 3 * time.Second, 3 * time.Second},
		{"hangs once", []*apiserver.Fault{{Hang: true}}, true, 2, 11 * time.Second, 10 * time.Second},
		{"for good", []*apiserver.Fault{{Answer: apierrors.NewForbidden(maps, "one", nil)}}, false, 1, 0, 0},
		{"always", always, false, 0, time.Minute, 50 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.make(t, "1")
				w.faults(http.MethodGet, tc.faults...)
				start := time.Now()
				_, err := w.Get(t.Context(), one)
				if (err == nil) != tc.fine {
					t.Errorf("error %v", err)
				}
				if took := time.Since(start); took > tc.most || took < tc.least {
					t.Errorf("it took %v", took)
				}
				if n := w.count(http.MethodGet); tc.calls > 0 && n != tc.calls {
					t.Errorf("%d calls", n)
				}
			})
		})
	}
}

// TestFinal: an error that the caller knows to be final is not tried again, though it looks like one of the network.
func TestFinal(t *testing.T) {
	lost := errors.New("the lock was lost")
	n := 0
	config := &rest.Config{Host: "http://embedded", QPS: -1, Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		n++
		return nil, lost
	})}
	d, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	c := kube.New(d, clock.Real{}, func(err error) bool { return errors.Is(err, lost) })
	if _, err := c.Get(t.Context(), one); !errors.Is(err, lost) || n != 1 {
		t.Errorf("error %v after %d calls", err, n)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestCancelledWhileRetrying ends with the cancellation's cause, at once.
func TestCancelledWhileRetrying(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var always []*apiserver.Fault
		for range 100 {
			always = append(always, &apiserver.Fault{Answer: apierrors.NewServiceUnavailable("starting")})
		}
		w.faults("", always...)
		stop := errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(5*time.Second, func() { cancel(stop) })
		start := time.Now()
		if _, err := w.Get(ctx, one); !errors.Is(err, stop) || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestWriteSurvives: a write that has begun is carried to its end although its context is cancelled; none begins after.
func TestWriteSurvives(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.make(t, "1")
		w.faults(http.MethodPut, &apiserver.Fault{Delay: 2 * time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		stored, err := w.Modify(ctx, one, setValue("2"))
		if err != nil || w.value("one") != "2" || time.Since(start) != 2*time.Second {
			t.Errorf("%v, value %s, after %v", err, w.value("one"), time.Since(start))
		}
		if _, err := w.ModifyFrom(ctx, stored, setValue("3")); !errors.Is(err, context.Canceled) || w.value("one") != "2" {
			t.Errorf("%v, value %s", err, w.value("one"))
		}
	})
}

// TestWriteIsBounded: no write takes longer than its timeout, and a slow server is asked again.
func TestWriteIsBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.make(t, "1")
		w.faults(http.MethodPut, &apiserver.Fault{Hang: true})
		start := time.Now()
		_, err := w.Modify(t.Context(), one, setValue("2"))
		if took := time.Since(start); err != nil || w.value("one") != "2" || took < kube.WriteTimeout || took > kube.WriteTimeout+time.Second {
			t.Errorf("%v, value %s, after %v", err, w.value("one"), took)
		}
	})
}

// TestModify: the change is made to what is there, under what was read.
func TestModify(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.make(t, "1")
		w.faults("")
		tries := 0
		stored, err := w.Modify(t.Context(), one, func(o *unstructured.Unstructured) (bool, error) {
			if tries++; tries <= 2 {
				w.write(t, fmt.Sprintf("other %d", tries))
			}
			v, _, _ := unstructured.NestedString(o.Object, "data", "k")
			return true, unstructured.SetNestedField(o.Object, v+" and ours", "data", "k")
		})
		if err != nil || tries != 3 || w.value("one") != "other 2 and ours" {
			t.Errorf("%v after %d tries: %q", err, tries, w.value("one"))
		}
		if got, _, _ := unstructured.NestedString(stored.Object, "data", "k"); got != "other 2 and ours" {
			t.Errorf("given back: %q", got)
		}
	})
}

// TestModifyNothing writes nothing, and gives back what is there.
func TestModifyNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.make(t, "1")
		w.faults("")
		stored, err := w.Modify(t.Context(), one, func(o *unstructured.Unstructured) (bool, error) {
			return false, unstructured.SetNestedField(o.Object, "scribble", "data", "k")
		})
		if err != nil || w.count(http.MethodPut) > 0 {
			t.Errorf("%v, %d writes", err, w.count(http.MethodPut))
		}
		if got, _, _ := unstructured.NestedString(stored.Object, "data", "k"); got != "1" {
			t.Errorf("given back: %q", got)
		}
		refused := errors.New("not ours")
		if _, err := w.Modify(t.Context(), one, func(*unstructured.Unstructured) (bool, error) { return true, refused }); !errors.Is(err, refused) {
			t.Errorf("error %v", err)
		}
		if _, err := w.ModifyFrom(t.Context(), stored, setValue("2")); err != nil || w.count(http.MethodGet) != 2 {
			t.Errorf("%v, %d reads: what was just read was read again", err, w.count(http.MethodGet))
		}
	})
}

// TestModifyGivesUp against somebody who writes all the time, and says so.
func TestModifyGivesUp(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.make(t, "1")
		tries := 0
		_, err := w.Modify(t.Context(), one, func(o *unstructured.Unstructured) (bool, error) {
			tries++
			w.write(t, fmt.Sprint("try ", tries))
			return setValue("ours")(o)
		})
		if err == nil || tries != 10 || apierrors.IsConflict(err) {
			t.Errorf("%v after %d tries", err, tries)
		}
	})
}

// TestDelete twice is fine.
func TestDelete(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.make(t, "1")
		for range 2 {
			if err := w.Delete(t.Context(), one); err != nil {
				t.Error(err)
			}
		}
		if _, err := w.Get(t.Context(), one); !apierrors.IsNotFound(err) {
			t.Errorf("error %v", err)
		}
	})
}

// TestApply makes an object as it is stated, twice with the same outcome; a dry run stores nothing.
func TestApply(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if err := w.DryRun(t.Context(), configMap("one", "1")); err != nil || w.value("one") != "" {
			t.Errorf("dry run: %v, value %q", err, w.value("one"))
		}
		first, err := w.Apply(t.Context(), configMap("one", "1"))
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.Apply(t.Context(), configMap("one", "1"))
		if err != nil || again.GetResourceVersion() != first.GetResourceVersion() {
			t.Errorf("%v: applied again it is another version", err)
		}
		w.write(t, "by hand")
		if _, err := w.Apply(t.Context(), configMap("one", "1")); err != nil || w.value("one") != "1" {
			t.Errorf("%v, value %q", err, w.value("one"))
		}
		list, err := w.List(t.Context(), "v1", "ConfigMap", "default", "is=one")
		if err != nil || len(list) != 1 {
			t.Errorf("%d objects, %v", len(list), err)
		}
	})
}
