package api

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const two = `# a comment
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    name: not-this
  name: gateways.gateway.networking.k8s.io
spec:
  names:
    kind: Gateway
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: gateway
  namespace: "edge"
spec:
  name: not-this
---
`

func TestSplit(t *testing.T) {
	got := Split([]byte(two))
	if len(got) != 2 {
		t.Fatalf("%d manifests", len(got))
	}
	for i, want := range []string{
		"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.gateway.networking.k8s.io",
		"/apis/gateway.networking.k8s.io/v1/namespaces/edge/gateways/gateway",
	} {
		if p, err := got[i].path(); p != want || err != nil {
			t.Errorf("path %q, %v; want %q", p, err, want)
		}
	}
}

func TestClient(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.Header.Get("Authorization") != "Bearer secret":
			http.Error(w, "who?", http.StatusUnauthorized)
		case r.Method == http.MethodPatch && r.Header.Get("Content-Type") == "application/apply-patch+yaml" && strings.Contains(string(body), "kind: Namespace"):
			io.WriteString(w, "{}")
		case r.URL.Path == "/api/v1/pods":
			io.WriteString(w, `{"kind":"PodList"}`)
		default:
			http.Error(w, "no such thing", http.StatusNotFound)
		}
	}))
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	c, err := New(server.URL, "secret", ca)
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Kind string }
	if err := c.Get(t.Context(), "/api/v1/pods", &list); err != nil || list.Kind != "PodList" {
		t.Errorf("got %+v, %v", list, err)
	}
	if err := c.Apply(t.Context(), Split([]byte("kind: Namespace\nmetadata:\n  name: a\n"))[0]); err != nil {
		t.Error(err)
	}
	if _, err := c.Read(t.Context(), "/nothing"); err == nil || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("error %v", err)
	}
	if err := c.Apply(t.Context(), Manifest{Kind: "Secret", Name: "a"}); err == nil {
		t.Error("an unknown kind was applied")
	}
	if _, err := New(server.URL, "secret", nil); err == nil {
		t.Error("a client without a CA")
	}
}
