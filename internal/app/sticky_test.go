package app_test

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/catalog"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/sandbox/service"
)

func canarySticky() kind {
	return kind{strategy: "{canary: {sticky: true, steps: [10%, 50%], hold: 5s}}", check: (*world).usersPointAtReadyPods, browsers: 16}
}

// usersPointAtReadyPods: users are with sides only that are ready at the size they must carry, by what the router says of
// its route, whose rules no test needs to know.
func (w *world) usersPointAtReadyPods() {
	route := w.get(routes, "checkout")
	if route == nil {
		return
	}
	share := catalog.Share(route.Object, plan.Traffic{Router: "gatewayAPI", Namespace: "shop", Base: "checkout", Candidate: "checkout-candidate"})
	ready := w.ready()
	w.mu.Lock()
	defer w.mu.Unlock()
	if need := share.Of(size); ready["checkout-candidate"] < need {
		w.problem("%s of the users are with a candidate of %d ready pods, not %d", share, ready["checkout-candidate"], need)
	}
	if need := (plan.All - share).Of(size); ready["checkout"] < need {
		w.problem("%s of the users are with a base of %d ready pods, not %d", plan.All-share, ready["checkout"], need)
	}
}

// browser is a user who keeps cookies.
type browser struct {
	cookies map[string]string
	met     []string // versions, each as long as it was the same
	first   string   // the version that answered without a cookie of ours
	private bool     // no cookie came in an answer that others may be given
}

func newBrowsers(n int) []*browser {
	all := make([]*browser, n)
	for i := range all {
		all[i] = &browser{cookies: map[string]string{}, private: true}
	}
	return all
}

// ask sends one request with all cookies, in an order of their own, and keeps what the answer sets.
func (b *browser) ask(w *world) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://checkout.local/", nil)
	r.AddCookie(&http.Cookie{Name: "theme", Value: "dark"})
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	r.AddCookie(&http.Cookie{Name: "session", Value: "0815"})
	answer := httptest.NewRecorder()
	w.cluster.Gateway().ServeHTTP(answer, r)
	version := answer.Header().Get(service.VersionHeader)
	if len(b.met) == 0 || b.met[len(b.met)-1] != version {
		b.met = append(b.met, version)
	}
	for _, c := range answer.Result().Cookies() {
		if _, known := b.cookies[c.Name]; !known {
			b.first = version
		}
		b.cookies[c.Name] = c.Value
		b.private = b.private && strings.Contains(answer.Header().Get("Cache-Control"), "private")
	}
	return answer
}

// now is the version that a user meets with the cookie that they have by then.
func (b *browser) now(w *world) string {
	b.ask(w)
	return b.ask(w).Header().Get(service.VersionHeader)
}

// near tells whether n of all are a share, within what chance may do.
func near(n, all int, share plan.Share) bool {
	p := float64(share) / float64(plan.All)
	return math.Abs(float64(n)-p*float64(all)) <= 4.5*math.Sqrt(float64(all)*p*(1-p))
}

// with counts the users whom each version serves.
func (w *world) with(all []*browser) map[string]int {
	count := map[string]int{}
	for _, b := range all {
		count[b.now(w)]++
	}
	return count
}

// TestStickyUsers: at each step its share of returning users is with the new version; nobody moves twice, nobody back, the
// answer that gives a cookie is the base's, and who keeps no cookies waits for 100%.
func TestStickyUsers(t *testing.T) {
	canarySticky().inWorld(t, func(w *world) {
		const users = 400
		all := newBrowsers(users)
		if got := w.with(all); got["v1"] != users {
			t.Fatalf("before: %v", got)
		}
		shares := map[string]plan.Share{"shift-10": 10 * plan.OnePercent, "shift-50": 50 * plan.OnePercent, "full": plan.All}
		looks := 0
		o := w.options("checkout:v2", nil)
		o.Listeners = bound(func(e engine.Event) {
			share, watched := shares[e.Step]
			if e.Kind != engine.EventStepFinished || !watched {
				return
			}
			looks++
			if got := w.with(all); !near(got["v2"], users, share) || got["v1"]+got["v2"] != users {
				t.Errorf("after %s the users are with %v, which is not %s", e.Step, got, share)
			}
			for range 40 {
				if got := w.version("", ""); share < plan.All && got != "v1" {
					t.Errorf("after %s somebody without cookies meets %q", e.Step, got)
					break
				}
			}
		})
		result, err := app.Deploy(w.t.Context(), o)
		if err != nil || result.Result != report.Succeeded || looks != len(shares) {
			t.Fatalf("%+v, %v; %d looks", result, err, looks)
		}
		w.want("checkout:v2")
		w.with(all)
		for i, b := range all {
			if got := strings.Join(b.met, " "); got != "v1 v2" {
				t.Errorf("user %d met %s", i, got)
			}
			if b.first != "v1" || !b.private || b.cookies["tidegate-checkout"] == "" {
				t.Errorf("user %d got the cookie from %q (private: %v), and has %v", i, b.first, b.private, b.cookies)
			}
		}
	})
}

