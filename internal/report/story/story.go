package story

import (
	"maps"
	"slices"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
)

// start is when every story begins: at 3 a.m.
var start = time.Date(2026, time.March, 14, 3, 0, 0, 0, time.UTC)

// Every is how often gates look in a story.
const Every = 10 * time.Second

// Story is a rollout that is being told.
type Story struct {
	Events []engine.Event
	Record engine.Record

	now    time.Time
	judges map[string]*gates.Judge
	rules  map[string]gates.Rule
	looks  int
}

// Verdicts is what a gate says at its n-th look of the story.
type Verdicts map[string]func(n int) (gates.Verdict, error)

// New is the story of a plan, at its beginning.
func New(p plan.Plan) *Story {
	s := &Story{now: start, rules: map[string]gates.Rule{}}
	s.Record = engine.Record{Epoch: 7, Rollout: &engine.Rollout{
		ID: "checkout-0314-0300", Plan: p, PlanDigest: p.Digest(), Phase: engine.Running, Started: start,
		Holder:   "https://github.com/acme/shop/actions/runs/4711 (attempt 1)",
		Deadline: start.Add(2 * time.Hour), Steps: make([]engine.StepState, len(p.Steps)),
	}, History: history()}
	return s
}

// Now is the present moment of the story.
func (s *Story) Now() time.Time { return s.now }

// Wait lets time pass.
func (s *Story) Wait(d time.Duration) *Story {
	s.now = s.now.Add(d)
	return s
}

// Rule sets the rule of a gate; without one, one failure is enough and missing data waits.
func (s *Story) Rule(gate string, r gates.Rule) *Story {
	s.rules[gate] = r
	return s
}

// Tell adds an event, as the engine does.
func (s *Story) Tell(e engine.Event) *Story {
	ro := s.Record.Rollout
	e.At, e.Rollout = s.now, *ro
	if e.Step == "" {
		e.Step = ro.Plan.Steps[ro.Step].ID
	}
	e.Weight = ro.Weight()
	e.Rollout.Steps = slices.Clone(ro.Steps)
	for i := range e.Rollout.Steps {
		e.Rollout.Steps[i].Gates = maps.Clone(e.Rollout.Steps[i].Gates)
	}
	s.Events = append(s.Events, e)
	return s
}

// Begin tells the start of the rollout.
func (s *Story) Begin() *Story { return s.Tell(engine.Event{Kind: engine.EventStarted}) }

// Step runs step i: its ops take work, then it holds while every gate looks, until it is over or a gate undoes it. It is
// false when the rollout turned. upTo, when it is not zero, ends the telling that long after the step was in force.
func (s *Story) Step(i int, work, upTo time.Duration, say Verdicts) bool {
	ro := s.Record.Rollout
	step := ro.Plan.Steps[i]
	ro.Step = i
	ro.Steps[i] = engine.StepState{ID: step.ID, Started: s.now}
	s.judges = map[string]*gates.Judge{}
	s.Tell(engine.Event{Kind: engine.EventStepStarted, Message: step.Title})
	if work < 0 { // the caller goes on from here
		return false
	}
	s.Wait(work)
	ro.Steps[i].InForce = s.now
	s.Tell(engine.Event{Kind: engine.EventInForce, Message: step.Title})
	end := s.now.Add(time.Duration(step.Hold))
	stop := s.now.Add(upTo)
	for len(step.Gates) > 0 {
		if !s.look(step, say) {
			return false
		}
		if upTo > 0 && !s.now.Before(stop) {
			return false
		}
		if !s.now.Before(end) && s.passed(step) {
			break
		}
		s.Wait(Every)
	}
	ro.Steps[i].Finished = s.now
	s.Tell(engine.Event{Kind: engine.EventStepFinished, Message: step.Title})
	return true
}

