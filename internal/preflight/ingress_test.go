package preflight

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/spec"
)

const webIngress = `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web, namespace: shop, labels: {argocd.argoproj.io/instance: web}}, spec: {ingressClassName: nginx,
  rules: [{host: shop.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: checkout, port: {number: 80}}}}]}}]}}`

// byIngress makes the world's rollout one over an Ingress, with others beside it.
func byIngress(others ...string) func(*world) {
	return func(w *world) {
		w.deploy.Spec.Traffic = &spec.Traffic{IngressNginx: &spec.IngressNginx{Ingress: "web"}}
		delete(w.objects, "route")
		for _, text := range append(others, webIngress) {
			w.add(text)
		}
	}
}

const canaryNote = "annotations: {nginx.ingress.kubernetes.io/canary: 'true'}, labels: {"

// leftIngress is what an earlier rollout made beside the user's.
func leftIngress() string {
	return strings.NewReplacer("name: web,", "name: web-candidate,", "labels: {", canaryNote+"tidegate.dev/rollout: x, ").Replace(webIngress)
}

// The Ingress of the spec and the one that a rollout makes beside it are not past the split, and no tool would change back what
// is not changed.
func ingressCases() []judged {
	two := strings.Replace(webIngress, "name: web,", "name: two,", 1)
	return []judged{
		{"by Ingress, healthy", byIngress(), "", ""},
		{"by Ingress, one that an earlier rollout left", byIngress(leftIngress()), "", ""},
		{"by Ingress, another to the same port", byIngress(two), "route-warning", "take part"},
		{"by Ingress, another of another class", byIngress(strings.Replace(two, "Name: nginx", "Name: alb", 1)), "other-ingress", "Ingress/two"},
		{"by Ingress, another canary", byIngress(strings.Replace(two, "labels: {", canaryNote, 1)), "route-cannot-split", "already"},
	}
}

func TestIngressOfAnEarlierRolloutIsFound(t *testing.T) {
	w := newWorld(t)
	byIngress(leftIngress())(w)
	o, _, _ := w.compiled()
	if len(o.Leftovers) != 1 || o.Leftovers[0].Name != "web-candidate" {
		t.Errorf("left: %v", o.Leftovers)
	}
}
