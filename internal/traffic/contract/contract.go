package contract

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"

	"k8s.io/client-go/rest"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
)

// The names of the two sides.
const (
	Base      = "shop"
	Candidate = "shop-candidate"
)

// Place is a cluster where the suite runs.
type Place interface {
	Config() *rest.Config
	// Apply writes objects as a user does.
	Apply(ctx context.Context, manifests string) error
	Namespace() string
	Host() string
	// Gateway is the reference to the gateway that serves the host.
	Gateway() string
	// Image is that of a version, v1 or v2.
	Image(version string) string
	// Do sends a request to the gateway.
	Do(r *http.Request) (*http.Response, error)
	// Answered is how many requests the pods of a Deployment have answered.
	Answered(ctx context.Context, deployment string) (float64, error)
}

// Case is a router with objects of a user's.
type Case struct {
	Kind traffic.Kind
	// Spec names the objects.
	Spec spec.Traffic
	// Objects is a YAML stream of the user's: those that send every request for @host to the Service shop, port 80, in the
	// namespace @namespace, beside whatever must survive; @gateway is the gateway's reference.
	Objects string
	// Features are what the installation announces.
	Features []string
	// Unheard: the gateway does not obey these objects.
	Unheard bool
	// NoCookies: those who ask keep none.
	NoCookies bool
	// NoMirror: the installation cannot copy requests, although others of its kind can.
	NoMirror bool
}

// Run checks the router on the embedded cluster by every capability that it says it has.
func Run(t *testing.T, c Case) {
	run(t, c, func(t *testing.T, test func(*testing.T, *world)) {
		synctest.Test(t, func(t *testing.T) {
			place := embedded(t, c.Features)
			defer place.close(t)
			inWorld(t, c, place, test)
		})
	})
}

// RunAt checks it on another cluster, where what it left of an earlier check is still there.
func RunAt(t *testing.T, c Case, p Place) {
	run(t, c, func(t *testing.T, test func(*testing.T, *world)) { inWorld(t, c, p, test) })
}

func run(t *testing.T, c Case, in func(*testing.T, func(*testing.T, *world))) {
	can := c.can()
	for _, test := range []struct {
		name string
		asks bool
		run  func(t *testing.T, w *world)
	}{
		{"shares", can.Weights, shares},
		{"restored", can.Weights, restored},
		{"changes of others survive", can.Weights, othersSurvive},
		{"drift", can.Weights, drift},
		{"ring", can.Matches && !c.Unheard, ring},
		{"cohorts", can.Cohorts && !c.Unheard, cohorts},
		{"forged cookies", can.Cohorts && !c.Unheard, forged},
		{"mirror", can.Mirror && !c.Unheard && !c.NoMirror, mirror},
	} {
		if test.asks {
			t.Run(test.name, func(t *testing.T) { in(t, test.run) })
		}
	}
}

// can is what is to be checked.
func (c Case) can() traffic.Can {
	can := c.Kind.Can(c.Spec)
	can.Cohorts = can.Cohorts && !c.NoCookies
	return can
}

func percent(n int64) plan.Share { return plan.Share(n) * plan.OnePercent }
