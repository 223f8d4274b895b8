package strategies

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/plan"
)

const workloadText = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  namespace: prod
  uid: "1"
  resourceVersion: "7"
  labels: {app: shop, team: red, app.kubernetes.io/instance: shop, app.kubernetes.io/managed-by: Helm, helm.sh/chart: shop-1,
    argocd.argoproj.io/instance: shop, kustomize.toolkit.fluxcd.io/name: shop}
  annotations: {note: keep, meta.helm.sh/release-name: shop, kubectl.kubernetes.io/last-applied-configuration: "{}",
    deployment.kubernetes.io/revision: "3", tidegate.dev/original.shop: x, argocd.argoproj.io/tracking-id: z}
spec:
  replicas: 4
  paused: false
  selector: {matchLabels: {app: shop, tier: web}}
  template:
    metadata: {labels: {app: shop, tier: web, color: blue}, annotations: {scrape: "true"}}
    spec:
      initContainers: [{name: migrate, image: "shop:v1"}]
      containers: [{name: app, image: "shop:v1", env: [{name: A, value: b}]}, {name: proxy, image: "proxy:1"}]
      affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: host, labelSelector: {matchLabels: {app: shop}}}]}}
      topologySpreadConstraints: [{maxSkew: 1, labelSelector: {matchExpressions: [{key: app, operator: In, values: [shop]}]}}]
status: {readyReplicas: 4}
`

const serviceText = `
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: prod, labels: {app.kubernetes.io/instance: shop}, annotations: {policy: "5s"}}
spec:
  type: LoadBalancer
  clusterIP: 10.0.0.7
  clusterIPs: [10.0.0.7]
  externalTrafficPolicy: Local
  healthCheckNodePort: 31000
  sessionAffinity: None
  selector: {app: shop}
  ports: [{name: http, port: 80, targetPort: http, nodePort: 30080, appProtocol: kubernetes.io/h2c}]
