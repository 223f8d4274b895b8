package contract

import (
	"testing"
	"testing/synctest"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
)

// The names of the two sides, their namespace, and the host that users ask for.
const (
	Namespace = "shop"
	Base      = "shop"
	Candidate = "shop-candidate"
	Host      = "shop.example"
)

// Case is a router with objects of a user's.
type Case struct {
	Kind traffic.Kind
	// Spec names the objects.
	Spec spec.Traffic
	// Objects is a YAML stream of the user's: those that send every request for Host to the Service shop, port 80, in the
	// namespace shop, beside whatever must survive.
	Objects string
	// Features are what the installation announces.
	Features []string
	// Unheard: the embedded gateway does not obey these objects.
	Unheard bool
}

// Run checks the router by every capability that it says it has.
func Run(t *testing.T, c Case) {
	can := c.Kind.Can(c.Spec)
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
		{"mirror", can.Mirror && !c.Unheard, mirror},
	} {
		if !test.asks {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { inWorld(t, c, test.run) })
		})
	}
}

func percent(n int64) plan.Share { return plan.Share(n) * plan.OnePercent }
