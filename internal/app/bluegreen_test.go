package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

func blueGreen() kind {
	return kind{strategy: "{blueGreen: {preview: {host: next.local}, keepOld: 5s}}", check: (*world).switchesWhole}
}

func blueGreenService() kind {
	return kind{strategy: "{blueGreen: {preview: {service: next}, keepOld: 5s}}", unrouted: true, check: (*world).switchesWhole}
}

// switching are the kinds that move every request at once.
func switching() map[string]kind {
	return map[string]kind{"blueGreen": blueGreen(), "blueGreenService": blueGreenService()}
}

// switchesWhole: users meet one side at a time, which is ready at full size, and never more than two versions run.
func (w *world) switchesWhole() {
	w.splitsPointAtReadyPods()
	route, service := w.get(routes, "checkout"), w.get(services, "checkout")
	if route == nil || service == nil {
		return
	}
	weights := backendWeights(route)
	_, _, ready := w.versions()
	side, _, _ := unstructured.NestedString(service.Object, "spec", "selector", "app")
	pods := w.ready()
	w.mu.Lock()
	defer w.mu.Unlock()
	if weights["checkout"] > 0 && weights["checkout-candidate"] > 0 {
		w.problem("the requests are divided: %v", weights)
	}
	if w.kind.unrouted && pods[side] < size {
		w.problem("the Service stands before %s, which has %d ready pods, not %d", side, pods[side], size)
	}
	if least, _ := nested(w.get(scalers, "checkout"), "spec", "minReplicas").(int64); w.side() == "checkout-candidate" && least != size {
		w.problem("the base has no requests, and its autoscaler may take it down to %d pods", least)
	}
	if len(ready) > 2 {
		w.problem("%d versions are ready: %v", len(ready), ready)
	}
}

func TestGoodSwitch(t *testing.T) {
	for name, k := range switching() {
		for _, image := range []string{"checkout:v2", "checkout:rude"} {
			t.Run(name+" "+image, func(t *testing.T) {
				k.inWorld(t, func(w *world) {
					result, err := app.Deploy(w.t.Context(), w.options(image, nil))
					if err != nil || result.Result != report.Succeeded {
						t.Fatalf("%+v, %v", result, err)
					}
					w.want(image)
					again, err := app.Deploy(w.t.Context(), w.options(image, nil))
					if err != nil || again.Result != report.Unchanged {
						t.Errorf("the same again: %+v, %v", again, err)
					}
					back, err := app.Rollback(w.t.Context(), w.options("", nil))
					if err != nil || back.Result != report.Succeeded {
						t.Errorf("rollback: %+v, %v", back, err)
					}
					w.want("checkout:v1")
				})
			})
		}
	}
}

// TestRudeBaseIsSwitched: a version that exits at once when it is told to stop is replaced, and brought back, without a
// lost request.
func TestRudeBaseIsSwitched(t *testing.T) {
	for name, k := range switching() {
		t.Run(name, func(t *testing.T) {
			k.objects = func(text string) string { return strings.Replace(text, "checkout:v1", "checkout:rude", 1) }
			k.inWorld(t, func(w *world) {
				if result, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil)); err != nil || result.Result != report.Succeeded {
					t.Fatalf("%+v, %v", result, err)
				}
				w.want("checkout:v2")
			})
		})
	}
}

// answer is the version that answers at a host through the gateway, or the status.
func (w *world) answer(host string) string {
	answer := httptest.NewRecorder()
	w.cluster.Gateway().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://"+host+"/", nil))
	if answer.Code != http.StatusOK {
		return fmt.Sprint(answer.Code)
	}
	return answer.Header().Get("X-Version") + answer.Body.String()
}

// inForce calls do once, when the step is in force.
func inForce(step string, do func()) engine.Listener {
	done := false
	return listener(func(e engine.Event) {
		if e.Kind == engine.EventInForce && e.Step == step && !done {
			done = true
			do()
		}
	})
}

// TestPreview: the new version can be tried before the switch, where users do not meet it, and nobody finds the preview
// from the switch on.
func TestPreview(t *testing.T) {
	for name, k := range switching() {
		t.Run(name, func(t *testing.T) {
			k.inWorld(t, func(w *world) {
				tried := 0
				run := w.begin(w.options("checkout:v2", nil))
				for open := true; open; time.Sleep(50 * time.Millisecond) {
					select {
					case <-run.done:
						open = false
					default:
					}
					found := w.previewed()
					switched := w.side() != "checkout" || w.image() != "checkout:v1"
					if found && !switched {
						tried++
					}
					if found && switched {
						t.Errorf("the preview is there when users meet %s", w.side())
						open = false
					}
				}
				run.end(t, report.Succeeded)
				if tried < 10 {
					t.Errorf("the preview was found %d times", tried)
				}
				w.want("checkout:v2")
			})
		})
	}
}

