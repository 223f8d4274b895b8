package e2e

import (
	"testing"
)

// richRules are a route with much that is none of Tidegate's business.
const richRules = `  - name: main
    matches: [{path: {type: PathPrefix, value: /}}]
    filters:
      - {type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: X-Rule, value: main}], remove: [X-Powered-By]}}
    timeouts: {request: 30s}
    backendRefs: [{name: checkout, port: 80, weight: 7}]
  - name: other
    matches:
      - {path: {type: PathPrefix, value: /other}, headers: [{name: X-Team, value: red}], method: GET}
      - {path: {type: Exact, value: /exact}, queryParams: [{name: q, value: "1"}]}
    backendRefs:
      - {name: neighbour, port: 80, weight: 3}
      - {name: neighbour, port: 81, weight: 1}
  - matches: [{path: {type: PathPrefix, value: /old}}]
    filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 301}}]
`

const neighbour = `
---
apiVersion: v1
kind: Service
metadata: {name: neighbour, namespace: @NAMESPACE@}
spec: {selector: {app: neighbour}, ports: [{name: a, port: 80, targetPort: 8080}, {name: b, port: 81, targetPort: 8080}]}
`

// TestPreserve keeps all of a route that is not ours, through a rollout and an abort.
func TestPreserve(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: "10%, 50%", rules: richRules, extra: neighbour})
	p := s.deploy("v2")
	p.hold("shift-50")
	s.run(0, "abort")
	p.want(3)
	s.whole("v1")
	s.deploy("v2").want(0)
	s.whole("v2")
}

// TestScaler holds an autoscaler's minimum at the base's size during a rollout and gives it back.
func TestScaler(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: "50%", extra: scaler})
	minimum := func() any { return nested(s.get(scalers, "checkout"), "spec", "minReplicas") }
	for _, c := range []struct {
		version string
		code    int
		leaves  string
	}{{"v3", 3, "v1"}, {"v2", 0, "v2"}} {
		p := s.deploy(c.version)
		p.hold("shift-50")
		if got := minimum(); got != int64(size) {
			t.Errorf("the minimum is %v during the rollout, want %d", got, size)
		}
		p.want(c.code)
		if got := minimum(); got != int64(2) {
			t.Errorf("the minimum is %v after the rollout, want 2", got)
		}
		s.whole(c.leaves)
	}
}
