package prometheus_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/metrics"
	"github.com/tidegate/tidegate/internal/metrics/prometheus"
)

// serve answers everything with one body.
func serve(t *testing.T, status int, body string, look func(*http.Request)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if look != nil {
			look(r)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func ask(t *testing.T, cfg prometheus.Config) (metrics.Result, error) {
	t.Helper()
	p, err := prometheus.New(cfg, clock.Real{})
	if err != nil {
		t.Fatal(err)
	}
	return p.Query(t.Context(), "up")
}

func success(kind, result, more string) string {
	return fmt.Sprintf(`{"status":"success","data":{"resultType":%q,"result":%s}%s}`, kind, result, more)
}

const zero = `[{"metric":{"pod":"a"},"value":[1700000000.5,"0"]}]`

func TestScalar(t *testing.T) {
	r, err := ask(t, prometheus.Config{URL: serve(t, 200, success("scalar", `[1700000000.5,"0.25"]`, ""), nil)})
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.Scalar()
	if err != nil || v != 0.25 || len(r.Series[0].Labels) != 0 || r.Series[0].At.UnixMilli() != 1700000000500 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestWarningsTravel(t *testing.T) {
	body := success("vector", zero, `,"warnings":["store api-1 is unreachable\nnow"],"infos":["metric might not be a counter"]`)
	r, err := ask(t, prometheus.Config{URL: serve(t, 200, body, nil)})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Warnings) != 1 || r.Warnings[0] != "store api-1 is unreachable now" {
		t.Errorf("warnings %q", r.Warnings)
	}
}

func TestAnswersWithoutANumber(t *testing.T) {
	for _, tt := range []struct{ name, kind, result, hint string }{
		{"matrix", "matrix", `[{"metric":{},"values":[[1,"2"]]}]`, "rate("},
		{"native histogram", "vector", `[{"metric":{},"histogram":[1,{"count":"1","sum":"1","buckets":[]}]}]`, "histogram_quantile"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ask(t, prometheus.Config{URL: serve(t, 200, success(tt.kind, tt.result, ""), nil)})
			if !errors.Is(err, metrics.ErrRefused) || !strings.Contains(err.Error(), tt.hint) || !strings.Contains(err.Error(), `"up"`) {
				t.Errorf("got %v, want a refusal that names the query and %q", err, tt.hint)
			}
		})
	}
}

func TestErrorsOfTheAPI(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		status     int
		kind       error
		says       string
	}{
		{"execution", `{"status":"error","errorType":"execution","error":"found duplicate series for the match group"}`, 422, metrics.ErrRefused, "found duplicate series"},
		{"wrong path", `404 page not found`, 404, metrics.ErrSetup, "404 page not found"},
		{"an unknown error", `{"status":"error","errorType":"canceled","error":"query was canceled"}`, 400, metrics.ErrUnavailable, "query was canceled"},
		{"tenant is missing", `no org id`, 401, metrics.ErrAuth, "no org id"},
		{"a value that is not one", success("vector", `[{"metric":{},"value":[1,"many"]}]`, ""), 200, metrics.ErrUnavailable, "not one of Prometheus's API"},
		{"a string", success("string", `[1,"text"]`, ""), 200, metrics.ErrUnavailable, "string"},
		{"an unknown type", success("tensor", `[]`, ""), 200, metrics.ErrUnavailable, "tensor"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ask(t, prometheus.Config{URL: serve(t, tt.status, tt.body, nil)})
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %v saying %q", err, tt.kind, tt.says)
			}
		})
	}
}

func TestWhoAsks(t *testing.T) {
	basic := func(r *http.Request) string { u, p, _ := r.BasicAuth(); return u + ":" + p }
	for _, tt := range []struct {
		name string
		cfg  prometheus.Config
		get  func(*http.Request) string
		want string
	}{
		{"bearer", prometheus.Config{BearerToken: "token"}, func(r *http.Request) string { return r.Header.Get("Authorization") }, "Bearer token"},
		{"basic", prometheus.Config{Username: "user", Password: "pass"}, basic, "user:pass"},
		{"user in the url", prometheus.Config{URL: "user:pass@"}, basic, "user:pass"},
		{"tenant", prometheus.Config{Tenant: "team-a"}, func(r *http.Request) string { return r.Header.Get("X-Scope-OrgID") }, "team-a"},
		{"header", prometheus.Config{Headers: map[string]string{"x-key": "value"}}, func(r *http.Request) string { return r.Header.Get("X-Key") }, "value"},
		{"host header", prometheus.Config{Headers: map[string]string{"host": "prom.internal"}}, func(r *http.Request) string { return r.Host }, "prom.internal"},
		{"path before the API", prometheus.Config{URL: "/prometheus/"}, func(r *http.Request) string { return r.URL.Path }, "/prometheus/api/v1/query"},
		{"the server's own present", prometheus.Config{}, func(r *http.Request) string { return r.FormValue("time") }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := "nobody asked"
			url := serve(t, 200, success("vector", zero, ""), func(r *http.Request) { got = tt.get(r) })
			if strings.HasSuffix(tt.cfg.URL, "@") {
				url = strings.Replace(url, "http://", "http://"+tt.cfg.URL, 1)
			} else {
				url += tt.cfg.URL
			}
			tt.cfg.URL = url
			if _, err := ask(t, tt.cfg); err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestServerWithoutPOST(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.FormValue("query") != "up" {
			http.Error(w, "no", http.StatusMethodNotAllowed)
			return
		}
		_, _ = io.WriteString(w, success("vector", zero, ""))
	}))
	defer server.Close()
	if _, err := ask(t, prometheus.Config{URL: server.URL}); err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  prometheus.Config
	}{
		{"no url", prometheus.Config{}},
		{"no scheme", prometheus.Config{URL: "user:hunter22@prom:9090"}},
		{"unreadable", prometheus.Config{URL: "http://user:hunter22@prom:%zz"}},
		{"two ways to log in", prometheus.Config{URL: "http://user:hunter22@prom", BearerToken: "hunter22"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := prometheus.New(tt.cfg, clock.Real{})
			if !errors.Is(err, metrics.ErrSetup) || strings.Contains(err.Error(), "hunter22") {
				t.Errorf("got %v", err)
			}
		})
	}
}
