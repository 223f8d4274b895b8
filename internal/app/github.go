package app

import (
	"context"
	"slices"
	"time"

	"github.com/tidegate/tidegate/gates/kubernetes"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/github"
	"github.com/tidegate/tidegate/internal/report"
)

// GitHub says where on GitHub a rollout is told of.
type GitHub = github.Options

// GitHubAccess reaches GitHub's API.
type GitHubAccess = github.Access

// Told is what GitHub was told of one rollout and what it should be told yet.
type Told = github.Ledger

// How long the end of a run waits until GitHub has been told everything. A cancelled run has 7 s in all; what it leaves
// is told by the job's post step.
const (
	telling          = 15 * time.Second
	tellingCancelled = time.Second
	tellingAfter     = time.Minute // in the post step
)

// tell starts telling GitHub, where that is asked for.
func (s *session) tell(ctx context.Context) error {
	if s.GitHub == nil {
		return nil
	}
	o := *s.GitHub
	o.Clock, o.Warn = s.Clock, s.Warn
	var err error
	if s.reporter, err = github.New(ctx, o); err != nil {
		return &Invalid{err}
	}
	return nil
}

// listeners are those of the options, and GitHub.
func (s *session) listeners() []engine.Listener {
	if s.reporter == nil {
		return s.Listeners
	}
	return append(s.Listeners[:len(s.Listeners):len(s.Listeners)], s.reporter)
}

// answer tells GitHub of a deploy that made no rollout, and passes its result on.
func (s *session) answer(r Result, err error) (Result, error) {
	if s.reporter != nil && r.Result != report.Cancelled {
		reason := string(r.Result)
		if err != nil {
			reason = err.Error()
		}
		s.reporter.Answer(r.Result.ExitCode() == 0, firstOf(r.Reason, reason))
	}
	return r, err
}

// told ends the telling.
func (s *session) told(ctx context.Context, r Result) (int64, []Told) {
	if s.reporter == nil {
		return 0, nil
	}
	limit := telling
	switch {
	case s.GitHub.Persist:
		limit = tellingAfter
	case r.Result == report.Cancelled:
		limit = tellingCancelled
	}
	bound, cancel := bounded(ctx, limit)
	defer cancel()
	if untold, why := s.reporter.Close(bound); untold > 0 {
		s.Warn("GitHub does not know all of this rollout yet: " + firstOf(why, "it answers too slowly") +
			"; in a workflow the job's last step tells the rest")
	}
	return s.reporter.Deployment(), s.reporter.Ledgers()
}

// noting lets the record keep what GitHub gave: the deployment's ID among it.
func (s *session) noting(store engine.Store) engine.Store {
	if s.reporter == nil {
		return store
	}
	return &noted{Store: store, notes: s.reporter.Notes}
}

// noteTold keeps in the record of a rollout that waits what GitHub was told of it: each run that looks at it would tell it
// again. stop ends the listeners, which have heard everything then.
func (r *rollout) noteTold(ctx context.Context, stop func(context.Context)) {
	if r.reporter == nil {
		return
	}
	bound, cancel := bounded(ctx, hearing)
	defer cancel()
	stop(bound)
	for bound.Err() == nil && slices.ContainsFunc(r.reporter.Ledgers(), func(l Told) bool { return !l.Heard() }) {
		_ = clock.Sleep(bound, r.Clock, hearingPause)
	}
	if err := r.store.Save(ctx, r.record); err != nil {
		r.Warn("what GitHub was told could not be noted: " + err.Error())
	}
}

// hearing is how long the end of a run that leaves a rollout waiting waits for GitHub, with the lock.
const (
	hearing      = 3 * time.Second
	hearingPause = 50 * time.Millisecond
)

// noted is a Store that adds the listeners' notes to what it saves. It runs on the engine's goroutine, which owns the
// record.
type noted struct {
	engine.Store
	notes func(rollout string) map[string]string
}

// Save implements engine.Store.
func (n *noted) Save(ctx context.Context, r *engine.Record) error {
	if r.Rollout != nil {
		if notes := n.notes(r.Rollout.ID); notes != nil {
			r.Rollout.Notes = notes
		}
	}
	return n.Store.Save(ctx, r)
}

// abandon tells GitHub that nobody can say how an earlier process's rollout stands.
func (s *session) abandon(why error) {
	if s.reporter == nil {
		return
	}
	gates := []string{kubernetes.Name}
	for _, g := range s.Deploy.Spec.Gates {
		gates = append(gates, g.Name)
	}
	s.reporter.Abandon(s.Rollout, gates, "how the rollout stands is not known, look with `tidegate status`: "+why.Error())
}

// CatchUp tells GitHub what an earlier process of the same job could not tell it.
func CatchUp(ctx context.Context, o Options) error {
	s := &session{Options: o}
	if err := s.tell(ctx); err != nil {
		return err
	}
	s.told(ctx, Result{})
	return nil
}
