package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/github"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/state/cluster"
)

// session is one command's connection to the workload's cluster.
type session struct {
	Options
	namespace string
	workload  plan.Ref
	config    *rest.Config
	calls     *meter

	free   *kube.Client // reads, and writes that need no lock
	store  *cluster.Store
	locker *cluster.Locker
	inbox  *cluster.Inbox

	reporter *github.Reporter // nil without GitHub

	// after is the rollout of the stage before this one, which must be the last one; empty for a first stage.
	after string
	// later are the stages that follow this one.
	later []spec.Deploy
}

// Invalid says that the call is wrong and nothing was touched.
type Invalid struct{ Err error }

// Error is the wrapped error's text.
func (i *Invalid) Error() string { return i.Err.Error() }

// Unwrap gives the cause.
func (i *Invalid) Unwrap() error { return i.Err }

func invalid(format string, args ...any) error { return &Invalid{fmt.Errorf(format, args...)} }

// connect builds the clients. It makes no call.
func connect(o Options) (*session, error) {
	s := &session{Options: o, calls: &meter{}}
	config, namespace, err := loadConfig(o)
	if err != nil {
		return nil, err
	}
	s.namespace = firstOf(o.Deploy.Spec.Namespace, o.Namespace, namespace, "default")
	s.workload = kube.WorkloadRef(o.Deploy.Spec.Workload.Kind, s.namespace, o.Deploy.Spec.Workload.Name)
	s.config = rest.CopyConfig(config)
	s.config.QPS, s.config.Burst = 50, 100
	s.config.UserAgent = "tidegate"
	s.config.WarningHandler = rest.NoWarnings{}
	s.config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &metered{next: next, meter: s.calls} })
	if o.Wrap != nil {
		s.config.Wrap(o.Wrap)
	}
	s.config.Wrap(kube.BoundWatches(o.Clock))
	free, err := dynamic.NewForConfig(s.config)
	if err != nil {
		return nil, invalid("the kubeconfig cannot be used: %w", err)
	}
	s.free = s.client(free).WithPatience(o.patience())
	base := cluster.Options{Client: free, Workload: s.workload, Clock: o.Clock, Warn: o.Warn, Patience: o.patience()}
	s.locker = cluster.NewLocker(cluster.LockOptions{Options: base, Holder: o.Holder, Predecessor: o.Predecessor})
	if o.Identity != nil {
		o.Identity(s.locker.Identity())
	}
	s.inbox = cluster.NewInbox(base)
	s.store = cluster.NewStore(base)
	return s, nil
}

func (s *session) client(d dynamic.Interface) *kube.Client {
	c := kube.New(d, s.Clock, func(err error) bool {
		return errors.Is(err, engine.ErrLockLost) || errors.Is(err, engine.ErrFenced)
	})
	if logs, err := kube.NewRESTLogs(s.config); err == nil {
		c = c.WithLogs(logs)
	}
	return c
}

// fenced returns a client and a store whose writes need the lock.
func (s *session) fenced() (*kube.Client, *cluster.Store, error) {
	config := rest.CopyConfig(s.config)
	config.Wrap(s.locker.Transport)
	d, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, nil, fmt.Errorf("client under the lock: %w", err)
	}
	store := cluster.NewStore(cluster.Options{Client: d, Workload: s.workload, Clock: s.Clock, Warn: s.Warn})
	return s.client(d), store, nil
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// firstContact is how long a cluster that does not answer is tried before anything is touched: somebody is waiting.
const firstContact = 10 * time.Second

func (o Options) patience() time.Duration {
	if o.Patience > 0 {
		return o.Patience
	}
	return firstContact
}

// takeover bounds how long a run waits for the holder that it asked to go back.
func (s *session) takeover() time.Duration {
	return undoLimit(s.Options) + time.Minute
}

// undoLimit bounds the way back: it may roll the base, which takes up to the progress deadline, twice.
func undoLimit(o Options) time.Duration {
	return 2*o.Deploy.Spec.ProgressDeadline.Std() + 10*time.Minute
}

// bounded is ctx's values without its end, for what must be done although a run was cancelled.
func bounded(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), d)
}
