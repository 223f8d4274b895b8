package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
)

const shadowConf = `weight: 50%, duration: 20s, sideEffects: isolated, env: [{name: DATABASE_URL, value: scratch}]`

func shadowOnly() kind {
	return kind{strategy: "{shadow: {" + shadowConf + "}}", check: (*world).baseHasAll, stays: true, staged: true}
}

func shadowThenRolling() kind {
	return kind{strategy: "{shadow: {" + shadowConf + ", then: {rolling: {}}}}", check: (*world).splitsPointAtReadyPods, staged: true}
}

func shadowThenCanary() kind {
	return kind{strategy: "{shadow: {" + shadowConf + ", then: {canary: {steps: [50%], hold: 5s}}}}", check: (*world).splitsPointAtReadyPods, staged: true}
}

// baseHasAll: no route sends a user's request to another Service than the base's, and the base runs what it ran.
func (w *world) baseHasAll() {
	route, base := w.get(routes, "checkout"), w.get(deployments, "checkout")
	if route == nil || base == nil {
		return
	}
	weights := backendWeights(route)
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, there := weights["checkout"]; !there || len(weights) != 1 {
		w.problem("requests go to %v", weights)
	}
	if image := imageOf(base); image != "checkout:v1" {
		w.problem("the base runs %s", image)
	}
}

var mirroredCount = regexp.MustCompile(`(?m)^mirrored_requests_total (\d+)$`)

// copies are the copied requests that the candidate's pods have counted.
func (w *world) copies() (copied int) {
	for _, p := range w.cluster.API().Store().View(pods.GroupResource(), "shop") {
		if p.GetLabels()["app"] != "checkout-candidate" {
			continue
		}
		ip, _, _ := unstructured.NestedString(p.Object, "status", "podIP")
		pod := w.cluster.Pod(ip)
		if pod == nil {
			continue
		}
		answer := httptest.NewRecorder()
		pod.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if m := mirroredCount.FindStringSubmatch(answer.Body.String()); m != nil {
			n, _ := strconv.Atoi(m[1])
			copied += n
		}
	}
	return copied
}

// TestShadow: users get answers of the base only, while the candidate counts copies, with the environment of a shadow; at
// the end everything is as it was, the history knows that nobody had the version, and the same deploy is a new shadow.
func TestShadow(t *testing.T) {
	shadowOnly().inWorld(t, func(w *world) {
		copied, environment := 0, ""
		o := w.options("checkout:v2", nil)
		o.Listeners = bound(func(e engine.Event) {
			if e.Kind == engine.EventStepFinished && e.Step == "shadow" {
				copied = w.copies()
				containers, _, _ := unstructured.NestedSlice(w.get(deployments, "checkout-candidate").Object, "spec", "template", "spec", "containers")
				environment = fmt.Sprint(containers[0].(map[string]any)["env"])
			}
		})
		result, err := app.Deploy(w.t.Context(), o)
		if err != nil || result.Result != report.Succeeded || !strings.Contains(result.Reason, "users stay with v1") {
			t.Fatalf("%+v, %v", result, err)
		}
		if copied < 50 || copied > 150 { // of about 200
			t.Errorf("%d requests were copied", copied)
		}
		if !strings.Contains(environment, "DATABASE_URL value:scratch") || !strings.Contains(environment, "TIDEGATE_SHADOW value:true") {
			t.Errorf("the environment is %s", environment)
		}
		w.want("checkout:v1")
		again, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
		if err != nil || again.Result != report.Succeeded || again.Rollout == result.Rollout {
			t.Errorf("the same again: %+v, %v", again, err)
		}
		if _, err := app.Rollback(w.t.Context(), w.options("", nil)); err == nil || !strings.Contains(err.Error(), "no earlier revision") {
			t.Errorf("a shadow is something to go back from: %v", err)
		}
		named := w.options("", nil)
		named.To = "v2"
		if _, err := app.Rollback(w.t.Context(), named); err == nil || !strings.Contains(err.Error(), "was a shadow") {
			t.Errorf("a shadow is something to go back to: %v", err)
		}
		w.want("checkout:v1")
	})
}

