package app

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/strategies"
)

// Rollback brings an earlier revision back: the good one before the present one, or the one that o.To names. A rollout in
// flight is undone, for its base is that revision. Afterwards it is a rollout of its own, with the whole pod template that
// ran then, to everyone at once unless o.Steps. With o.Now it is rolled under traffic instead.
func Rollback(ctx context.Context, o Options) (Result, error) {
	return reported(ctx, o, func(s *session) (Result, error) {
		way, err := s.way(ctx)
		switch {
		case err != nil:
			return refusal(err), err
		case way.abort:
			result, err := s.abort(ctx)
			result.Asked = err == nil && (result.Result == report.Aborted || result.Result == report.RolledBack || result.Result == report.Superseded)
			return result, err
		case way.resume:
			s.Resume, s.Images = true, nil
		default:
			s.bring(way.revision)
		}
		return s.deploy(ctx)
	})
}

// PlanRollback is what Rollback would do: a plan, or, when abort is true, the way back of the rollout in flight.
func PlanRollback(ctx context.Context, o Options) (planned Planned, abort bool, err error) {
	s, err := connect(o)
	if err != nil {
		return Planned{}, false, err
	}
	way, err := s.way(ctx)
	if err != nil || way.abort || way.resume {
		return Planned{}, way.abort || way.resume, err
	}
	s.bring(way.revision)
	planned, err = Plan(ctx, s.Options)
	return planned, false, err
}

// way is how an earlier revision is reached.
type way struct {
	abort    bool // the rollout in flight is undone
	resume   bool // the rollout in flight is that very rollback
	revision engine.Revision
}

// way decides how to go back.
func (s *session) way(ctx context.Context) (way, error) {
	rec, err := s.store.Load(ctx)
	if err != nil {
		return way{}, fmt.Errorf("read the record of %s: %w", s.workload, err)
	}
	inFlight := rec != nil && rec.Rollout != nil && rec.Rollout.Phase.InFlight()
	if inFlight && s.To == "" {
		resume := rec.Rollout.Phase == engine.Running && rec.Rollout.Plan.Target.Restores != ""
		return way{abort: !resume, resume: resume}, nil
	}
	base, err := s.free.Get(ctx, s.workload)
	if err != nil {
		return way{}, fmt.Errorf("read %s: %w", s.workload, err)
	}
	now := template(base.Object)
	if inFlight {
		now = rec.Rollout.Plan.Objects.Templates[plan.Base]
	}
	revision, err := chooseRevision(rec.Revisions(), s.To, now)
	if err != nil {
		return way{}, err
	}
	if plan.Digest(revision.Template) != plan.Digest(now) {
		return way{revision: revision}, nil
	}
	if !inFlight {
		return way{}, invalid("revision %d (%s) is what runs now", revision.Number, describe(revision))
	}
	return way{abort: true}, nil
}

func template(workload plan.Object) plan.Object {
	spec, _ := workload["spec"].(map[string]any)
	t, _ := spec["template"].(map[string]any)
	return t
}

// bring makes the call one that brings a revision.
func (s *session) bring(r engine.Revision) {
	s.template, s.restores, s.Images, s.Resume = r.Template, r.ID, nil, false
	s.Deploy = carrying(s.Deploy)
	switch {
	case s.Now:
		s.Deploy = atOnce(s.Deploy)
	case !s.Steps:
		s.Deploy = straight(s.Deploy)
	}
}

// chooseRevision finds the revision that is named, or the good one before what runs now.
func chooseRevision(all []engine.Revision, named string, now plan.Object) (engine.Revision, error) {
	r, err := findRevision(all, named, now)
	switch {
	case err != nil:
		return r, err
	case r.Shadow:
		return r, invalid("revision %d (%s) never served anyone, it was a shadow; name one that succeeded: %s", r.Number, describe(r), listRevisions(all))
	case !r.Good():
		return r, invalid("revision %d (%s) never served everyone, its rollout was undone; name one that succeeded: %s", r.Number, describe(r), listRevisions(all))
	case r.Template == nil:
		return r, invalid("the record had no room for the pod template of revision %d (%s); deploy its images instead", r.Number, describe(r))
	}
	return r, nil
}

func findRevision(all []engine.Revision, named string, now plan.Object) (engine.Revision, error) {
	if named == "" {
		return earlier(all, now)
	}
	if n, err := strconv.Atoi(named); err == nil && n >= 1 && n <= len(all) {
		return all[n-1], nil
	}
	var bad *engine.Revision
	for _, r := range all {
		if !isNamed(r, named) {
			continue
		}
		if r.Good() {
			return r, nil
		}
		bad = &r
	}
	if bad != nil {
		return *bad, nil
	}
	return engine.Revision{}, invalid("the history has no revision %q; it has %s", named, listRevisions(all))
}

// earlier is the good revision before what runs now. A rollback counts as what it restored: going back once more goes
// further back, never forth again.
func earlier(all []engine.Revision, now plan.Object) (engine.Revision, error) {
	good := slices.DeleteFunc(slices.Clone(all), func(r engine.Revision) bool { return !r.Good() })
	if len(good) > 0 && runsNow(good[0], now) {
		restored := good[0].Restores
		good = good[1:]
		if restored != "" {
			i := slices.IndexFunc(good, func(r engine.Revision) bool { return r.ID == restored })
			if i < 0 { // it was the oldest one
				i = len(good) - 1
			}
			good = good[i+1:]
		}
	}
	for _, r := range good {
		if r.Template == nil || plan.Digest(r.Template) != plan.Digest(now) {
			return r, nil
		}
	}
	if len(all) == 0 {
		return engine.Revision{}, invalid("there is no earlier revision: the record knows of no rollout yet; deploy the image that should run")
	}
	return engine.Revision{}, invalid("there is no earlier revision than the one that runs; the history has %s; "+
		"name one with --to, or deploy the image that should run", listRevisions(all))
}

// runsNow tells by the images whether a revision is what runs.
func runsNow(r engine.Revision, now plan.Object) bool {
	running := strategies.Images(now)
	for container, image := range r.Images {
		if running[container] != image {
			return false
		}
	}
	return true
}

// isNamed tells whether a text is a revision's ID, one of its images, or the tag of one.
func isNamed(r engine.Revision, text string) bool {
	for _, image := range r.Images {
		if image == text || tag(image) == text {
			return true
		}
	}
	return r.ID == text
}

func describe(r engine.Revision) string {
	return r.ID + ", " + revision(r.Images)
}

// listRevisions names all, the newest first.
func listRevisions(all []engine.Revision) string {
	if len(all) == 0 {
		return "none"
	}
	texts := make([]string, len(all))
	for i, r := range all {
		texts[i] = fmt.Sprintf("%d (%s, %s)", r.Number, describe(r), r.Phase)
	}
	return strings.Join(texts, ", ")
}
