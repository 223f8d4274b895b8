package istio_test

import (
	"testing"

	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic/contract"
	"github.com/tidegate/tidegate/internal/traffic/istio"
)

func TestContract(t *testing.T) {
	contract.Run(t, contract.Case{
		Kind: istio.Kind{}, Spec: spec.Traffic{Istio: &spec.Istio{VirtualService: "shop"}},
		Objects: contract.Objects(t, "istio"),
	})
}
