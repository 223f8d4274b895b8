package app_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/sandbox/service"
)

func canaryInternal() kind {
	return kind{strategy: `{canary: {internal: {header: {X-Staff: "1"}}, steps: [50%], hold: 5s}}`, check: (*world).ringPointsAtReadyPods, staff: true}
}

func isRing(rule any) bool {
	name, _ := rule.(map[string]any)["name"].(string)
	return strings.HasPrefix(name, "tidegate-internal-")
}

// ringPointsAtReadyPods: as splitsPointAtReadyPods, and the ring's rules send to a candidate that is ready, and never stand
// where the base has begun to run the new version.
func (w *world) ringPointsAtReadyPods() {
	w.splitsPointAtReadyPods()
	route := w.get(routes, "checkout")
	if route == nil {
		return
	}
	rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
	if !slices.ContainsFunc(rules, isRing) {
		return
	}
	ready := w.ready()["checkout-candidate"]
	candidate := w.get(deployments, "checkout-candidate")
	w.mu.Lock()
	defer w.mu.Unlock()
	if ready == 0 {
		w.problem("the ring's requests go to a candidate without a ready pod")
	}
	if candidate != nil && imageOf(candidate) == w.image() {
		w.problem("the ring still has rules of its own, and the base runs %s, too", w.image())
	}
}

// version is who answers a request.
func (w *world) version(header, value string) string {
	r := httptest.NewRequest(http.MethodGet, "http://checkout.local/", nil)
	if header != "" {
		r.Header.Set(header, value)
	}
	answer := httptest.NewRecorder()
	w.cluster.Gateway().ServeHTTP(answer, r)
	return answer.Header().Get(service.VersionHeader)
}

// TestRingMeetsItFirst: in the ring's step its requests meet the new version and nobody else's do; before it nobody does.
func TestRingMeetsItFirst(t *testing.T) {
	for _, tc := range []struct{ name, strategy, header, value string }{
		{"header", canaryInternal().strategy, "X-Staff", "1"},
		{"cookie", `{canary: {internal: {cookie: {staff: "1"}}, steps: [{approve: {message: Go}}, 50%], hold: 5s}}`, "Cookie", "a=b; staff=1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := canaryInternal()
			k.strategy = tc.strategy
			k.inWorld(t, func(w *world) {
				old := w.version("", "")
				looks := 0
				o := w.options("checkout:v2", nil)
				o.Listeners = bound(func(e engine.Event) {
					switch {
					case e.Kind == engine.EventStepStarted && e.Step == "internal":
						if got := w.version(tc.header, tc.value); got != old {
							t.Errorf("before its step the ring meets %q", got)
						}
					case e.Kind == engine.EventStepFinished && e.Step == "internal":
						looks++
						if got := w.version(tc.header, tc.value); got == old || got == "" {
							t.Errorf("the ring meets %q", got)
						}
						for range 20 {
							if got := w.version("", ""); got != old {
								t.Errorf("somebody else meets %q", got)
							}
							if got := w.version(tc.header, tc.value+"x"); got != old {
								t.Errorf("somebody nearly of the ring meets %q", got)
							}
						}
					}
				})
				result, err := app.Deploy(w.t.Context(), o)
				want := report.Succeeded
				if tc.name == "cookie" {
					want = report.Pending
				}
				if err != nil || result.Result != want || looks != 1 || old == "" {
					t.Errorf("%+v, %v; %d looks, old %q", result, err, looks, old)
				}
				if want == report.Succeeded {
					w.want("checkout:v2")
					return
				}
				if result, err := app.Abort(w.t.Context(), w.options("", nil)); err != nil || result.Result != report.Aborted {
					t.Errorf("%+v, %v", result, err)
				}
				w.want("checkout:v1")
			})
		})
	}
}

// TestAbortTheRing: at every step of a canary with a ring an abort takes the ring's rules back.
func TestAbortTheRing(t *testing.T) {
	for _, step := range []string{"candidate", "internal", "shift-50", "full", "confirm", "roll-base", "return"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			canaryInternal().inWorld(t, func(w *world) {
				started := make(chan struct{})
				o := w.options("checkout:v2", nil)
				o.Listeners = append(o.Listeners, at(step, func() { close(started) }))
				run := w.begin(o)
				<-started
				if result, err := app.Abort(w.t.Context(), w.options("", nil)); err != nil || result.Result != report.Aborted {
					t.Errorf("%+v, %v", result, err)
				}
				run.end(t, report.Aborted)
				w.want("checkout:v1")
			})
		})
	}
}

// TestSupersedeTheRing: another version in the middle starts with a ring of its own, from the base.
func TestSupersedeTheRing(t *testing.T) {
	for _, step := range []string{"internal", "shift-50", "roll-base"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			canaryInternal().inWorld(t, func(w *world) {
				started := make(chan struct{})
				first := w.options("checkout:v2", nil)
				first.Holder, first.Listeners = "first", append(first.Listeners, at(step, func() { close(started) }))
				one := w.begin(first)
				<-started
				second := w.options("checkout:v3", nil)
				second.Holder = "second"
				two := w.begin(second)
				two.end(t, report.Succeeded)
				one.end(t, report.Superseded)
				w.want("checkout:v3")
			})
		})
	}
}

// TestRulesOfTheUserKeepTheirRequests: a rule by a query of the user's, which any header match would overtake, gets the
// ring's requests as before; this one answers them with an error.
func TestRulesOfTheUserKeepTheirRequests(t *testing.T) {
	k := canaryInternal()
	k.objects = func(text string) string {
		return strings.Replace(text, "    backendRefs: [{name: checkout, port: 80}]\n", `    backendRefs: [{name: checkout, port: 80}]
  - name: old
    matches: [{path: {type: PathPrefix, value: /}, queryParams: [{name: v, value: "1"}]}]
`, 1)
	}
	k.inWorld(t, func(w *world) {
		rule := func() string {
			r := httptest.NewRequest(http.MethodGet, "http://checkout.local/?v=1", nil)
			r.Header.Set("X-Staff", "1")
			answer := httptest.NewRecorder()
			w.cluster.Gateway().ServeHTTP(answer, r)
			return answer.Header().Get("X-Rule") + answer.Body.String()
		}
		before := rule()
		looked := 0
		o := w.options("checkout:v2", nil)
		o.Listeners = bound(func(e engine.Event) {
			if e.Kind == engine.EventStepFinished {
				looked++
				if now := rule(); now != before {
					t.Errorf("after %s the ring's requests by the query are answered %q, not %q", e.Step, now, before)
				}
			}
		})
		result, err := app.Deploy(w.t.Context(), o)
		if err != nil || result.Result != report.Succeeded || looked < 5 {
			t.Errorf("%+v, %v; %d looks", result, err, looked)
		}
		w.want("checkout:v2")
	})
}
