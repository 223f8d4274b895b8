package contract_test

import (
	"os"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/sandbox/contract"
)

func TestEmbedded(t *testing.T) {
	contract.Run(t, func(t *testing.T) *rest.Config {
		s := apiserver.New(apiserver.Options{})
		t.Cleanup(s.Close)
		return &rest.Config{Host: "http://embedded", Transport: s.RoundTripper(), QPS: -1}
	}, "contract")
}

func TestRealCluster(t *testing.T) {
	path := os.Getenv("KUBECONFIG")
	if path == "" {
		t.Skip("needs a cluster with the Gateway API's CRDs: set KUBECONFIG")
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	contract.Run(t, func(*testing.T) *rest.Config { return config }, "tidegate-contract")
}
