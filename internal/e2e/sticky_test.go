package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/sandbox/load"
)

// sticking is a sticky canary of these steps, which stays at full share long enough for users to come back.
func sticking(steps string) string {
	return "{canary: {sticky: true, steps: [" + steps + "], bake: 5s, drain: 1s}}"
}

// drawable has steps that hold until enough of the users have come back.
const drawable = "{weight: 5%, hold: 20s}, {weight: 25%, hold: 20s}, {weight: 50%, hold: 20s}"

// stickyRouters are those of the cluster that can keep a user on one version.
var stickyRouters = []string{"gatewayAPI", "traefik"}

// regulars waits until so many users have come, some of whom have been there before a rollout.
func (s *shop) regulars(n int) {
	s.t.Helper()
	eventually(s.t, time.Minute, func() string {
		if met := s.people.Met(); met < n {
			return fmt.Sprintf("%d users have come, want %d", met, n)
		}
		return ""
	})
}

// once wants every user to see the version change at most once, from the one to the other and never back.
func (s *shop) once(all load.Histories, from, to string) {
	s.t.Helper()
	often, back := 0, 0
	for _, h := range all {
		if h.Changes() > 1 {
			often++
		}
		if b := h.Back(to, from); len(b) > 0 {
			if back++; back == 1 {
				s.t.Logf("the first user who went back from %s to %s did so at %s", to, from, b[0].At.UTC().Format(clockTime))
			}
		}
	}
	if often > 0 || back > 0 {
		s.t.Errorf("of %d users %d saw the version change more than once, and %d went back from %s to %s", len(all), often, back, to, from)
	}
}

// drawn is when users began to be drawn: with the first step that touches the requests.
func drawn(steps []report.StatusStep) time.Time {
	for _, step := range steps {
		if step.ID != "candidate" && !step.InForce.IsZero() {
			return step.InForce.Add(lag)
		}
	}
	return time.Time{}
}

// moved wants each step's share of the users who came back, while it was in force, within what chance explains in 99 of 100
// cases. Every user is one draw, however many requests there were. Of a step of the spec enough have to have come back.
func (s *shop) moved(version string, enough int) {
	s.t.Helper()
	steps, shifts := s.status().Rollout.Steps, 0
	for _, step := range steps {
		if !strings.HasPrefix(step.ID, "shift-") && step.ID != "full" {
			continue
		}
		shifts++
		on, of := s.people.Histories().Share(version, drawn(steps), step.InForce.Add(lag), step.Finished)
		least := enough
		if step.ID == "full" {
			least = 20 // it is short
		}
		s.fair(fmt.Sprintf("%s: users on %s who came back", step.ID, version), on, of, least, step.Weight, 1)
	}
	if shifts != 4 {
		s.t.Errorf("%d steps moved users, want 4", shifts)
	}
}

// noErrors wants no answer to be a version's error.
func (s *shop) noErrors() {
	s.t.Helper()
	if sum := s.users.Counts(); sum.Failed > 0 {
		s.t.Errorf("%d requests were answered with an error: %v", sum.Failed, sum.FailedByVersion)
	}
}

// TestSticky carries 1,000 users from one version to the next, each of them at one step.
func TestSticky(t *testing.T) {
	for _, router := range stickyRouters {
		t.Run(router, func(t *testing.T) {
			t.Parallel()
			s := open(t, layout{strategy: sticking(drawable), router: router, jars: true})
			s.regulars(200)
			s.deploy("v2").want(0)
			s.whole("v2")
			s.regulars(1000)
			s.once(s.people.Histories(), "v1", "v2")
			s.moved("v2", 100)
			s.noErrors()
		})
	}
}

// TestStickyAborted takes everyone back, those too who had been moved.
func TestStickyAborted(t *testing.T) {
	for _, router := range stickyRouters {
		t.Run(router, func(t *testing.T) {
			t.Parallel()
			if router != "traefik" {
				exhaustive(t)
			}
			s := open(t, layout{strategy: sticking("5%, {weight: 50%, hold: 1m}"), router: router, jars: true})
			s.regulars(100)
			p := s.deploy("v2")
			p.hold("shift-50")
			eventually(t, 30*time.Second, func() string {
				if n := s.users.Counts().ByVersion["v2"]; n < 100 {
					return fmt.Sprintf("%d answers by v2", n)
				}
				return ""
			})
			s.once(s.people.Histories(), "v1", "v2")
			s.run(0, "abort")
			p.want(3)
			s.whole("v1")
			after := load.Summarize(s.between(p.ended, time.Now()))
			if after.ByVersion["v1"] == 0 || after.ByVersion["v2"] > 0 {
				t.Errorf("after the abort users met %v, want v1 only", after.ByVersion)
			}
			s.noErrors()
		})
	}
}

