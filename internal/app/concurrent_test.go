package app_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
)

// live is a deploy that runs beside the test.
type live struct {
	result app.Result
	err    error
	done   chan struct{}
}

func (w *world) begin(o app.Options) *live {
	l := &live{done: make(chan struct{})}
	go func() {
		defer close(l.done)
		l.result, l.err = app.Deploy(w.t.Context(), o)
	}()
	return l
}

func (l *live) end(t *testing.T, want report.Result) {
	t.Helper()
	<-l.done
	if l.err != nil || l.result.Result != want {
		t.Errorf("%+v, %v; want %s", l.result, l.err, want)
	}
}

// TestTwoDeploys: what becomes of a second deploy while the first one runs, by spec.concurrency.
func TestTwoDeploys(t *testing.T) {
	for _, tc := range []struct {
		concurrency   spec.Concurrency
		image         string // of the second
		first, second report.Result
		stands        string
	}{
		{spec.Supersede, "checkout:v3", report.Superseded, report.Succeeded, "checkout:v3"},
		{spec.Queue, "checkout:v3", report.Succeeded, report.Succeeded, "checkout:v3"},
		{spec.Reject, "checkout:v3", report.Succeeded, report.Locked, "checkout:v2"},
		{spec.Supersede, "checkout:v2", report.Succeeded, report.Succeeded, "checkout:v2"},
		{spec.Queue, "checkout:v2", report.Succeeded, report.Succeeded, "checkout:v2"},
		{spec.Reject, "checkout:v2", report.Succeeded, report.Locked, "checkout:v2"},
	} {
		for _, step := range []string{"candidate", "shift-50", "roll-base"} {
			t.Run(fmt.Sprintf("%s %s at %s", tc.concurrency, tc.image, step), func(t *testing.T) {
				t.Parallel()
				inWorld(t, func(w *world) {
					start := make(chan struct{})
					first := w.options("checkout:v2", nil)
					first.Holder = "first"
					first.Listeners = append(first.Listeners, at(step, func() { close(start) }))
					one := w.begin(first)
					<-start
					second := w.options(tc.image, nil)
					second.Holder, second.Deploy.Spec.Concurrency = "second", tc.concurrency
					two := w.begin(second)
					two.end(t, tc.second)
					one.end(t, tc.first)
					if tc.second == report.Locked && two.result.Ending.Holder != "first" {
						t.Errorf("the holder is told to be %q", two.result.Ending.Holder)
					}
					w.want(tc.stands)
				})
			})
		}
	}
}

// TestTwoDeploysAtOnce: two runs of one commit do the work once.
func TestTwoDeploysAtOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		ka, kb := &killer{at: -1}, &killer{at: -1}
		a, b := w.options("checkout:v2", ka.wrap), w.options("checkout:v2", kb.wrap)
		a.Holder, b.Holder = "a", "b"
		runs := []*live{w.begin(a), w.begin(b)}
		did := 0
		for _, r := range runs {
			<-r.done
			if r.err != nil || (r.result.Result != report.Succeeded && r.result.Result != report.Unchanged) {
				t.Errorf("%+v, %v", r.result, r.err)
			}
			if r.result.Result == report.Succeeded {
				did++
			}
		}
		if did == 0 || min(ka.count, kb.count) > 0 {
			t.Errorf("%d succeeded; they wrote %d and %d times", did, ka.count, kb.count)
		}
		w.want("checkout:v2")
	})
}

// TestThreeDeploys: each new one takes the place of the one before; at no time do more than two versions serve.
func TestThreeDeploys(t *testing.T) {
	inWorld(t, func(w *world) {
		var runs []*live
		for i, image := range []string{"checkout:v2", "checkout:v3", "checkout:v2"} {
			o := w.options(image, nil)
			o.Holder = fmt.Sprint("run ", i)
			runs = append(runs, w.begin(o))
			time.Sleep(8 * time.Second)
		}
		for _, r := range runs {
			<-r.done
		}
		runs[2].end(t, report.Succeeded)
		w.want("checkout:v2")
	})
}

// TestAbortALiveRun: at every step the holder goes back, and both are told so.
func TestAbortALiveRun(t *testing.T) {
	steps := canarySteps()
	for _, step := range steps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				started := make(chan struct{})
				o := w.options("checkout:v2", nil)
				o.Holder = "runner"
				o.Listeners = append(o.Listeners, at(step, func() { close(started) }))
				run := w.begin(o)
				<-started
				person := w.options("", nil)
				person.Holder, person.Reason = "ann", "it smells"
				result, err := app.Abort(w.t.Context(), person)
				<-run.done
				if step == steps[len(steps)-1] && run.result.Result == report.Succeeded {
					w.want("checkout:v2") // it was faster
					return
				}
				run.end(t, report.Aborted)
				if err != nil || result.Result != report.Aborted || result.Reason != "aborted by ann: it smells" {
					t.Errorf("%+v, %v", result, err)
				}
				w.want("checkout:v1")
			})
		})
	}
}

// TestAbortIsNotTwice: a second abort finds nothing to do, and a later deploy is not met by an old request.
func TestAbortIsNotTwice(t *testing.T) {
	inWorld(t, func(w *world) {
		started := make(chan struct{})
		o := w.options("checkout:v2", nil)
		o.Listeners = append(o.Listeners, at("shift-50", func() { close(started) }))
		run := w.begin(o)
		<-started
		var results []report.Result
		for range 2 {
			result, err := app.Abort(w.t.Context(), w.options("", nil))
			if err != nil {
				t.Error(err)
			}
			results = append(results, result.Result)
		}
		run.end(t, report.Aborted)
		if !slices.Equal(results, []report.Result{report.Aborted, report.Unchanged}) {
			t.Errorf("results: %v", results)
		}
		again, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
		if err != nil || again.Result != report.Succeeded {
			t.Errorf("%+v, %v", again, err)
		}
		w.want("checkout:v2")
	})
}