// look lets every gate of the step look once; false when one of them undoes the rollout.
func (s *Story) look(step plan.Step, say Verdicts) bool {
	s.looks++
	for _, name := range step.Gates {
		judge := s.judges[name]
		if judge == nil {
			if s.judges == nil {
				s.judges = map[string]*gates.Judge{}
			}
			judge = gates.NewJudge(s.rules[name], s.now)
			s.judges[name] = judge
		}
		before, asked := judge.Standing(), judge.Asked()
		verdict, err := say[name](s.looks)
		after := judge.Observe(s.now, verdict, err)
		s.count(name, after)
		s.Tell(engine.Event{Kind: engine.EventVerdict, Gate: name, Look: &after, Message: after.Reason,
			Changed: !asked || before.Outcome != after.Outcome})
		if after.Paused && !before.Paused {
			s.Tell(engine.Event{Kind: engine.EventPaused, Gate: name, Look: &after, Message: after.Reason})
		}
		if after.Outcome == gates.Fail {
			s.Turn(engine.CauseGate, "gate "+name+" failed: "+after.Reason, "")
			return false
		}
	}
	return true
}

// count adds a look to the step's tally, as the engine does.
func (s *Story) count(gate string, look gates.Standing) {
	state := s.Record.Rollout.Current()
	if state.Gates == nil {
		state.Gates = map[string]engine.Tally{}
	}
	t := state.Gates[gate]
	t.Last = look
	t.Looks++
	switch {
	case look.Looked == gates.Fail:
		t.Fails++
	case look.NoData:
		t.NoData++
	default:
		state.Gates[gate] = t
		return
	}
	if t.Worst == nil || t.Worst.Looked != gates.Fail {
		t.Worst = &look
	}
	state.Gates[gate] = t
}

func (s *Story) passed(step plan.Step) bool {
	for _, name := range step.Gates {
		if s.judges[name].Standing().Outcome != gates.Pass {
			return false
		}
	}
	return true
}

// Turn tells that the rollout goes back.
func (s *Story) Turn(cause engine.Cause, reason, by string) *Story {
	ro := s.Record.Rollout
	ro.Phase, ro.Cause, ro.Reason, ro.By = engine.Undoing, cause, reason, by
	return s.Tell(engine.Event{Kind: engine.EventUndoing, Message: reason})
}

// Back tells so many ops of the way back, each of which takes some time; all of them end the rollout.
func (s *Story) Back(ops int, each time.Duration) *Story {
	ro := s.Record.Rollout
	all := ro.Plan.UndoFrom(ro.Step)
	for ; ops > 0 && ro.Undone < len(all); ops-- {
		s.Wait(each)
		ro.Undone++
		s.Tell(engine.Event{Kind: engine.EventUndoOp, Message: all[ro.Undone-1].String()})
	}
	if ro.Undone < len(all) {
		return s
	}
	s.end(engine.RolledBack)
	return s.Tell(engine.Event{Kind: engine.EventRolledBack, Message: ro.Reason})
}

// Succeed ends the rollout well.
func (s *Story) Succeed() *Story {
	s.end(engine.Succeeded)
	message := "the new version serves everyone"
	if s.Record.Rollout.Plan.Shadow() {
		message = "the shadow is over; users stay with the old version"
	}
	return s.Tell(engine.Event{Kind: engine.EventSucceeded, Message: message})
}

// FailBack tells that the way back failed.
func (s *Story) FailBack(why string) *Story {
	ro := s.Record.Rollout
	ro.Phase = engine.UndoFailed
	ro.Reason += "; and the way back failed: " + why
	return s.Tell(engine.Event{Kind: engine.EventUndoFailed, Message: ro.Reason})
}

func (s *Story) end(p engine.Phase) {
	ro := s.Record.Rollout
	ro.Phase, ro.Ended = p, s.now
	s.Record.History = append([]engine.Past{{
		ID: ro.ID, Images: ro.Plan.Target.Images, Phase: p, Reason: ro.Reason, Started: ro.Started, Ended: ro.Ended, Holder: ro.Holder, PlanDigest: ro.PlanDigest,
		Shadow: ro.Plan.Shadow(),
	}}, s.Record.History...)
}
