//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/testdata/cluster/internal/build"
	"github.com/tidegate/tidegate/testdata/cluster/internal/layout"
)

func TestExitCodes(t *testing.T) {
	for want, err := range []error{nil, errors.New("any"), errUsage, fmt.Errorf("up: %w", errCannot)} {
		if got := exitCode(err); got != want {
			t.Errorf("%v gives %d, want %d", err, got, want)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"start"}, {"up", "now"}, {"status", "-o", "yaml"}, {"watch"}} {
		if err := realMain(t.Context(), args); !errors.Is(err, errUsage) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestConfigsAreFilledIn(t *testing.T) {
	c := newCluster(layout.Layout{Dir: t.TempDir()})
	for _, d := range []string{"config", "cni"} {
		if err := os.MkdirAll(c.State(d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.writeConfigs(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(c.State("config", "*"))
	if len(files) != 5 {
		t.Errorf("files %v", files)
	}
	for _, f := range files {
		if data, _ := os.ReadFile(f); len(data) == 0 || strings.Contains(string(data), "{{") {
			t.Errorf("%s:\n%s", f, data)
		}
	}
	data, _ := os.ReadFile(c.State("cni", "network.conflist"))
	if !json.Valid(data) {
		t.Errorf("not JSON:\n%s", data)
	}
}

func TestMountPoints(t *testing.T) {
	info := `22 1 0:20 / /proc rw - proc proc rw
30 1 0:40 / /c/state/kubelet rw - tmpfs tmpfs rw
31 30 0:41 / /c/state/kubelet/a\040b rw - tmpfs tmpfs rw
32 1 0:42 / /cc/other rw - tmpfs tmpfs rw
`
	if got := mountPoints(info, "/c"); !slices.Equal(got, []string{"/c/state/kubelet", "/c/state/kubelet/a b"}) {
		t.Errorf("got %v", got)
	}
}

func TestKubernetesVersionIsTheModules(t *testing.T) {
	data, err := os.ReadFile("kubernetes/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), "k8s.io/kubernetes "+build.Kubernetes+"\n") {
		t.Errorf("kubernetes/go.mod requires another version than %s", build.Kubernetes)
	}
}

func TestStagesNameEachPartOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, stage := range newCluster(layout.Layout{Dir: "/nowhere"}).stages() {
		for _, part := range stage {
			if seen[part.Name] || part.Path == "" || part.health == nil {
				t.Errorf("%+v", part.Spec)
			}
			seen[part.Name] = true
		}
	}
	if len(seen) != 10 {
		t.Errorf("%d parts", len(seen))
	}
}
