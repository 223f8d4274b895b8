package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// description is how the cluster is reached, as its launcher prints it.
type description struct {
	Kubeconfig    string `json:"kubeconfig"`
	GatewayURL    string `json:"gatewayURL"`
	PrometheusURL string `json:"prometheusURL"`
	Gateway       string `json:"gateway"`
	Image         string `json:"image"`
}

var (
	cluster description
	config  *rest.Config
	client  dynamic.Interface
)

// The kinds that a rollout touches, and those that it may make.
var (
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	services    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	routes      = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}
	ingresses   = schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"}
	scalers     = schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"}
	pods        = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	configMaps  = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	leases      = schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}
	policies    = schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"}
	budgets     = schema.GroupVersionResource{Group: "policy", Version: "v1", Resource: "poddisruptionbudgets"}
	// Traefik's own.
	ingressRoutes   = schema.GroupVersionResource{Group: "traefik.io", Version: "v1alpha1", Resource: "ingressroutes"}
	traefikServices = schema.GroupVersionResource{Group: "traefik.io", Version: "v1alpha1", Resource: "traefikservices"}
	middlewares     = schema.GroupVersionResource{Group: "traefik.io", Version: "v1alpha1", Resource: "middlewares"}
)

func connect() error {
	var err error
	if config, err = clientcmd.BuildConfigFromFlags("", cluster.Kubeconfig); err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.QPS = -1
	client, err = dynamic.NewForConfig(config)
	return err
}

// ours marks the namespaces of tests.
const ours = "tidegate-e2e"

// sweep removes what tests have left that were killed an hour ago or earlier.
func sweep(ctx context.Context) error {
	namespaces := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"})
	all, err := namespaces.List(ctx, metav1.ListOptions{LabelSelector: ours})
	if err != nil {
		return err
	}
	for _, n := range all.Items {
		if time.Since(n.GetCreationTimestamp().Time) > time.Hour && n.GetDeletionTimestamp() == nil {
			if err := namespaces.Delete(ctx, n.GetName(), metav1.DeleteOptions{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// kubectl runs kubectl as the cluster's admin, with input on stdin.
func kubectl(ctx context.Context, input string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "kubectl", append([]string{"--kubeconfig", cluster.Kubeconfig}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, out.String())
	}
	return out.String(), nil
}

// get reads an object of the shop's namespace; nil when there is none.
func (s *shop) get(gvr schema.GroupVersionResource, name string) *unstructured.Unstructured {
	s.t.Helper()
	for _, o := range s.list(gvr, "") {
		if o.GetName() == name {
			return &o
		}
	}
	return nil
}

func (s *shop) list(gvr schema.GroupVersionResource, selector string) []unstructured.Unstructured {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	all, err := client.Resource(gvr).Namespace(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		s.t.Fatal(err)
	}
	return all.Items
}

func (s *shop) delete(gvr schema.GroupVersionResource, name string) {
	s.t.Helper()
	if err := client.Resource(gvr).Namespace(s.namespace).Delete(s.t.Context(), name, metav1.DeleteOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

// eventually asks until the answer is "", which is all well, and fails the test with the last one otherwise.
func eventually(t testing.TB, within time.Duration, ask func() string) {
	t.Helper()
	problem := ""
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if problem = ask(); problem == "" {
			return
		}
	}
	t.Fatalf("after %s still: %s", within, problem)
}

func nested(o *unstructured.Unstructured, path ...string) any {
	v, _, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
	return v
}
