package app

import (
	"context"
	"io"
	"net/http"
	"time"

	"k8s.io/client-go/rest"

	"github.com/tidegate/tidegate/internal/catalog"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
)

// Options are what every command needs.
type Options struct {
	Deploy spec.Deploy
	// Images are the new images as they were given: by container, "" meaning the container of the spec or the only one.
	Images map[string]string

	Kubeconfig string // path; "" means KUBECONFIG, then ~/.kube/config, then the pod's own account
	// KubeconfigText is a kubeconfig's content; it goes before the path.
	KubeconfigText []byte
	// Patience is how long a cluster that does not answer is tried before anything is touched; 10 s if zero.
	Patience time.Duration
	// InContainer says that this process has a network of its own: 127.0.0.1 is not the machine's.
	InContainer bool
	Context     string // overrides the spec's
	// Config replaces the kubeconfig: the embedded cluster and tests.
	Config    *rest.Config
	Namespace string // used when the spec names none; "" means the context's

	Holder string // who runs this: a run's URL with its attempt, or user@host
	// Actor is the person for whom a workflow runs; empty where the holder is one.
	Actor  string
	Accept []string
	Force  bool // start from a base that is not whole
	Resume bool // only resume
	Wait   bool // stay while an approval waits, and let the gates watch
	Full   bool // of Promote: without the holds and approvals that are left
	// To is the revision that Rollback brings back; empty means the good one before the present one.
	To string
	// Steps lets a rollback go through the spec's steps.
	Steps bool
	// Now lets a rollback roll the workload under traffic, whatever the strategy is.
	Now    bool
	Reason string
	// Rollout, if set, is the only one that Finish may undo.
	Rollout string
	// Predecessor is the lock's identity of an earlier process of the same job that is gone: what it holds is taken over
	// at once. Identity, if set, is told the own one before the lock is taken.
	Predecessor string
	Identity    func(string)
	// GitHub, if set, is where the rollout is told of.
	GitHub *GitHub

	Getenv    spec.Getenv
	Clock     clock.Clock
	Listeners []engine.Listener
	// Warn is told what a person should know and what does not belong to a rollout's events.
	Warn func(string)
	// Secrets is told values that must be masked in all output.
	Secrets func([]string)
	// Wrap, if set, wraps the transport of every call: tests make it fail.
	Wrap func(http.RoundTripper) http.RoundTripper
	// Calls, if set, receives how many calls were made, by kind, at the end.
	Calls io.Writer

	// template is the whole pod template of the revision restores, instead of new images.
	template plan.Object
	restores string
}

// Result is how a command ended.
type Result struct {
	Result     report.Result `json:"result"`
	Reason     string        `json:"reason,omitempty"`
	Hint       string        `json:"hint,omitempty"`
	Step       string        `json:"step,omitempty"`
	Rollout    string        `json:"rollout,omitempty"`
	Revision   string        `json:"revision,omitempty"`
	Previous   string        `json:"previousRevision,omitempty"`
	PlanDigest string        `json:"planDigest,omitempty"`
	URL        string        `json:"environmentURL,omitempty"`
	Seconds    int           `json:"seconds"`
	// Outage is for how many seconds no pod was ready, in a rollout in place.
	Outage float64 `json:"outageSeconds,omitempty"`
	// Deployment is the ID of GitHub's deployment; 0 without one.
	Deployment int64 `json:"deploymentID,omitempty"`
	// Told is what GitHub was told and what it could not be told, for a later process of the same job.
	Told []Told `json:"-"`
	// Ending is what the closing words need beside this.
	Ending report.End `json:"-"`
	// Asked says that the way back is what was asked for, and no failure.
	Asked bool `json:"-"`
}

// consent is what the caller says to an approval.
func (o Options) consent() engine.Answer {
	a := engine.Answer{By: o.Holder, Reason: o.Reason, At: o.now()}
	if o.Actor != "" {
		a.By, a.Run = o.Actor, o.Holder
	}
	return a
}

// person is who asks, in a person's words.
func (o Options) person() string {
	if o.Actor != "" {
		return o.Actor + " (" + o.Holder + ")"
	}
	return o.Holder
}

func (o Options) now() time.Time { return o.Clock.Now() }

// multi tells several listeners, each behind a queue of its own so that a slow one holds nothing up. stop waits until
// all have heard everything, bounded by the context.
func multi(listeners []engine.Listener) (all engine.Listener, stop func(context.Context)) {
	queues := make([]*engine.Queue, len(listeners))
	for i, l := range listeners {
		queues[i] = engine.NewQueue(l)
	}
	return engine.Each(queues), func(ctx context.Context) {
		for _, q := range queues {
			q.Close(ctx)
		}
	}
}

// Validate says what of a well-formed spec no rollout could be made of, whatever the cluster holds.
func Validate(d spec.Deploy) error {
	if err := catalog.Validate(d); err != nil {
		return &Invalid{err}
	}
	return nil
}
