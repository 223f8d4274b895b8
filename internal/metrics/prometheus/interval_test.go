package prometheus_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/metrics/prometheus"
)

func TestScrapeInterval(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		code       int
		want       time.Duration
	}{
		{"configured", `{"status":"success","data":{"yaml":"global:\n  scrape_interval: 1m30s\n"}}`, 200, 90 * time.Second},
		{"no such endpoint", `404 page not found`, 404, 0},
		{"nonsense", `{"status":"success","data":{"yaml":"global: {scrape_interval: often}"}}`, 200, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tc.code)
				_, _ = w.Write([]byte(tc.body))
			}))
			defer server.Close()
			p, err := prometheus.New(prometheus.Config{URL: server.URL}, clock.Real{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.ScrapeInterval(t.Context())
			if got != tc.want || (err == nil) != (tc.want > 0) {
				t.Errorf("%s, %v; want %s", got, err, tc.want)
			}
		})
	}
}
