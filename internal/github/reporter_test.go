package github_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/github"
	"github.com/tidegate/tidegate/internal/report/story"
	double "github.com/tidegate/tidegate/internal/sandbox/github"
)

func TestEndings(t *testing.T) {
	for _, tc := range []struct {
		name   string
		story  *story.Story
		states []string // of the deployment, one after another
		status map[string]string
		says   string // in the deployment's last status
	}{
		{"good", story.Good(), []string{"in_progress", "success"},
			map[string]string{"checkout": "success", "checkout/kubernetes": "success", "checkout/errors": "success", "checkout/latency": "success"}, "v2 serves everyone"},
		{"bad", story.Bad(), []string{"in_progress", "failure"},
			map[string]string{"checkout": "failure", "checkout/kubernetes": "success", "checkout/errors": "failure", "checkout/latency": "success"}, "rolled back from 25% to v1"},
		{"aborted", story.Aborted(), []string{"in_progress", "failure"},
			map[string]string{"checkout": "failure", "checkout/kubernetes": "success", "checkout/errors": "success", "checkout/latency": "success"}, "mara@laptop"},
		{"superseded", story.Superseded(), []string{"in_progress", "inactive"},
			map[string]string{"checkout": "error", "checkout/kubernetes": "success", "checkout/errors": "success", "checkout/latency": "success"}, "superseded by"},
		{"crashed", story.Crashed(), []string{"in_progress", "failure"},
			map[string]string{"checkout": "failure", "checkout/kubernetes": "error", "checkout/errors": "error", "checkout/latency": "error"}, "rolled back from 0%"},
		{"stuck", story.Stuck(), []string{"in_progress", "error"},
			map[string]string{"checkout": "error", "checkout/kubernetes": "success", "checkout/errors": "failure", "checkout/latency": "success"}, "a person is needed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			within(t, double.Options{}, func(w *world) {
				w.tell(tc.story)
				d := w.deployment()
				if got := statesOf(d); !slices.Equal(got, tc.states) {
					t.Errorf("states %q, want %q", got, tc.states)
				}
				last := d.Statuses[len(d.Statuses)-1]
				if !strings.Contains(last.Description, tc.says) || last.LogURL != runURL || last.EnvironmentURL != "https://shop.example.com" {
					t.Errorf("last status %+v, want %q in it", last, tc.says)
				}
				if d.SHA != sha || d.Environment != "production" || !d.Production || d.Transient {
					t.Errorf("deployment %+v", d)
				}
				w.wantStates(sha, tc.status)
				for _, s := range w.server.CommitStatuses(sha) {
					if utf8.RuneCountInString(s.Description) > 140 || strings.ContainsAny(s.Description, "\n\x1b") {
						t.Errorf("description %q", s.Description)
					}
				}
			})
		})
	}
}

// TestShadow: a shadow is told in an environment of its own, which is never live, and leaves that of the users alone.
func TestShadow(t *testing.T) {
	for _, tc := range []struct {
		name   string
		story  *story.Story
		states []string
		errors string
		says   []string
	}{
		{"good", story.Shadow(), []string{"in_progress", "inactive"}, "success", []string{"copies of 20% of requests go to the new version", "users stay with v1"}},
		{"bad", story.BadShadow(), []string{"in_progress", "failure"}, "failure", []string{"rolling back", "users had v1 all along"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			within(t, double.Options{}, func(w *world) {
				w.tell(tc.story)
				d := w.deployment()
				if got := statesOf(d); !slices.Equal(got, tc.states) {
					t.Errorf("states %q, want %q", got, tc.states)
				}
				if d.Environment != "production-shadow" || d.Production || !d.Transient {
					t.Errorf("deployment %+v", d)
				}
				var said []string
				for _, s := range d.Statuses {
					said = append(said, s.Description)
				}
				for _, want := range tc.says {
					if all := strings.Join(said, "\n"); !strings.Contains(all, want) {
						t.Errorf("it says\n%s\nwant %q", all, want)
					}
				}
				states := map[string]string{}
				for _, s := range w.server.CommitStatuses(sha) {
					states[s.Context] = s.State
				}
				if all, errors := states["tidegate/production-shadow/checkout"], states["tidegate/production-shadow/checkout/errors"]; errors != tc.errors || all != tc.errors {
					t.Errorf("statuses are %v", states)
				}
				if _, told := states["tidegate/production/checkout"]; told {
					t.Errorf("the environment of the users was told of: %v", states)
				}
			})
		})
	}
}

