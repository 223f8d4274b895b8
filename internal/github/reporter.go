package github

import (
	"context"
	"fmt"
	"sync"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/routine"
)

// Options say what is told where. SHA, Environment and Name are required.
type Options struct {
	Access
	SHA         string // the commit that is deployed, 40 hex digits
	Environment string
	Name        string // of the deploy spec
	URL         string // of the environment; may be empty
	RunURL      string // where the log is; may be empty
	// Production and Transient are the environment's kind, as the Deployments API has them.
	Production, Transient bool
	Checks                bool // a check run beside the statuses
	// Budget is how many requests one rollout may make; when it runs short only what closes is told. 0 means 40.
	Budget int
	Clock  clock.Clock
	// Warn is told, once each, what GitHub refuses.
	Warn func(string)
	// Mask, if set, takes secrets out of a text: what clusters, providers and pods say may repeat them.
	Mask func(string) string
	// Persist lets Close try again until its context ends, however GitHub answers: nobody waits for it.
	Persist bool
	// Prior, if set, is what an earlier process of the same job left.
	Prior []Ledger
}

// shadowSuffix makes the environment of a shadow out of the one that it is a shadow of: what users have there is not what
// is told here, and a deployment to it never stands for what is live.
const shadowSuffix = "-shadow"

// DefaultBudget is how many requests a rollout may make: a repository's workflows share 1,000 an hour.
const DefaultBudget = 40

// Reporter is the engine's listener that tells GitHub. Handle returns at once.
type Reporter struct {
	Options
	client *client
	wake   chan struct{}
	done   chan struct{}
	cancel context.CancelFunc
	sent   counter

	mu      sync.Mutex
	ledgers []*Ledger                 // oldest first; the last is the present rollout's
	latest  map[string]engine.Rollout // by ID, for texts that need more than a Post
	closing closeMode
	trouble trouble
	off     map[string]bool // facets that GitHub refuses
	warned  map[string]bool
}

type closeMode int

const (
	open closeMode = iota
	hurried
	patient
)

var _ engine.Listener = (*Reporter)(nil)

// New starts a reporter. Close ends it.
func New(ctx context.Context, o Options) (*Reporter, error) {
	if o.Budget == 0 {
		o.Budget = DefaultBudget
	}
	r := &Reporter{Options: o, wake: make(chan struct{}, 1), done: make(chan struct{}), latest: map[string]engine.Rollout{},
		off: map[string]bool{}, warned: map[string]bool{}}
	counted := o.Access
	counted.Transport = r.sent.around(o.Transport)
	c, err := counted.client()
	if err != nil {
		return nil, err
	}
	r.client = c
	for _, l := range o.Prior {
		kept := l.copy()
		r.ledgers = append(r.ledgers, &kept)
	}
	if len(r.ledgers) == 0 {
		r.ledgers = []*Ledger{r.fresh("")}
	}
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.cancel = cancel
	routine.Go(func() { defer close(r.done); r.work(sending) })
	r.signal()
	return r, nil
}

func (r *Reporter) fresh(rollout string) *Ledger {
	return &Ledger{Rollout: rollout, SHA: r.SHA, Environment: r.Environment, Name: r.Name}
}