// TestBadShadow: a version that does not start, is slow, or crashes once it has requests, costs users nothing: neither an answer
// nor time.
func TestBadShadow(t *testing.T) {
	for _, image := range []string{"checkout:crash", "checkout:unready"} {
		t.Run(image, func(t *testing.T) {
			shadowOnly().inWorld(t, func(w *world) {
				result, err := app.Deploy(w.t.Context(), w.options(image, nil))
				if err != nil || result.Result != report.RolledBack {
					t.Errorf("%+v, %v", result, err)
				}
				w.want("checkout:v1")
			})
		})
	}
	t.Run("slow", func(t *testing.T) {
		shadowOnly().inWorld(t, func(w *world) {
			result, err := app.Deploy(w.t.Context(), w.options("checkout:slow", nil))
			if err != nil || result.Result != report.Succeeded {
				t.Errorf("%+v, %v", result, err)
			}
			w.want("checkout:v1")
		})
	})
	t.Run("crashes under copies", func(t *testing.T) {
		shadowOnly().inWorld(t, func(w *world) {
			o := w.options("checkout:v2", nil)
			o.Listeners = bound(func(e engine.Event) {
				if e.Kind == engine.EventInForce && e.Step == "shadow" {
					w.breakPod()
				}
			})
			result, err := app.Deploy(w.t.Context(), o)
			if err != nil || result.Result != report.RolledBack {
				t.Errorf("%+v, %v", result, err)
			}
			w.want("checkout:v1")
		})
	})
}

