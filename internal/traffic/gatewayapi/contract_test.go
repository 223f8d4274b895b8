package gatewayapi_test

import (
	"testing"

	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic/contract"
	"github.com/tidegate/tidegate/internal/traffic/gatewayapi"
)

func TestContract(t *testing.T) {
	contract.Run(t, contract.Case{
		Kind: gatewayapi.Kind{}, Spec: spec.Traffic{GatewayAPI: &spec.GatewayAPI{HTTPRoute: "shop"}},
		Objects: contract.Objects(t, "gatewayapi"),
	})
}

// TestContractOfGRPC looks at the objects only: the suite's requests are not gRPC's.
func TestContractOfGRPC(t *testing.T) {
	contract.Run(t, contract.Case{
		Kind: gatewayapi.Kind{}, Spec: spec.Traffic{GatewayAPI: &spec.GatewayAPI{GRPCRoute: "shop"}},
		Objects: contract.Objects(t, "grpc"), Unheard: true, NoCookies: true,
	})
}
