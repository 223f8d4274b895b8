package contract

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
)

// Harness makes clusters that hold the state of one workload and nothing else yet.
type Harness struct {
	New func(t *testing.T) Cluster
	// RealTime runs the suites outside a testing/synctest bubble: for what does real I/O.
	RealTime bool
}

// Cluster is what several processes share.
type Cluster interface {
	// Process starts a process. Its wall clock is off by skew, which only matters to clocks that are compared.
	Process(holder string, skew time.Duration) Process
	// Successor starts a process that knows p to be gone.
	Successor(holder string, p Process) Process
	DeleteRecord(t *testing.T)
	DeleteLease(t *testing.T)
}

// Process is one process with its own connection.
type Process interface {
	Store() WatchedStore
	Locker() WaitingLocker
	Inbox() engine.Inbox
	// Break makes all requests of the process fail until Mend.
	Break(Fault)
	Mend()
}

// WatchedStore is an engine.Store that can be watched.
type WatchedStore interface {
	engine.Store
	WatchRecord(ctx context.Context) <-chan *engine.Record
}

// WaitingLocker is an engine.Locker that can wait.
type WaitingLocker interface {
	engine.Locker
	LockWait(ctx context.Context, longest time.Duration) (context.Context, func(), error)
}

// Fault is how the requests of a process fail.
type Fault string

// The faults.
const (
	Refuse Fault = "500"   // the server answers 500, nothing is done
	Hang   Fault = "hang"  // nothing is done, no answer comes
	Lose   Fault = "lose"  // it is done, but the answer is lost
	Reset  Fault = "reset" // nothing is done, the connection breaks
)

// faults are all of them.
var faults = []Fault{Refuse, Hang, Lose, Reset}

// lease is what the implementations agree on.
const lease = 15 * time.Second

// run makes a subtest with a cluster of its own.
func (h Harness) run(t *testing.T, name string, test func(*testing.T, Cluster)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		if h.RealTime {
			t.Parallel()
			test(t, h.New(t))
			return
		}
		synctest.Test(t, func(t *testing.T) { test(t, h.New(t)) })
	})
}

// record is a small record of a rollout in flight.
func record(id string) *engine.Record {
	return &engine.Record{Rollout: &engine.Rollout{
		ID: id, Phase: engine.Running, Holder: "someone", Started: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC),
		Plan: plan.Plan{
			Strategy: "canary", Target: plan.Target{Name: "web", Images: map[string]string{"web": "web:2"}},
			Steps: []plan.Step{{ID: "candidate"}, {ID: "full", Weight: plan.All}},
		},
		Steps: []engine.StepState{{ID: "candidate"}, {ID: "full"}},
	}}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if err == nil || !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

// next receives within d.
func next[T any](t *testing.T, c <-chan T, d time.Duration) T {
	t.Helper()
	select {
	case v, ok := <-c:
		if !ok {
			t.Fatal("the channel was closed")
		}
		return v
	case <-time.After(d):
		t.Fatalf("nothing came within %s", d)
	}
	panic("unreachable")
}

// silent fails when something comes within d.
func silent[T any](t *testing.T, c <-chan T, d time.Duration) {
	t.Helper()
	select {
	case v, ok := <-c:
		t.Fatalf("unexpected: %v (open: %t)", v, ok)
	case <-time.After(d):
	}
}