// TestAbortSticky: after an abort at any step everybody is with the old version, and nothing of the cohorts is left.
func TestAbortSticky(t *testing.T) {
	for _, step := range []string{"candidate", "shift-10", "shift-50", "full", "confirm", "roll-base", "return"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			canarySticky().inWorld(t, func(w *world) {
				all := newBrowsers(40)
				started := make(chan struct{})
				o := w.options("checkout:v2", nil)
				o.Listeners = append(o.Listeners, at(step, func() { w.with(all); close(started) }))
				run := w.begin(o)
				<-started
				if result, err := app.Abort(w.t.Context(), w.options("", nil)); err != nil || result.Result != report.Aborted {
					t.Errorf("%+v, %v", result, err)
				}
				run.end(t, report.Aborted)
				w.want("checkout:v1")
				if got := w.with(all); got["v1"] != len(all) {
					t.Errorf("the users are with %v", got)
				}
			})
		})
	}
}

// TestSupersedeSticky: another version in the middle starts from the base, and draws every user again.
func TestSupersedeSticky(t *testing.T) {
	for _, step := range []string{"shift-50", "roll-base"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			canarySticky().inWorld(t, func(w *world) {
				all := newBrowsers(40)
				started := make(chan struct{})
				first := w.options("checkout:v2", nil)
				first.Holder, first.Listeners = "first", append(first.Listeners, at(step, func() { w.with(all); close(started) }))
				one := w.begin(first)
				<-started
				var old []string
				for _, b := range all {
					old = append(old, b.cookies["tidegate-checkout"])
				}
				second := w.options("checkout:v3", nil)
				second.Holder = "second"
				drawn := 0
				second.Listeners = bound(func(e engine.Event) {
					if e.Kind != engine.EventStepFinished || e.Step != "shift-10" {
						return
					}
					for i, b := range all {
						if got := b.ask(w).Header().Get(service.VersionHeader); got != "v1" {
							t.Errorf("with the cookie of another rollout user %d meets %s", i, got)
						}
						if now := b.cookies["tidegate-checkout"]; now == old[i] || now == "" {
							t.Errorf("user %d still has the cookie %q", i, now)
						}
						drawn++
					}
				})
				two := w.begin(second)
				two.end(t, report.Succeeded)
				one.end(t, report.Superseded)
				w.want("checkout:v3")
				if got := w.with(all); got["v3"] != len(all) || drawn != len(all) {
					t.Errorf("the users are with %v; %d were drawn again", got, drawn)
				}
			})
		})
	}
}

// TestStickyRing: the ring has the new version from its own step on, and the users only from theirs.
func TestStickyRing(t *testing.T) {
	k := canarySticky()
	k.strategy = `{canary: {sticky: true, internal: {header: {X-Staff: "1"}}, steps: [50%], hold: 5s}}`
	k.inWorld(t, func(w *world) {
		all := newBrowsers(100)
		var told []string
		o := w.options("checkout:v2", nil)
		o.Listeners = bound(func(e engine.Event) {
			if e.Kind == engine.EventStepFinished && slices.Contains([]string{"internal", "shift-50", "full"}, e.Step) {
				users := w.with(all)
				told = append(told, fmt.Sprintf("%s: staff %s, users divided %v, all moved %v", e.Step, w.version("X-Staff", "1"),
					users["v1"] > 0 && users["v2"] > 0, users["v2"] == len(all)))
			}
		})
		result, err := app.Deploy(w.t.Context(), o)
		want := "internal: staff v2, users divided false, all moved false\nshift-50: staff v2, users divided true, all moved false\n" +
			"full: staff v2, users divided false, all moved true"
		if got := strings.Join(told, "\n"); err != nil || result.Result != report.Succeeded || got != want {
			t.Errorf("%+v, %v\n%s", result, err, got)
		}
		w.want("checkout:v2")
	})
}
