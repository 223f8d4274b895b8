package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/routine"
)

const (
	watchLength  = 5 * time.Minute // after which a watch is opened anew
	watchOpening = 10 * time.Second
	watchPause   = 30 * time.Second // the longest between two tries to open a watch
)

// follower watches one object. Each watch is opened at resourceVersion 0: then the server sends the object as its cache
// has it first, however long ago it was written, so that a compacted history (410) costs nothing but a new watch. (Without
// a version the server first makes its cache as new as etcd, which an etcd before 3.4.25 cannot help with: such a watch
// fails with "Too large resource version", seen.)
type follower struct {
	Options
	objects dynamic.ResourceInterface
	name    string
	out     chan *unstructured.Unstructured

	sent    bool
	version string // of what was sent last; "" for nothing
}

// follow sends the object as it is (nil when there is none) and each later version (nil when it was deleted) until ctx
// ends; then the channel is closed.
func follow(ctx context.Context, o Options, objects dynamic.ResourceInterface, name string) <-chan *unstructured.Unstructured {
	f := &follower{Options: o, objects: objects, name: name, out: make(chan *unstructured.Unstructured)}
	routine.Go(func() { f.run(ctx) })
	return f.out
}

func (f *follower) run(ctx context.Context) {
	defer close(f.out)
	pause, warned := firstPause, false
	for {
		opened, err := f.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		if opened {
			pause, warned = firstPause, false
		}
		if err != nil && !expired(err) && !warned {
			f.Warn(fmt.Sprintf("the watch of %s was interrupted and is opened again: %v", f.name, err))
			warned = true
		}
		if clock.Sleep(ctx, f.Clock, pause) != nil {
			return
		}
		pause = min(2*pause, watchPause)
	}
}

func expired(err error) bool { return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) }

// connect opens a watch and passes on what it says until it ends.
func (f *follower) connect(ctx context.Context) (opened bool, err error) {
	ctx, cancel := clock.WithTimeout(ctx, f.Clock, watchLength+watchOpening, context.DeadlineExceeded)
	defer cancel()
	w, err := f.open(ctx, cancel)
	if err != nil {
		return false, err
	}
	defer w.Stop()
	// The watch says nothing of an object that does not exist; one that exists now is sent by the watch itself.
	_, err = once(ctx, f.Clock, func(ctx context.Context) (*unstructured.Unstructured, error) {
		return f.objects.Get(ctx, f.name, metav1.GetOptions{})
	})
	switch {
	case apierrors.IsNotFound(err):
		f.send(ctx, nil)
	case err != nil:
		return false, err
	}
	return true, f.pass(ctx, w.ResultChan())
}

// open gives up when the server does not answer; the watch itself may last.
func (f *follower) open(ctx context.Context, cancel context.CancelFunc) (watch.Interface, error) {
	answered, ended := make(chan struct{}), make(chan struct{})
	timer := f.Clock.NewTimer(watchOpening)
	routine.Go(func() {
		defer close(ended)
		defer timer.Stop()
		select {
		case <-answered:
		case <-timer.C():
			cancel()
		}
	})
	seconds := int64(watchLength / time.Second)
	w, err := f.objects.Watch(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("metadata.name", f.name).String(), TimeoutSeconds: &seconds, ResourceVersion: "0",
	})
	close(answered)
	<-ended
	return w, err
}

func (f *follower) pass(ctx context.Context, events <-chan watch.Event) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-events:
			if !ok {
				return nil
			}
			if err := f.event(ctx, e); err != nil {
				return err
			}
		}
	}
}

func (f *follower) event(ctx context.Context, e watch.Event) error {
	if e.Type == watch.Error {
		return apierrors.FromObject(e.Object)
	}
	obj, ok := e.Object.(*unstructured.Unstructured)
	if !ok {
		return errors.New("the watch sent something that is not an object")
	}
	switch e.Type {
	case watch.Added, watch.Modified:
		f.send(ctx, obj)
	case watch.Deleted:
		f.send(ctx, nil)
	}
	return nil
}

// send passes on what is new.
func (f *follower) send(ctx context.Context, obj *unstructured.Unstructured) {
	version := ""
	if obj != nil {
		version = obj.GetResourceVersion()
	}
	if f.sent && version == f.version {
		return
	}
	select {
	case f.out <- obj:
		f.sent, f.version = true, version
	case <-ctx.Done():
	}
}
