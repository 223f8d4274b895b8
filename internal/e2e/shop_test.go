package e2e

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/sandbox/load"
)

const (
	size = 3   // pods of the base
	rate = 200 // requests a second
)

// shop is a test's own namespace with a service in it, its users, and a folder with its deploy spec.
type shop struct {
	layout
	t          testing.TB
	namespace  string
	host       string
	dir        string
	kubeconfig string
	prometheus string
	env        []string
	users      visitors
	people     *load.Users // the users, where they keep cookies
	before     map[schema.GroupVersionResource]*unstructured.Unstructured
	// lossy says that requests may be lost: the base is broken.
	lossy bool
	// reported is when the last request was lost that a test was told of.
	reported time.Time
}

// visitors send requests and keep every answer.
type visitors interface {
	Snapshot() []load.Answer
	Counts() load.Summary
	Stop() []load.Answer
}

// open makes a shop that is ready and has users. Everything of it is gone at the test's end.
func open(t testing.TB, l layout) *shop {
	t.Helper()
	id := strings.ToLower(rand.Text()[:8])
	s := &shop{layout: l, t: t, namespace: "e2e-" + id, host: id + ".e2e.test", dir: t.TempDir(),
		kubeconfig: cluster.Kubeconfig, prometheus: cluster.PrometheusURL,
		before: map[schema.GroupVersionResource]*unstructured.Unstructured{}}
	s.writeSpec(s.fill(userSpec))
	t.Cleanup(func() {
		_, _ = kubectl(context.Background(), "", "delete", "namespace", s.namespace, "--wait=false") // a leak harms no other test
	})
	s.kubectl(fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {%s: \"true\"}}\n", s.namespace, ours), "create", "-f", "-")
	s.apply(or(l.version, "v1"))
	if l.crowd {
		return s
	}
	eventually(t, time.Minute, s.settled)
	s.welcome()
	s.remember()
	return s
}

func (s *shop) writeSpec(text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "tidegate.yaml"), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// apply does what users do with their files.
func (s *shop) apply(version string) {
	s.t.Helper()
	s.kubectl(s.objects(version), "apply", "--server-side", "-f", "-")
}

func (s *shop) kubectl(input string, args ...string) string {
	s.t.Helper()
	out, err := kubectl(context.Background(), input, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// remember keeps the user's objects as they are now, for comparison.
func (s *shop) remember() {
	s.t.Helper()
	for _, gvr := range append([]schema.GroupVersionResource{s.workloads(), services, scalers}, s.routing().resources...) {
		if o := s.get(gvr, "checkout"); o != nil {
			s.before[gvr] = o
		}
	}
}

// settled says what keeps the base from being whole.
func (s *shop) settled() string {
	ready := 0
	for _, p := range s.list(pods, "app=checkout") {
		if isReady(&p) {
			ready++
		}
	}
	if ready != s.size() {
		return fmt.Sprintf("%d of %d pods are ready", ready, s.size())
	}
	w, count := s.get(s.workloads(), "checkout"), "readyReplicas"
	if s.kind == "DaemonSet" {
		count = "numberReady"
	}
	if seen, _ := nested(w, "status", "observedGeneration").(int64); seen != w.GetGeneration() || nested(w, "status", count) != int64(s.size()) {
		return "the workload is not whole"
	}
	return ""
}

func isReady(pod *unstructured.Unstructured) bool {
	if pod.GetDeletionTimestamp() != nil {
		return false
	}
	conditions, _, _ := unstructured.NestedSlice(pod.Object, "status", "conditions")
	for _, c := range conditions {
		if m, ok := c.(map[string]any); ok && m["type"] == "Ready" {
			return m["status"] == "True"
		}
	}
	return false
}

// welcome waits until the gateway serves the shop and lets the users in.
func (s *shop) welcome() {
	s.t.Helper()
	for good := 0; good < 10; {
		s.patience()
		if good++; s.ask() != http.StatusOK {
			good = 0
		}
	}
	s.letIn()
}

// letIn starts the users.
func (s *shop) letIn() {
	s.t.Helper()
	var err error
	perSecond := s.rate
	if perSecond == 0 {
		perSecond = rate
	}
	o := load.Options{URL: cluster.GatewayURL, Host: s.host, Rate: perSecond}
	if s.jars {
		s.people, err = load.StartUsers(context.Background(), load.UserOptions{Options: o})
		s.users = s.people
	} else {
		s.users, err = load.Start(context.Background(), o)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		s.users.Stop()
		s.nothingLost()
	})
	time.Sleep(2 * time.Second) // until there are numbers about the base
}

func (s *shop) patience() {
	if s.t.Context().Err() != nil {
		s.t.Fatal("the test has ended")
	}
	time.Sleep(100 * time.Millisecond)
}

// ask sends one request and returns its status.
func (s *shop) ask() int {
	status, _ := s.visit(s.host, nil)
	return status
}

// visit sends one request to a host of the gateway, and returns its status and the version that answered.
func (s *shop) visit(host string, header http.Header) (status int, version string) {
	answer := s.fetch(host, "/", header)
	if answer == nil {
		return 0, ""
	}
	return answer.StatusCode, answer.Header.Get(load.VersionHeader)
}

// fetch sends one request and returns the head of its answer; nil when there is none.
func (s *shop) fetch(host, path string, header http.Header) *http.Response {
	req, err := http.NewRequest(http.MethodGet, cluster.GatewayURL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Host = host
	for name, values := range header {
		req.Header[name] = values
	}
	answer, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		return nil
	}
	answer.Body.Close()
	return answer
}
