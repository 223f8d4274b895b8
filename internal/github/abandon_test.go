package github_test

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report/story"
	double "github.com/tidegate/tidegate/internal/sandbox/github"
)

// TestAbandon: what an earlier process left open is closed with the reason, and nothing else is said.
func TestAbandon(t *testing.T) {
	const why = "how it stands is not known"
	within(t, double.Options{}, func(w *world) {
		first := w.reporter()
		s := story.Good()
		for _, e := range s.Events[:len(s.Events)/2] {
			first.Handle(w.t.Context(), e)
		}
		w.close(first)
		open := len(w.server.CommitStatuses(sha))
		w.options.Prior = first.Ledgers()
		next := w.reporter()
		next.Abandon("another", []string{"nobody"}, why)
		if untold, _ := w.close(next); untold != 0 {
			t.Errorf("%d topics are untold", untold)
		}
		w.wantStates(sha, map[string]string{"checkout": "error", "checkout/kubernetes": "error", "checkout/errors": "error", "checkout/latency": "error"})
		for _, status := range w.server.CommitStatuses(sha)[open:] {
			if status.Description != why {
				t.Errorf("%s says %q", status.Context, status.Description)
			}
		}
		if state := w.deployment().State(); state != "error" {
			t.Errorf("the deployment is %s", state)
		}
	})
}

// TestAbandonEnded: what has been told to its end stays.
func TestAbandonEnded(t *testing.T) {
	within(t, double.Options{}, func(w *world) {
		first := w.reporter()
		play(first, story.Good())
		w.close(first)
		requests := len(w.server.Requests())
		w.options.Prior = first.Ledgers()
		next := w.reporter()
		next.Abandon("", nil, "how it stands is not known")
		w.close(next)
		if n := len(w.server.Requests()) - requests; n != 0 || w.deployment().State() != "success" {
			t.Errorf("%d requests, the deployment is %s", n, w.deployment().State())
		}
	})
}

// TestMask: what clusters and providers say comes to GitHub, and into what the post step is left, without secrets.
func TestMask(t *testing.T) {
	within(t, double.Options{}, func(w *world) {
		w.options.Checks = true
		w.options.Mask = func(text string) string { return strings.ReplaceAll(text, "hunter22", "***") }
		r := w.reporter()
		s := story.Bad()
		for i := range s.Events {
			ro := &s.Events[i].Rollout
			ro.Reason = "the server does not take hunter22"
			for _, step := range ro.Steps {
				for name, tally := range step.Gates {
					tally.Last.Reason = "not with hunter22"
					step.Gates[name] = tally
				}
			}
			s.Events[i].Message += " hunter22"
		}
		play(r, s)
		w.close(r)
		if resultOf(s) != engine.EventRolledBack {
			t.Fatalf("the story ends with %v", resultOf(s))
		}
		masked := false
		for _, request := range w.server.Requests() {
			masked = masked || strings.Contains(request.Body, "***")
			if strings.Contains(request.Body, "hunter22") {
				t.Errorf("GitHub was told %s", request.Body)
			}
		}
		if !masked {
			t.Error("GitHub was told nothing that was masked")
		}
		for _, l := range r.Ledgers() {
			for topic, p := range l.Wanted {
				if strings.Contains(p.Text, "hunter22") || strings.Contains(l.Told[topic].Text, "hunter22") {
					t.Errorf("the ledger has %+v", p)
				}
			}
		}
	})
}
