package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
)

// described are routers by description that drive the world's HTTPRoute: one of the spec's own, and one that is shipped.
func described() map[string]spec.Traffic {
	guard := spec.Duration(2 * time.Second)
	return map[string]spec.Traffic{
		"custom": {Guard: guard, Custom: &spec.Custom{
			Object: spec.ObjectRef{APIVersion: "gateway.networking.k8s.io/v1", Kind: "HTTPRoute", Name: "checkout"},
			Weights: spec.SidePaths{Total: 100, Absent: 1,
				Base: "spec.rules[*].backendRefs[name={{.Base}}].weight", Candidate: "spec.rules[*].backendRefs[name={{.Candidate}}].weight"},
			Accepted: `len(status.parents) == 1 and all(status.parents[0].conditions, .status == "True" and .observedGeneration == metadata.generation)`,
		}},
		"kong": {Guard: guard, Kong: &spec.Kong{HTTPRoute: "checkout"}},
	}
}

// TestDescribedRouter: a canary over a router by description loses no request, sends nobody where no pod is ready, and leaves
// the object as it was, whether it ends well, is taken back, or is killed and its record deleted.
func TestDescribedRouter(t *testing.T) {
	for name, traffic := range described() {
		k := canary()
		k.traffic = &traffic
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k.inWorld(t, func(w *world) {
				o := w.options("checkout:v2", nil)
				shares := map[int64]bool{}
				o.Listeners = bound(func(e engine.Event) {
					if e.Kind == engine.EventStepFinished {
						shares[backendWeights(w.get(routes, "checkout"))["checkout-candidate"]] = true
					}
				})
				if result, err := app.Deploy(w.t.Context(), o); err != nil || result.Result != report.Succeeded {
					t.Errorf("%+v, %v", result, err)
				}
				if !shares[10] || !shares[50] || !shares[100] {
					t.Errorf("the candidate's weights were %v", shares)
				}
				w.want("checkout:v2")
			})
		})
		t.Run(name+" aborted", func(t *testing.T) {
			t.Parallel()
			k.inWorld(t, func(w *world) {
				started := make(chan struct{})
				o := w.options("checkout:v2", nil)
				o.Listeners = append(o.Listeners, at("full", func() { close(started) }))
				run := w.begin(o)
				<-started
				if result, err := app.Abort(w.t.Context(), w.options("", nil)); err != nil || result.Result != report.Aborted {
					t.Errorf("%+v, %v", result, err)
				}
				run.end(t, report.Aborted)
				w.want("checkout:v1")
			})
		})
		for at := 2; at < 40; at += 7 {
			t.Run(fmt.Sprintf("%s killed after write %d", name, at), func(t *testing.T) {
				t.Parallel()
				k.recordDeleted(t, at, "checkout:v3")
			})
		}
	}
}
