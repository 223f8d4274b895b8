package kube

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/routine"
)

// Scene is a set of views that are waited on together.
type Scene struct {
	client *Client
	ctx    context.Context //nolint:containedctx // the scene's life: views are started at any time and end with it

	mu     sync.Mutex
	change chan struct{} // closed and replaced at every change of any view
	denied error         // a watch is refused: waiting is in vain
}

// View follows the objects of one kind that a selector matches, by one watch that reconnects by itself. Reading it
// costs no call.
type View struct{ informer cache.SharedIndexInformer }

// NewScene returns a scene whose views end with ctx.
func (c *Client) NewScene(ctx context.Context) *Scene {
	return &Scene{client: c, ctx: ctx, change: make(chan struct{})}
}

// Follow starts a view on all objects of a kind that a label selector matches.
func (s *Scene) Follow(apiVersion, kind, namespace, selector string) *View {
	return s.follow(apiVersion, kind, namespace, func(o *metav1.ListOptions) { o.LabelSelector = selector })
}

// FollowOne starts a view on one object.
func (s *Scene) FollowOne(ref plan.Ref) *View {
	return s.follow(ref.APIVersion, ref.Kind, ref.Namespace, func(o *metav1.ListOptions) { o.FieldSelector = "metadata.name=" + ref.Name })
}

func (s *Scene) follow(apiVersion, kind, namespace string, narrow func(*metav1.ListOptions)) *View {
	gvr := GVR(apiVersion, kind)
	objects := s.client.resource(gvr, namespace)
	// Not from package dynamicinformer: it brings every typed client, lister and informer into the binary.
	informer := cache.NewSharedIndexInformer(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			narrow(&o)
			return objects.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			narrow(&o)
			return objects.Watch(ctx, o)
		},
	}, &unstructured.Unstructured{}, 0, cache.Indexers{})
	// Neither can fail before the informer is started.
	_ = informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) { s.failed(gvr.Resource, err) })
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { s.changed() },
		UpdateFunc: func(any, any) { s.changed() },
		DeleteFunc: func(any) { s.changed() },
	})
	routine.Go(func() { informer.RunWithContext(s.ctx) })
	routine.Go(func() {
		if cache.WaitForCacheSync(s.ctx.Done(), informer.HasSynced) {
			s.changed()
		}
	})
	return &View{informer: informer}
}

func (s *Scene) changed() { s.wake(nil) }

func (s *Scene) failed(what string, err error) {
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		s.wake(fmt.Errorf("watch %s: %w", what, err))
	} // otherwise the informer tries again
}

func (s *Scene) wake(denied error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied = denied
	close(s.change)
	s.change = make(chan struct{})
}

// Wait returns when done says so. It asks again after every change of a view of the scene, and every recheck (0: not)
// by the clock. It gives up with done's error, when a watch is refused, or with ctx's cause. done runs often and reads
// only views.
func (s *Scene) Wait(ctx context.Context, recheck time.Duration, done func() (bool, error)) error {
	for {
		s.mu.Lock()
		change, denied := s.change, s.denied
		s.mu.Unlock()
		if denied != nil {
			return denied
		}
		if ok, err := done(); ok || err != nil {
			return err
		}
		if err := s.pause(ctx, change, recheck); err != nil {
			return err
		}
	}
}

func (s *Scene) pause(ctx context.Context, change <-chan struct{}, recheck time.Duration) error {
	var tick <-chan time.Time
	if recheck > 0 {
		t := s.client.clock.NewTimer(recheck)
		defer t.Stop()
		tick = t.C()
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	case <-change:
	case <-tick:
	}
	return nil
}

// Synced tells whether the view holds what was there when it began.
func (v *View) Synced() bool { return v.informer.HasSynced() }

// List is what the watch has told so far. The objects must not be changed.
func (v *View) List() []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, o := range v.informer.GetStore().List() {
		if u, ok := o.(*unstructured.Unstructured); ok {
			all = append(all, u)
		}
	}
	return all
}

// One is the single object of a view from FollowOne, or nil.
func (v *View) One() *unstructured.Unstructured {
	if all := v.List(); len(all) == 1 {
		return all[0]
	}
	return nil
}

// Bounded is ctx with an end after d by the client's clock, for cause.
func (c *Client) Bounded(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	return clock.WithTimeout(ctx, c.clock, d, cause)
}