// TestWaiting: while a rollout waits for a person its deployment is pending and says what is asked, and nothing is closed.
// A run that only looks tells nothing again, and who approved is told on the same deployment.
func TestWaiting(t *testing.T) {
	within(t, double.Options{}, func(w *world) {
		asked := story.Asked()
		first := w.reporter()
		play(first, asked)
		w.close(first)
		d := w.deployment()
		last := d.Statuses[len(d.Statuses)-1]
		if last.State != "pending" || last.Description != "waits for an approval: Business sign-off" {
			t.Errorf("last status %+v", last)
		}
		open := map[string]string{"checkout": "pending", "checkout/kubernetes": "pending", "checkout/errors": "pending", "checkout/latency": "pending"}
		w.wantStates(sha, open)
		asked.Record.Rollout.Notes = first.Notes(asked.Record.Rollout.ID)
		look := func(e engine.Event) {
			asked.Events = nil
			asked.Tell(e)
			r := w.reporter()
			play(r, asked)
			w.close(r)
		}
		look(engine.Event{Kind: engine.EventResumed, Message: "resumed at step sign-off"})
		look(engine.Event{Kind: engine.EventWaiting, Message: "Business sign-off"})
		if now := w.deployment(); len(now.Statuses) != len(d.Statuses) {
			t.Errorf("a look told %+v", now.Statuses[len(d.Statuses):])
		}
		asked.Record.Rollout.Approve(engine.Answer{By: "ines", At: asked.Now()})
		look(engine.Event{Kind: engine.EventApproved, Message: "approved by ines"})
		now := w.deployment()
		if last := now.Statuses[len(now.Statuses)-1]; last.State != "in_progress" || last.Description != "approved by ines" {
			t.Errorf("last status %+v", last)
		}
		w.wantStates(sha, open)
	})
}

// TestBudget: a rollout makes few requests, however many gates and steps it has.
func TestBudget(t *testing.T) {
	within(t, double.Options{}, func(w *world) {
		w.tell(story.Good())
		if n := len(w.server.Requests()); n > 25 {
			t.Errorf("%d requests for a canary of three steps, want at most 25", n)
		}
	})
	within(t, double.Options{}, func(w *world) {
		w.options.Budget = 12
		w.tell(story.Good())
		if n := len(w.server.Requests()); n > 12 {
			t.Errorf("%d requests, want at most the budget of 12", n)
		}
		w.wantStates(sha, map[string]string{"checkout": "success", "checkout/kubernetes": "success", "checkout/errors": "success", "checkout/latency": "success"})
	})
}

// TestOlder: the deployment before ours becomes inactive when ours has succeeded, in production, too, and one of
// another service in the same environment stays.
func TestOlder(t *testing.T) {
	within(t, double.Options{}, func(w *world) {
		w.options.Name = "cart"
		first := story.Good()
		first.Events[0].Rollout.ID = "cart-1"
		for i := range first.Events {
			first.Events[i].Rollout.ID = "cart-1"
		}
		w.tell(first)
		w.options.Name = "checkout"
		for _, id := range []string{"one", "two", "three"} {
			s := story.Good()
			for i := range s.Events {
				s.Events[i].Rollout.ID = id
			}
			w.tell(s)
		}
		var states []string
		for _, d := range w.server.Deployments() {
			states = append(states, d.State())
		}
		slices.Sort(states)
		if !slices.Equal(states, []string{"inactive", "inactive", "success", "success"}) {
			t.Errorf("states %q", states)
		}
	})
}

// TestCarriedOn: another run of the workflow carries the rollout on, and tells it on the deployment and the commit that
// the record names, not on its own.
func TestCarriedOn(t *testing.T) {
	within(t, double.Options{}, func(w *world) {
		first := w.reporter()
		play(first, story.Cancelled())
		w.close(first)
		notes := first.Notes("checkout-0314-0300")
		w.options.SHA = strings.Repeat("a", 40)
		second := w.reporter()
		resumed := story.Resumed()
		for i := range resumed.Events {
			resumed.Events[i].Rollout.Notes = notes
		}
		play(second, resumed)
		w.close(second)
		if d := w.deployment(); d.State() != "success" || d.SHA != sha {
			t.Errorf("deployment %+v", d)
		}
		if got := w.states(strings.Repeat("a", 40)); len(got) != 0 {
			t.Errorf("the dispatch's commit got %v", got)
		}
		w.wantStates(sha, map[string]string{"checkout": "success", "checkout/kubernetes": "success", "checkout/errors": "success", "checkout/latency": "success"})
	})
}

