package report_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/story"
)

const hostile = "x\x1b[2J\r\n::stop-commands::y\n \u2028::set-output name=a::b\n##[add-mask]z\n\u00a0::error::w"

// TestForeignTextCannotCommandTheRunner puts hostile text wherever text can stand and reads the log as the runner does.
func TestForeignTextCannotCommandTheRunner(t *testing.T) {
	s := story.Bad()
	for i := range s.Events {
		e := &s.Events[i]
		e.Message, e.Step, e.Gate = e.Message+hostile, e.Step+hostile, e.Gate+hostile
		e.Rollout.Reason += hostile
		e.Rollout.Holder, e.Rollout.ID, e.Rollout.PlanDigest = hostile, hostile, hostile
		e.Rollout.Plan.Strategy, e.Rollout.Plan.Target.Name, e.Rollout.Plan.Target.Namespace = hostile, hostile, hostile
		e.Rollout.Plan.Target.Images = map[string]string{"a": hostile, hostile: "b"}
		if e.Look != nil {
			look := *e.Look
			look.Reason, look.Evidence.Query, look.Evidence.Text, look.Evidence.Link = hostile, hostile, hostile, hostile
			e.Look = &look
		}
	}
	log := logged(s.Events, report.LogOptions{Groups: true})
	for _, line := range strings.FieldsFunc(log, func(r rune) bool { return r == '\n' || r == '\r' }) {
		trimmed := strings.TrimSpace(line)
		ours := strings.HasPrefix(trimmed, "::group::0") || trimmed == "::endgroup::"
		if strings.HasPrefix(trimmed, "::") && !ours || strings.Contains(line, "##[") || strings.ContainsRune(line, 0x1b) {
			t.Errorf("%q", line)
		}
	}
	if a, b := strings.Count(log, "::group::"), strings.Count(log, "::endgroup::"); a != b || a == 0 {
		t.Errorf("%d groups begin, %d end", a, b)
	}
}

func TestGatesAreNotRepeated(t *testing.T) {
	s := story.During(4, 9*time.Minute)
	log := logged(s.Events, report.LogOptions{})
	_, full, _ := strings.Cut(log, "full       100%  in force")
	if n := strings.Count(full, "\n"); n > 1+3+18 { // itself, three first answers, one line every 30 s
		t.Errorf("%d lines in nine minutes:\n%s", n, full)
	}
}

func TestLongHoldsAreToldLessOften(t *testing.T) {
	p := story.Canary()
	p.Steps[1].Hold = p.Steps[1].Hold * 60 // two hours
	s := story.New(p).Begin()
	s.Step(0, time.Second, 0, story.Healthy())
	s.Step(1, time.Second, 0, story.Healthy())
	if n := strings.Count(logged(s.Events, report.LogOptions{}), "all gates pass"); n != 20 {
		t.Errorf("told %d times", n)
	}
}

func TestEveryFailureIsTold(t *testing.T) {
	s := story.New(story.Canary()).Begin()
	for i := range 3 { // a gate on a dry run fails and fails
		look := gates.Standing{Verdict: gates.Verdict{Outcome: gates.Fail, Reason: "bad"}}
		s.Wait(time.Second).Tell(engine.Event{Kind: engine.EventVerdict, Gate: "errors", Look: &look, Changed: i == 0})
	}
	if n := strings.Count(logged(s.Events, report.LogOptions{}), "errors FAILS: bad"); n != 3 {
		t.Errorf("told %d times", n)
	}
}

func TestLogInAnotherZone(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	log := logged(story.Aborted().Events, report.LogOptions{Zone: zone})
	if !strings.HasPrefix(log, "04:00:00  ") || !strings.Contains(log, " CET") {
		t.Errorf("got:\n%s", log)
	}
}

// torn cannot be written to.
type torn struct{}

func (torn) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestLogSurvivesItsWriter(*testing.T) {
	log := report.NewLog(torn{}, report.LogOptions{})
	for _, e := range story.Bad().Events {
		log.Handle(context.Background(), e)
	}
}

func TestEventsWithoutARollout(t *testing.T) {
	for _, kind := range []engine.EventKind{engine.EventStarted, engine.EventResumed, engine.EventStepStarted, engine.EventInForce, engine.EventVerdict,
		engine.EventPaused, engine.EventStepFinished, engine.EventUndoing, engine.EventUndoOp, engine.EventSucceeded, engine.EventRolledBack,
		engine.EventUndoFailed, engine.EventStopped, engine.EventInfo, engine.EventWarning} {
		log := logged([]engine.Event{{Kind: kind, Message: "what happened"}}, report.LogOptions{})
		if kind != engine.EventVerdict && kind != engine.EventRolledBack && kind != engine.EventUndoFailed && log == "" {
			t.Errorf("%s says nothing", kind)
		}
	}
}

func TestStops(t *testing.T) {
	for cause, want := range map[error]string{
		engine.ErrCancelled: "was cancelled", engine.ErrFenced: "another run holds the lock", engine.ErrLockLost: "this run failed",
		fmt.Errorf("save: %w", errors.New("the cluster is out of reach")): "this run failed",
	} {
		s := story.During(2, time.Minute).Tell(engine.Event{Kind: engine.EventStopped, Message: cause.Error(), Err: cause})
		if log := logged(s.Events, report.LogOptions{}); !strings.Contains(log, want) {
			t.Errorf("%v: %q is missing in\n%s", cause, want, log)
		}
	}
}

