package targets

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/testdata/cluster/internal/api"
)

func pod(name, phase, ip, port string) string {
	return fmt.Sprintf(`{"metadata":{"namespace":"shop","name":%q,"uid":%q,"labels":{"app":"checkout","other":"x"}},
		"spec":{"containers":[{"ports":[{"name":"debug","containerPort":1}]},{"ports":[{"name":%q,"containerPort":8080}]}]},
		"status":{"phase":%q,"podIP":%q}}`, name, name, port, phase, ip)
}

func TestGroup(t *testing.T) {
	tests := []struct {
		name, pod string
		want      string
	}{
		{name: "running", pod: pod("a", "Running", "10.244.0.2", "http"), want: `{"targets":["10.244.0.2:8080"],"labels":{"app":"checkout","namespace":"shop","pod":"a"}}`},
		{name: "pending", pod: pod("a", "Pending", "10.244.0.2", "http")},
		{name: "without address", pod: pod("a", "Running", "", "http")},
		{name: "without port", pod: pod("a", "Running", "10.244.0.2", "grpc")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p Pod
			if err := json.Unmarshal([]byte(tt.pod), &p); err != nil {
				t.Fatal(err)
			}
			g, ok := group(p)
			got, _ := json.Marshal(g)
			if ok != (tt.want != "") || ok && string(got) != tt.want {
				t.Errorf("got %s, %v", got, ok)
			}
		})
	}
}

func TestKeep(t *testing.T) {
	events := make(chan string)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") == "" {
			fmt.Fprintf(w, `{"metadata":{"resourceVersion":"7"},"items":[%s]}`, pod("a", "Running", "10.244.0.2", "http"))
			return
		}
		if r.URL.Query().Get("resourceVersion") != "7" {
			http.Error(w, "watch from where?", http.StatusBadRequest)
			return
		}
		for w.(http.Flusher).Flush(); ; w.(http.Flusher).Flush() {
			select {
			case <-r.Context().Done():
				return
			case e := <-events:
				io.WriteString(w, e)
			}
		}
	}))
	defer server.Close()
	c, err := api.New(server.URL, "", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	file := filepath.Join(t.TempDir(), "pods.json")
	go Keep(ctx, c, file, func(err error) { t.Log(err) })
	want := func(pods string) {
		t.Helper()
		for range 500 {
			data, _ := os.ReadFile(file)
			var groups []Group
			if json.Unmarshal(data, &groups) == nil && names(groups) == pods {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("the file never had %q", pods)
	}
	want("a")
	events <- `{"type":"ADDED","object":` + pod("b", "Pending", "", "http") + "}\n"
	events <- `{"type":"MODIFIED","object":` + pod("b", "Running", "10.244.0.3", "http") + "}\n"
	want("a b")
	events <- `{"type":"DELETED","object":` + pod("a", "Running", "10.244.0.2", "http") + "}\n"
	want("b")
	events <- `{"type":"ERROR","object":{"code":410}}` + "\n"
	want("a") // listed again
}

func names(groups []Group) string {
	var s []string
	for _, g := range groups {
		s = append(s, g.Labels["pod"])
	}
	return strings.Join(s, " ")
}
