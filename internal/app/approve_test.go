package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
)

// asking is the test's spec with an approval between its shares, where nobody has to stay.
func (w *world) asking(image string) app.Options {
	o := w.options(image, nil)
	ask := spec.Step{Approve: &spec.Approve{Message: "go on", Timeout: spec.Duration(time.Hour), OnTimeout: spec.TimeoutUndo, Unattended: true}}
	canary := *o.Deploy.Spec.Strategy.Canary
	canary.Steps = []spec.Step{canary.Steps[0], ask, canary.Steps[1]}
	o.Deploy.Spec.Strategy.Canary, o.Deploy.Spec.Deadline = &canary, spec.Duration(20*time.Minute)
	return o
}

// person is who answers.
func (w *world) person(name string) app.Options {
	o := w.asking("")
	o.Images, o.Holder = nil, name
	return o
}

// waits brings a rollout to its approval.
func (w *world) waits() app.Result {
	w.t.Helper()
	result, err := app.Deploy(w.t.Context(), w.asking("checkout:v2"))
	if err != nil || result.Result != report.Pending || result.Step != "approve" {
		w.t.Fatalf("%+v, %v", result, err)
	}
	return result
}

// rollout is the recorded one.
func (w *world) rollout() *engine.Rollout {
	w.t.Helper()
	v, err := app.Status(w.t.Context(), w.caller("reader"))
	if err != nil || v.Record == nil {
		w.t.Fatalf("%+v, %v", v, err)
	}
	return v.Record.Rollout
}

// TestPromote: a rollout that waits burns no run; whoever promotes it carries it on.
func TestPromote(t *testing.T) {
	inWorld(t, func(w *world) {
		first := w.waits()
		if v, err := app.Status(w.t.Context(), w.person("reader")); err != nil || v.Facts.Alive == nil || *v.Facts.Alive {
			t.Errorf("the lock is still held: %+v, %v", v.Facts, err)
		}
		time.Sleep(30 * time.Minute) // longer than the deadline
		again, err := app.Deploy(w.t.Context(), w.asking("checkout:v2"))
		if err != nil || again.Result != report.Pending || again.Rollout != first.Rollout {
			t.Errorf("the same again: %+v, %v", again, err)
		}
		ann := w.person("https://ci.example.com/7")
		ann.Actor, ann.Reason = "ann", "looks good"
		result, err := app.Promote(w.t.Context(), ann)
		if err != nil || result.Result != report.Succeeded || result.Rollout != first.Rollout {
			t.Fatalf("%+v, %v", result, err)
		}
		if _, a, _ := w.rollout().Answered(); a.String() != "approved by ann (https://ci.example.com/7): looks good" {
			t.Errorf("it was %s", a)
		}
		result, err = app.Promote(w.t.Context(), w.person("bob"))
		if err != nil || result.Result != report.Unchanged || !strings.Contains(result.Reason, "approved by ann") {
			t.Errorf("twice: %+v, %v", result, err)
		}
		w.want("checkout:v2")
	})
}

// TestPromoteAHolder: a run that stays is asked, goes on, and promote ends as soon as it has.
func TestPromoteAHolder(t *testing.T) {
	for _, full := range []bool{false, true} {
		t.Run(fmt.Sprintf("full %t", full), func(t *testing.T) {
			inWorld(t, func(w *world) {
				waits := make(chan struct{})
				o := w.asking("checkout:v2")
				o.Holder, o.Wait = "runner", true
				o.Listeners = append(o.Listeners, listener(func(e engine.Event) {
					if e.Kind == engine.EventWaiting {
						close(waits)
					}
				}))
				run := w.begin(o)
				<-waits
				time.Sleep(10 * time.Minute)
				before := time.Now()
				ann := w.person("ann")
				ann.Full = full
				result, err := app.Promote(w.t.Context(), ann)
				if err != nil || result.Result != report.Promoted || time.Since(before) > 5*time.Second {
					t.Errorf("%+v, %v, after %v", result, err, time.Since(before))
				}
				run.end(t, report.Succeeded)
				ro := w.rollout()
				if _, a, ok := ro.Answered(); !ok || a.By != "ann" || (ro.Full != nil) != full {
					t.Errorf("approval %+v, full %+v", a, ro.Full)
				}
				w.want("checkout:v2")
			})
		})
	}
}