// TestAbortAShadow: at every step an abort leaves everything as it was.
func TestAbortAShadow(t *testing.T) {
	for _, step := range []string{"candidate", "shadow", "stop"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			shadowOnly().inWorld(t, func(w *world) {
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

// TestShadowThen: what follows runs in the same call, and a plan shows both.
func TestShadowThen(t *testing.T) {
	for name, k := range map[string]kind{"rolling": shadowThenRolling(), "canary": shadowThenCanary()} {
		t.Run(name, func(t *testing.T) {
			k.inWorld(t, func(w *world) {
				planned, err := app.Plan(w.t.Context(), w.options("checkout:v2", nil))
				if err != nil || !planned.Plan.Shadow() || planned.Then == nil || planned.Then.Plan.Strategy != name {
					t.Errorf("planned %+v, %v", planned, err)
				}
				var begun []string
				o := w.options("checkout:v2", nil)
				o.Listeners = bound(func(e engine.Event) {
					if e.Kind == engine.EventStarted {
						begun = append(begun, e.Rollout.Plan.Strategy)
					}
				})
				result, err := app.Deploy(w.t.Context(), o)
				if err != nil || result.Result != report.Succeeded {
					t.Fatalf("%+v, %v", result, err)
				}
				if strings.Join(begun, ", ") != "shadow, "+name {
					t.Errorf("begun were %v", begun)
				}
				w.want("checkout:v2")
				if again, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil)); err != nil || again.Result != report.Unchanged {
					t.Errorf("the same again: %+v, %v", again, err)
				}
				if back, err := app.Rollback(w.t.Context(), w.options("", nil)); err != nil || back.Result != report.Succeeded {
					t.Errorf("back: %+v, %v", back, err)
				}
				w.want("checkout:v1")
			})
		})
	}
}

// TestShadowThenKilled: a run that dies between the two, or in the second, is carried on there, without another shadow; with
// --resume, too.
func TestShadowThenKilled(t *testing.T) {
	for _, tc := range []struct {
		name, step string
		resume     bool
		begun      string
	}{
		{"between", "clean-up", false, "canary"},
		{"in the second", "shift-50", false, ""},
		{"in the second, resumed", "shift-50", true, ""},
		{"in the shadow", "shadow", false, "canary"},
		{"in the shadow, resumed", "shadow", true, "canary"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			shadowThenCanary().inWorld(t, func(w *world) {
				ctx, kill := context.WithCancel(w.t.Context())
				o := w.options("checkout:v2", nil)
				o.Listeners = bound(func(e engine.Event) {
					over := tc.step == "clean-up" && e.Kind == engine.EventSucceeded && e.Rollout.Plan.Shadow()
					if over || tc.step != "clean-up" && e.Kind == engine.EventInForce && e.Step == tc.step {
						kill()
					}
				})
				if first, err := app.Deploy(ctx, o); err == nil && first.Result == report.Succeeded {
					t.Fatalf("the run was not killed: %+v", first)
				}
				var begun []string
				second := w.options("checkout:v2", nil)
				if second.Resume = tc.resume; tc.resume {
					second.Images = nil
				}
				second.Listeners = bound(func(e engine.Event) {
					if e.Kind == engine.EventStarted {
						begun = append(begun, e.Rollout.Plan.Strategy)
					}
				})
				result, err := app.Deploy(w.t.Context(), second)
				if err != nil || result.Result != report.Succeeded || strings.Join(begun, ", ") != tc.begun {
					t.Errorf("%+v, %v; begun were %v", result, err, begun)
				}
				w.want("checkout:v2")
			})
		})
	}
}

// TestShadowOfAnotherBase: what was compared with a base that somebody has changed since is compared anew.
func TestShadowOfAnotherBase(t *testing.T) {
	shadowThenCanary().inWorld(t, func(w *world) {
		ctx, kill := context.WithCancel(w.t.Context())
		o := w.options("checkout:v2", nil)
		o.Listeners = bound(func(e engine.Event) {
			if e.Kind == engine.EventSucceeded {
				kill()
			}
		})
		_, _ = app.Deploy(ctx, o) // it ends as one that was killed
		w.relax()
		time.Sleep(10 * time.Second)
		if err := w.cluster.Apply(w.t.Context(), strings.Replace(objects, "image: checkout:v1", "image: checkout:v3", 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		var begun []string
		second := w.options("checkout:v2", nil)
		second.Listeners = bound(func(e engine.Event) {
			if e.Kind == engine.EventStarted {
				begun = append(begun, e.Rollout.Plan.Strategy)
			}
		})
		result, err := app.Deploy(w.t.Context(), second)
		if err != nil || result.Result != report.Succeeded || strings.Join(begun, ", ") != "shadow, canary" {
			t.Errorf("%+v, %v; begun were %v", result, err, begun)
		}
	})
}

// TestNewerRolloutBetweenTheStages: what should follow a shadow makes way for a rollout that began meanwhile.
func TestNewerRolloutBetweenTheStages(t *testing.T) {
	shadowThenCanary().inWorld(t, func(w *world) {
		o := w.options("checkout:v2", nil)
		o.Listeners = bound(func(e engine.Event) {
			if !strings.Contains(e.Message, "going on with canary") {
				return
			}
			newer := w.options("checkout:v3", nil)
			newer.Holder = "newer"
			if result, err := app.Deploy(w.t.Context(), newer); err != nil || result.Result != report.Succeeded {
				t.Errorf("the newer one: %+v, %v", result, err)
			}
		})
		result, err := app.Deploy(w.t.Context(), o)
		if err != nil || result.Result != report.Superseded {
			t.Errorf("%+v, %v", result, err)
		}
		w.want("checkout:v3")
	})
}

// TestLostShadow: what a shadow without a record left is taken back by the next deploy, whatever that is.
func TestLostShadow(t *testing.T) {
	for _, k := range []kind{shadowOnly(), canary(), shadowThenRolling()} {
		t.Run(k.strategy, func(t *testing.T) {
			left := shadowOnly()
			left.inWorld(t, func(w *world) {
				ctx, kill := context.WithCancel(w.t.Context())
				o := w.options("checkout:v3", nil)
				o.Listeners = bound(func(e engine.Event) {
					if e.Kind == engine.EventInForce && e.Step == "shadow" {
						kill()
					}
				})
				_, _ = app.Deploy(ctx, o) // it ends as one that was killed
				w.remove(configMaps)
				w.relax()
				w.mu.Lock()
				w.kind = k
				w.mu.Unlock()
				if result, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil)); err != nil || result.Result != report.Succeeded {
					t.Errorf("%+v, %v", result, err)
				}
				w.want(k.final("checkout:v2"))
			})
		})
	}
}

// TestLostBeforeAShadow: a shadow takes back first what a canary without a record left.
func TestLostBeforeAShadow(t *testing.T) {
	for _, step := range []string{"candidate", "shift-50", "full", "roll-base", "return"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				ctx, kill := context.WithCancel(w.t.Context())
				o := w.options("checkout:v3", nil)
				o.Listeners = bound(func(e engine.Event) {
					if e.Kind == engine.EventInForce && e.Step == step {
						kill()
					}
				})
				_, _ = app.Deploy(ctx, o) // it ends as one that was killed
				w.remove(configMaps)
				w.relax()
				w.kind.strategy = shadowOnly().strategy
				if result, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil)); err != nil || result.Result != report.Succeeded {
					t.Errorf("%+v, %v", result, err)
				}
				image := "checkout:v1"
				if step == "return" { // the base ran the new version, and had every request: only marks were left
					image = w.image()
				}
				w.want(image)
			})
		})
	}
}

