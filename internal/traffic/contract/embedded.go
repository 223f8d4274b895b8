package contract

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"

	"github.com/tidegate/tidegate/internal/sandbox"
	"github.com/tidegate/tidegate/internal/sandbox/service"
)

// inProcess is the embedded cluster, in virtual time.
type inProcess struct{ *sandbox.Cluster }

func embedded(t *testing.T, features []string) inProcess {
	t.Helper()
	cluster, err := sandbox.Start(context.WithoutCancel(t.Context()), sandbox.Options{Metrics: true, Features: features,
		Images: map[string]service.Config{"shop:v1": {Version: "v1"}, "shop:v2": {Version: "v2"}}})
	if err != nil {
		t.Fatal(err)
	}
	return inProcess{cluster}
}

func (p inProcess) close(t *testing.T) {
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func (inProcess) Namespace() string           { return "shop" }
func (inProcess) Host() string                { return "shop.example" }
func (inProcess) Gateway() string             { return "{name: sandbox, namespace: default}" }
func (inProcess) Image(version string) string { return "shop:" + version }

func (p inProcess) Do(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	p.Cluster.Gateway().ServeHTTP(answer, r)
	return answer.Result(), nil
}

func (p inProcess) Answered(ctx context.Context, deployment string) (float64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://prometheus/api/v1/query?query="+
		url.QueryEscape(`sum(http_requests_total{namespace="shop",job="`+deployment+`"})`), nil)
	if err != nil {
		return 0, err
	}
	answer := httptest.NewRecorder()
	p.Prometheus().ServeHTTP(answer, r)
	return First(answer.Body.Bytes())
}

// First is the first number of an answer of Prometheus; 0 when it has none.
func First(answer []byte) (float64, error) {
	var doc struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(answer, &doc); err != nil {
		return 0, fmt.Errorf("%s: %w", answer, err)
	}
	if len(doc.Data.Result) == 0 {
		return 0, nil
	}
	text, _ := doc.Data.Result[0].Value[1].(string)
	return strconv.ParseFloat(text, 64)
}
