package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/state/memory"
)

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// world is one workload's state, a fake cluster, and a clock that moves whenever nothing else does.
type world struct {
	t       *testing.T
	clock   *clock.Virtual
	cluster *memory.Cluster
	process *memory.Process
	plan    plan.Plan
	gates   []engine.Watched
	inbox   engine.Inbox
	limit   time.Duration // of the way back
	stay    bool          // a run stays while an approval waits
	listen  func(engine.Event)
	outage  func() time.Duration
	drift   func(done []plan.Op) []engine.Drift
	correct time.Duration

	mu     sync.Mutex
	log    []string // ops and saves in their order
	state  map[plan.Kind]int
	ops    map[string]func(context.Context) error // what an op does beside changing the state
	events []engine.Event
}

// inWorld runs a test in a bubble.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newWorld(t)) })
}

func newWorld(t *testing.T) *world {
	v := clock.NewVirtual(began)
	w := &world{t: t, clock: v, cluster: memory.New(v), limit: time.Hour, state: map[plan.Kind]int{},
		ops: map[string]func(context.Context) error{}}
	w.restart()
	return w
}

// restart gives the world a new process, as the next run is one.
func (w *world) restart() {
	w.process = w.cluster.Process("test")
	w.process.Hooks.After = func(n int, r *engine.Record) error {
		if n == 1 {
			w.note("claim")
			return nil
		}
		w.note("save " + brief(r))
		return nil
	}
	w.inbox = w.process
}

// brief is a record in a line: its phase, its step, the steps before it that are finished, how far the undo is.
func brief(r *engine.Record) string {
	ro := r.Rollout
	text := string(ro.Phase) + " " + ro.Plan.Steps[ro.Step].ID
	if !ro.Current().InForce.IsZero() {
		text += " in force"
	}
	var finished []string
	for _, s := range ro.Steps {
		if !s.Finished.IsZero() {
			finished = append(finished, s.ID)
		}
	}
	if len(finished) > 0 {
		text += " after " + strings.Join(finished, ",")
	}
	if ro.Phase != engine.Running && ro.Phase != engine.Succeeded {
		text += fmt.Sprintf(" undone %d", ro.Undone)
	}
	return text
}

func (w *world) note(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, line)
}

func (w *world) notes() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.log)
}

// at is how long after the world's beginning it is.
func (w *world) at() time.Duration { return w.clock.Now().Sub(began) }

