package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

const (
	// startWithin bounds the first build of the cluster.
	startWithin = 25 * time.Minute
	// parallel is how many rollouts two cores carry at once without one disturbing another.
	parallel = 2
)

// binary is the tidegate that all tests run.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if why := cannot(); why != "" {
		required := os.Getenv("TIDEGATE_REQUIRE_CLUSTER") == "1" || os.Getenv("CI") == "true"
		fmt.Fprintf(os.Stderr, "e2e: skipped: %s; run as root on Linux, or give another cluster by KUBECONFIG, TIDEGATE_E2E_GATEWAY and TIDEGATE_E2E_PROMETHEUS\n", why)
		if required {
			return 1
		}
		return 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	dir, err := os.MkdirTemp("", "tidegate-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := prepare(ctx, dir); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	if f := flag.Lookup("test.parallel"); f.Value.String() == fmt.Sprint(runtime.GOMAXPROCS(0)) {
		_ = f.Value.Set(fmt.Sprint(parallel)) // nobody asked for another number
	}
	return m.Run()
}

// cannot says why there is no cluster; "" when there can be one.
func cannot() string {
	switch {
	case testing.Short():
		return "-short"
	case os.Getenv("TIDEGATE_E2E_GATEWAY") != "":
		return ""
	case runtime.GOOS != "linux":
		return "a cluster needs Linux"
	case os.Geteuid() != 0:
		return "a cluster needs root"
	}
	return ""
}

func prepare(ctx context.Context, dir string) error {
	binary = filepath.Join(dir, "tidegate")
	build := exec.CommandContext(ctx, "go", "build", "-ldflags", "-s -w", "-o", binary, "./cmd/tidegate")
	build.Dir, build.Stderr = root(), os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build tidegate: %w", err)
	}
	if err := locate(ctx); err != nil {
		return err
	}
	if err := connect(); err != nil {
		return err
	}
	return sweep(ctx)
}

// locate finds the cluster, starting it if need be.
func locate(ctx context.Context) error {
	if url := os.Getenv("TIDEGATE_E2E_GATEWAY"); url != "" {
		cluster = description{Kubeconfig: os.Getenv("KUBECONFIG"), GatewayURL: url, PrometheusURL: os.Getenv("TIDEGATE_E2E_PROMETHEUS"),
			Gateway: "gateway/gateway", Image: "tidegate.local/checkout"}
		return nil
	}
	up := exec.CommandContext(ctx, "go", "run", "-C", filepath.Join("testdata", "cluster"), ".", "up")
	up.Dir, up.Stderr = root(), os.Stderr
	out, err := up.Output()
	if err != nil {
		return fmt.Errorf("start the cluster: %w", err)
	}
	return json.Unmarshal(out, &cluster)
}

// root is the repository's.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}
