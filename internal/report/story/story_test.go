package story

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
)

// This package has no golden files; the flag lets go test ./... -update run over all packages.
var _ = flag.Bool("update", false, "nothing to write here")

// stage is a cluster in which everything works, and the listener that hears of it.
type stage struct {
	mu     sync.Mutex
	events []engine.Event
}

func (*stage) Load(context.Context) (*engine.Record, error) { return nil, nil }
func (*stage) Save(context.Context, *engine.Record) error   { return nil }
func (*stage) Claim(context.Context, *engine.Record) error  { return nil }
func (*stage) Apply(context.Context, plan.Op) error         { return nil }
func (s *stage) Handle(_ context.Context, e engine.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

// scripted is a gate that answers from Verdicts.
type scripted struct {
	name string
	say  func(int) (gates.Verdict, error)
	mu   sync.Mutex
	n    int
}

func (g *scripted) Name() string { return g.name }

func (g *scripted) Check(context.Context, gates.Input) (gates.Verdict, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n++
	return g.say(g.n)
}

// run lets the real engine carry out the plan of the stories, in a bubble in which hours pass at once.
func run(t *testing.T, say Verdicts) []engine.Event {
	t.Helper()
	s := &stage{}
	synctest.Test(t, func(t *testing.T) {
		e := &engine.Engine{Store: s, Actuator: s, Listener: s, Clock: clock.Real{}, UndoLimit: time.Hour,
			Look: func(plan.Step) gates.Input { return gates.Input{} }}
		for _, name := range Canary().Gates {
			e.Gates = append(e.Gates, engine.Watched{Gate: &scripted{name: name, say: say[name]}, Rule: gates.Rule{Every: Every, Timeout: time.Second}})
		}
		rec := New(Canary()).Record
		rec.Rollout.Deadline = time.Now().Add(2 * time.Hour)
		if _, err := e.Run(t.Context(), &rec); err != nil {
			t.Error(err)
		}
	})
	return s.events
}

// outline is what happened, without the looks of the gates: how many there are depends on how long ops take.
func outline(events []engine.Event) []string {
	var lines []string
	for _, e := range events {
		if e.Kind != engine.EventVerdict && e.Kind != engine.EventStarted {
			lines = append(lines, fmt.Sprint(e.Kind, " ", e.Step, " ", e.Weight, " ", e.Rollout.Phase, " ", e.Rollout.Undone))
		}
	}
	return lines
}

// TestStoriesAreToldAsTheEngineTells holds the stories to the engine: the same events, in the same order, with the same
// rollout in them.
func TestStoriesAreToldAsTheEngineTells(t *testing.T) {
	tests := []struct {
		name  string
		say   func() Verdicts
		story *Story
	}{
		{"good", Healthy, Good()},
		{"bad", func() Verdicts { return Failing(24) }, func() *Story {
			s := New(Canary()).Begin()
			for i := 0; s.Step(i, 0, 0, Failing(24)); i++ {
			}
			return s.Back(10, 0)
		}()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want, got := outline(run(t, tt.say())), outline(tt.story.Events)
			if !slices.Equal(got, want) {
				t.Errorf("the story:\n%q\nthe engine:\n%q", got, want)
			}
		})
	}
}
