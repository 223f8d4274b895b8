package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/cli"
	"github.com/tidegate/tidegate/internal/sandbox"
	"github.com/tidegate/tidegate/internal/sandbox/service"
)

func TestMain(m *testing.M) {
	testscript.Main(crowd{m}, map[string]func(){
		"tidegate": func() { os.Exit(cli.Main(context.Background(), os.Args[1:], cli.System())) },
	})
}

// TestScripts runs the commands as a person would, against the embedded cluster where a script asks for one.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"cluster": cluster,
			"apply":   apply,
			"locked":  locked,
			"asked":   asked,
			"echoes":  echoes,
		},
	})
}

// exits CODE ARGS... runs tidegate and wants its exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE ARGS...")
	}
	code := 0
	err := ts.Exec("tidegate", args[1:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if want, _ := strconv.Atoi(args[0]); code != want {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// started are the clusters of the scripts that run.
type started struct{ byScript sync.Map }

var clusters started

func (s *started) put(ts *testscript.TestScript, c *sandbox.Cluster) { s.byScript.Store(ts, c) }

func (s *started) get(ts *testscript.TestScript) *sandbox.Cluster {
	c, ok := s.byScript.Load(ts)
	if !ok {
		ts.Fatalf("the script has no cluster")
	}
	return c.(*sandbox.Cluster)
}

// cluster starts an embedded cluster with the objects of a file, and sets KUBECONFIG and PROMETHEUS_URL.
func cluster(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: cluster FILE")
	}
	c, err := sandbox.Start(context.Background(), sandbox.Options{Traffic: true, ReadyAfter: 50 * time.Millisecond, Grace: 50 * time.Millisecond,
		Backoff: 200 * time.Millisecond, Images: map[string]service.Config{
			"shop:v1": {Version: "v1"}, "shop:v2": {Version: "v2"}, "shop:v3": {Version: "v3"}, "shop:crash": {Version: "crash", Crash: true},
		}})
	ts.Check(err)
	ts.Defer(func() { ts.Check(c.Close()) })
	path := filepath.Join(ts.Getenv("WORK"), "kubeconfig")
	ts.Check(os.WriteFile(path, c.Kubeconfig(), 0o600))
	ts.Setenv("KUBECONFIG", path)
	ts.Setenv("PROMETHEUS_URL", c.PrometheusURL())
	clusters.put(ts, c)
	apply(ts, false, args)
}

// apply applies a file to the script's cluster and waits a moment.
func apply(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(clusters.get(ts).Apply(context.Background(), ts.ReadFile(args[0])))
	time.Sleep(time.Second)
}

// echoes NAME starts a provider that is as rude as to answer with what it was sent, and puts its address in a variable.
func echoes(ts *testscript.TestScript, _ bool, args []string) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		text := fmt.Sprintf("no rights for %s at %s", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), r.URL.Path)
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "error", "errorType": "bad_data", "error": text})
	}))
	ts.Defer(s.Close)
	ts.Setenv(args[0], s.URL)
}

// asked waits until a rollout waits for an approval.
func asked(ts *testscript.TestScript, _ bool, _ []string) {
	for range 200 {
		for _, o := range clusters.get(ts).API().Store().View(schema.GroupResource{Resource: "configmaps"}, "shop") {
			if data, _ := o.Object["data"].(map[string]any); data["waits"] != nil {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("nothing waits for an approval")
}

// locked waits until a run holds a lock.
func locked(ts *testscript.TestScript, _ bool, _ []string) {
	candidate := schema.GroupResource{Group: "apps", Resource: "deployments"}
	for range 200 {
		if len(clusters.get(ts).API().Store().View(candidate, "shop")) > 1 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("no run has begun")
}