// TestStickySuperseded deploys a third version in the middle: everyone goes back, and is then drawn anew.
func TestStickySuperseded(t *testing.T) {
	for _, router := range stickyRouters {
		t.Run(router, func(t *testing.T) {
			t.Parallel()
			if router == "traefik" {
				exhaustive(t)
			}
			s := open(t, layout{strategy: sticking("{weight: 5%, hold: 12s}, {weight: 25%, hold: 16s}, {weight: 50%, hold: 16s}"), router: router, jars: true})
			s.regulars(200)
			first := s.deploy("v2")
			first.hold("shift-25")
			eventually(t, 12*time.Second, func() string {
				if s.users.Counts().ByVersion["v2"] == 0 {
					return "nobody has met v2 yet"
				}
				return ""
			})
			second := s.deploy("v11")
			first.want(7)
			second.want(0)
			s.whole("v11")
			s.neverMixed("v2", "v11")
			later := s.people.Histories().After(first.ended)
			if n := load.Summarize(later.Answers()).ByVersion["v2"]; n > 0 {
				t.Errorf("%d answers came from v2 after its rollout had ended", n)
			}
			s.once(later, "v1", "v11")
			s.moved("v11", 40)
			s.noErrors()
		})
	}
}

// queryRules are a route in which some requests go elsewhere by their query.
const queryRules = `  - matches: [{path: {type: PathPrefix, value: /}, queryParams: [{name: beta, value: "1"}]}]
    backendRefs: [{name: neighbour, port: 80}]
  - matches: [{path: {type: PathPrefix, value: /}}]
    backendRefs: [{name: checkout, port: 80}]
`

// livingNeighbour answers as v9, which nobody else runs.
const livingNeighbour = neighbour + `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: neighbour, namespace: @NAMESPACE@}
spec:
  selector: {matchLabels: {app: neighbour}}
  template:
    metadata: {labels: {app: neighbour}}
    spec:
      containers:
        - name: app
          image: @NEIGHBOUR@
          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
`

// TestStickyLeavesRules: what a user's own rule sends elsewhere goes there still, whichever cookie comes with it.
func TestStickyLeavesRules(t *testing.T) {
	t.Parallel()
	s := open(t, layout{strategy: sticking("{weight: 25%, hold: 8s}, {weight: 50%, hold: 8s}"), jars: true, rules: queryRules,
		extra: strings.Replace(livingNeighbour, "@NEIGHBOUR@", image("v9"), 1)})
	beta := func(header http.Header) string {
		if answer := s.fetch(s.host, "/?beta=1", header); answer != nil {
			return answer.Header.Get(load.VersionHeader)
		}
		return "nobody"
	}
	eventually(t, time.Minute, func() string {
		if by := beta(nil); by != "v9" {
			return "the neighbour's requests are answered by " + by
		}
		return ""
	})
	p := s.deploy("v2")
	for _, step := range []string{"shift-25", "shift-50"} {
		p.hold(step)
		time.Sleep(lag)
		seen := map[string]int{} // by the version that the user is with
		for range 40 {
			cookies := http.Header{"Cookie": s.draw()}
			for name, header := range map[string]http.Header{"with": cookies, "without": nil} {
				if by := beta(header); by != "v9" {
					t.Errorf("%s: a request of the user's own rule, %s a cohort's cookie, is answered by %q", step, name, by)
				}
			}
			_, version := s.visit(s.host, cookies)
			seen[version]++
		}
		if seen["v1"] == 0 || seen["v2"] == 0 {
			t.Errorf("%s: the users who were drawn are with %v, want some with each version", step, seen)
		}
	}
	p.want(0)
	s.whole("v2")
	s.once(s.people.Histories(), "v1", "v2")
	if by := beta(nil); by != "v9" {
		t.Errorf("after the rollout the user's own rule is answered by %q", by)
	}
}

// draw is the Cookie header of a new user: what the first answer, which is the base's, has set.
func (s *shop) draw() []string {
	s.t.Helper()
	answer := s.fetch(s.host, "/", nil)
	if answer == nil {
		s.t.Fatal("a new user got no answer")
	}
	if by := answer.Header.Get(load.VersionHeader); by != "v1" {
		s.t.Errorf("a new user was answered by %q, want the base", by)
	}
	var pairs []string
	for _, c := range answer.Cookies() {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	if len(pairs) == 0 {
		s.t.Error("a new user got no cookie")
	}
	return []string{strings.Join(pairs, "; ")}
}
