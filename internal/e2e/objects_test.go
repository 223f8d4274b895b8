package e2e

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

const userObjects = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout, namespace: @NAMESPACE@, labels: {app: checkout, team: red}, annotations: {example.com/owner: red}}
spec:
  replicas: 3
  selector: {matchLabels: {app: checkout}}
  template:
    metadata: {labels: {app: checkout}}
    spec:
      terminationGracePeriodSeconds: 10
      containers:
        - name: app
          image: @IMAGE@
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: checkout, namespace: @NAMESPACE@, labels: {app: checkout}}
spec: {selector: {app: checkout}, ports: [{name: http, port: 80, targetPort: http}]}
`

const plainRules = `  - backendRefs: [{name: checkout, port: 80}]`

const scaler = `
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: checkout, namespace: @NAMESPACE@, labels: {app: checkout}}
spec:
  minReplicas: 2
  maxReplicas: 10
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: checkout}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}]
`

const userSpec = `
apiVersion: tidegate.dev/v1
kind: Deploy
metadata: {name: checkout}
spec:
  workload: deployment/checkout
  namespace: @NAMESPACE@
  traffic: {@TRAFFIC@}
  strategy: @STRATEGY@
  metrics: {prom: {prometheus: {url: "${PROMETHEUS_URL}"}}}
  gates:
    - name: errors
      every: 1s
      noDataFor: @NODATAFOR@
      threshold:
        query: |
          sum(rate(http_requests_total{namespace="{{.Namespace}}", pod=~"{{.Pods}}", code=~"5.."}[4s]))
            / sum(rate(http_requests_total{namespace="{{.Namespace}}", pod=~"{{.Pods}}"}[4s]))
        pass: result < 0.05
@MORE@
`

// layout says how a shop differs from the usual one; the zero value is the usual one.
type layout struct {
	version string // of the base: v1
	rules   string // of the route: plainRules
	extra   string // objects beside them, each after a line of ---
	crowd   bool   // start no users
	jars    bool   // users keep cookies and come back

	kind        string // of the workload: Deployment
	router      string // what divides the requests, by its name in routers: gatewayAPI
	routeless   bool   // the spec names no router
	drift       string // what to do when somebody else changes the split
	strategy    string // the canary of steps and hold
	steps, hold string // 10%, 25%, 50% and 1s; a step never holds shorter than the guard of 2 s
	noDataFor   string // 1m
	more        string // further fields of the spec, indented by two
	rate        float64
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// image is the full name of a version's image.
func image(version string) string { return cluster.Image + ":" + version }

func (s *shop) fill(text string) string {
	gatewayNamespace, gateway, _ := strings.Cut(cluster.Gateway, "/")
	traffic := s.routing().traffic
	if s.drift != "" {
		traffic += ", drift: " + s.drift
	}
	if s.routeless {
		text = strings.Replace(text, "  traffic: {@TRAFFIC@}\n", "", 1)
	}
	text = strings.Replace(text, "@TRAFFIC@", traffic, 1)
	text = strings.Replace(text, "deployment/checkout", strings.ToLower(or(s.kind, "Deployment"))+"/checkout", 1)
	text = strings.Replace(text, "@STRATEGY@", or(s.strategy, "{canary: {steps: [@STEPS@], hold: @HOLD@, drain: 1s}}"), 1)
	return strings.NewReplacer("@NAMESPACE@", s.namespace, "@HOST@", s.host, "@GATEWAY@", gateway, "@GATEWAYNAMESPACE@", gatewayNamespace,
		"@STEPS@", or(s.steps, "10%, 25%, 50%"), "@HOLD@", or(s.hold, "1s"), "@NODATAFOR@", or(s.noDataFor, "1m"), "@MORE@", s.more).Replace(text)
}

// objects are the user's files with this version in them.
func (s *shop) objects(version string) string {
	text := userObjects + strings.Replace(s.routing().objects, "@RULES@", or(s.rules, plainRules), 1) + s.extra
	switch s.kind {
	case "StatefulSet":
		text = strings.ReplaceAll(text, "kind: Deployment", "kind: StatefulSet")
		text = strings.Replace(text, "  replicas: 3\n", "  replicas: 3\n  serviceName: checkout\n", 1)
	case "DaemonSet":
		text = strings.Replace(text, "kind: Deployment", "kind: DaemonSet", 1)
		text = strings.Replace(text, "  replicas: 3\n", "", 1)
	}
	return s.fill(strings.ReplaceAll(text, "@IMAGE@", image(version)))
}

// workloads is the resource of the shop's workload.
func (s *shop) workloads() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: strings.ToLower(or(s.kind, "Deployment")) + "s"}
}

// size is how many pods the shop's workload runs: the cluster has one node.
func (s *shop) size() int {
	if s.kind == "DaemonSet" {
		return 1
	}
	return size
}
