package traefik_test

import (
	"testing"

	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic/contract"
	"github.com/tidegate/tidegate/internal/traffic/traefik"
)

func TestContract(t *testing.T) {
	contract.Run(t, contract.Case{
		Kind: traefik.Kind{}, Spec: spec.Traffic{Traefik: &spec.Traefik{Service: "shop"}},
		Objects: contract.Objects(t, "traefik"),
	})
}
