package ingressnginx_test

import (
	"testing"

	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic/contract"
	"github.com/tidegate/tidegate/internal/traffic/ingressnginx"
)

func TestContract(t *testing.T) {
	contract.Run(t, contract.Case{
		Kind: ingressnginx.Kind{}, Spec: spec.Traffic{IngressNginx: &spec.IngressNginx{Ingress: "shop"}},
		Objects: contract.Objects(t, "ingressnginx"),
	})
}
