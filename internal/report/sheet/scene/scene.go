// Package scene is the ends of the rollouts of package story as a report gets them, for the golden files of the packages
// that lay them out.
package scene

import (
	"context"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/sheet"
	"github.com/tidegate/tidegate/internal/report/story"
	"github.com/tidegate/tidegate/internal/report/timeline"
)

// Scene is a named input of a report.
type Scene struct {
	Name  string
	Input sheet.Input
}

// All are the scenes, with those that have no rollout last.
func All(ctx context.Context) []Scene {
	told := func(name string, result report.Result, s *story.Story) Scene { return Scene{name, Of(ctx, result, s)} }
	now := time.Date(2026, 3, 14, 3, 0, 0, 0, time.UTC)
	return []Scene{
		told("good", report.Succeeded, story.Good()),
		told("bad", report.RolledBack, story.Bad()),
		told("crashed", report.RolledBack, story.Crashed()),
		told("halfway", report.RolledBack, story.Halfway()),
		told("no-data", report.RolledBack, story.Silenced()),
		told("aborted", report.Aborted, story.Aborted()),
		told("cancelled", report.Cancelled, story.Cancelled()),
		told("resumed", report.Succeeded, story.Resumed()),
		told("superseded", report.Superseded, story.Superseded()),
		told("undo-failed", report.UndoFailed, story.Stuck()),
		told("waiting", report.Pending, story.Asked()),
		told("detached", report.Pending, story.Left()),
		told("answered", report.Succeeded, story.Answered()),
		told("promoted", report.Promoted, story.Asked()),
		{"record-only", sheet.Input{End: report.End{Result: report.RolledBack, Rollout: story.Bad().Record.Rollout}}},
		{"unchanged", sheet.Input{End: report.End{Result: report.Unchanged, Name: "checkout"}}},
		{"locked", sheet.Input{End: report.End{Result: report.Locked, Name: "checkout", Holder: "run 4712", Since: now.Add(-time.Minute), At: now}}},
		{"invalid", sheet.Input{End: report.End{Result: report.Invalid, Name: "checkout", Reason: "tidegate.yaml:3:5: unknown field \"naem\""}}},
		{"failed-early", sheet.Input{End: report.End{Result: report.Failed, Name: "checkout", Reason: "the cluster is out of reach"}}},
		{"dry-run", sheet.Input{End: report.End{Result: report.Unchanged, Name: "checkout"}, DryRun: "checkout: v1 → v2\n  #  STEP       WHAT\n  1  candidate  start the candidate\n"}},
	}
}

// Of is the end of a story.
func Of(ctx context.Context, result report.Result, s *story.Story) sheet.Input {
	end := report.End{Result: result, Rollout: s.Record.Rollout, At: s.Now()}
	if result == report.Cancelled {
		end.Reason = engine.ErrCancelled.Error()
	}
	return sheet.Input{
		End: end, Timeline: Timeline(ctx, s.Events), Environment: "production", CommitSHA: "5f2c1d7e9a0b4c3d8e6f7a1b2c3d4e5f60718293",
		RunURL: "https://github.com/acme/shop/actions/runs/4711", DeploymentURL: "https://github.com/acme/shop/deployments/production",
	}
}

// Timeline is what a timeline makes of some events.
func Timeline(ctx context.Context, events []engine.Event) timeline.Data {
	var t timeline.Timeline
	for _, e := range events {
		t.Handle(ctx, e)
	}
	return t.Data()
}
