package kube_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

// scene is one whose views end with the test's function.
func (w *world) scene(t *testing.T) (*kube.Scene, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	return w.NewScene(ctx), cancel
}

// TestWaitWakes at the change that it waits for, without asking the server.
func TestWaitWakes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.make(t, "1")
		scene, end := w.scene(t)
		defer end()
		view := scene.FollowOne(one)
		if err := scene.Wait(t.Context(), 0, func() (bool, error) { return view.Synced() && view.One() != nil, nil }); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Hour, func() { w.write(t, "2") })
		w.faults("")
		start := time.Now()
		err := scene.Wait(t.Context(), 0, func() (bool, error) { return valueOf(view) == "2", nil })
		if took := time.Since(start); err != nil || took < time.Hour || took > time.Hour+time.Second {
			t.Errorf("%v after %v", err, took)
		}
		if err := w.Delete(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if err := scene.Wait(t.Context(), 0, func() (bool, error) { return view.One() == nil, nil }); err != nil {
			t.Error(err)
		}
	})
}

func valueOf(v *kube.View) string {
	o := v.One()
	if o == nil {
		return ""
	}
	data, _ := o.Object["data"].(map[string]any)
	s, _ := data["k"].(string)
	return s
}

// TestFollow tells what a selector matches, and nothing else.
func TestFollow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for _, name := range []string{"one", "two", "three"} {
			if _, err := w.server.Create(configMaps, configMap(name, name)); err != nil {
				t.Fatal(err)
			}
		}
		scene, end := w.scene(t)
		defer end()
		some, single := scene.Follow("v1", "ConfigMap", "default", "is in (two, three)"), scene.FollowOne(one)
		if err := scene.Wait(t.Context(), 0, func() (bool, error) { return some.Synced() && single.Synced(), nil }); err != nil {
			t.Fatal(err)
		}
		if len(some.List()) != 2 || some.One() != nil || len(single.List()) != 1 || valueOf(single) != "one" {
			t.Errorf("%d and %d objects", len(some.List()), len(single.List()))
		}
	})
}

// TestWaitEnds: with the waiter's context, with the scene's, and with done's error.
func TestWaitEnds(t *testing.T) {
	stop, broken := errors.New("stop"), errors.New("broken")
	inWorld(t, func(t *testing.T, w *world) {
		scene, end := w.scene(t)
		never := func() (bool, error) { return false, nil }
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(stop) })
		if err := scene.Wait(ctx, 0, never); !errors.Is(err, stop) {
			t.Errorf("error %v", err)
		}
		bounded, free := w.Bounded(t.Context(), time.Minute, broken)
		defer free()
		if err := scene.Wait(bounded, 0, never); !errors.Is(err, broken) {
			t.Errorf("error %v", err)
		}
		if err := scene.Wait(t.Context(), 0, func() (bool, error) { return false, broken }); !errors.Is(err, broken) {
			t.Errorf("error %v", err)
		}
		time.AfterFunc(time.Minute, end)
		if err := scene.Wait(t.Context(), 0, never); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

// TestWaitRechecks by the clock, for what becomes true without a change.
func TestWaitRechecks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		scene, end := w.scene(t)
		defer end()
		start := time.Now()
		asked := 0
		err := scene.Wait(t.Context(), 5*time.Second, func() (bool, error) {
			asked++
			return time.Since(start) >= 12*time.Second, nil
		})
		if err != nil || asked != 4 || time.Since(start) != 15*time.Second {
			t.Errorf("%v, asked %d times, %v", err, asked, time.Since(start))
		}
	})
}

// TestWatchDenied: who may not watch is told so, and does not wait for ever.
func TestWatchDenied(t *testing.T) {
	for _, verb := range []string{"list", "watch"} {
		t.Run(verb, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.server.Deny(func(v, _, resource, _, _ string) bool {
					return resource == "configmaps" && (v == verb || verb == "list" && v == "watch")
				})
				scene, end := w.scene(t)
				defer end()
				view := scene.FollowOne(one)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				err := scene.Wait(ctx, 0, func() (bool, error) { return view.One() != nil, nil })
				if !apierrors.IsForbidden(err) {
					t.Errorf("error %v", err)
				}
			})
		})
	}
}

// TestWatchComesBack: one that breaks, or that never begins, is begun again.
func TestWatchComesBack(t *testing.T) {
	for name, fault := range map[string]apiserver.Fault{"cut": {Cut: true}, "hangs": {Hang: true}, "busy": {Answer: apierrors.NewServiceUnavailable("starting")}} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.make(t, "1")
				n := 0
				w.server.Intercept(func(r *http.Request) *apiserver.Fault {
					if r.URL.Query().Get("watch") == "" {
						return nil
					}
					if n++; n > 3 {
						return nil
					}
					return &fault
				})
				scene, end := w.scene(t)
				defer end()
				view := scene.FollowOne(one)
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				time.AfterFunc(time.Second, func() { w.write(t, "2") })
				if err := scene.Wait(ctx, 0, func() (bool, error) { return valueOf(view) == "2", nil }); err != nil {
					t.Errorf("%v after %d watches", err, n)
				}
			})
		})
	}
}

// TestWatchLives: once begun a watch is not ended by the bound of its beginning.
func TestWatchLives(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.make(t, "1")
		scene, end := w.scene(t)
		defer end()
		view := scene.FollowOne(one)
		if err := scene.Wait(t.Context(), 0, func() (bool, error) { return view.Synced(), nil }); err != nil {
			t.Fatal(err)
		}
		before := w.server.Calls()["watch configmaps"]
		time.Sleep(4 * time.Minute)
		if after := w.server.Calls()["watch configmaps"]; after != before {
			t.Errorf("%d watches in four quiet minutes", after-before)
		}
	})
}