// TestNothingToPromote: each has a clear answer, and nothing is touched.
func TestNothingToPromote(t *testing.T) {
	refused := func(w *world, o app.Options, says string) {
		w.t.Helper()
		result, err := app.Promote(w.t.Context(), o)
		if err == nil || result.Result != report.Invalid || !strings.Contains(err.Error(), says) {
			w.t.Errorf("%+v, %v; want %q", result, err, says)
		}
	}
	inWorld(t, func(w *world) {
		refused(w, w.person("ann"), "no rollout of Deployment/checkout is known")
		w.waits()
		if result, err := app.Abort(w.t.Context(), w.person("bob")); err != nil || result.Result != report.Aborted {
			t.Errorf("abort: %+v, %v", result, err)
		}
		refused(w, w.person("ann"), "too late to promote")
		w.want("checkout:v1")
		started := make(chan struct{})
		o := w.options("checkout:v2", nil)
		o.Listeners = append(o.Listeners, at("shift-50", func() { close(started) }))
		run := w.begin(o)
		<-started
		refused(w, w.person("ann"), "nothing waits for an approval: rollout "+w.rollout().ID+" is at step shift-50")
		run.end(t, report.Succeeded)
		refused(w, w.person("ann"), "nothing waits for an approval: the last rollout")
		w.want("checkout:v2")
	})
}

// TestTwoPromotes at once: one carries the rollout on, the other is told that it was approved.
func TestTwoPromotes(t *testing.T) {
	inWorld(t, func(w *world) {
		w.waits()
		results := make(chan app.Result, 2)
		for _, name := range []string{"ann", "bob"} {
			go func() {
				result, err := app.Promote(w.t.Context(), w.person(name))
				if err != nil {
					t.Error(err)
				}
				results <- result
			}()
		}
		count := map[report.Result]int{}
		for range 2 {
			count[(<-results).Result]++
		}
		if count[report.Succeeded] != 1 || count[report.Unchanged] != 1 {
			t.Errorf("results %v", count)
		}
		w.want("checkout:v2")
	})
}

// TestPromoteRacesAbort: whoever is first decides, and the end is whole either way.
func TestPromoteRacesAbort(t *testing.T) {
	for _, ahead := range []time.Duration{-20 * time.Millisecond, -time.Millisecond, 0, time.Millisecond, 20 * time.Millisecond} {
		t.Run(fmt.Sprint(ahead), func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				w.waits()
				done := make(chan app.Result, 1)
				go func() {
					time.Sleep(max(ahead, 0))
					result, _ := app.Promote(w.t.Context(), w.person("ann")) // an error says that it was too late
					done <- result
				}()
				time.Sleep(max(-ahead, 0))
				abort, err := app.Abort(w.t.Context(), w.person("bob"))
				if err != nil || abort.Result != report.Aborted {
					t.Errorf("abort: %+v, %v", abort, err)
				}
				if p := <-done; p.Result != report.Aborted && p.Result != report.Invalid && p.Result != report.Promoted {
					t.Errorf("promote: %+v", p)
				}
				w.want("checkout:v1")
			})
		})
	}
}

// TestKilledAroundAnApproval kills the run that reaches the approval, or the one that promotes, before and after each of
// its writes. Another promote then leads to the new version, and an abort to the old one, without a lost request.
func TestKilledAroundAnApproval(t *testing.T) {
	for _, who := range []string{"deploy", "promote"} {
		n := approvalWrites(t, who)
		t.Logf("%s makes %d writes", who, n)
		stride, _ := strides()
		for at := 1; at <= n; at += stride {
			for _, after := range []bool{false, true} {
				for _, then := range []string{"promote", "abort", "resume"} {
					t.Run(fmt.Sprintf("%s, %d, after %t, %s", who, at, after, then), func(t *testing.T) {
						t.Parallel()
						killAtApproval(t, who, at, after, then)
					})
				}
			}
		}
	}
}

