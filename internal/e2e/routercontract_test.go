package e2e

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/tidegate/tidegate/internal/catalog"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic/contract"
)

// TestRouterContract: what the embedded cluster is held to, with a real gateway. Samples leave out what other tests send
// through it anyway.
func TestRouterContract(t *testing.T) {
	for _, tc := range []struct {
		name, objects     string
		spec              spec.Traffic
		unheard, noMirror bool
		known             bool
	}{
		{"gatewayAPI", "gatewayapi", spec.Traffic{GatewayAPI: &spec.GatewayAPI{HTTPRoute: "shop"}}, false, true, true}, // Traefik would answer 500
		{"traefik", "traefik", spec.Traffic{Traefik: &spec.Traefik{Service: "shop"}}, false, false, false},
		{"ingressNginx", "ingressnginx", spec.Traffic{IngressNginx: &spec.IngressNginx{Ingress: "shop"}}, false, true, false}, // Traefik does not know mirror-target
		{"custom over an HTTPRoute", "gatewayapi", custom("gateway.networking.k8s.io/v1", "HTTPRoute", "spec.rules[*].backendRefs"), false, false, true},
		{"custom over a TraefikService", "traefik", custom("traefik.io/v1alpha1", "TraefikService", "spec.weighted.services"), false, false, true},
		{"istio", "istio", spec.Traffic{Istio: &spec.Istio{VirtualService: "shop"}}, true, false, false},    // what its definitions refuse
		{"gRPC", "grpc", spec.Traffic{GatewayAPI: &spec.GatewayAPI{GRPCRoute: "shop"}}, true, false, false}, // the suite's requests are not gRPC's
		{"contour", "contour", spec.Traffic{Contour: &spec.Contour{HTTPProxy: "shop"}}, true, false, false},
	} {
		if tc.known && !everything() {
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			contract.RunAt(t, contract.Case{Kind: catalog.KindOf(tc.spec), Spec: tc.spec, Objects: contract.Objects(t, tc.objects),
				Unheard: tc.unheard, NoCookies: tc.objects == "grpc", NoMirror: tc.noMirror}, place(t))
		})
	}
}

func custom(apiVersion, kind, backends string) spec.Traffic {
	return spec.Traffic{Custom: &spec.Custom{Object: spec.ObjectRef{APIVersion: apiVersion, Kind: kind, Name: "shop"},
		Weights: spec.SidePaths{Base: backends + "[name={{.Base}}].weight", Candidate: backends + "[name={{.Candidate}}].weight", Total: 100}}}
}

// realPlace is a namespace of the real cluster.
type realPlace struct{ id string }

func place(t *testing.T) realPlace {
	p := realPlace{strings.ToLower(rand.Text()[:8])}
	t.Cleanup(func() {
		_, _ = kubectl(context.Background(), "", "delete", "namespace", p.Namespace(), "--wait=false") // a leak harms no other test
	})
	return p
}

func (realPlace) Config() *rest.Config        { return config }
func (p realPlace) Namespace() string         { return "e2e-" + p.id }
func (p realPlace) Host() string              { return p.id + ".e2e.test" }
func (realPlace) Image(version string) string { return cluster.Image + ":" + version }

func (realPlace) Gateway() string {
	namespace, name, _ := strings.Cut(cluster.Gateway, "/")
	return fmt.Sprintf("{name: %s, namespace: %s}", name, namespace)
}

func (realPlace) Apply(ctx context.Context, manifests string) error {
	_, err := kubectl(ctx, manifests, "apply", "--server-side", "--force-conflicts", "-f", "-")
	return err
}

func (p realPlace) Do(r *http.Request) (*http.Response, error) {
	r.Host = p.Host()
	target, err := url.Parse(cluster.GatewayURL)
	if err != nil {
		return nil, err
	}
	r.URL.Scheme, r.URL.Host = target.Scheme, target.Host
	return (&http.Client{Timeout: 5 * time.Second}).Do(r)
}

func (p realPlace) Answered(ctx context.Context, deployment string) (float64, error) {
	query := fmt.Sprintf(`sum(http_requests_total{namespace=%q,pod=~"%s-[0-9a-z]+-[0-9a-z]+"})`, p.Namespace(), deployment)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, cluster.PrometheusURL+"/api/v1/query?query="+url.QueryEscape(query), nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	return contract.First(body)
}