func TestResultOf(t *testing.T) {
	ended := func(p engine.Phase, c engine.Cause) engine.Outcome { return engine.Outcome{Phase: p, Cause: c} }
	tests := []struct {
		name    string
		outcome engine.Outcome
		err     error
		want    report.Result
		code    int
	}{
		{"succeeded", ended(engine.Succeeded, ""), nil, report.Succeeded, 0},
		{"gate", ended(engine.RolledBack, engine.CauseGate), nil, report.RolledBack, 3},
		{"failure", ended(engine.RolledBack, engine.CauseFailure), nil, report.RolledBack, 3},
		{"deadline", ended(engine.RolledBack, engine.CauseDeadline), nil, report.RolledBack, 3},
		{"abort", ended(engine.RolledBack, engine.CauseAbort), nil, report.Aborted, 3},
		{"superseded", ended(engine.RolledBack, engine.CauseSuperseded), nil, report.Superseded, 7},
		{"undo failed", ended(engine.UndoFailed, engine.CauseGate), nil, report.UndoFailed, 6},
		{"undo failed and not saved", ended(engine.UndoFailed, engine.CauseGate), errors.New("not saved"), report.UndoFailed, 6},
		{"cancelled", ended(engine.Running, ""), fmt.Errorf("x: %w", engine.ErrCancelled), report.Cancelled, 130},
		{"cancelled on the way back", ended(engine.Undoing, engine.CauseGate), engine.ErrCancelled, report.Cancelled, 130},
		{"fenced", ended(engine.Running, ""), engine.ErrFenced, report.Locked, 5},
		{"held", engine.Outcome{}, &engine.HeldError{Holder: "x"}, report.Locked, 5},
		{"error", ended(engine.Running, ""), errors.New("out of reach"), report.Failed, 1},
		{"lost", ended(engine.Running, ""), engine.ErrLockLost, report.Failed, 1},
		{"not over", ended(engine.Running, ""), nil, report.Failed, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := report.ResultOf(tt.outcome, tt.err); got != tt.want || got.ExitCode() != tt.code {
				t.Errorf("got %s, exit code %d", got, got.ExitCode())
			}
		})
	}
	for r, code := range map[report.Result]int{report.Unchanged: 0, report.Invalid: 2} {
		if r.ExitCode() != code {
			t.Errorf("%s: %d", r, r.ExitCode())
		}
	}
}

func TestEndings(t *testing.T) {
	of := func(r report.Result, s *story.Story, reason string) report.End {
		return report.End{Result: r, Rollout: s.Record.Rollout, At: s.Now(), Reason: reason}
	}
	superseded := story.During(2, time.Minute).Turn(engine.CauseSuperseded, "superseded by https://github.com/acme/shop/actions/runs/4712", "run 4712").Back(10, time.Second)
	late := story.During(2, time.Minute).Turn(engine.CauseDeadline, "the rollout was not done by its deadline (2026-03-14T05:00:00Z); raise `spec.deadline` if it needs longer", "").Back(10, time.Second)
	halfway := story.Halfway()
	undoing := story.Turned().Back(1, time.Second)
	now := time.Date(2026, 3, 14, 3, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		end  report.End
	}{
		{"succeeded", of(report.Succeeded, story.Good(), "")},
		{"unchanged", report.End{Result: report.Unchanged, Name: "checkout"}},
		{"rolled-back", of(report.RolledBack, story.Bad(), "")},
		{"crashed", of(report.RolledBack, story.Crashed(), "")},
		{"halfway", of(report.RolledBack, halfway, "")},
		{"deadline", of(report.RolledBack, late, "")},
		{"aborted", of(report.Aborted, story.Aborted(), "")},
		{"superseded", of(report.Superseded, superseded, "")},
		{"locked", report.End{Result: report.Locked, Name: "checkout", Holder: "run 4712", Since: now.Add(-time.Minute), At: now}},
		{"cancelled", of(report.Cancelled, story.Cancelled(), engine.ErrCancelled.Error())},
		{"cancelled-undoing", of(report.Cancelled, undoing, engine.ErrCancelled.Error())},
		{"invalid", report.End{Result: report.Invalid, Name: "checkout", Reason: "tidegate.yaml:3:5: unknown field \"naem\""}},
		{"failed", of(report.Failed, story.During(2, time.Minute), "save that step shift-25 is in force: the cluster is out of reach")},
		{"failed-early", report.End{Result: report.Failed, Name: "checkout", Reason: "the cluster is out of reach"}},
		{"waiting", of(report.Pending, story.Asked(), "")},
		{"detached", of(report.Pending, story.Left(), "")},
		{"detached for long", of(report.Pending, story.Left().Wait(13*time.Hour), "")},
		{"promoted", of(report.Promoted, story.Asked(), "approved by ines@laptop; the run that carries the rollout goes on: run 4711")},
		{"unanswered", of(report.RolledBack, story.Unanswered(), "")},
		{"undo-failed", of(report.UndoFailed, story.Stuck(), "")},
		{"undo-failed-unknown", report.End{Result: report.UndoFailed, Name: "checkout"}},
		{"odd-name", report.End{Result: report.Locked, Name: "it's; rm -rf /"}},
	}
	var all bytes.Buffer
	for _, tt := range tests {
		fmt.Fprintf(&all, "== %s, exit code %d\n", tt.name, tt.end.Result.ExitCode())
		if err := report.Ending(&all, tt.end); err != nil {
			t.Fatal(err)
		}
		all.WriteString("\n")
	}
	golden(t, "endings.txt", all.String())
}