// TestFound: a run that died between making the deployment and keeping its ID makes no second one.
func TestFound(t *testing.T) {
	within(t, double.Options{}, func(w *world) {
		first := w.reporter()
		play(first, story.Beginning())
		w.close(first)
		var note map[string]any
		notes := first.Notes("checkout-0314-0300")
		if err := json.Unmarshal([]byte(notes["github"]), &note); err != nil {
			t.Fatal(err)
		}
		delete(note, "deployment")
		data, err := json.Marshal(note)
		if err != nil {
			t.Fatal(err)
		}
		second := w.reporter()
		bad := story.Bad()
		for i := range bad.Events {
			bad.Events[i].Rollout.Notes = map[string]string{"github": string(data)}
		}
		play(second, bad)
		w.close(second)
		if d := w.deployment(); d.State() != "failure" {
			t.Errorf("state %s", d.State())
		}
	})
}

// TestJobsOwnDeployment: the deployment that `environment:` makes is not ours, and the workflow should not ask for it.
func TestJobsOwnDeployment(t *testing.T) {
	within(t, double.Options{}, func(w *world) {
		req, err := http.NewRequest(http.MethodPost, "https://api.github.test/repos/acme/shop/deployments",
			strings.NewReader(`{"ref":"`+sha+`","environment":"production","auto_merge":false,"required_contexts":[]}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		if _, err := (inProcess{w.server}).RoundTrip(req); err != nil {
			t.Fatal(err)
		}
		w.tell(story.Good())
		if n := len(w.server.Deployments()); n != 2 {
			t.Errorf("%d deployments", n)
		}
		if len(w.warnings) != 1 || !strings.Contains(w.warnings[0], "deployment: false") {
			t.Errorf("warnings %q", w.warnings)
		}
	})
}

// TestAnswer: a call without a rollout closes the commit's status, and nothing else.
func TestAnswer(t *testing.T) {
	for ok, want := range map[bool]string{true: "success", false: "failure"} {
		within(t, double.Options{}, func(w *world) {
			r := w.reporter()
			r.Answer(ok, "nothing to do")
			w.close(r)
			w.wantStates(sha, map[string]string{"checkout": want})
			if n := len(w.server.Requests()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// TestChecks: a check run, too, which ends as the rollout did and says why.
func TestChecks(t *testing.T) {
	within(t, double.Options{}, func(w *world) {
		w.options.Checks = true
		w.tell(story.Bad())
		runs := w.server.CheckRuns()
		if len(runs) != 1 || runs[0].Status != "completed" || runs[0].Conclusion != "failure" || !strings.Contains(runs[0].Summary, "errors") {
			t.Errorf("check runs %+v", runs)
		}
	})
}

// TestLeft: a rollout that stays in flight has nothing open on GitHub.
func TestLeft(t *testing.T) {
	within(t, double.Options{}, func(w *world) {
		r := w.reporter()
		s := story.Cancelled()
		play(r, s)
		r.Leave(s.Record.Rollout.Copy(), "left in flight at 25%")
		w.close(r)
		for context, state := range w.states(sha) {
			if state == "pending" {
				t.Errorf("%s is pending", context)
			}
		}
		if d := w.deployment(); d.State() != "error" {
			t.Errorf("state %s", d.State())
		}
	})
}

// TestEnterprise: the API lies under a path there.
func TestEnterprise(t *testing.T) {
	within(t, double.Options{Prefix: "/api/v3"}, func(w *world) {
		w.tell(story.Good())
		if d := w.deployment(); d.State() != "success" {
			t.Errorf("state %s", d.State())
		}
	})
}

// TestWrongPlace: what cannot be reached is said before anything is sent.
func TestWrongPlace(t *testing.T) {
	for name, access := range map[string]github.Access{
		"no repository": {API: "https://api.github.com", Repository: "shop"},
		"no API":        {API: "api.github.com", Repository: "acme/shop"},
	} {
		if _, err := github.New(t.Context(), github.Options{Access: access}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
