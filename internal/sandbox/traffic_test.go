package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/sandbox"
	"github.com/tidegate/tidegate/internal/sandbox/service"
)

const route = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app}
spec:
  parentRefs: [{name: sandbox}]
  hostnames: [app.example]
  rules:
  - matches: [{headers: [{name: X-Version, value: new}]}]
    backendRefs: [{name: new, port: 80}]
  - backendRefs: [{name: old, port: 80, weight: 90}, {name: new, port: 80, weight: 10}]
`

func get(t *testing.T, address, host string, header ...string) (code int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, strings.TrimSpace(string(data))
}

func TestTraffic(t *testing.T) {
	w := start(t, sandbox.Options{Traffic: true, ReadyAfter: 10 * time.Millisecond, Lag: 10 * time.Millisecond})
	w.apply(t, deployment("old", "app:v1", 2), deployment("new", "app:v2", 1), route)
	w.until(t, "old", complete)
	w.until(t, "new", complete)
	await(t, "the route is in force", func() bool {
		code, body := get(t, w.GatewayURL(), "app.example", "X-Version", "new")
		return code == 200 && body == "v2"
	})
	if code, _ := get(t, w.GatewayURL(), "other.example"); code != 404 {
		t.Errorf("another host is answered %d", code)
	}
	seen := map[string]int{}
	for range 1000 {
		_, body := get(t, w.GatewayURL(), "app.example")
		seen[body]++
	}
	// 99.9 % of binomial draws lie within.
	if seen["v2"] < 68 || seen["v2"] > 135 || seen["v1"]+seen["v2"] != 1000 {
		t.Errorf("answers: %v", seen)
	}
	await(t, "the scrapes add up", func() bool {
		return query(t, w.PrometheusURL(), `sum(http_requests_total{namespace="default",job=~"old|new"})`) >= 1001
	})
	if v := query(t, w.PrometheusURL(), `count(up{job="old"} == 1)`); v != 2 {
		t.Errorf("%v pods are up", v)
	}
	w.Prometheus().Stop()
	if code, _ := get(t, w.PrometheusURL()+"/api/v1/query?query=up", ""); code != 503 {
		t.Errorf("in an outage the answer is %d", code)
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("in vain: %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// query is the first value of an instant vector; 0 when it is empty.
func query(t *testing.T, server, promql string) float64 {
	t.Helper()
	_, body := get(t, server+"/api/v1/query?query="+url.QueryEscape(promql), "")
	var answer struct {
		Status string
		Data   struct {
			ResultType string
			Result     []struct{ Value [2]any }
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Status != "success" {
		t.Fatalf("%v: %s", err, body)
	}
	if len(answer.Data.Result) == 0 {
		return 0
	}
	v, err := strconv.ParseFloat(answer.Data.Result[0].Value[1].(string), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestKubectl(t *testing.T) {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("needs kubectl in the PATH")
	}
	images := images()
	images["app:crash"] = service.Config{Crash: true}
	w := start(t, sandbox.Options{Images: images, Traffic: true})
	home := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(home, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	config, files := write("config", string(w.Kubeconfig())), write("app.yaml", deployment("app", "app:v1", 2))
	run := func(args ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), kubectl, append([]string{"--kubeconfig", config, "--cache-dir", home}, args...)...)
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("kubectl %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	for _, step := range []struct {
		args []string
		want []string
	}{
		{[]string{"apply", "--server-side", "--validate=false", "-f", files}, []string{"deployment.apps/app serverside-applied"}},
		{[]string{"rollout", "status", "deployment/app", "--timeout=30s"}, []string{"successfully rolled out"}},
		{[]string{"get", "pods"}, []string{"NAME", "READY", "1/1", "Running"}},
		{[]string{"get", "deploy", "app"}, []string{"UP-TO-DATE", "2/2"}},
		{[]string{"get", "deploy,svc,httproute", "-A", "-o", "name"}, []string{"deployment.apps/app", "service/app"}},
		{[]string{"describe", "deployment", "app"}, []string{"2 desired | 2 updated | 2 total | 2 available", "ScalingReplicaSet"}},
		{[]string{"apply", "--validate=false", "-f", files}, []string{"deployment.apps/app"}},
		{[]string{"set", "image", "deployment/app", "app=app:v2"}, []string{"image updated"}},
		{[]string{"rollout", "status", "deployment/app", "--timeout=30s"}, []string{"successfully rolled out"}},
		{[]string{"rollout", "history", "deployment/app"}, []string{"1", "2"}},
		{[]string{"rollout", "undo", "deployment/app"}, []string{"rolled back"}},
		{[]string{"scale", "deployment/app", "--replicas=1"}, []string{"scaled"}},
		{[]string{"auth", "can-i", "create", "deployments"}, []string{"yes"}},
		{[]string{"delete", "deployment", "app", "--timeout=20s"}, []string{"deleted"}},
	} {
		out := run(step.args...)
		for _, want := range step.want {
			if !strings.Contains(out, want) {
				t.Errorf("kubectl %v does not say %q:\n%s", step.args, want, out)
			}
		}
	}
}
