package apiserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// watcher streams the changes of a resource that a selector takes, until its client goes or its time is over.
type watcher struct {
	server   *Server
	q        *request
	match    func(*item) bool
	out      http.ResponseWriter
	rv       int64
	bookmark bool
}

func (s *Server) watch(w http.ResponseWriter, req *http.Request, q *request) {
	match, err := q.selector()
	if err != nil {
		writeError(w, err)
		return
	}
	f := &watcher{server: s, q: q, match: match, out: w, bookmark: isTrue(q.query.Get("allowWatchBookmarks"))}
	seen, _ := strconv.ParseInt(q.query.Get("resourceVersion"), 10, 64)
	replay := isTrue(q.query.Get("sendInitialEvents")) || seen == 0
	if !replay {
		if _, _, ok := s.store.since(q.res.GR(), seen); !ok {
			writeError(w, apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d", seen)))
			return
		}
		f.rv = seen
	}
	ctx, cancel := f.bounded(req.Context())
	defer cancel()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	if err := f.run(ctx, replay); err == nil && f.bookmark {
		_ = f.mark(nil)
	}
}

// bounded ends a watch after ?timeoutSeconds=.
func (f *watcher) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	seconds, err := strconv.Atoi(f.q.query.Get("timeoutSeconds"))
	if err != nil || seconds <= 0 {
		return ctx, cancel
	}
	timer := f.server.clock.NewTimer(time.Duration(seconds) * time.Second)
	stop := context.AfterFunc(ctx, func() { timer.Stop() })
	go func() {
		select {
		case <-timer.C():
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { stop(); timer.Stop(); cancel() }
}

func (f *watcher) run(ctx context.Context, replay bool) error {
	if replay {
		if err := f.initial(); err != nil {
			return err
		}
	}
	f.flush()
	for {
		changes, next, ok := f.server.store.since(f.q.res.GR(), f.rv)
		if !ok {
			return f.expired()
		}
		for _, c := range changes {
			if err := f.change(c); err != nil {
				return err
			}
		}
		if len(changes) > 0 {
			f.flush()
		}
		select {
		case <-next:
		case <-ctx.Done():
			return nil
		case <-f.server.done:
			return nil
		}
	}
}

// initial sends what exists and, to a WatchList client, the bookmark that says that this was all.
func (f *watcher) initial() error {
	items, rv := f.server.store.items(f.q.res.GR(), f.q.key.Namespace)
	f.rv = rv
	for _, it := range items {
		if f.match(it) {
			if err := f.send(watch.Added, it.json()); err != nil {
				return err
			}
		}
	}
	if !isTrue(f.q.query.Get("sendInitialEvents")) || !f.bookmark {
		return nil
	}
	return f.mark(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
}

// change sends an entry of the log as this watcher's selector sees it: what leaves the selector was deleted.
func (f *watcher) change(c change) error {
	f.rv = c.rv
	before := c.old != nil && f.match(c.old)
	after := c.new != nil && f.match(c.new)
	switch {
	case after && before:
		return f.send(watch.Modified, c.new.json())
	case after:
		return f.send(watch.Added, c.new.json())
	case before:
		return f.send(watch.Deleted, seal(c.old.object, c.rv).json())
	}
	return nil
}

func (f *watcher) mark(annotations map[string]string) error {
	object := metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{Kind: f.q.res.Kind, APIVersion: f.q.res.APIVersion()},
		ObjectMeta: metav1.ObjectMeta{ResourceVersion: strconv.FormatInt(f.rv, 10), Annotations: annotations},
	}
	data, err := json.Marshal(object)
	if err != nil {
		return err
	}
	err = f.send(watch.Bookmark, data)
	f.flush()
	return err
}

func (f *watcher) expired() error {
	status := apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d", f.rv)).Status()
	data, err := json.Marshal(status)
	if err != nil {
		return err
	}
	if err := f.send(watch.Error, data); err != nil {
		return err
	}
	f.flush()
	return errors.New("the log was compacted")
}

func (f *watcher) send(kind watch.EventType, object []byte) error {
	if f.q.table {
		object = f.server.tableOf(f.q, object)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"type":%q,"object":`, kind)
	b.Write(object)
	b.WriteString("}\n")
	_, err := f.out.Write(b.Bytes())
	return err
}

func (f *watcher) flush() {
	if flusher, ok := f.out.(http.Flusher); ok {
		flusher.Flush()
	}
}
