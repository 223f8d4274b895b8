package app_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/spec"
)

// TestGoodCanary: the plain case, and how many writes it takes: the tests below cut at each.
func TestGoodCanary(t *testing.T) {
	inWorld(t, func(w *world) {
		result, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
		if err != nil || result.Result != report.Succeeded {
			t.Fatalf("%+v, %v", result, err)
		}
		w.want("checkout:v2")
		again, err := app.Deploy(w.t.Context(), w.options("checkout:v2", nil))
		if err != nil || again.Result != report.Unchanged {
			t.Errorf("the same again: %+v, %v", again, err)
		}
	})
}

// strategies are all kinds, by name.
func strategies() map[string]kind {
	all := inPlace()
	all["canary"], all["canaryInternal"], all["canarySticky"] = canary(), canaryInternal(), canarySticky()
	maps.Copy(all, switching())
	all["canary by replicas"], all["canary in place"] = canaryReplicas(), canaryInPlace()
	all["shadow"], all["shadow, then rolling"] = shadowOnly(), shadowThenRolling()
	all["detached canary"], all["detached rolling"] = detachedCanary(), detachedRolling()
	if os.Getenv("TIDEGATE_TEST_ALL") == "1" {
		maps.Copy(all, overRouters())
	}
	return all
}

// overRouters are canaries over other routers than the Gateway API. The engine knows no difference, and each has tests of its
// own, so that samples leave them out.
func overRouters() map[string]kind {
	traefik, nginx, mesh, sticky := throughTraefik(), byIngress(), meshCanary(), throughTraefik()
	guard := spec.Duration(2 * time.Second)
	traefik.traffic = &spec.Traffic{Traefik: &spec.Traefik{Service: "checkout"}, Guard: guard}
	nginx.traffic = &spec.Traffic{IngressNginx: &spec.IngressNginx{Ingress: "checkout"}, Guard: guard}
	mesh.traffic = &spec.Traffic{Istio: &spec.Istio{VirtualService: "checkout"}, Guard: guard}
	sticky.traffic, sticky.staff, sticky.strategy, sticky.browsers = traefik.traffic, false, canarySticky().strategy, canarySticky().browsers
	return map[string]kind{"canary over Traefik": traefik, "canary over an Ingress": nginx, "canary over Istio": mesh, "sticky over Traefik": sticky}
}

// writes is how many writes a whole rollout makes.
func (s kind) writes(t *testing.T) int {
	k := &killer{at: -1}
	s.inWorld(t, func(w *world) {
		if result, err := carry(w.t.Context(), w.options("checkout:v2", k.wrap)); err != nil || result.Result != report.Succeeded {
			t.Fatalf("%+v, %v", result, err)
		}
	})
	return k.count
}

// TestKilledAtEveryWrite kills the run before and after each of its writes and of its saves. A run that resumes then
// leads to the new version, one that undoes to the old one, and no request is lost on the way.
func TestKilledAtEveryWrite(t *testing.T) {
	for name, k := range strategies() {
		t.Run(name, func(t *testing.T) {
			n := k.writes(t)
			t.Logf("a %s makes %d writes", name, n)
			stride, _ := strides()
			for at := 1; at <= n; at += stride {
				k.killedAt(t, at, n)
			}
		})
	}
}

func (s kind) killedAt(t *testing.T, at, n int) {
	for _, after := range []bool{false, true} {
		for _, then := range []string{"resume", "undo", "supersede"} {
			when := "before"
			if after {
				when = "after"
			}
			t.Run(fmt.Sprintf("%s %d, %s", when, at, then), func(t *testing.T) {
				t.Parallel()
				if !s.killAndThen(t, at, after, then) && at < n-1 {
					t.Error("the run ended before it was killed")
				}
			})
		}
	}
}

// killAndThen is false when the run made fewer writes than usual (a watch may be ahead of an answer) and ended before.
func (s kind) killAndThen(t *testing.T, at int, after bool, then string) (killed bool) {
	s.inWorld(t, func(w *world) {
		ctx, kill := context.WithCancelCause(w.t.Context())
		k := &killer{at: at, after: after, kill: kill}
		first, err := carry(ctx, w.options("checkout:v2", k.wrap))
		if k.where == "" {
			if err != nil || first.Result != report.Succeeded {
				t.Errorf("the run was not killed: %+v, %v", first, err)
			}
			return
		}
		killed = true
		image := "checkout:v1"
		switch then {
		case "resume":
			image = "checkout:v2"
			result, err := carry(w.t.Context(), w.options(image, nil))
			if err != nil || (result.Result != report.Succeeded && result.Result != report.Unchanged) {
				t.Errorf("killed at %s; resumed: %+v, %v", k.where, result, err)
			}
			if result.Result == report.Succeeded && first.Rollout != "" && at > 1 && !s.staged && result.Rollout != first.Rollout {
				t.Errorf("killed at %s: rollout %s was not resumed, %s was begun", k.where, first.Rollout, result.Rollout)
			}
		case "undo":
			result, err := app.Abort(w.t.Context(), w.options("", nil))
			switch {
			case err == nil && result.Result == report.Failed: // too late: it had succeeded
				image = "checkout:v2"
			case err == nil && result.Result == report.Unchanged && w.image() == "checkout:v2": // likewise
				image = "checkout:v2"
			case err != nil || (result.Result != report.Aborted && result.Result != report.Unchanged):
				t.Errorf("killed at %s; undone: %+v, %v", k.where, result, err)
			}
		case "supersede":
			image = "checkout:v3"
			result, err := carry(w.t.Context(), w.options(image, nil))
			if err != nil || result.Result != report.Succeeded {
				t.Errorf("killed at %s; superseded: %+v, %v", k.where, result, err)
			}
		}
		w.want(s.final(image))
	})
	return killed
}

// TestFaultAtEveryCall breaks one call of a run, each in turn, in each way. The run then ends well, or the next one
// does; no request is lost either way.
func TestFaultAtEveryCall(t *testing.T) {
	for name, k := range strategies() {
		t.Run(name, func(t *testing.T) {
			f := &faulty{at: -1}
			k.inWorld(t, func(w *world) {
				if result, err := carry(w.t.Context(), w.options("checkout:v2", f.wrap)); err != nil || result.Result != report.Succeeded {
					t.Fatalf("%+v, %v", result, err)
				}
			})
			t.Logf("a %s makes %d calls, watches and leases among them", name, f.count)
			_, stride := strides()
			for at := 1; at <= f.count; at += stride {
				for _, fault := range []string{"hang", "lost", "409", "500", "504", "slow"} {
					t.Run(fmt.Sprintf("%s at %d", fault, at), func(t *testing.T) {
						t.Parallel()
						k.withFault(t, at, fault)
					})
				}
			}
		})
	}
}

func (s kind) withFault(t *testing.T, at int, fault string) {
	s.inWorld(t, func(w *world) {
		f := &faulty{at: at, kind: fault}
		first, err := carry(w.t.Context(), w.options("checkout:v2", f.wrap))
		if err == nil && first.Result == report.Succeeded {
			w.want(s.final("checkout:v2"))
			return
		}
		if err == nil && first.Result == report.RolledBack {
			w.want("checkout:v1")
		}
		if second, err := carry(w.t.Context(), w.options("checkout:v2", nil)); err != nil || second.Result != report.Succeeded {
			t.Errorf("%s at %s: first %+v; then %+v, %v", fault, f.where, first, second, err)
		}
		w.want(s.final("checkout:v2"))
	})
}