`

func input(t *testing.T) Input {
	t.Helper()
	return Input{
		Baseline: plan.Baseline{Workload: object(t, workloadText), Service: object(t, serviceText), Size: 4},
		Images:   map[string]string{"app": "shop:v2"},
	}
}

func beside(t *testing.T, in Input) plan.Objects {
	t.Helper()
	before := plan.Digest(in.Baseline)
	objects, err := Beside(in)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Digest(in.Baseline) != before {
		t.Error("the baseline was changed")
	}
	return objects
}

func TestBesideDeployment(t *testing.T) {
	objects := beside(t, input(t))
	d := objects.Create[0]
	if ref := plan.RefOf(d); ref.Name != "shop-candidate" || ref.Namespace != "prod" || ref.Kind != "Deployment" {
		t.Errorf("it is %+v", ref)
	}
	for what, pair := range map[string][2]any{
		"labels":      {at(d, "metadata", "labels"), "map[app:shop team:red]"},
		"annotations": {at(d, "metadata", "annotations"), "map[note:keep]"},
		"selector":    {at(d, "spec", "selector", "matchLabels"), "map[app:shop-candidate tier:web]"},
		"pod labels":  {at(d, "spec", "template", "metadata", "labels"), "map[app:shop-candidate color:blue tier:web]"},
		"pod notes":   {at(d, "spec", "template", "metadata", "annotations"), "map[scrape:true]"},
		"replicas":    {at(d, "spec", "replicas"), "<nil>"},
		"paused":      {at(d, "spec", "paused"), "<nil>"},
		"status":      {at(d, "status"), "<nil>"},
		"uid":         {at(d, "metadata", "uid"), "<nil>"},
		"image":       {at(d, "spec", "template", "spec", "containers", 0, "image"), "shop:v2"},
		"env":         {at(d, "spec", "template", "spec", "containers", 0, "env", 0, "value"), "b"},
		"sidecar":     {at(d, "spec", "template", "spec", "containers", 1, "image"), "proxy:1"},
		"init":        {at(d, "spec", "template", "spec", "initContainers", 0, "image"), "shop:v1"},
		"affinity": {at(d, "spec", "template", "spec", "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution", 0,
			"labelSelector", "matchLabels", "app"), "shop-candidate"},
		"spread": {at(d, "spec", "template", "spec", "topologySpreadConstraints", 0, "labelSelector", "matchExpressions", 0, "values"), "[shop-candidate]"},
	} {
		if fmt.Sprint(pair[0]) != pair[1] {
			t.Errorf("%s is %v, want %v", what, pair[0], pair[1])
		}
	}
	// What the base will run is the user's own template: labels and selectors unchanged.
	if next := objects.Templates[plan.Candidate]; fmt.Sprint(at(next, "metadata", "labels")) != "map[app:shop color:blue tier:web]" ||
		at(next, "spec", "containers", 0, "image") != "shop:v2" ||
		at(next, "spec", "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution", 0, "labelSelector", "matchLabels", "app") != "shop" {
		t.Errorf("the base's new template is %v", next)
	}
	if old := objects.Templates[plan.Base]; at(old, "spec", "containers", 0, "image") != "shop:v1" {
		t.Errorf("the base's old template is %v", old)
	}
}

func TestBesideService(t *testing.T) {
	for _, tc := range []struct {
		name, from, to string
		want           map[string]string
	}{
		{"load balancer", "", "", map[string]string{"type": "ClusterIP", "clusterIP": "<nil>", "externalTrafficPolicy": "<nil>", "healthCheckNodePort": "<nil>",
			"selector": "map[app:shop-candidate]", "ports": "[map[appProtocol:kubernetes.io/h2c name:http port:80 targetPort:http]]", "sessionAffinity": "None"}},
		{"headless", "clusterIP: 10.0.0.7\n  clusterIPs: [10.0.0.7]", "clusterIP: None\n  clusterIPs: [None]",
			map[string]string{"type": "ClusterIP", "clusterIP": "None", "clusterIPs": "<nil>", "selector": "map[app:shop-candidate]"}},
		{"by another label than the Deployment's", "selector: {app: shop}", "selector: {color: blue}", map[string]string{"selector": "map[color:blue-candidate]"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t)
			in.Baseline.Service = object(t, strings.Replace(serviceText, tc.from, tc.to, 1))
			objects := beside(t, in)
			for field, want := range tc.want {
				if got := fmt.Sprint(at(objects.Create[1], "spec", field)); got != want {
					t.Errorf("%s is %s, want %s", field, got, want)
				}
			}
			if got := at(objects.Create[1], "metadata", "labels"); got != nil {
				t.Errorf("tracking labels are left: %v", got)
			}
			// Its selector finds the candidate's pods, and the base's finds none of them.
			pods, _ := at(objects.Create[0], "spec", "template", "metadata", "labels").(map[string]any)
			if !selects(at(objects.Create[1], "spec", "selector"), pods) || selects(in.Baseline.Service["spec"].(map[string]any)["selector"], pods) ||
				selects(at(in.Baseline.Workload, "spec", "selector", "matchLabels"), pods) {
				t.Errorf("the candidate's pods have %v", pods)
			}
		})
	}
}

func selects(selector any, labels map[string]any) bool {
	m, _ := selector.(map[string]any)
	for key, value := range m {
		if labels[key] != value {
			return false
		}
	}
	return len(m) > 0
}

// TestBesideCopies what selects the base's pods, and not what selects all or others.
func TestBesideCopies(t *testing.T) {
	in := input(t)
	in.Baseline.Selecting = list(t,
		"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: in, namespace: prod}, spec: {podSelector: {matchLabels: {app: shop}}}}",
		"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, namespace: prod}, spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: shop}}}]}]}}",
		"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: all, namespace: prod}, spec: {podSelector: {}}}",
		"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: other, namespace: prod}, spec: {podSelector: {matchLabels: {app: db}}}}",
		"{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: shop, namespace: prod}, spec: {selector: {matchLabels: {app: shop}}}}",
		"{apiVersion: v1, kind: Service, metadata: {name: metrics, namespace: prod}, spec: {selector: {app: shop}}}")
	var names []string
	for _, o := range beside(t, in).Create[2:] {
		names = append(names, plan.RefOf(o).String())
	}
	if want := []string{"NetworkPolicy/in-candidate", "NetworkPolicy/db-candidate", "PodDisruptionBudget/shop-candidate"}; !slices.Equal(names, want) {
		t.Errorf("copied are %v, want %v", names, want)
	}
}

func TestNewTemplate(t *testing.T) {
	workload := object(t, workloadText)
	if _, err := NewTemplate(workload, map[string]string{"web": "x"}); err == nil || !strings.Contains(err.Error(), `no container "web"; it has app, proxy`) {
		t.Errorf("error %v", err)
	}
	both, err := NewTemplate(workload, map[string]string{"app": "shop:v2", "proxy": "proxy:2"})
	if got := Images(both); err != nil || got["app"] != "shop:v2" || got["proxy"] != "proxy:2" {
		t.Errorf("%v, %v", got, err)
	}
	if got := WorkloadImages(workload); got["app"] != "shop:v1" || got["proxy"] != "proxy:1" || len(got) != 2 {
		t.Errorf("the workload runs %v", got)
	}
	if got := Containers(workload); !slices.Equal(got, []string{"app", "proxy"}) {
		t.Errorf("containers are %v", got)
	}
}