// TestFollowerWouldFail: what would make the second rollout fail is said before the shadow begins, and nothing is touched.
func TestFollowerWouldFail(t *testing.T) {
	k := shadowThenRolling()
	k.strategy = "{shadow: {" + shadowConf + ", then: {rolling: {graceful: 10s}}}}" // longer than the pods have to end
	k.inWorld(t, func(w *world) {
		result, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
		if err == nil || result.Result != report.Invalid || !strings.Contains(err.Error(), "what follows the shadow (rolling) would fail") || result.Rollout != "" {
			t.Errorf("%+v, %v", result, err)
		}
		w.want("checkout:v1")
	})
}

// TestRetryWhatFollows: when what follows the shadow was undone, a retry starts that, and not the shadow.
func TestRetryWhatFollows(t *testing.T) {
	shadowThenCanary().inWorld(t, func(w *world) {
		ended := 0
		o := w.options("checkout:v2", nil)
		o.Listeners = bound(func(e engine.Event) {
			if e.Kind == engine.EventInForce && e.Step == "shift-50" {
				w.breakPod()
			}
		})
		if result, err := app.Deploy(w.t.Context(), o); err != nil || result.Result != report.RolledBack {
			t.Fatalf("%+v, %v", result, err)
		}
		again := w.options("", nil)
		again.Listeners = bound(func(e engine.Event) {
			if e.Kind == engine.EventSucceeded {
				ended++
			}
		})
		planned, err := app.PlanRetry(w.t.Context(), w.options("", nil))
		if err != nil || planned.Plan.Strategy != "canary" || planned.Then != nil {
			t.Errorf("planned %+v, %v", planned, err)
		}
		if result, err := app.Retry(w.t.Context(), again); err != nil || result.Result != report.Succeeded || ended != 1 {
			t.Errorf("%+v, %v; %d rollouts", result, err, ended)
		}
		w.want("checkout:v2")
	})
}

// TestRetryAShadow: a shadow that was undone is started again, and what follows it comes after.
func TestRetryAShadow(t *testing.T) {
	shadowThenRolling().inWorld(t, func(w *world) {
		o := w.options("checkout:v2", nil)
		o.Listeners = bound(func(e engine.Event) {
			if e.Kind == engine.EventInForce && e.Step == "shadow" {
				w.breakPod()
			}
		})
		if result, err := app.Deploy(w.t.Context(), o); err != nil || result.Result != report.RolledBack {
			t.Fatalf("%+v, %v", result, err)
		}
		if result, err := app.Retry(w.t.Context(), w.options("", nil)); err != nil || result.Result != report.Succeeded {
			t.Errorf("%+v, %v", result, err)
		}
		w.want("checkout:v2")
	})
}
