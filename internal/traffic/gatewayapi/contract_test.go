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
		Objects: `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: shop, labels: {team: red}, annotations: {example.com/owner: red}}
spec:
  parentRefs: [{name: sandbox, namespace: default}]
  hostnames: [shop.example]
  rules:
  - matches: [{path: {type: PathPrefix, value: /admin}}]
    backendRefs: [{name: admin, port: 80}]
  - name: main
    filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-Shop, value: "1"}]}}]
    backendRefs: [{name: shop, port: 80}]
`})
}