// Apply implements engine.Actuator: an op of kind "a" with Pods 1 sets a to 1.
func (w *world) Apply(ctx context.Context, op plan.Op) error {
	name := opName(op)
	w.note(name)
	if do := w.ops[name]; do != nil {
		if err := do(ctx); err != nil {
			if context.Cause(ctx) != nil {
				w.note(name + " was cancelled")
			}
			return err
		}
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state[op.Kind] = op.Pods
	return nil
}

func opName(op plan.Op) string {
	if op.Pods == 0 {
		return "undo " + string(op.Kind)
	}
	return "do " + string(op.Kind)
}

// takes lets an op last for d.
func (w *world) takes(name string, d time.Duration) {
	w.ops[name] = func(ctx context.Context) error { return clock.Sleep(ctx, w.clock, d) }
}

// fails lets an op fail.
func (w *world) fails(name string, err error) {
	w.ops[name] = func(context.Context) error { return err }
}

// after lets something happen d after now.
func (w *world) after(d time.Duration, do func()) {
	timer := w.clock.NewTimer(d)
	go func() {
		select {
		case <-timer.C():
			do()
		case <-w.t.Context().Done():
		}
	}()
}

// Handle implements engine.Listener.
func (w *world) Handle(_ context.Context, e engine.Event) {
	w.mu.Lock()
	w.events = append(w.events, e)
	w.mu.Unlock()
	if w.listen != nil {
		w.listen(e)
	}
}

// kinds are the events' kinds but for looks, in their order.
func (w *world) kinds() string {
	var kinds []string
	for _, e := range w.events {
		if e.Kind != engine.EventVerdict {
			kinds = append(kinds, string(e.Kind))
		}
	}
	return strings.Join(kinds, " ")
}

func (w *world) find(kind engine.EventKind) *engine.Event {
	for i := range w.events {
		if w.events[i].Kind == kind {
			return &w.events[i]
		}
	}
	return nil
}

// step is one that sets a thing named as itself, and unsets it on the way back.
func step(id string, hold time.Duration, names ...string) plan.Step {
	kind := plan.Kind(id)
	return plan.Step{ID: id, Title: "step " + id, Hold: plan.Duration(hold), Gates: names,
		Do: []plan.Op{{Kind: kind, Pods: 1}}, Undo: []plan.Op{{Kind: kind}}}
}

// record is a new rollout of the world's plan.
func (w *world) record(deadline time.Duration) *engine.Record {
	ro := &engine.Rollout{ID: "one", Plan: w.plan, Phase: engine.Running, Started: w.clock.Now(), Deadline: w.clock.Now().Add(deadline)}
	for _, s := range w.plan.Steps {
		ro.Steps = append(ro.Steps, engine.StepState{ID: s.ID})
	}
	return &engine.Record{Rollout: ro}
}

// begin runs a new rollout of steps to its end.
func (w *world) begin(steps ...plan.Step) (engine.Outcome, error) {
	w.plan.Steps = steps
	return w.run(w.t.Context(), w.record(24*time.Hour))
}

// resume runs what is recorded on with a process of its own.
func (w *world) resume() (engine.Outcome, error) {
	w.restart()
	rec := w.stored()
	if rec == nil {
		rec = w.record(24 * time.Hour)
	}
	return w.run(w.t.Context(), rec)
}

func (w *world) stored() *engine.Record {
	rec, err := w.cluster.Process("reader").Load(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return rec
}

// run claims the record and runs it, moving the clock whenever everything waits.
func (w *world) run(ctx context.Context, rec *engine.Record) (outcome engine.Outcome, err error) {
	if err := w.process.Claim(context.Background(), rec); err != nil {
		return engine.Outcome{}, err
	}
	e := &engine.Engine{Store: w.process, Actuator: w, Inbox: w.inbox, Clock: w.clock, Listener: w, Gates: w.gates, UndoLimit: w.limit, Wait: w.stay,
		Outage: w.outage, Drift: w.drift, Correct: w.correct,
		Look: func(s plan.Step) gates.Input { return gates.Input{Step: s.ID, Now: w.clock.Now()} }}
	done := make(chan struct{})
	go func() {
		defer close(done)
		outcome, err = e.Run(ctx, rec)
	}()
	w.drive(done)
	return outcome, err
}

func (w *world) drive(done <-chan struct{}) {
	never := make(chan struct{})
	close(never)
	for idle := 0; ; {
		synctest.Wait()
		select {
		case <-done:
			return
		default:
		}
		if w.clock.Step(never) {
			idle = 0
			continue
		}
		if idle++; idle > 1000 {
			panic("nothing moves any more: " + strings.Join(w.notes(), "; "))
		}
		time.Sleep(time.Millisecond) // somebody sleeps by the bubble's clock
	}
}

func (w *world) wantLog(want ...string) {
	w.t.Helper()
	if got := w.notes(); !slices.Equal(got, want) {
		w.t.Errorf("log is\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func (w *world) want(o engine.Outcome, err error, phase engine.Phase, cause engine.Cause) {
	w.t.Helper()
	if err != nil || o.Phase != phase || o.Cause != cause {
		w.t.Errorf("outcome is %+v, %v; want %s %s", o, err, phase, cause)
	}
	if now := w.stored().Rollout; now.Phase != phase || now.Cause != cause {
		w.t.Errorf("stored is %s %s; want %s %s", now.Phase, now.Cause, phase, cause)
	}
}

// gate answers by a function and notes when it was asked.
type gate struct {
	w      *world
	name   string
	answer func(ctx context.Context, n int) (gates.Verdict, error)

	looks []time.Duration
	steps []string
}

// Name implements gates.Gate.
func (g *gate) Name() string { return g.name }

// Check implements gates.Gate.
func (g *gate) Check(ctx context.Context, in gates.Input) (gates.Verdict, error) {
	g.w.mu.Lock()
	g.looks, g.steps = append(g.looks, g.w.at()), append(g.steps, in.Step)
	n := len(g.looks)
	g.w.mu.Unlock()
	return g.answer(ctx, n)
}

// watch adds a gate whose nth look is answered by the nth letter, the last one for ever: p(ass), f(ail), u(ndecided), -
// (no data), e(rror).
func (w *world) watch(name, letters string, rule gates.Rule) *gate {
	g := &gate{w: w, name: name, answer: func(_ context.Context, n int) (gates.Verdict, error) {
		switch letters[min(n, len(letters))-1] {
		case 'p':
			return gates.Verdict{Outcome: gates.Pass, Reason: "good"}, nil
		case 'f':
			return gates.Verdict{Outcome: gates.Fail, Reason: fmt.Sprintf("bad %d", n)}, nil
		case 'u':
			return gates.Verdict{Outcome: gates.Pending, Reason: "undecided"}, nil
		case '-':
			return gates.Verdict{Outcome: gates.Pending, NoData: true, Reason: "no series"}, nil
		}
		return gates.Verdict{}, errors.New("connection refused")
	}}
	w.add(g, rule)
	return g
}

func (w *world) add(g *gate, rule gates.Rule) {
	if rule.Every == 0 {
		rule.Every = 10 * time.Second
	}
	if rule.Timeout == 0 {
		rule.Timeout = 10 * time.Second
	}
	w.gates = append(w.gates, engine.Watched{Gate: g, Rule: rule})
}

func seconds(all ...int) []time.Duration {
	var ds []time.Duration
	for _, s := range all {
		ds = append(ds, time.Duration(s)*time.Second)
	}
	return ds
}
