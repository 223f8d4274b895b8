package controllers

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/sandbox/service"
)

// Options say how the cluster behaves. Zero durations are at once.
type Options struct {
	Clock      clock.Clock
	Images     func(image string) (service.Config, bool) // false: the image cannot be pulled
	ReadyAfter time.Duration                             // from scheduling to readiness
	Grace      time.Duration                             // the longest that a pod takes to stop; its own grace bounds it too
	Backoff    time.Duration                             // before the first restart of a crashed container; doubles up to 5 min
	CPU        resource.Quantity                         // of the node, for one pod; zero is unlimited
	Memory     resource.Quantity
	Features   []string // supportedFeatures of every GatewayClass
}

// Controllers run until their context ends.
type Controllers struct {
	api     *apiserver.Server
	o       Options
	stopped chan struct{}
	node    node

	mu    sync.Mutex // guards all below
	queue []ref
	known map[ref]bool
	due   map[ref]time.Time
	wake  chan struct{}
}

// ref names an object to look at.
type ref struct {
	plural string
	apiserver.Key
}

// Start lets controllers work on the server's objects until ctx ends; Wait for it before the server is let go.
func Start(ctx context.Context, api *apiserver.Server, o Options) *Controllers {
	c := &Controllers{
		api: api, o: o, stopped: make(chan struct{}), wake: make(chan struct{}, 1),
		known: map[ref]bool{}, due: map[ref]time.Time{},
		node: node{pods: map[string]*podState{}, serving: map[string]*process{}},
	}
	api.OnWrite(c.written)
	go c.run(ctx)
	return c
}

// Wait returns when the controllers have stopped.
func (c *Controllers) Wait() { <-c.stopped }

func (c *Controllers) run(ctx context.Context) {
	defer close(c.stopped)
	for {
		if r, ok := c.next(); ok {
			c.reconcile(r)
			if ctx.Err() != nil {
				return
			}
			continue
		}
		if !c.wait(ctx) {
			return
		}
	}
}

// wait until there is something in the queue or something is due; false when ctx has ended.
func (c *Controllers) wait(ctx context.Context) bool {
	var soon <-chan time.Time
	if at, ok := c.soonest(); ok {
		t := c.o.Clock.NewTimer(at.Sub(c.o.Clock.Now()))
		defer t.Stop()
		soon = t.C()
	}
	select {
	case <-ctx.Done():
		return false
	case <-c.wake:
	case <-soon:
		c.ripen()
	}
	return true
}

func (c *Controllers) soonest() (at time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.due {
		if !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	return at, ok
}

// ripen moves what is due into the queue, always in the same order.
func (c *Controllers) ripen() {
	now := c.o.Clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	var ripe []ref
	for r, t := range c.due {
		if !t.After(now) {
			ripe = append(ripe, r)
			delete(c.due, r)
		}
	}
	slices.SortFunc(ripe, func(a, b ref) int {
		return cmp.Or(strings.Compare(a.plural, b.plural), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	for _, r := range ripe {
		c.push(r)
	}
}

func (c *Controllers) next() (ref, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return ref{}, false
	}
	r := c.queue[0]
	c.queue = c.queue[1:]
	delete(c.known, r)
	return r, true
}

// enqueue has an object looked at soon.
func (c *Controllers) enqueue(plural, namespace, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.push(ref{plural, apiserver.Key{Namespace: namespace, Name: name}})
}

// push needs the lock.
func (c *Controllers) push(r ref) {
	if c.known[r] {
		return
	}
	c.known[r] = true
	c.queue = append(c.queue, r)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// later has an object looked at again at a moment; the earliest wish counts.
func (c *Controllers) later(r ref, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if was, ok := c.due[r]; !ok || at.Before(was) {
		c.due[r] = at
	}
}

func (c *Controllers) reconcile(r ref) {
	switch r.plural {
	case "deployments":
		c.deployment(r)
	case "replicasets":
		c.replicaSet(r)
	case "statefulsets":
		c.statefulSet(r)
	case "daemonsets":
		c.daemonSet(r)
	case "pods":
		c.pod(r)
	case "services":
		c.endpoints(r)
	case "httproutes", "grpcroutes":
		c.route(r)
	case "gateways":
		c.gateway(r)
	case "gatewayclasses":
		c.gatewayClass(r)
	case "horizontalpodautoscalers":
		c.autoscaler(r)
	}
}

// written queues an object and what depends on it. It is the server's hook: it must not wait.
func (c *Controllers) written(w apiserver.Write) {
	plural, ns := w.Resource.Resource, w.Namespace
	object := w.Object
	if object == nil {
		object = w.Old
	}
	c.enqueue(plural, ns, w.Name)
	switch plural {
	case "replicasets", "pods":
		if owner := ownerOf(object.Object); owner != nil {
			c.enqueue(pluralOf(str(owner, "kind")), ns, str(owner, "name"))
		}
		if plural == "pods" {
			c.enqueueAll("services", ns)
			if w.Object == nil {
				c.enqueueAll("deployments", ns)
			}
		}
	case "deployments", "statefulsets":
		c.enqueueAll("horizontalpodautoscalers", ns)
	case "nodes":
		c.enqueueAll("daemonsets", "")
	case "services", "gateways", "referencegrants":
		c.enqueueAll("httproutes", "")
		c.enqueueAll("grpcroutes", "")
	}
}

func (c *Controllers) enqueueAll(plural, namespace string) {
	for _, o := range c.view(plural, namespace) {
		c.enqueue(plural, str(o, "metadata", "namespace"), str(o, "metadata", "name"))
	}
}

func pluralOf(kind string) string {
	switch kind {
	case "Deployment":
		return "deployments"
	case "ReplicaSet":
		return "replicasets"
	case "StatefulSet":
		return "statefulsets"
	case "DaemonSet":
		return "daemonsets"
	}
	return kind
}

// gvr of the resources that controllers write.
func gvr(plural string) schema.GroupVersionResource {
	switch plural {
	case "deployments", "replicasets", "statefulsets", "daemonsets", "controllerrevisions":
		return schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: plural}
	case "endpointslices":
		return schema.GroupVersionResource{Group: "discovery.k8s.io", Version: "v1", Resource: plural}
	case "httproutes", "grpcroutes", "gateways", "gatewayclasses":
		return schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: plural}
	case "horizontalpodautoscalers":
		return schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: plural}
	}
	return schema.GroupVersionResource{Version: "v1", Resource: plural}
}
