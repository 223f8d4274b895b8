package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/rest"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/sandbox/controllers"
	"github.com/tidegate/tidegate/internal/sandbox/gateway"
	"github.com/tidegate/tidegate/internal/sandbox/prom"
	"github.com/tidegate/tidegate/internal/sandbox/service"
)

// Options say what the cluster is made of; durations left zero get the defaults that are named.
type Options struct {
	Images     map[string]service.Config // what an image's container does; one that is not here cannot be pulled
	Traffic    bool                      // listen on 127.0.0.1 and scrape
	Metrics    bool                      // scrape, also without Traffic
	Clock      clock.Clock               // default: the machine's
	ReadyAfter time.Duration             // from a pod's scheduling to its readiness; 300 ms
	Grace      time.Duration             // the longest that a pod takes to stop; 1 s
	Backoff    time.Duration             // before a crashed container starts again; 10 s, doubling
	Lag        time.Duration             // from a route's write to its force in the gateway; 100 ms
	Nodes      int                       // only DaemonSets use more than one; 1
	CPU        string                    // the node's; "8"
	Memory     string                    // "16Gi"
	Features   []string                  // the GatewayClass's supportedFeatures; default: what the gateway can
	Resources  []apiserver.Resource      // default: apiserver.Resources()
}

// Cluster is a running embedded cluster.
type Cluster struct {
	api         *apiserver.Server
	controllers *controllers.Controllers
	gateway     *gateway.Gateway
	prom        *prom.Server

	stop    context.CancelFunc
	servers []*http.Server
	serving sync.WaitGroup
	urls    [3]string // API, gateway, Prometheus
}

// Start makes a cluster that runs until Close or the end of ctx.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	o = o.complete()
	cpu, err := resource.ParseQuantity(o.CPU)
	if err != nil {
		return nil, fmt.Errorf("the node's CPU %q: %w", o.CPU, err)
	}
	memory, err := resource.ParseQuantity(o.Memory)
	if err != nil {
		return nil, fmt.Errorf("the node's memory %q: %w", o.Memory, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	c := &Cluster{stop: cancel, api: apiserver.New(apiserver.Options{Clock: o.Clock, Resources: o.Resources})}
	c.controllers = controllers.Start(ctx, c.api, controllers.Options{
		Clock: o.Clock, ReadyAfter: o.ReadyAfter, Grace: o.Grace, Backoff: o.Backoff, CPU: cpu, Memory: memory, Features: o.Features,
		Images: func(image string) (service.Config, bool) { found, ok := o.Images[image]; return found, ok },
	})
	c.gateway = gateway.Start(ctx, c.api, gateway.Options{Clock: o.Clock, Dial: c.controllers.Handler, Delay: o.Lag})
	if o.Metrics || o.Traffic {
		c.prom = prom.Start(ctx, prom.Options{Clock: o.Clock, Targets: c.targets})
	}
	if err := c.furnish(o); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if o.Traffic {
		if err := c.listen(ctx); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

func (o Options) complete() Options {
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	for _, d := range []struct {
		to    *time.Duration
		value time.Duration
	}{{&o.ReadyAfter, 300 * time.Millisecond}, {&o.Grace, time.Second}, {&o.Backoff, 10 * time.Second}, {&o.Lag, 100 * time.Millisecond}} {
		if *d.to == 0 {
			*d.to = d.value
		}
	}
	if o.CPU == "" {
		o.CPU = "8"
	}
	if o.Memory == "" {
		o.Memory = "16Gi"
	}
	if o.Features == nil {
		o.Features = []string{
			"Gateway", "HTTPRoute", "HTTPRouteBackendRequestHeaderModification", "HTTPRouteMethodMatching", "HTTPRouteQueryParamMatching",
			"HTTPRouteRequestMirror", "HTTPRouteRequestPercentageMirror", "HTTPRouteResponseHeaderModification", "ReferenceGrant",
		}
	}
	return o
}

// API is the server, with its hooks and its store.
func (c *Cluster) API() *apiserver.Server { return c.api }

// Gateway is the data plane, for requests without a socket.
func (c *Cluster) Gateway() http.Handler { return c.gateway }

// Pod is what listens on a pod's address, past every Service; nil for nothing.
func (c *Cluster) Pod(ip string) http.Handler { return c.controllers.Handler(ip) }

// Transport is for HTTP clients in this process: the host "prometheus" is Prometheus, all others are the gateway's.
func (c *Cluster) Transport() http.RoundTripper {
	return apiserver.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "prometheus" && c.prom != nil {
			c.prom.ServeHTTP(w, r)
			return
		}
		c.gateway.ServeHTTP(w, r)
	}))
}

// Prometheus is nil without Metrics or Traffic. Its Stop and Start make an outage.
func (c *Cluster) Prometheus() *prom.Server { return c.prom }

// Config is for clients in this process: no socket, no rate limit.
func (c *Cluster) Config() *rest.Config {
	return &rest.Config{Host: "http://sandbox", Transport: c.api.RoundTripper(), QPS: -1, UserAgent: "tidegate"}
}

// APIURL is where kubectl finds the API server. It is empty without Traffic, as GatewayURL and PrometheusURL are.
func (c *Cluster) APIURL() string { return c.urls[0] }

// GatewayURL is where users' requests go.
func (c *Cluster) GatewayURL() string { return c.urls[1] }

// PrometheusURL answers the query API.
func (c *Cluster) PrometheusURL() string { return c.urls[2] }

// Kubeconfig is for kubectl and other processes; nil without Traffic.
func (c *Cluster) Kubeconfig() []byte {
	if c.urls[0] == "" {
		return nil
	}
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: sandbox
contexts: [{name: sandbox, context: {cluster: sandbox, user: sandbox, namespace: default}}]
clusters: [{name: sandbox, cluster: {server: %q}}]
users: [{name: sandbox, user: {}}]
`, c.urls[0])
}

func (c *Cluster) targets() []prom.Target {
	var list []prom.Target
	for _, t := range c.controllers.Targets() {
		list = append(list, prom.Target{Handler: t.Handler, Labels: map[string]string{
			"namespace": t.Namespace, "pod": t.Pod, "job": t.Job(),
		}})
	}
	return list
}

func (c *Cluster) listen(ctx context.Context) error {
	for i, handler := range []http.Handler{c.api.Handler(), c.gateway, c.prom} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		c.urls[i] = "http://" + l.Addr().String()
		server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
		c.servers = append(c.servers, server)
		c.serving.Go(func() { _ = server.Serve(l) })
	}
	return nil
}

// Close ends everything that runs and waits for it.
func (c *Cluster) Close() error {
	c.api.Close()
	c.stop()
	var errs []error
	for _, s := range c.servers {
		errs = append(errs, s.Close())
	}
	c.serving.Wait()
	c.controllers.Wait()
	c.gateway.Wait()
	if c.prom != nil {
		c.prom.Wait()
	}
	return errors.Join(errs...)
}

// Serving is how many pods answer requests now, terminating ones included.
func (c *Cluster) Serving() int { return len(c.controllers.Targets()) }
