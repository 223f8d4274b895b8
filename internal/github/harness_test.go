package github_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/github"
	"github.com/tidegate/tidegate/internal/report/story"
	double "github.com/tidegate/tidegate/internal/sandbox/github"
)

const (
	sha    = "5b1c2d3e4f5061728394a5b6c7d8e9f001122334"
	runURL = "https://github.com/acme/shop/actions/runs/4711/attempts/1"
	token  = "ghs_0123456789abcdef"
)

// world is a repository and a reporter, in virtual time.
type world struct {
	t        *testing.T
	server   *double.Server
	warnings []string
	options  github.Options
}

// within runs f in a bubble of virtual time.
func within(t *testing.T, o double.Options, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Clock, o.Repository, o.Token = clock.Real{}, "acme/shop", token
		server, err := double.New(o)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, server: server}
		w.options = github.Options{
			Access: github.Access{API: "https://api.github.test" + o.Prefix, Token: token, Repository: "acme/shop", Transport: inProcess{server}},
			SHA:    sha, Environment: "production", Name: "checkout", URL: "https://shop.example.com", RunURL: runURL, Production: true,
			Clock: clock.Real{}, Warn: func(text string) { w.warnings = append(w.warnings, text) },
		}
		f(w)
		if problems := server.Problems(); len(problems) > 0 {
			t.Errorf("GitHub's schema does not allow: %s", strings.Join(problems, "\n"))
		}
	})
}

// inProcess hands requests to the double without a network, which virtual time could not wait for.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (p inProcess) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	type outcome struct {
		resp *http.Response
		err  error
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				if v != http.ErrAbortHandler { //nolint:errorlint // it is panicked with as it is
					panic(v)
				}
				done <- outcome{nil, errors.New("connection reset by peer")}
			}
		}()
		recorder := httptest.NewRecorder()
		received := req.Clone(req.Context())
		if received.Body == nil {
			received.Body = http.NoBody
		}
		received.RequestURI = req.URL.RequestURI()
		p.handler.ServeHTTP(recorder, received)
		resp := recorder.Result()
		resp.Request = req
		done <- outcome{resp, nil}
	}()
	select {
	case o := <-done:
		return o.resp, o.err
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

func (w *world) reporter() *github.Reporter {
	w.t.Helper()
	r, err := github.New(w.t.Context(), w.options)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// play tells a story's events at their times.
func play(r *github.Reporter, s *story.Story) {
	at := s.Events[0].At
	for _, e := range s.Events {
		time.Sleep(e.At.Sub(at))
		at = e.At
		r.Handle(context.Background(), e)
	}
}

// close ends the reporter and says how long that took.
func (w *world) close(r *github.Reporter) (untold int, took time.Duration) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(w.t.Context(), 15*time.Second)
	defer cancel()
	untold, why := r.Close(ctx)
	if untold > 0 {
		w.t.Log(why)
	}
	return untold, time.Since(start)
}

// tell plays a story from its beginning to its end.
func (w *world) tell(s *story.Story) {
	w.t.Helper()
	r := w.reporter()
	play(r, s)
	if untold, _ := w.close(r); untold != 0 {
		w.t.Errorf("%d topics are untold", untold)
	}
}

// deployment is the only one there is.
func (w *world) deployment() double.Deployment {
	w.t.Helper()
	all := w.server.Deployments()
	if len(all) != 1 {
		w.t.Fatalf("%d deployments, want 1", len(all))
	}
	return all[0]
}

// states are a commit's contexts with their last state.
func (w *world) states(sha string) map[string]string {
	states := map[string]string{}
	for _, s := range w.server.CommitStatuses(sha) {
		states[s.Context] = s.State
	}
	return states
}

func (w *world) wantStates(sha string, want map[string]string) {
	w.t.Helper()
	got := w.states(sha)
	for context, state := range want {
		if got["tidegate/production/"+context] != state {
			w.t.Errorf("status %s is %q, want %q", context, got["tidegate/production/"+context], state)
		}
		delete(got, "tidegate/production/"+context)
	}
	for context, state := range got {
		w.t.Errorf("nobody asked for status %s (%s)", context, state)
	}
}

func statesOf(d double.Deployment) []string {
	var all []string
	for _, s := range d.Statuses {
		all = append(all, s.State)
	}
	return slices.Compact(all)
}

// resultOf is the last event's kind.
func resultOf(s *story.Story) engine.EventKind { return s.Events[len(s.Events)-1].Kind }
