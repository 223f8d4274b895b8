package github_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/report/story"
	double "github.com/tidegate/tidegate/internal/sandbox/github"
)

// all are the states of a good rollout's commit.
func all(state string) map[string]string {
	return map[string]string{"checkout": state, "checkout/kubernetes": state, "checkout/errors": state, "checkout/latency": state}
}

// TestFaultsPass: whatever GitHub answers for a while, in the end it knows everything, once.
func TestFaultsPass(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer func() *double.Answer
	}{
		{"502", double.BadGateway},
		{"502 after the work", func() *double.Answer { return double.BadGateway().Applied() }},
		{"500", double.ServerError},
		{"504", double.GatewayTimeout},
		{"hang", func() *double.Answer { return &double.Answer{Hang: true} }},
		{"dropped", func() *double.Answer { return &double.Answer{Drop: true} }},
		{"slow", func() *double.Answer { return &double.Answer{Delay: 3 * time.Second} }},
		{"primary limit 403", func() *double.Answer { return double.PrimaryLimit(403, time.Now().Add(2*time.Minute)) }},
		{"primary limit 429", func() *double.Answer { return double.PrimaryLimit(429, time.Now().Add(2*time.Minute)) }},
		{"secondary limit 403", func() *double.Answer { return double.SecondaryLimit(403, 30*time.Second) }},
		{"secondary limit 429", func() *double.Answer { return double.SecondaryLimit(429, 30*time.Second) }},
		{"secondary limit without a time", func() *double.Answer { return double.SecondaryLimit(403, 0) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			within(t, double.Options{}, func(w *world) {
				start := time.Now()
				w.server.Fault(func(*http.Request) *double.Answer {
					if time.Since(start) > 3*time.Minute {
						return nil
					}
					return tc.answer()
				})
				w.tell(story.Good())
				if d := w.deployment(); d.State() != "success" {
					t.Errorf("state %s", d.State())
				}
				w.wantStates(sha, all("success"))
				if n := len(w.server.Requests()); n > 60 {
					t.Errorf("%d requests while GitHub was down for three minutes: too eager", n)
				}
				if len(w.warnings) != 0 {
					t.Errorf("warnings %q", w.warnings)
				}
			})
		})
	}
}

// TestLimitsAreHonoured: no request is made before GitHub said that it may.
func TestLimitsAreHonoured(t *testing.T) {
	for _, status := range []int{403, 429} {
		within(t, double.Options{}, func(w *world) {
			var until time.Time
			w.server.Fault(func(*http.Request) *double.Answer {
				if until.IsZero() {
					until = time.Now().Add(2 * time.Minute).Truncate(time.Second)
					return double.PrimaryLimit(status, until)
				}
				if time.Now().Before(until) {
					t.Errorf("%d: asked %s too early", status, time.Until(until))
				}
				return nil
			})
			w.tell(story.Good())
		})
	}
}

// TestDown: GitHub answers nothing but 502 throughout. The rollout's end waits for it no longer than a moment, and what
// is missing is told later by the post step.
func TestDown(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer func() *double.Answer
		longer time.Duration
	}{
		{"502", double.BadGateway, 0},
		{"rate limited for an hour", func() *double.Answer { return double.PrimaryLimit(403, time.Now().Add(time.Hour)) }, 0},
		{"hanging", func() *double.Answer { return &double.Answer{Hang: true} }, 11 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			within(t, double.Options{}, func(w *world) {
				w.server.Fault(func(*http.Request) *double.Answer { return tc.answer() })
				r := w.reporter()
				play(r, story.Good())
				untold, took := w.close(r)
				if untold == 0 || took > tc.longer {
					t.Errorf("%d untold after %s", untold, took)
				}
				w.server.Fault(nil)
				w.options.Prior, w.options.Persist = r.Ledgers(), true
				post := w.reporter()
				if untold, _ := w.close(post); untold != 0 {
					t.Errorf("%d untold by the post step", untold)
				}
				w.wantStates(sha, all("success"))
				if d := w.deployment(); d.State() != "success" {
					t.Errorf("state %s", d.State())
				}
			})
		})
	}
}

// TestNoPermission: each permission taken away costs one warning that names it, and nothing else.
func TestNoPermission(t *testing.T) {
	full := map[string]string{"deployments": "write", "statuses": "write", "checks": "write", "contents": "read"}
	for _, missing := range []string{"deployments", "statuses", "checks"} {
		t.Run(missing, func(t *testing.T) {
			granted := map[string]string{}
			for name, level := range full {
				granted[name] = level
			}
			granted[missing] = "read"
			within(t, double.Options{Permissions: granted}, func(w *world) {
				w.options.Checks = true
				w.tell(story.Good())
				if len(w.warnings) != 1 || !strings.Contains(w.warnings[0], missing+": write") {
					t.Errorf("warnings %q", w.warnings)
				}
				if n := len(w.server.Deployments()); (n == 1) == (missing == "deployments") {
					t.Errorf("%d deployments", n)
				}
				if n := len(w.server.CommitStatuses(sha)); (n > 0) == (missing == "statuses") {
					t.Errorf("%d statuses", n)
				}
				if n := len(w.server.CheckRuns()); (n == 1) == (missing == "checks") {
					t.Errorf("%d check runs", n)
				}
			})
		})
	}
}

// TestBadToken: one warning that says what to give.
func TestBadToken(t *testing.T) {
	within(t, double.Options{}, func(w *world) {
		w.options.Token = "ghs_expired"
		w.tell(story.Good())
		if len(w.warnings) == 0 || !strings.Contains(w.warnings[0], "github-token") {
			t.Errorf("warnings %q", w.warnings)
		}
		if n := len(w.server.Requests()); n > 3 {
			t.Errorf("%d requests with a token that is refused", n)
		}
	})
}

// TestLag: lists that show what was made only after a while lead to no second deployment.
func TestLag(t *testing.T) {
	within(t, double.Options{Lag: 5 * time.Second}, func(w *world) {
		w.tell(story.Good())
		if d := w.deployment(); d.State() != "success" {
			t.Errorf("state %s", d.State())
		}
	})
}