// approvalWrites is how many writes a deploy to the approval makes, or a promote from there.
func approvalWrites(t *testing.T, who string) int {
	k := &killer{at: -1}
	inWorld(t, func(w *world) {
		first := w.asking("checkout:v2")
		if who == "deploy" {
			first.Wrap = k.wrap
		}
		if r, err := app.Deploy(w.t.Context(), first); err != nil || r.Result != report.Pending {
			t.Fatalf("%+v, %v", r, err)
		}
		ann := w.person("ann")
		if who == "promote" {
			ann.Wrap = k.wrap
		}
		if r, err := app.Promote(w.t.Context(), ann); err != nil || r.Result != report.Succeeded {
			t.Fatalf("%+v, %v", r, err)
		}
	})
	return k.count
}

func killAtApproval(t *testing.T, who string, at int, after bool, then string) {
	inWorld(t, func(w *world) {
		ctx, kill := context.WithCancelCause(w.t.Context())
		k := &killer{at: at, after: after, kill: kill}
		first := w.asking("checkout:v2")
		if who == "deploy" {
			first.Wrap = k.wrap
			if r, err := app.Deploy(ctx, first); k.where == "" && (err != nil || r.Result != report.Pending) {
				t.Errorf("deploy: %+v, %v", r, err)
			}
		} else {
			w.waits()
			ann := w.person("ann")
			ann.Wrap = k.wrap
			if r, err := app.Promote(ctx, ann); k.where == "" && (err != nil || r.Result != report.Succeeded) {
				t.Errorf("promote: %+v, %v", r, err)
			}
		}
		switch then {
		case "abort":
			r, err := app.Abort(w.t.Context(), w.person("bob"))
			if err != nil {
				t.Errorf("abort after %s: %+v, %v", k.where, r, err)
			}
		case "resume", "promote":
			o := w.asking("checkout:v2")
			if r, err := app.Deploy(w.t.Context(), o); err != nil || (r.Result != report.Pending && r.Result != report.Succeeded && r.Result != report.Unchanged) {
				t.Errorf("resume after %s: %+v, %v", k.where, r, err)
			}
			if then == "promote" || w.rollout().Phase == engine.Running {
				r, err := app.Promote(w.t.Context(), w.person("ann"))
				if err != nil || (r.Result != report.Succeeded && r.Result != report.Unchanged) {
					t.Errorf("promote after %s: %+v, %v", k.where, r, err)
				}
			}
		}
		w.want(w.image())
		if image := w.image(); then != "abort" && image != "checkout:v2" {
			t.Errorf("after %s the base runs %s", k.where, image)
		}
	})
}

// TestApprovalTimesOut: the next run that looks undoes it, a promote too; nothing is undone before.
func TestApprovalTimesOut(t *testing.T) {
	for _, who := range []string{"resume", "promote", "same", "other"} {
		t.Run(who, func(t *testing.T) {
			inWorld(t, func(w *world) {
				first := w.waits()
				time.Sleep(time.Hour)
				if w.image() != "checkout:v1" || w.rollout().Phase != engine.Running {
					t.Error("something was done by nobody")
				}
				var result app.Result
				var err error
				stands := "checkout:v1"
				switch who {
				case "resume":
					o := w.person("clock")
					o.Resume = true
					result, err = app.Deploy(w.t.Context(), o)
				case "promote":
					result, err = app.Promote(w.t.Context(), w.person("ann"))
				case "same":
					result, err = app.Deploy(w.t.Context(), w.asking("checkout:v2"))
				case "other":
					o := w.options("checkout:v3", nil)
					o.Deploy.Spec.Concurrency = spec.Queue
					stands = "checkout:v3"
					if r, failed := app.Deploy(w.t.Context(), o); failed != nil || r.Result != report.Succeeded {
						t.Errorf("%+v, %v", r, failed)
					}
				}
				if who != "other" && (err != nil || result.Result != report.RolledBack || result.Rollout != first.Rollout || !strings.Contains(result.Reason, "nobody approved within 1h")) {
					t.Errorf("%+v, %v", result, err)
				}
				w.want(stands)
			})
		})
	}
}