// previewed tells whether who asks at the preview meets the new version.
func (w *world) previewed() bool {
	if !w.kind.unrouted {
		return strings.Contains(w.answer("next.local"), "v2")
	}
	return w.get(services, "next") != nil && w.endpoints("next", "checkout-candidate") == size
}

// endpoints counts a Service's endpoints; -1 when one of them is not of the app.
func (w *world) endpoints(service, app string) int {
	slice := w.get(endpointSlices, service+"-sandbox")
	if slice == nil {
		return 0
	}
	list, _, _ := unstructured.NestedSlice(slice.Object, "endpoints")
	for _, e := range list {
		name, _, _ := unstructured.NestedString(e.(map[string]any), "targetRef", "name")
		if !strings.HasPrefix(name, app+"-") {
			return -1
		}
	}
	return len(list)
}

// TestSwitchIsOneWrite: a single write moves the requests, and less than a second later users meet the other side, there
// and back.
func TestSwitchIsOneWrite(t *testing.T) {
	for name, k := range switching() {
		t.Run(name, func(t *testing.T) {
			k.inWorld(t, func(w *world) {
				var mu sync.Mutex
				var sides []string
				var written []time.Time
				w.cluster.API().OnWrite(func(apiserver.Write) {
					side := w.side()
					mu.Lock()
					defer mu.Unlock()
					if last := len(sides) - 1; last < 0 || sides[last] != side {
						sides, written = append(sides, side), append(written, time.Now())
					}
				})
				over, ended := make(chan struct{}), make(chan struct{})
				var versions []string
				var met []time.Time
				go func() {
					defer close(ended)
					for {
						select {
						case <-over:
							return
						case <-time.After(10 * time.Millisecond):
						}
						version := w.answer("checkout.local")
						if last := len(versions) - 1; last < 0 || versions[last] != version {
							versions, met = append(versions, version), append(met, time.Now())
						}
					}
				}()
				started := make(chan struct{})
				o := w.options("checkout:v2", nil)
				o.Listeners = append(o.Listeners, inForce("full", func() { close(started) }))
				run := w.begin(o)
				<-started
				time.Sleep(2 * time.Second)
				if result, err := app.Abort(w.t.Context(), w.options("", nil)); err != nil || result.Result != report.Aborted {
					t.Errorf("%+v, %v", result, err)
				}
				run.end(t, report.Aborted)
				close(over)
				<-ended
				if !slices.Equal(sides, []string{"checkout", "checkout-candidate", "checkout"}) || len(versions) != 3 {
					t.Fatalf("the requests went to %v, users met %v", sides, versions)
				}
				for i := range 2 {
					if took := met[i+1].Sub(written[i+1]); took < 0 || took > time.Second {
						t.Errorf("switch %d was in force after %v", i+1, took)
					}
				}
				w.want("checkout:v1")
			})
		})
	}
}

// side is where the user's route and Service lead together: the app of the pods that users meet.
func (w *world) side() string {
	if backendWeights(w.get(routes, "checkout"))["checkout-candidate"] > 0 {
		return "checkout-candidate"
	}
	side, _, _ := unstructured.NestedString(w.get(services, "checkout").Object, "spec", "selector", "app")
	return side
}

func switchSteps() []string {
	return []string{"candidate", "preview", "full", "confirm", "roll-base", "return", "clean-up"}
}

// TestAbortASwitch: at every step the holder goes back.
func TestAbortASwitch(t *testing.T) {
	for name, k := range switching() {
		for _, step := range switchSteps() {
			t.Run(name+" "+step, func(t *testing.T) {
				t.Parallel()
				k.inWorld(t, func(w *world) {
					started := make(chan struct{})
					o := w.options("checkout:v2", nil)
					o.Listeners = append(o.Listeners, at(step, func() { close(started) }))
					run := w.begin(o)
					<-started
					result, err := app.Abort(w.t.Context(), w.options("", nil))
					<-run.done
					if step == "clean-up" && run.result.Result == report.Succeeded {
						w.want("checkout:v2") // it was faster
						return
					}
					run.end(t, report.Aborted)
					if err != nil || result.Result != report.Aborted {
						t.Errorf("%+v, %v", result, err)
					}
					w.want("checkout:v1")
				})
			})
		}
	}
}

// TestThirdVersionWhileOldIsKept: a deploy while the old version stands by first switches back to it.
func TestThirdVersionWhileOldIsKept(t *testing.T) {
	for name, k := range switching() {
		t.Run(name, func(t *testing.T) {
			k.inWorld(t, func(w *world) {
				kept := make(chan struct{})
				o := w.options("checkout:v2", nil)
				o.Holder = "first"
				o.Listeners = append(o.Listeners, inForce("full", func() { close(kept) }))
				one := w.begin(o)
				<-kept
				next := w.options("checkout:v3", nil)
				next.Holder = "second"
				two := w.begin(next)
				two.end(t, report.Succeeded)
				one.end(t, report.Superseded)
				w.want("checkout:v3")
			})
		})
	}
}
