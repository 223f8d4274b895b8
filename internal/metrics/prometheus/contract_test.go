package prometheus_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/metrics"
	"github.com/tidegate/tidegate/internal/metrics/contract"
	"github.com/tidegate/tidegate/internal/metrics/prometheus"
)

func TestContract(t *testing.T) {
	for name, cfg := range map[string]prometheus.Config{
		"bearer": {BearerToken: contract.Secret},
		"basic":  {Username: "user", Password: contract.Secret},
		"header": {Headers: map[string]string{"X-Api-Key": contract.Secret}},
	} {
		t.Run(name, func(t *testing.T) { contract.Run(t, harness(cfg)) })
	}
}

func harness(cfg prometheus.Config) contract.Harness {
	return contract.Harness{
		Open: func(t *testing.T, url string, c clock.Clock) metrics.Provider {
			t.Helper()
			cfg.URL = url
			p, err := prometheus.New(cfg, c)
			if err != nil {
				t.Fatal(err)
			}
			return p
		},
		Query: `sum by (pod) (rate(http_requests_total{code=~"5.."}[1m]))`,
		Asked: func(r *http.Request) string {
			if r.URL.Path != "/api/v1/query" {
				return r.URL.Path
			}
			return r.FormValue("query")
		},
		Authorized: func(r *http.Request) bool {
			_, password, _ := r.BasicAuth()
			return password == contract.Secret || r.Header.Get("Authorization") == "Bearer "+contract.Secret ||
				r.Header.Get("X-Api-Key") == contract.Secret
		},
		Answer:   answer,
		BadQuery: func(w http.ResponseWriter, words string) { fail(w, http.StatusBadRequest, "bad_data", words) },
		Failure:  func(w http.ResponseWriter, status int, words string) { fail(w, status, "internal", words) },
	}
}

// answer writes an instant vector: values are texts, because JSON has no NaN.
func answer(w http.ResponseWriter, series []metrics.Series) {
	result := []any{}
	for _, s := range series {
		result = append(result, map[string]any{
			"metric": s.Labels,
			"value":  []any{float64(s.At.UnixMilli()) / 1000, strconv.FormatFloat(s.Value, 'g', -1, 64)},
		})
	}
	write(w, http.StatusOK, map[string]any{"status": "success", "data": map[string]any{"resultType": "vector", "result": result}})
}

func fail(w http.ResponseWriter, status int, kind, words string) {
	write(w, status, map[string]any{"status": "error", "errorType": kind, "error": words})
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(fmt.Sprint("the double cannot answer: ", err))
	}
}