// Handle implements engine.Listener.
func (r *Reporter) Handle(_ context.Context, e engine.Event) {
	if e.Rollout.ID == "" {
		return // an op's words
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	ro := report.Sound(e.Rollout)
	r.latest[ro.ID] = ro
	l := r.ledger(ro)
	switch e.Kind {
	case engine.EventStarted, engine.EventResumed:
		if _, rests := ro.Rests(); rests && l.Deployment != 0 {
			break // a look in passing: what GitHub knows is still so
		}
		begin(l, ro, e.Message, r.Checks)
	case engine.EventWaiting:
		l.person(statePending, "waits for an approval: "+e.Message)
	case engine.EventDetached:
		l.person(statePending, e.Message)
	case engine.EventApproved:
		l.person(stateInProgress, e.Message)
	case engine.EventInForce:
		if ro.Step > 0 && (ro.Plan.Steps[ro.Step].Weight != ro.Plan.Steps[ro.Step-1].Weight ||
			ro.Plan.Copied(ro.Step) != ro.Plan.Copied(ro.Step-1)) { // what people want to know
			l.want(topicDeployment, Post{State: stateInProgress, Text: progress(ro)})
		}
	case engine.EventVerdict:
		if e.Changed && e.Look.Outcome == gates.Fail {
			l.want(topicGate+e.Gate, Post{State: stateFailure, Text: e.Look.Reason})
		}
	case engine.EventPaused:
		l.want(topicRollout, Post{State: statePending, Text: e.Message})
		l.want(topicDeployment, Post{State: stateInProgress, Text: e.Message})
	case engine.EventUndoing:
		l.want(topicDeployment, Post{State: stateInProgress, Text: "rolling back: " + ro.Reason})
		l.want(topicRollout, Post{State: statePending, Text: "rolling back: " + ro.Reason})
	case engine.EventSucceeded, engine.EventRolledBack, engine.EventUndoFailed:
		r.end(l, ro)
	case engine.EventStopped:
		r.stopped(l, ro, e)
	}
	r.changed()
}

// ledger is the one of a rollout; a new one when it is met for the first time, continued from what an earlier run left
// in the record.
func (r *Reporter) ledger(ro engine.Rollout) *Ledger {
	for _, l := range r.ledgers {
		if l.Rollout == ro.ID {
			return l
		}
	}
	l := r.ledgers[len(r.ledgers)-1]
	if l.Rollout != "" {
		l = r.fresh(ro.ID)
		r.ledgers = append(r.ledgers, l)
	}
	l.Rollout = ro.ID
	if ro.Plan.Shadow() {
		l.Environment = r.Environment + shadowSuffix
	}
	l.adopt(ro.Notes[noteKey])
	return l
}

func begin(l *Ledger, ro engine.Rollout, message string, checks bool) {
	l.want(topicDeployment, Post{State: stateInProgress, Text: message})
	l.want(topicRollout, Post{State: statePending, Text: message})
	if checks {
		l.want(topicCheck, Post{State: statePending, Text: message})
	}
	for _, name := range gateNames(ro.Plan) {
		l.want(topicGate+name, Post{State: statePending, Text: "watches this rollout"})
	}
}

// person wants it told that the rollout waits for a person, or that one has answered. The gates' statuses stay as they
// are: nothing is judged by that.
func (l *Ledger) person(deployment, text string) {
	l.want(topicDeployment, Post{State: deployment, Text: text})
	l.want(topicRollout, Post{State: statePending, Text: text})
	if _, checked := l.Wanted[topicCheck]; checked || l.Check != 0 {
		l.want(topicCheck, Post{State: statePending, Text: text})
	}
}

// end wants everything closed, as a rollout's end has it.
func (r *Reporter) end(l *Ledger, ro engine.Rollout) {
	deployment, status := ending(ro)
	l.want(topicDeployment, deployment)
	l.want(topicRollout, status)
	if _, checked := l.Wanted[topicCheck]; checked || l.Check != 0 || r.Checks {
		l.want(topicCheck, status)
	}
	for _, name := range gateNames(ro.Plan) {
		l.want(topicGate+name, verdict(ro, name))
	}
	if ro.Phase == engine.Succeeded {
		l.want(topicOlder, closing(stateInactive, "replaced by "+l.SHA))
	}
}

// stopped says that this run leaves a rollout in flight. Whoever took it over speaks from now on.
func (r *Reporter) stopped(l *Ledger, ro engine.Rollout, e engine.Event) {
	switch report.ResultOf(engine.Outcome{Phase: ro.Phase, Cause: ro.Cause}, e.Err) {
	case report.Cancelled:
		text := "cancelled at " + report.Share(ro).String() + "; the job's last step takes it back"
		l.want(topicDeployment, Post{State: stateInProgress, Text: text})
		l.want(topicRollout, Post{State: statePending, Text: text})
	case report.Failed:
		r.leave(l, ro, fmt.Sprintf("stopped at %s: %s", report.Share(ro), e.Message))
	}
}

// leave closes the statuses of a rollout that stays in flight.
func (r *Reporter) leave(l *Ledger, ro engine.Rollout, text string) {
	l.want(topicDeployment, closing(stateError, text))
	l.want(topicRollout, closing(stateError, text))
	for _, name := range gateNames(ro.Plan) {
		l.want(topicGate+name, closing(stateError, "the rollout stopped before its end"))
	}
	if r.Checks {
		l.want(topicCheck, closing(stateError, text))
	}
}

// Leave tells that a rollout stays in flight although its run is over: the way back or on is another run's.
func (r *Reporter) Leave(ro engine.Rollout, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ro = report.Sound(ro)
	r.latest[ro.ID] = ro
	r.leave(r.ledger(ro), ro, text)
	r.changed()
}

// Conclude tells how a rollout ended that ended before this reporter could hear of it.
func (r *Reporter) Conclude(ro engine.Rollout) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ro = report.Sound(ro)
	r.latest[ro.ID] = ro
	r.end(r.ledger(ro), ro)
	r.changed()
}

// Abandon closes what an earlier process left open of a rollout that cannot be looked at any more. Of a process that left
// no more than the rollout's ID, gates are the names that it would have told of.
func (r *Reporter) Abandon(rollout string, gates []string, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.ledgers {
		if l.Rollout == "" && rollout != "" && len(l.Wanted) == 0 {
			l.Rollout = rollout
			l.want(topicDeployment, Post{})
			l.want(topicRollout, Post{})
			for _, name := range gates {
				l.want(topicGate+name, Post{})
			}
		}
		for topic, p := range l.Wanted {
			if !p.Closing {
				l.want(topic, closing(stateError, text))
			}
		}
	}
	r.changed()
}

// Answer tells how a call ended that made no rollout of its own: there was nothing to do, or it was wrong.
func (r *Reporter) Answer(ok bool, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.ledgers[len(r.ledgers)-1]
	if l.Rollout != "" {
		return // the rollout's own end says more
	}
	state := stateFailure
	if ok {
		state = stateSuccess
	}
	l.want(topicRollout, closing(state, text))
	r.changed()
}

// Notes are what the rollout's record should keep, for whoever carries the rollout on.
func (r *Reporter) Notes(rollout string) map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.ledgers {
		if l.Rollout == rollout {
			return map[string]string{noteKey: l.note()}
		}
	}
	return nil
}

// Ledgers are what GitHub should know and was told, for a later process of the same job.
func (r *Reporter) Ledgers() []Ledger {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Ledger
	for _, l := range r.ledgers {
		all = append(all, l.copy())
	}
	return all
}

// Deployment is the ID of the present rollout's deployment; 0 while there is none.
func (r *Reporter) Deployment() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ledgers[len(r.ledgers)-1].Deployment
}

// changed lets the worker tell what is new, without the secrets in it. The lock is held.
func (r *Reporter) changed() {
	for _, l := range r.ledgers {
		for topic, p := range l.Wanted {
			p.Text = r.masked(p.Text)
			l.Wanted[topic] = p
		}
	}
	r.signal()
}

func (r *Reporter) masked(text string) string {
	if r.Mask == nil {
		return text
	}
	return r.Mask(text)
}

func (r *Reporter) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// rollout is the latest that was heard of a ledger's rollout.
func (r *Reporter) rollout(l *Ledger) engine.Rollout {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.latest[l.Rollout]
}
