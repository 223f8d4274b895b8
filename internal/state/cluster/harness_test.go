package cluster_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/state/cluster"
	"github.com/tidegate/tidegate/internal/state/contract"
)

var (
	configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	leases     = schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}
	web        = plan.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "default", Name: "web"}
)

// world is a cluster as the suites see it: the state of one workload behind some API server.
type world struct {
	config   *rest.Config
	workload plan.Ref
}

func sandbox(t *testing.T) (*apiserver.Server, *world) {
	s := apiserver.New(apiserver.Options{})
	t.Cleanup(s.Close)
	return s, &world{config: &rest.Config{Host: "http://sandbox", Transport: s.RoundTripper(), QPS: -1}, workload: web}
}

func inBubble() contract.Harness {
	return contract.Harness{New: func(t *testing.T) contract.Cluster { _, w := sandbox(t); return w }}
}

// realCluster is the cluster of KUBECONFIG. Its suites mostly wait: with -parallel 50 they take three minutes.
func realCluster(t *testing.T) contract.Harness {
	path := os.Getenv("KUBECONFIG")
	switch {
	case testing.Short():
		t.Skip("a real cluster is not used with -short")
	case path == "":
		t.Skip("no real cluster: set KUBECONFIG to run the suite against one (it works in the namespace default)")
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	return contract.Harness{RealTime: true, New: func(t *testing.T) contract.Cluster {
		w := &world{config: config, workload: web}
		w.workload.Name = "contract-" + strings.ToLower(rand.Text()[:8])
		t.Cleanup(func() {
			w.delete(t, configMaps, cluster.Name(w.workload))
			w.delete(t, configMaps, cluster.InboxName(w.workload))
			w.delete(t, leases, cluster.Name(w.workload))
		})
		return w
	}}
}

func (w *world) client(wrap func(http.RoundTripper) http.RoundTripper) dynamic.Interface {
	config := rest.CopyConfig(w.config)
	if wrap != nil {
		config.Wrap(wrap)
	}
	return dynamic.NewForConfigOrDie(config)
}

func (w *world) options(client dynamic.Interface, c clock.Clock) cluster.Options {
	return cluster.Options{Client: client, Workload: w.workload, Clock: c}
}

func (w *world) Process(holder string, skew time.Duration) contract.Process {
	return w.process(holder, skew, "")
}

func (w *world) Successor(holder string, p contract.Process) contract.Process {
	return w.process(holder, 0, p.(*process).locker.Identity())
}

func (w *world) process(holder string, skew time.Duration, predecessor string) *process {
	p := &process{cut: make(chan struct{})}
	o := w.options(w.client(func(next http.RoundTripper) http.RoundTripper { return line{p, next} }), skewed(skew))
	p.store, p.inbox = cluster.NewStore(o), cluster.NewInbox(o)
	p.locker = cluster.NewLocker(cluster.LockOptions{Options: o, Holder: holder, Predecessor: predecessor})
	return p
}

func (w *world) DeleteRecord(t *testing.T) { w.delete(t, configMaps, cluster.Name(w.workload)) }
func (w *world) DeleteLease(t *testing.T)  { w.delete(t, leases, cluster.Name(w.workload)) }

func (w *world) delete(t *testing.T, gvr schema.GroupVersionResource, name string) {
	t.Helper()
	err := w.client(nil).Resource(gvr).Namespace(w.workload.Namespace).Delete(context.Background(), name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Error(err)
	}
}

// skewed is a clock whose wall time is off.
type skewed time.Duration

func (s skewed) Now() time.Time                       { return time.Now().Add(time.Duration(s)) }
func (s skewed) NewTimer(d time.Duration) clock.Timer { return clock.Real{}.NewTimer(d) }

// process is one process whose connection can be broken.
type process struct {
	store  *cluster.Store
	locker *cluster.Locker
	inbox  *cluster.Inbox

	mu    sync.Mutex
	fault contract.Fault
	cut   chan struct{} // closed at Break
}

func (p *process) Store() contract.WatchedStore   { return p.store }
func (p *process) Locker() contract.WaitingLocker { return p.locker }
func (p *process) Inbox() engine.Inbox            { return p.inbox }

func (p *process) Break(f contract.Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
	close(p.cut)
	p.cut = make(chan struct{})
}

func (p *process) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = ""
}

func (p *process) state() (contract.Fault, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault, p.cut
}

// line is the connection of a process.
type line struct {
	process *process
	next    http.RoundTripper
}

func (l line) RoundTrip(req *http.Request) (*http.Response, error) {
	fault, cut := l.process.state()
	switch fault {
	case contract.Refuse:
		body := `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"broken","reason":"InternalError","code":500}`
		return &http.Response{
			StatusCode: http.StatusInternalServerError, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(bytes.NewBufferString(body)), Request: req,
		}, nil
	case contract.Hang:
		<-req.Context().Done()
		return nil, context.Cause(req.Context())
	case contract.Reset:
		return nil, fmt.Errorf("the connection was refused")
	}
	watching := req.URL.Query().Get("watch") == "true"
	ctx, cancel := context.WithCancel(req.Context())
	if watching {
		go func() {
			select {
			case <-cut:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	resp, err := l.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	if fault == contract.Lose {
		cancel()
		_ = resp.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	resp.Body = ending{resp.Body, cancel}
	return resp, nil
}

type ending struct {
	io.ReadCloser
	cancel func()
}

func (e ending) Close() error {
	defer e.cancel()
	return e.ReadCloser.Close()
}

func TestStore(t *testing.T)  { contract.Store(t, inBubble()) }
func TestLocker(t *testing.T) { contract.Locker(t, inBubble()) }
func TestInbox(t *testing.T)  { contract.Inbox(t, inBubble()) }

func TestRealStore(t *testing.T)  { contract.Store(t, realCluster(t)) }
func TestRealLocker(t *testing.T) { contract.Locker(t, realCluster(t)) }
func TestRealInbox(t *testing.T)  { contract.Inbox(t, realCluster(t)) }