// TestDeployBehindAnApproval: what becomes of another version while a rollout waits, by spec.concurrency.
func TestDeployBehindAnApproval(t *testing.T) {
	for _, tc := range []struct {
		concurrency spec.Concurrency
		answer      string // after ten minutes
		want        report.Result
		stands      string
	}{
		{spec.Supersede, "", report.Succeeded, "checkout:v3"},
		{spec.Reject, "", report.Locked, "checkout:v1"},
		{spec.Queue, "promote", report.Succeeded, "checkout:v3"},
		{spec.Queue, "abort", report.Succeeded, "checkout:v3"},
		{spec.Queue, "", report.Locked, "checkout:v1"},
	} {
		t.Run(fmt.Sprintf("%s %s", tc.concurrency, tc.answer), func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				first := w.waits()
				other := w.options("checkout:v3", nil)
				other.Deploy.Spec.Concurrency, other.Deploy.Spec.Deadline = tc.concurrency, spec.Duration(20*time.Minute)
				begun := time.Now()
				run := w.begin(other)
				if tc.answer != "" {
					time.Sleep(10 * time.Minute)
					answer := map[string]func(context.Context, app.Options) (app.Result, error){"promote": app.Promote, "abort": app.Abort}[tc.answer]
					if r, err := answer(w.t.Context(), w.person("ann")); err != nil || (r.Result != report.Succeeded && r.Result != report.Aborted) {
						t.Errorf("%s: %+v, %v", tc.answer, r, err)
					}
				}
				run.end(t, tc.want)
				if took := time.Since(begun); tc.want == report.Locked && tc.concurrency == spec.Queue && (took < 19*time.Minute || took > 21*time.Minute) {
					t.Errorf("it waited %v", took)
				}
				if tc.want == report.Locked {
					if ro := w.rollout(); ro.ID != first.Rollout || ro.Phase != engine.Running {
						t.Errorf("the rollout that waits is %s %s", ro.ID, ro.Phase)
					}
					if r, err := app.Abort(w.t.Context(), w.person("ann")); err != nil || r.Result != report.Aborted {
						t.Errorf("abort: %+v, %v", r, err)
					}
				}
				w.want(tc.stands)
			})
		})
	}
}

// TestPromoteByAnotherSpec: a gate that the plan names and the spec does not have is not passed over.
func TestPromoteByAnotherSpec(t *testing.T) {
	inWorld(t, func(w *world) {
		gates := []spec.Gate{{Name: "errors", Every: spec.Duration(time.Second), Timeout: spec.Duration(time.Second), DryRun: true,
			NoData: "wait", NoDataFor: spec.Duration(time.Minute), Threshold: &spec.Threshold{Query: "up", Pass: "result < 1", From: "prom"}}}
		o := w.asking("checkout:v2")
		o.Deploy.Spec.Gates = gates
		o.Deploy.Spec.Metrics = map[string]spec.Provider{"prom": {Prometheus: &spec.Prometheus{URL: "http://127.0.0.1:1"}}}
		if result, err := app.Deploy(w.t.Context(), o); err != nil || result.Result != report.Pending {
			t.Fatalf("%+v, %v", result, err)
		}
		result, err := app.Promote(w.t.Context(), w.person("ann"))
		if err == nil || result.Result != report.Invalid || !strings.Contains(err.Error(), "errors, which the spec does not have") {
			t.Errorf("%+v, %v", result, err)
		}
		if result, err := app.Abort(w.t.Context(), w.person("ann")); err != nil || result.Result != report.Aborted {
			t.Errorf("%+v, %v", result, err)
		}
		w.want("checkout:v1")
	})
}
